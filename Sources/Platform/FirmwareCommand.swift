import CLinux
import Glibc
public import Telemetry

/// A text command to the firmware of a Raspberry Pi, laid out as vcgencmd does (raspberrypi/utils, vcgencmd.c):
///
/// ```
/// word 0          bytes of the whole message
///      1          0: a request
///      2          0x00030080: GET_GENCMD_RESULT
///      3          4096: bytes of the text
///      4          0; the firmware puts the length of its answer here
///      5          0; the firmware puts its error here, 0 is none
///      6 … 1029   the command, and then the answer, ended by a NUL
///      1030       0: no further tag
/// ```
///
/// The text interface serves everything: the kernel lets `/dev/vcio_gencmd`, which the group `video` may open, carry this tag and
/// no other (raspberrypi/linux, drivers/char/broadcom/vcio.c), and keeps `/dev/vcio` for root.
enum FirmwareMessage {
  private static let textBytes = 4096
  private static let textWord = 6

  /// The words of a request; nil when the command does not fit.
  static func request(_ command: String) -> [UInt32]? {
    let bytes = Array(command.utf8)
    guard !bytes.isEmpty, bytes.count < textBytes else { return nil }
    let count = textWord + textBytes / 4 + 1
    var words = [UInt32](repeating: 0, count: count)
    words[0] = UInt32(count * 4)
    words[2] = 0x0003_0080
    words[3] = UInt32(textBytes)
    words.withUnsafeMutableBytes { for (index, byte) in bytes.enumerated() { $0[textWord * 4 + index] = byte } }
    return words
  }

  /// The text of an answer; nil when the firmware refused the command.
  static func answer(_ words: [UInt32]) -> String? {
    guard words[5] == 0 else { return nil }
    let bytes = words.withUnsafeBytes { $0.dropFirst(textWord * 4).prefix(textBytes).prefix { $0 != 0 } }
    return accepted(String(decoding: bytes, as: UTF8.self))
  }

  /// Some firmware says so in the text alone: `error=1 error_msg="Command not registered"`.
  static func accepted(_ text: String) -> String? { text.hasPrefix("error=") ? nil : text }
}

extension LinuxCalls {
  /// By the mailbox: `/dev/vcio_gencmd`, else `/dev/vcio`, which older kernels have alone.
  public func firmwareCommand(_ command: String) throws(SensorError) -> String {
    guard var message = FirmwareMessage.request(command) else { throw .absent("firmware command \(command)") }
    var barred: String?
    for path in ["/dev/vcio_gencmd", "/dev/vcio"] {
      let result = godwit_firmware_exchange(path, &message)
      switch -result {
      case 0:
        guard let answer = FirmwareMessage.answer(message) else { throw .absent("firmware command \(command)") }
        return answer
      case ENOENT, ENXIO, ENODEV: continue
      case EACCES, EPERM: if barred == nil { barred = path }
      default: throw .io(path: path, errno: -result)
      }
    }
    throw barred.map(Self.barred) ?? .absent("/dev/vcio")
  }

  static func barred(_ path: String) -> SensorError {
    .device(path, what: "permission denied: the agent's user must be in the group video")
  }
}

extension RecordedCalls {
  /// From `vcio`, which reads like a terminal's record:
  ///
  /// ```
  /// $ measure_temp
  /// temp=48.3'C
  /// ```
  ///
  /// A command that is not there is one that the firmware does not know; a file that begins with `!` is a device that may not be
  /// opened.
  public func firmwareCommand(_ command: String) throws(SensorError) -> String {
    let answer = try recorded("/vcio").read { (text) throws(SensorError) -> String? in
      if text.skip(byte: 0x21) { throw LinuxCalls.barred("/dev/vcio_gencmd") }
      var answer: String?
      while !text.isAtEnd {
        if text.skip("$ ") {
          if answer != nil { break }
          if text.restOfLine() == command { answer = "" }
        } else if let before = answer {
          answer = before + text.restOfLine() + "\n"
        }
        text.skipLine()
      }
      return answer
    }
    guard let answer = answer.flatMap(FirmwareMessage.accepted) else { throw .absent("firmware command \(command)") }
    return answer
  }
}
