/// Bytes of a netlink message: every access is checked against their end, numbers are in the host's byte order unless it says otherwise.
public struct NetlinkBytes: Sendable {
  private let storage: [UInt8]
  private let range: Range<Int>

  /// All bytes of an array.
  public init(_ bytes: [UInt8]) {
    storage = bytes
    range = bytes.indices
  }

  private init(_ storage: [UInt8], _ range: Range<Int>) {
    self.storage = storage
    self.range = range
  }

  /// How many there are.
  public var count: Int { range.count }

  /// `count` bytes from `offset`, to the end without a count; nil when there are not so many.
  public func part(from offset: Int, count: Int? = nil) -> NetlinkBytes? {
    guard offset >= 0, offset <= self.count else { return nil }
    let length = count ?? self.count - offset
    guard length >= 0, length <= self.count - offset else { return nil }
    return NetlinkBytes(storage, range.lowerBound + offset..<range.lowerBound + offset + length)
  }

  private func load<Number: FixedWidthInteger & BitwiseCopyable>(_ offset: Int, as type: Number.Type) -> Number? {
    guard offset >= 0, count >= MemoryLayout<Number>.size, offset <= count - MemoryLayout<Number>.size else { return nil }
    return storage.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: range.lowerBound + offset, as: type) }
  }

  /// One byte.
  public func byte(at offset: Int = 0) -> UInt8? { load(offset, as: UInt8.self) }
  /// Two bytes.
  public func unsigned16(at offset: Int = 0) -> UInt16? { load(offset, as: UInt16.self) }
  /// Four bytes.
  public func unsigned32(at offset: Int = 0) -> UInt32? { load(offset, as: UInt32.self) }
  /// Eight bytes.
  public func unsigned64(at offset: Int = 0) -> UInt64? { load(offset, as: UInt64.self) }
  /// Two bytes in network order: a port.
  public func port(at offset: Int) -> UInt16? { unsigned16(at: offset).map { UInt16(bigEndian: $0) } }

  /// The text up to the first NUL, or to the end. Invalid UTF-8 is repaired.
  public var text: String { String(decoding: storage[range].prefix { $0 != 0 }, as: UTF8.self) }

  /// The attributes that these bytes are, from `offset` on.
  public func attributes(from offset: Int = 0) -> NetlinkAttributes {
    NetlinkAttributes(part(from: offset) ?? NetlinkBytes([]))
  }
}

/// Attributes one after another, each padded to 4 bytes (include/uapi/linux/netlink.h):
///
/// ```
///  0       2       4             length
/// ┌───────┬───────┬─────────────┬─────────┐
/// │length │ type  │ payload     │ padding │
/// └───────┴───────┴─────────────┴─────────┘
/// ```
///
/// The two highest bits of the type are flags. As with the kernel's nla_ok, the walk ends at a length that cannot be.
public struct NetlinkAttributes: Sequence, IteratorProtocol, Sendable {
  private static let header = 4

  private let bytes: NetlinkBytes
  private var offset = 0

  init(_ bytes: NetlinkBytes) { self.bytes = bytes }

  /// The next attribute.
  public mutating func next() -> (type: Int, value: NetlinkBytes)? {
    guard let length = bytes.unsigned16(at: offset).map({ Int($0) }), length >= Self.header,
      let type = bytes.unsigned16(at: offset + 2),
      let value = bytes.part(from: offset + Self.header, count: length - Self.header)
    else { return nil }
    offset += (length + 3) & ~3
    return (Int(type & 0x3FFF), value)
  }
}
