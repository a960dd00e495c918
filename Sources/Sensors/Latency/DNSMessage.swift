import Platform

/// The types of records that can be asked for.
enum DNSRecordType: String, CaseIterable, Sendable {
  case A, AAAA, CNAME, MX, NS, PTR, SOA, SRV, TXT

  /// Its number (IANA, DNS parameters).
  var code: UInt16 {
    switch self {
    case .A: 1
    case .NS: 2
    case .CNAME: 5
    case .SOA: 6
    case .PTR: 12
    case .MX: 15
    case .TXT: 16
    case .AAAA: 28
    case .SRV: 33
    }
  }
}

/// What a name server answered: RFC 1035, section 4.
///
/// ```
///  0       2       4       6       8       10      12
/// +-------+-------+-------+-------+-------+-------+----------+---------+-----
/// |  id   | flags | asked | found | auth. | more  | question | answers | …
/// +-------+-------+-------+-------+-------+-------+----------+---------+-----
/// flags: QR(1) opcode(4) AA TC RD RA Z(3) RCODE(4)
/// ```
struct DNSMessage: Hashable, Sendable {
  /// RCODE: 0 is success, 3 says that the name does not exist.
  let code: Int
  /// Whether it was cut to fit a packet.
  let isTruncated: Bool
  /// Records of the type that was asked for.
  let found: Int
  /// Addresses among them.
  let addresses: [NetworkAddress]
  /// The texts of TXT records, printable ASCII only.
  let texts: [String]
  /// The shortest time that its records may be kept, seconds.
  let seconds: Int64

  /// The class Internet, and CHAOS, in which name servers tell of themselves.
  private static let (internet, chaos): (UInt8, UInt8) = (1, 3)

  /// A question with recursion; nil when the name is none of RFC 1035: labels of 1 to 63 bytes, 255 in all. `.` is the root.
  static func query(id: UInt16, name: String, type: DNSRecordType, isChaos: Bool = false) -> [UInt8]? {
    guard let encoded = encode(name) else { return nil }
    var bytes: [UInt8] = [UInt8(id >> 8), UInt8(id & 0xFF), 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]
    bytes += encoded
    bytes += [UInt8(type.code >> 8), UInt8(type.code & 0xFF), 0, isChaos ? chaos : internet]
    return bytes
  }

  private static func encode(_ name: String) -> [UInt8]? {
    if name == "." { return [0] }
    var text = name.utf8[...]
    if text.last == 0x2E { text.removeLast() }
    var bytes: [UInt8] = []
    for label in text.split(separator: 0x2E, omittingEmptySubsequences: false) {
      guard (1...63).contains(label.count), label.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
      bytes.append(UInt8(label.count))
      bytes += label
    }
    bytes.append(0)
    return bytes.count <= 255 ? bytes : nil
  }

  /// Reads an answer to a question; nil when it is one to another.
  init?(_ bytes: [UInt8], to query: [UInt8], type: DNSRecordType) throws(NetworkFailure) {
    // The question is repeated as it was put; names may come back in other letters.
    guard bytes.count >= query.count, bytes[0..<2] == query[0..<2], bytes[2] & 0xF8 == 0x80,
      zip(bytes[4..<6] + bytes[12..<query.count], query[4..<6] + query[12...]).allSatisfy({ Self.lower($0) == Self.lower($1) })
    else { return nil }
    code = Int(bytes[3] & 15)
    isTruncated = bytes[2] & 2 != 0
    var reader = Reader(bytes: bytes, position: query.count)
    var (found, seconds, addresses) = (0, Int64.max, [NetworkAddress]())
    var texts: [String] = []
    for _ in 0..<min(Int(bytes[6]) << 8 | Int(bytes[7]), LatencyLimits.dnsRecords) {
      guard let record = reader.record() else {
        // The rest of what was cut comes over TCP.
        if isTruncated { break }
        throw .wrong("the name server's answer is malformed")
      }
      seconds = min(seconds, record.seconds)
      // The question's last bytes are its class.
      guard record.type == type.code, record.place == query.last else { continue }
      found += 1
      if type == .TXT { texts.append(Self.text(record.data)) }
      let length = type == .A ? 4 : type == .AAAA ? 16 : 0
      guard length > 0 else { continue }
      guard record.data.count == length, let address = NetworkAddress(bytes: Array(record.data)) else {
        throw .wrong("the name server's answer is malformed")
      }
      addresses.append(address)
    }
    (self.found, self.seconds, self.addresses) = (found, found == 0 ? 0 : seconds, addresses)
    self.texts = texts
  }

  /// RFC 1035, section 3.3.14: strings, each behind its length.
  private static func text(_ data: ArraySlice<UInt8>) -> String {
    var data = data
    var bytes: [UInt8] = []
    while let length = data.popFirst() {
      bytes += data.prefix(Int(length)).filter { (0x20..<0x7F).contains($0) }
      data = data.dropFirst(Int(length))
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func lower(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte + 0x20 : byte }

  private struct Reader {
    let bytes: [UInt8]
    var position: Int

    mutating func number(_ count: Int) -> Int? {
      guard position + count <= bytes.count else { return nil }
      defer { position += count }
      return bytes[position..<position + count].reduce(0) { $0 << 8 | Int($1) }
    }

    /// Passes a name. What a pointer leads to is never needed, so no loop of pointers can hold it up.
    mutating func skipName() -> Bool {
      while position < bytes.count {
        let length = Int(bytes[position])
        switch length & 0xC0 {
        case 0xC0:
          // A pointer leads back: section 4.1.4.
          guard let pointer = number(2), pointer & 0x3FFF < position - 2 else { return false }
          return true
        case 0:
          position += 1 + length
          if length == 0 { return position <= bytes.count }
        default: return false
        }
      }
      return false
    }

    mutating func record() -> (type: UInt16, place: UInt8, seconds: Int64, data: ArraySlice<UInt8>)? {
      guard skipName(), let type = number(2), let place = number(2), let seconds = number(4), let length = number(2),
        position + length <= bytes.count
      else { return nil }
      defer { position += length }
      // A time with the highest bit set is none: RFC 2181, section 8.
      let kept = seconds > Int(Int32.max) ? 0 : Int64(seconds)
      return (UInt16(type), UInt8(clamping: place), kept, bytes[position..<position + length])
    }
  }
}
