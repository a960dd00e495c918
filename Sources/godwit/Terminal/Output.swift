import Glibc
import Platform

/// What the program says to people and to other programs.
enum Output {
  static func write(_ text: String) { write(Array(text.utf8)) }

  /// Ends the program with status 1 where it cannot be written: an answer that is cut off must not look whole.
  static func write(_ bytes: [UInt8]) {
    let code = StandardStreams.write(bytes)
    guard code != 0 else { return }
    // Whoever read has had enough, as `head` does. Most commands are ended by the signal; one that talks to a broker ignores it.
    guard code != EPIPE else { exit(128 + SIGPIPE) }
    error("godwit: cannot write standard output: \(String(cString: strerror(code)))")
    exit(1)
  }

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
