/// Echo requests and replies of RFC 792 and RFC 4443.
///
/// ```
///  0      1      2             4             6             8
/// +------+------+-------------+-------------+-------------+-----------------+
/// | type | code |  checksum   | identifier  |  sequence   | token, 16 bytes |
/// +------+------+-------------+-------------+-------------+-----------------+
/// ```
struct ICMPEcho: Hashable, Sendable {
  let isIPv6: Bool
  let identifier, sequence: UInt16
  /// Tells an answer from that to another: ping sockets have an identifier that the kernel chooses.
  let token: [UInt8]

  /// With a checksum, which the kernel replaces where it makes its own.
  var request: [UInt8] {
    var bytes: [UInt8] = [isIPv6 ? 128 : 8, 0, 0, 0]
    for word in [identifier, sequence] { bytes += [UInt8(word >> 8), UInt8(word & 0xFF)] }
    bytes += token
    let sum = Self.checksum(bytes)
    bytes[2] = UInt8(sum >> 8)
    bytes[3] = UInt8(sum & 0xFF)
    return bytes
  }

  /// Whether a packet is the reply to this request. `hasHeader`: it begins with an IPv4 header, as raw sockets give it.
  func isAnswered(by packet: [UInt8], hasHeader: Bool) -> Bool {
    var rest = packet[...]
    if hasHeader {
      guard let first = packet.first, first >> 4 == 4, first & 15 >= 5 else { return false }
      rest = rest.dropFirst(Int(first & 15) * 4)
    }
    guard rest.count >= 8 + token.count, rest.removeFirst() == (isIPv6 ? 129 : 0), rest.removeFirst() == 0 else { return false }
    rest = rest.dropFirst(4)
    guard rest.removeFirst() == UInt8(sequence >> 8), rest.removeFirst() == UInt8(sequence & 0xFF) else { return false }
    return rest.prefix(token.count).elementsEqual(token)
  }

  /// The Internet checksum of RFC 1071.
  static func checksum(_ bytes: [UInt8]) -> UInt16 {
    var sum: UInt32 = 0
    for (place, byte) in bytes.enumerated() { sum += place % 2 == 0 ? UInt32(byte) << 8 : UInt32(byte) }
    while sum > 0xFFFF { sum = (sum & 0xFFFF) + (sum >> 16) }
    return ~UInt16(sum)
  }
}
