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

/// Reads the wire format of protocol buffers (protobuf.dev/programming-guides/encoding) field by field. It never looks past its end.
///
/// ```
/// field:    tag | value                 tag = number << 3 | wire type, as a varint
/// type 0:   varint                      seven bits a byte, the lowest first; the top bit says that more follow
/// type 1/5: eight / four bytes          little-endian
/// type 2:   length as a varint | bytes  strings, bytes, messages
/// ```
public struct ProtobufReader {
  /// Groups within each other that are read past.
  public static let groupDepth = 32

  /// What comes next.
  public struct Field {
    /// As in the message's definition.
    public var number: Int
    /// How its value is laid out.
    public var type: ProtobufWireType
  }

  private let bytes: [UInt8]
  private var position: Int
  private let end: Int

  /// At the first field of a message.
  public init(_ bytes: [UInt8]) {
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
  public mutating func next() throws(ProtobufDamage) -> Field? {
    guard position < end else { return nil }
    let tag = try varint()
    guard tag <= UInt64(UInt32.max), tag >> 3 > 0, let type = ProtobufWireType(rawValue: UInt8(tag & 7)) else {
      throw .malformed
    }
    return Field(number: Int(tag >> 3), type: type)
  }

  /// A number of type 0.
  public mutating func varint() throws(ProtobufDamage) -> UInt64 {
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

  /// Four bytes, type 5.
  public mutating func fixed32() throws(ProtobufDamage) -> UInt32 { UInt32(try fixed(4)) }

  /// Eight bytes, type 1.
  public mutating func fixed64() throws(ProtobufDamage) -> UInt64 { try fixed(8) }

  /// A text of type 2.
  public mutating func string() throws(ProtobufDamage) -> String {
    let range = try delimited()
    guard let text = String(validating: bytes[range], as: UTF8.self) else { throw .notUTF8 }
    return text
  }

  /// Bytes of type 2.
  public mutating func data() throws(ProtobufDamage) -> [UInt8] { Array(bytes[try delimited()]) }

  /// A message inside this one.
  public mutating func message() throws(ProtobufDamage) -> ProtobufReader { ProtobufReader(bytes, try delimited()) }

  /// Passes over a field that nobody wants.
  public mutating func skip(_ field: Field) throws(ProtobufDamage) { try skip(field, depth: 0) }

  private mutating func skip(_ field: Field, depth: Int) throws(ProtobufDamage) {
    switch field.type {
    case .varint: _ = try varint()
    case .fixed64: _ = try fixed(8)
    case .fixed32: _ = try fixed(4)
    case .delimited: _ = try delimited()
    case .groupEnd: throw .malformed
    case .groupStart:
      guard depth < Self.groupDepth else { throw .tooLarge }
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

/// How a field's value is laid out. Groups are read past only: nobody writes them any more.
public enum ProtobufWireType: UInt8 {
  case varint = 0
  case fixed64 = 1
  case delimited = 2
  case groupStart = 3
  case groupEnd = 4
  case fixed32 = 5
}
