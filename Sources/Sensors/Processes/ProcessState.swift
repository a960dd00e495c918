import Platform
import Telemetry

/// The state of a process, from `/proc/<pid>/stat` (proc_pid_stat(5), Documentation/filesystems/proc.rst).
enum ProcessState: Int, CaseIterable {
  case running, sleeping, diskSleep, zombie, stopped, idle

  /// The label's value.
  var word: String {
    switch self {
    case .running: "running"
    case .sleeping: "sleeping"
    case .diskSleep: "disk_sleep"
    case .zombie: "zombie"
    case .stopped: "stopped"
    case .idle: "idle"
    }
  }

  /// Takes the letter behind the command's name, which stands in parentheses and may itself hold any, and line feeds too. Nil for
  /// a process that is dead already (X).
  ///
  /// - Throws: `malformed` with `path` when there is no such letter.
  static func parse(_ text: inout ByteScanner, path: @autoclosure () -> String) throws(SensorError) -> ProcessState? {
    guard text.skip(pastLast: UInt8(ascii: ")")), text.skip(byte: 0x20), let letter = text.next else {
      throw .malformed(path: path(), what: "no state behind the name")
    }
    switch letter {
    case UInt8(ascii: "R"): return .running
    case UInt8(ascii: "S"): return .sleeping
    // P (parked) and the old K and W wait uninterruptibly too.
    case UInt8(ascii: "D"), UInt8(ascii: "P"), UInt8(ascii: "K"), UInt8(ascii: "W"): return .diskSleep
    case UInt8(ascii: "Z"): return .zombie
    case UInt8(ascii: "T"), UInt8(ascii: "t"): return .stopped
    case UInt8(ascii: "I"): return .idle
    case UInt8(ascii: "X"), UInt8(ascii: "x"): return nil
    default: throw .malformed(path: path(), what: "an unknown state")
    }
  }
}
