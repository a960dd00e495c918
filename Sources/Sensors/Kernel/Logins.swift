import Platform
import Telemetry

/// Who is logged in: `/run/utmp` (utmp(5)), or logind's session files where a system keeps no utmp any more.
enum Logins {
  /// Bytes of a utmp record where glibc keeps its times in 32 bits (x86, 32-bit ARM), and where it does not (64-bit ARM):
  ///
  /// ```
  /// 0 type:16  2 padding  4 pid:32  8 line[32]  40 id[4]  44 user[32]  76 host[256]  332 exit, session, time, address
  /// ```
  private static let recordBytes = [384, 400]
  private static let userProcess: UInt8 = 7
  private static let highestType: UInt8 = 9
  private static let user = 44

  /// How many records of utmp are of users.
  ///
  /// - Throws: `malformed` with `path` when the bytes are no whole records of either size.
  static func users(utmp text: inout ByteScanner, path: String) throws(SensorError) -> Int {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.remaining)
    while let byte = text.next {
      bytes.append(byte)
      _ = text.skip(byte: byte)
    }
    for size in recordBytes where bytes.count % size == 0 {
      let starts = stride(from: 0, to: bytes.count, by: size)
      guard starts.allSatisfy({ bytes[$0] <= highestType && bytes[($0 + 1)...($0 + 3)].allSatisfy { $0 == 0 } }) else { continue }
      return starts.count { bytes[$0] == userProcess && bytes[$0 + user] != 0 }
    }
    throw .malformed(path: path, what: "not a whole number of utmp records")
  }

  /// Whether one of logind's session files, `KEY=value` lines, is of a user who is there: `ACTIVE=1`, `CLASS=user`, not closing.
  static func isUserSession(_ text: inout ByteScanner) -> Bool {
    var (active, ofUser, closing) = (false, false, false)
    while !text.isAtEnd {
      if text.skip("ACTIVE=") {
        active = text.restOfLine() == "1"
      } else if text.skip("CLASS=") {
        let word = text.restOfLine()
        ofUser = word == "user" || word.hasPrefix("user-")
      } else if text.skip("STATE=") {
        closing = text.restOfLine() == "closing"
      }
      text.skipLine()
    }
    return active && ofUser && !closing
  }
}
