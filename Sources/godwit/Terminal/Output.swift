import Platform

/// What the program says to people and to other programs.
enum Output {
  static func write(_ text: String) { StandardStreams.write(Array(text.utf8)) }

  static func line(_ text: String) { write(text + "\n") }

  static func error(_ text: String) { StandardStreams.writeError(Array((text + "\n").utf8)) }
}

/// Why a command cannot do its work, for people: what, why, remedy.
struct Failure: Error, CustomStringConvertible {
  let description: String
  /// The program's exit status.
  let status: Int32

  init(_ description: String, status: Int32 = 1) {
    self.description = description
    self.status = status
  }
}
