import Telemetry

// Doubles, bit for bit, in the smaller of two ways.
//
//   scaled integers   +------+--------------+-----------------------------------------------+
//                     | mode | (exceptions) | the rest of an integer stream: IntegerStream   |
//                     +------+--------------+-----------------------------------------------+
//     A value is its integer / 10^digits. Bit 4 of the mode says that some values are no such quotient (NaN, infinities, −0, other
//     fractions): a varint with their number, then for each a varint with the values skipped since the one before, and its eight bytes,
//     little-endian. In the integer stream the number before stands in for them.
//
//   XOR floats        +------+-------------------+--------+
//     mode = 0x20     | mode | eight bytes, LE   | bits   |     after Gorilla (Pelkonen et al., VLDB 2015)
//                     +------+-------------------+--------+
//     The first value, then for each the XOR with the one before: bit 0 when it is 0; bits 1 0 and the window's bits when it fits the
//     window of the one before; bits 1 1, the window's leading zeros in 6 bits, its width − 1 in 6, and the window's bits.
//     Fields lie lowest bit first.

struct ValueEncoder {
  static let exceptionFlag: UInt8 = 0x10
  static let xorMode: UInt8 = 0x20

  private var integers: [Int64] = []
  private var exceptions: [Int] = []
  private var plan = IntegerEncoder()
  private var values: [Double] = []

  /// Looks at some values; the next `write` writes them.
  mutating func take(_ values: [Double], digits: Int) {
    self.values = values
    integers.removeAll(keepingCapacity: true)
    exceptions.removeAll(keepingCapacity: true)
    let scale = Double.powersOfTen[digits]
    var before: Int64 = 0
    let allowed = values.count / 8
    for index in values.indices {
      if let scaled = TickFormat.scaled(values[index], scale) {
        before = scaled
      } else {
        exceptions.append(index)
        if exceptions.count > allowed { return }
      }
      integers.append(before)
    }
    plan.plan(integers)
  }

  private var isXOR: Bool { exceptions.count > values.count / 8 }

  /// The scaled integers of what was taken; nil when some values are no such.
  var scaledIntegers: [Int64]? { exceptions.isEmpty ? integers : nil }

  func write(_ packing: UInt8, to bytes: inout [UInt8]) {
    guard !isXOR else { return writeXOR(to: &bytes) }
    plan.write(packing, flags: exceptions.isEmpty ? 0 : Self.exceptionFlag, to: &bytes) { bytes in
      guard !exceptions.isEmpty else { return }
      WireNumber.append(varint: UInt64(exceptions.count), to: &bytes)
      var next = 0
      for index in exceptions {
        WireNumber.append(varint: UInt64(index - next), to: &bytes)
        LittleEndian.append(values[index].bitPattern, to: &bytes)
        next = index + 1
      }
    }
  }

  private func writeXOR(to bytes: inout [UInt8]) {
    bytes.append(Self.xorMode)
    var before = values[0].bitPattern
    LittleEndian.append(before, to: &bytes)
    var bits = BitWriter()
    var window = (leading: 0, width: 0)
    for value in values.dropFirst() {
      let difference = value.bitPattern ^ before
      before = value.bitPattern
      if difference == 0 {
        bits.append(0, 1, to: &bytes)
        continue
      }
      let leading = difference.leadingZeroBitCount
      let trailing = difference.trailingZeroBitCount
      let windowTrailing = 64 - window.leading - window.width
      if window.width > 0, leading >= window.leading, trailing >= windowTrailing, window.width <= 64 - leading - trailing + 12 {
        bits.append(0b01, 2, to: &bytes)
        bits.append(difference >> UInt64(windowTrailing), window.width, to: &bytes)
      } else {
        window = (leading, 64 - leading - trailing)
        bits.append(0b11 | UInt64(leading) << 2 | UInt64(window.width - 1) << 8, 14, to: &bytes)
        bits.append(difference >> UInt64(trailing), window.width, to: &bytes)
      }
    }
    bits.finish(&bytes)
  }
}

/// Reads what ValueEncoder wrote.
struct ValueDecoder {
  private var integers: [Int64] = []

  /// Appends `count` values; false when they are damaged.
  mutating func read(_ count: Int, digits: Int, from reader: inout VarintReader, to values: inout [Double]) -> Bool {
    guard count > 0 else { return true }
    guard let mode = reader.byte() else { return false }
    if mode == ValueEncoder.xorMode { return readXOR(count, from: &reader, to: &values) }
    guard mode & ~0x1F == 0 else { return false }
    let start = values.count
    var exceptions: [(Int, UInt64)] = []
    if mode & ValueEncoder.exceptionFlag != 0 {
      guard let number = reader.varint(), number <= UInt64(count) else { return false }
      var next = 0
      for _ in 0..<number {
        guard let gap = reader.varint(), gap < UInt64(count - next), let bits = reader.bits() else { return false }
        exceptions.append((next + Int(gap), bits))
        next += Int(gap) + 1
        if next == count, exceptions.count < number { return false }
      }
    }
    guard IntegerDecoder.read(count, mode: mode & 0x0F, from: &reader, to: &integers) else { return false }
    let scale = Double.powersOfTen[digits]
    values.reserveCapacity(start + count)
    // The standard library fills an array from a mapped one without a check for each.
    if scale == 1 {
      values += integers.map { Double($0) }
    } else {
      values += integers.map { Double($0) / scale }
    }
    for (index, bits) in exceptions { values[start + index] = Double(bitPattern: bits) }
    return true
  }

  private func readXOR(_ count: Int, from reader: inout VarintReader, to values: inout [Double]) -> Bool {
    // Every value takes at least a bit.
    guard var bits = reader.bits(), count - 1 <= reader.left * 8 else { return false }
    let start = reader.position
    let end = reader.left * 8
    var place = 0
    var window = (leading: 0, width: 0)
    values.append(Double(bitPattern: bits))
    for _ in 1..<count {
      let control = reader.bits(at: start, bit: place)
      if control & 1 == 0 {
        place += 1
      } else {
        place += 2
        if control & 2 != 0 {
          window = (Int(control >> 2 & 63), Int(control >> 8 & 63) + 1)
          place += 12
        }
        guard window.width > 0, window.leading + window.width <= 64 else { return false }
        let mask = window.width == 64 ? UInt64.max : (1 << UInt64(window.width)) - 1
        bits ^= (reader.bits(at: start, bit: place) & mask) << UInt64(64 - window.leading - window.width)
        place += window.width
      }
      guard place <= end else { return false }
      values.append(Double(bitPattern: bits))
    }
    return reader.take((place + 7) / 8) != nil
  }
}

/// Fixed-width numbers as they lie in a block.
enum LittleEndian {
  static func append<Number: FixedWidthInteger>(_ number: Number, to bytes: inout [UInt8]) {
    for shift in stride(from: 0, to: Number.bitWidth, by: 8) { bytes.append(UInt8(truncatingIfNeeded: number >> Number(shift))) }
  }

  static func put(_ number: UInt32, at offset: Int, in bytes: inout [UInt8]) {
    for index in 0..<4 { bytes[offset + index] = UInt8(truncatingIfNeeded: number >> UInt32(8 * index)) }
  }

  static func read(at offset: Int, of bytes: [UInt8]) -> UInt32 {
    (0..<4).reduce(0) { $0 | UInt32(bytes[offset + $1]) << UInt32(8 * $1) }
  }
}
