/// Why bytes are no message.
public enum ProtobufDamage: Error, Hashable, Sendable {
  /// They end inside a field.
  case truncated
  /// A tag, a length or a group that cannot be.
  case malformed
  /// A string that is not UTF-8.
  case notUTF8
  /// More than the reader's bounds allow.
  case tooLarge
}

/// Reads the wire format of protocol buffers field by field; see `ProtobufWriter` for the layout. It never looks past its end.
struct ProtobufReader {
  struct Field {
    var number: Int
    var type: ProtobufWireType
  }

  private let bytes: [UInt8]
  private var position: Int
  private let end: Int

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    position = 0
    end = bytes.count
  }

  private init(_ bytes: [UInt8], _ range: Range<Int>) {
    self.bytes = bytes
    position = range.lowerBound
    end = range.upperBound
  }

  /// The next field; nil at the end. Its value has to be read or skipped.
  mutating func next() throws(ProtobufDamage) -> Field? {
    guard position < end else { return nil }
    let tag = try varint()
    guard tag <= UInt64(UInt32.max), tag >> 3 > 0, let type = ProtobufWireType(rawValue: UInt8(tag & 7)) else {
      throw .malformed
    }
    return Field(number: Int(tag >> 3), type: type)
  }

  mutating func varint() throws(ProtobufDamage) -> UInt64 {
    var value: UInt64 = 0
    // Ten bytes hold 64 bits; an eleventh cannot be.
    for shift in stride(from: UInt64(0), through: 63, by: 7) {
      guard position < end else { throw .truncated }
      let byte = bytes[position]
      position += 1
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
    }
    throw .malformed
  }

  mutating func fixed32() throws(ProtobufDamage) -> UInt32 { UInt32(try fixed(4)) }

  mutating func fixed64() throws(ProtobufDamage) -> UInt64 { try fixed(8) }

  mutating func string() throws(ProtobufDamage) -> String {
    let range = try delimited()
    guard let text = String(validating: bytes[range], as: UTF8.self) else { throw .notUTF8 }
    return text
  }

  mutating func data() throws(ProtobufDamage) -> [UInt8] { Array(bytes[try delimited()]) }

  /// A message inside this one.
  mutating func message() throws(ProtobufDamage) -> ProtobufReader { ProtobufReader(bytes, try delimited()) }

  /// Passes over a field that nobody wants.
  mutating func skip(_ field: Field) throws(ProtobufDamage) { try skip(field, depth: 0) }

  private mutating func skip(_ field: Field, depth: Int) throws(ProtobufDamage) {
    switch field.type {
    case .varint: _ = try varint()
    case .fixed64: _ = try fixed(8)
    case .fixed32: _ = try fixed(4)
    case .delimited: _ = try delimited()
    case .groupEnd: throw .malformed
    case .groupStart:
      guard depth < UplinkLimits.Sparkplug.groupDepth else { throw .tooLarge }
      while true {
        guard let inner = try next() else { throw .truncated }
        if inner.type == .groupEnd {
          guard inner.number == field.number else { throw .malformed }
          return
        }
        try skip(inner, depth: depth + 1)
      }
    }
  }

  private mutating func fixed(_ count: Int) throws(ProtobufDamage) -> UInt64 {
    guard end - position >= count else { throw .truncated }
    var value: UInt64 = 0
    for index in 0..<count { value |= UInt64(bytes[position + index]) << UInt64(8 * index) }
    position += count
    return value
  }

  private mutating func delimited() throws(ProtobufDamage) -> Range<Int> {
    let length = try varint()
    guard length <= UInt64(end - position) else { throw .truncated }
    let range = position..<position + Int(length)
    position = range.upperBound
    return range
  }
}
