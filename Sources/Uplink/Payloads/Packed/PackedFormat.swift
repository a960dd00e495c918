import Buffer

// The payload `packed`: three kinds of message. Fixed numbers are little-endian; varint is LEB128 (seven bits a byte, low first, the top
// bit says that more follow); zigzag is a varint of 0, −1, 1, −2 … as 0, 1, 2, 3 … docs/packed.md has the whole for other readers.
//
//   key      a live tick with all its values
//     +------+-----------+----------+--------+------+---------+---------------+--------+--------+-------+
//     | 0xB1 | 0x01|sync | sequence | wall   | boot | series  | CRC of series | bitmap | tokens | CRC   |
//     |      |           | varint   | zigzag |      | varint  | 4             |        |        | 4     |
//     +------+-----------+----------+--------+------+---------+---------------+--------+--------+-------+
//
//   delta    a live tick: what changed against the base, the message before it
//     +------+-----------+----------+------------------------+----------+------------------+--------+--------+-------+
//     | 0xB1 | 0x02|sync | sequence | sequence − the base's  | CRC of   | wall − the       | bitmap | tokens | CRC   |
//     |      |           | varint   | varint, from 1         | base: 4  | base's, zigzag   |        |        | 4     |
//     +------+-----------+----------+------------------------+----------+------------------+--------+--------+-------+
//
//   block    stored ticks
//     +------+------+----------+----------+----------+---------+---------------+-------+--------+-------+-------+
//     | 0xB1 | 0x03 | first    | last     | damaged  | series  | CRC of series | boots | epochs | block | CRC   |
//     |      |      | varint   | − first  | varint   | varint  | 4             |       |        |       | 4     |
//     +------+------+----------+----------+----------+---------+---------------+-------+--------+-------+-------+
//
//   0xB1     the payload's mark, its low four bits the version
//   sync     0x10 when the wall clock was synchronised
//   wall     Unix milliseconds
//   boot     byte 0 and the 16 bytes of the boot id, or its length in bytes (1…255) and its UTF-8
//   series   how many series the message counts on, and the CRC-32 over them: see SeriesChecks
//   bitmap   bit i of byte b: a token for series 8·b + i follows; ⌈series/8⌉ bytes, of the key's count
//   token    varint: 0  eight bytes follow: the value's IEEE 754 bits
//                    1  missing
//                    n  the value's scaled integer (value · 10^decimals) is the last one of this series since the key, or 0, plus
//                       unzigzag(n − 2)
//            Without a token a value is as in the base, in a key missing.
//   damaged  values of these ticks that were stored and cannot be read
//   boots    varint how many, then each as above
//   epochs   varint how many, then by ascending id: id − the id before (the first: id) as varint, index into boots as varint, wall clock
//            minus the block's milliseconds as zigzag, byte 1 when synchronised, else 0
//   block    a raw block: see BlockLayout
//   CRC      CRC-32 (zlib's) of all bytes before it

enum PackedFormat {
  static let mark: UInt8 = 0xB0
  static let version: UInt8 = 1
  static let key: UInt8 = 1
  static let delta: UInt8 = 2
  static let block: UInt8 = 3
  static let synced: UInt8 = 0x10

  static let rawToken: UInt64 = 0
  static let missingToken: UInt64 = 1
  static let firstDifference: UInt64 = 2
  static let checksumBytes = 4
}

/// Appends the numbers of a message.
struct PackedWriter {
  private(set) var bytes: [UInt8] = []

  init(_ kind: UInt8, capacity: Int) {
    bytes.reserveCapacity(capacity)
    bytes.append(PackedFormat.mark | PackedFormat.version)
    bytes.append(kind)
  }

  mutating func byte(_ byte: UInt8) { bytes.append(byte) }

  mutating func varint(_ value: UInt64) { WireNumber.append(varint: value, to: &bytes) }

  mutating func zigzag(_ value: Int64) { varint(WireNumber.zigzag(value)) }

  mutating func fixed(_ value: UInt32) { for shift in [0, 8, 16, 24] as [UInt32] { bytes.append(UInt8(value >> shift & 0xFF)) } }

  mutating func bits(_ value: Double) {
    fixed(UInt32(truncatingIfNeeded: value.bitPattern))
    fixed(UInt32(truncatingIfNeeded: value.bitPattern >> 32))
  }

  mutating func raw(_ more: [UInt8]) { bytes += more }

  mutating func boot(_ boot: String) { bytes += BootText.encode(boot) }

  /// Makes room for a bitmap; returns where it lies.
  mutating func bitmap(_ count: Int) -> Int {
    bytes += repeatElement(0, count: (count + 7) / 8)
    return bytes.count - (count + 7) / 8
  }

  mutating func mark(_ index: Int, at bitmap: Int) { bytes[bitmap + index / 8] |= 1 << UInt8(index % 8) }
}

/// Reads the numbers of a message, never past its end.
struct PackedScanner {
  private let bytes: [UInt8]
  private(set) var position: Int
  private let end: Int

  init(_ bytes: [UInt8], _ range: Range<Int>) { (self.bytes, position, end) = (bytes, range.lowerBound, range.upperBound) }

  var left: Int { end - position }

  mutating func byte() throws(PackedFault) -> UInt8 {
    guard position < end else { throw .damaged }
    position += 1
    return bytes[position - 1]
  }

  mutating func varint() throws(PackedFault) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: 0, to: 64, by: 7) {
      let byte = try byte()
      // The tenth byte has room for one bit.
      guard shift < 63 || byte <= 1 else { throw .damaged }
      value |= UInt64(byte & 0x7F) << UInt64(shift)
      if byte < 0x80 { return value }
    }
    throw .damaged
  }

  /// A count of things that take at least a byte each.
  mutating func count() throws(PackedFault) -> Int {
    let count = try varint()
    guard count <= UInt64(left) else { throw .damaged }
    return Int(count)
  }

  mutating func zigzag() throws(PackedFault) -> Int64 { WireNumber.unzigzag(try varint()) }

  mutating func fixed() throws(PackedFault) -> UInt32 {
    var value: UInt32 = 0
    for shift in [0, 8, 16, 24] as [UInt32] { value |= UInt32(try byte()) << shift }
    return value
  }

  mutating func bits() throws(PackedFault) -> Double {
    let low = try fixed()
    return Double(bitPattern: UInt64(try fixed()) << 32 | UInt64(low))
  }

  mutating func take(_ count: Int) throws(PackedFault) -> [UInt8] {
    guard count <= left else { throw .damaged }
    position += count
    return Array(bytes[position - count..<position])
  }

  mutating func boot() throws(PackedFault) -> String {
    let length = try byte()
    let text = BootText.decode(try take(length == 0 ? 16 : Int(length)), isIdentifier: length == 0)
    guard let text else { throw .damaged }
    return text
  }
}

/// Boot ids: 16 bytes where they are written as the kernel does, else text.
enum BootText {
  private static let dashes = [8, 13, 18, 23]

  static func encode(_ boot: String) -> [UInt8] {
    if let identifier = identifier(boot) { return [0] + identifier }
    var text = Array(boot.utf8.prefix(255))
    // Cut between characters.
    while String(validating: text, as: UTF8.self) == nil { text.removeLast() }
    return text.isEmpty ? encode("?") : [UInt8(text.count)] + text
  }

  static func decode(_ bytes: [UInt8], isIdentifier: Bool) -> String? {
    guard isIdentifier else { return String(validating: bytes, as: UTF8.self) }
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for byte in bytes {
      if dashes.contains(text.count) { text.append(UInt8(ascii: "-")) }
      text += [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
    }
    return String(decoding: text, as: UTF8.self)
  }

  private static func identifier(_ boot: String) -> [UInt8]? {
    let text = Array(boot.utf8)
    guard text.count == 36, dashes.allSatisfy({ text[$0] == UInt8(ascii: "-") }) else { return nil }
    var bytes: [UInt8] = []
    var high: UInt8?
    for (place, character) in text.enumerated() where !dashes.contains(place) {
      let digit: UInt8
      switch character {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = character - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = character - UInt8(ascii: "a") + 10
      default: return nil
      }
      if let first = high {
        bytes.append(first << 4 | digit)
        high = nil
      } else {
        high = digit
      }
    }
    return bytes
  }
}
