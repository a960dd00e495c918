import Platform
import Telemetry

/// What `/proc/self/stat` says of the process (proc_pid_stat(5)).
struct ProcessFigures: Equatable {
  /// Processor time of all threads, user and kernel, clock ticks.
  var ticks: UInt64
  /// Threads.
  var threads: UInt64
  /// Resident memory, pages.
  var residentPages: UInt64

  /// Takes the fields 14, 15, 20 and 24; the second, the name, stands in parentheses and may hold anything.
  ///
  /// - Throws: `malformed` with `path` when there are fewer fields.
  static func parse(_ text: inout ByteScanner, path: String) throws(SensorError) -> ProcessFigures {
    var figures = ProcessFigures(ticks: 0, threads: 0, residentPages: 0)
    guard text.skip(pastLast: UInt8(ascii: ")")) else { throw .malformed(path: path, what: "no name in parentheses") }
    text.skipBlanks()
    // Field 3, the state's letter.
    _ = text.skip { $0 == 0x20 || $0 == 0x0A }
    for field in 4...24 {
      guard let value = text.signed() else { throw .malformed(path: path, what: "fewer than 24 fields") }
      switch field {
      case 14, 15: figures.ticks &+= UInt64(clamping: value)
      case 20: figures.threads = UInt64(clamping: value)
      case 24: figures.residentPages = UInt64(clamping: value)
      default: break
      }
    }
    return figures
  }
}

/// What `/proc/self/smaps_rollup` says of the process's memory (Documentation/ABI/testing/procfs-smaps_rollup), bytes.
struct MemoryRollup: Equatable {
  /// Its share of all pages, those shared with others divided among them.
  var proportionalBytes: Double?
  /// Pages that no file backs.
  var anonymousBytes: Double?

  /// Takes the lines `Pss:` and `Anonymous:`, which count kibibytes.
  static func parse(_ text: inout ByteScanner) -> MemoryRollup {
    var found = MemoryRollup()
    while !text.isAtEnd {
      if text.skip("Pss:") {
        found.proportionalBytes = text.unsigned().map { Double($0) * 1024 }
      } else if text.skip("Anonymous:") {
        found.anonymousBytes = text.unsigned().map { Double($0) * 1024 }
      }
      text.skipLine()
    }
    return found
  }
}
