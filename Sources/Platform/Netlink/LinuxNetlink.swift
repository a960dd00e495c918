import CLinux
import Glibc
public import Telemetry

extension LinuxCalls {
  /// By a socket of its own, so that no answer can be that of another request.
  public func netlink(
    _ request: NetlinkRequest, _ body: (NetlinkBytes) throws(SensorError) -> Void
  ) throws(SensorError) {
    let descriptor = godwit_netlink_open(request.family.rawValue)
    guard descriptor >= 0 else { throw NetlinkConversation.failure(request.name, errno: -descriptor) }
    defer { close(descriptor) }
    let message = request.message(number: 1)
    guard send(descriptor, message, message.count, 0) == message.count else {
      throw NetlinkConversation.failure(request.name, errno: errno)
    }
    let deadline = SystemClock.bootMilliseconds + PlatformLimits.netlinkMilliseconds
    var conversation = NetlinkConversation(request.name, number: 1)
    // The kernel fills as much as is offered, up to 32 KiB (netlink_dump).
    var buffer = [UInt8](repeating: 0, count: PlatformLimits.netlinkDatagramBytes)
    while true {
      // MSG_TRUNC: the whole length, whatever fits.
      let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_TRUNC))
      if count > buffer.count { throw .malformed(path: "netlink \(request.name)", what: "a datagram of \(count) bytes is cut") }
      if count >= 0 {
        let datagram = NetlinkBytes(buffer).part(from: 0, count: count) ?? NetlinkBytes([])
        if try conversation.take(datagram, body) { return }
        guard SystemClock.bootMilliseconds < deadline else { throw .timedOut }
        continue
      }
      let code = errno
      if code == EINTR { continue }
      guard code == EAGAIN else { throw NetlinkConversation.failure(request.name, errno: code) }
      let left = deadline - SystemClock.bootMilliseconds
      guard left > 0 else { throw .timedOut }
      _ = Poll.wait([(descriptor, .readable)], milliseconds: Int(left))
    }
  }
}

extension RecordedCalls {
  /// From `netlink/<name>`: all messages of the answer, the last too, as hexadecimal digits in any spacing; `#` begins a remark. What is not
  /// recorded is absent.
  public func netlink(
    _ request: NetlinkRequest, _ body: (NetlinkBytes) throws(SensorError) -> Void
  ) throws(SensorError) {
    let path = "/netlink/\(request.name)"
    let bytes = try recorded(path).read { (text) throws(SensorError) in try Self.bytes(&text, path: path) }
    let answer = NetlinkBytes(bytes)
    var conversation = NetlinkConversation(request.name, number: answer.unsigned32(at: 8) ?? 0)
    // A recording that ends early is a kernel that falls silent.
    guard try conversation.take(answer, body) else { throw .timedOut }
  }

  static func bytes(_ text: inout ByteScanner, path: String) throws(SensorError) -> [UInt8] {
    var bytes: [UInt8] = []
    var half: UInt8?
    while let character = text.next {
      switch character {
      case 0x23: text.skipLine()
      case 0x09, 0x0A, 0x0D, 0x20: _ = text.skip(byte: character)
      default:
        guard let digit = Character(UnicodeScalar(character)).hexDigitValue else {
          throw .malformed(path: path, what: "no hexadecimal digits")
        }
        _ = text.skip(byte: character)
        if let high = half { bytes.append(high << 4 | UInt8(digit)) }
        half = half == nil ? UInt8(digit) : nil
      }
    }
    guard half == nil else { throw .malformed(path: path, what: "half a byte") }
    return bytes
  }
}
