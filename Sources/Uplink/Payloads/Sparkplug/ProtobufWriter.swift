import Buffer
import Telemetry

/// Writes the wire format of protocol buffers into one growing array; see `ProtobufReader` for the layout.
struct ProtobufWriter {
  private(set) var bytes: [UInt8] = []

  init(capacity: Int = 0) { bytes.reserveCapacity(capacity) }

  mutating func clear() { bytes.removeAll(keepingCapacity: true) }

  mutating func varint(_ number: Int, _ value: UInt64) {
    tag(number, .varint)
    append(varint: value)
  }

  mutating func boolean(_ number: Int, _ value: Bool) { varint(number, value ? 1 : 0) }

  mutating func fixed32(_ number: Int, _ value: UInt32) {
    tag(number, .fixed32)
    for shift in stride(from: 0, to: 32, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value >> UInt32(shift))) }
  }

  mutating func fixed64(_ number: Int, _ value: UInt64) {
    tag(number, .fixed64)
    for shift in stride(from: 0, to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(shift))) }
  }

  mutating func string(_ number: Int, _ text: String) {
    tag(number, .delimited)
    append(varint: UInt64(text.utf8.count))
    bytes.append(contentsOf: text.utf8)
  }

  mutating func data(_ number: Int, _ data: [UInt8]) {
    tag(number, .delimited)
    append(varint: UInt64(data.count))
    bytes.append(contentsOf: data)
  }

  /// A message inside this one.
  mutating func message(_ number: Int, _ body: (inout ProtobufWriter) -> Void) {
    tag(number, .delimited)
    let place = bytes.count
    // Nearly all messages are shorter than 128 bytes: their length fits here, and nothing has to move.
    bytes.append(0)
    body(&self)
    let length = bytes.count - place - 1
    if length < 0x80 {
      bytes[place] = UInt8(length)
    } else {
      var header = ProtobufWriter()
      header.append(varint: UInt64(length))
      bytes.replaceSubrange(place...place, with: header.bytes)
    }
  }

  /// Takes back all from a place on.
  mutating func cut(at place: Int) -> ArraySlice<UInt8> {
    let tail = bytes[place...]
    bytes.removeSubrange(place...)
    return tail
  }

  /// Fields that are encoded already.
  mutating func raw(_ encoded: ArraySlice<UInt8>) { bytes.append(contentsOf: encoded) }

  private mutating func tag(_ number: Int, _ type: ProtobufWireType) {
    append(varint: UInt64(number) << 3 | UInt64(type.rawValue))
  }

  private mutating func append(varint value: UInt64) { WireNumber.append(varint: value, to: &bytes) }
}
