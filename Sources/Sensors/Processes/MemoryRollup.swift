import Platform

/// What `/proc/<pid>/smaps_rollup` says of a process's memory (Documentation/ABI/testing/procfs-smaps_rollup), bytes.
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
