// Whole numbers, as residuals against a prediction from those before.
//
//   +------+------+---------+-----------+
//   | mode | base | (slope) | residuals |
//   +------+------+---------+-----------+
//
//   mode    bits 0–1: order   0  the base is predicted for every number
//                             1  the number before (the base for the first)
//                             2  the number before and once more its step; base and slope stand before the first
//           bits 2–3: packing 0  all residuals are the same: one zigzag varint
//                             1  blocks of 64 (the last shorter): least residual as zigzag varint, width w as a byte (0…64), then
//                                each residual minus the least in w bits, the lowest bits first, the block ending on a byte
//                             2  one zigzag varint each
//           bits 4–7: belong to ValueStream, 0 here
//   base    zigzag varint;  slope (order 2 only) zigzag varint
//
// All arithmetic wraps at 64 bits, so that every Int64 comes back.

/// Appends whole numbers of the codec.
struct IntegerEncoder {
  static let same: UInt8 = 0
  static let packed: UInt8 = 1
  static let varints: UInt8 = 2

  private(set) var order: UInt8 = 0
  private var base: Int64 = 0
  private var slope: Int64 = 0
  private var residuals: [Int64] = []
  private var isSame = false

  /// Chooses the order with the fewest bits and computes the residuals.
  mutating func plan(_ values: [Int64]) {
    residuals.removeAll(keepingCapacity: true)
    isSame = true
    (order, base, slope) = (0, values.first ?? 0, 0)
    guard values.count > 1 else {
      if !values.isEmpty { residuals.append(0) }
      return
    }
    choose(values)
    residuals.reserveCapacity(values.count)
    switch order {
    case 0:
      for value in values { residuals.append(value &- base) }
    case 1:
      var before = base
      for value in values {
        residuals.append(value &- before)
        before = value
      }
    default:
      var before = base
      var step = slope
      for value in values {
        residuals.append(value &- before &- step)
        step = value &- before
        before = value
      }
    }
    let first = residuals[0]
    isSame = residuals.allSatisfy { $0 == first }
  }

  private mutating func choose(_ values: [Int64]) {
    var least = values[0]
    var most = values[0]
    for value in values {
      least = min(least, value)
      most = max(most, value)
    }
    guard least != most else { return }
    var middle = values[0]
    // Beyond this a base for all is never the best, and the sum could overflow.
    let isNarrow = UInt64(bitPattern: most &- least) < 1 << 40
    if isNarrow {
      var sum: Int64 = 0
      for value in values { sum &+= value &- least }
      middle = least &+ sum / Int64(values.count)
    }
    // The first residual is nothing in orders 1 and 2.
    var bits = (zero: Self.width(values[0] &- middle), one: 0, two: 0)
    var before = values[0]
    var step = values[1] &- values[0]
    slope = step
    for value in values.dropFirst() {
      let now = value &- before
      bits.zero += Self.width(value &- middle)
      bits.one += Self.width(now)
      bits.two += Self.width(now &- step)
      (before, step) = (value, now)
    }
    if isNarrow, bits.zero <= bits.one, bits.zero <= bits.two {
      (order, base) = (0, middle)
    } else if bits.one <= bits.two {
      (order, base) = (1, values[0])
    } else {
      // Stands one step before the first number, so that the first two residuals are nothing.
      (order, base) = (2, values[0] &- slope)
    }
  }

  @inline(__always)
  private static func width(_ residual: Int64) -> Int { 64 - WireNumber.zigzag(residual).leadingZeroBitCount }

  /// Appends what was planned. `flags` go into the mode's upper bits; `middle` may add bytes after the mode.
  func write(_ packing: UInt8, flags: UInt8 = 0, to bytes: inout [UInt8], middle: (inout [UInt8]) -> Void = { _ in }) {
    bytes.append(order | (isSame ? Self.same : packing) << 2 | flags)
    middle(&bytes)
    WireNumber.append(varint: WireNumber.zigzag(base), to: &bytes)
    if order == 2 { WireNumber.append(varint: WireNumber.zigzag(slope), to: &bytes) }
    if isSame {
      WireNumber.append(varint: WireNumber.zigzag(residuals.first ?? 0), to: &bytes)
    } else if packing == Self.varints {
      for residual in residuals { WireNumber.append(varint: WireNumber.zigzag(residual), to: &bytes) }
    } else {
      writePacked(to: &bytes)
    }
  }

  private func writePacked(to bytes: inout [UInt8]) {
    var start = 0
    while start < residuals.count {
      let end = min(start + 64, residuals.count)
      var least = residuals[start]
      var most = residuals[start]
      for index in start..<end {
        least = min(least, residuals[index])
        most = max(most, residuals[index])
      }
      let width = 64 - UInt64(bitPattern: most &- least).leadingZeroBitCount
      WireNumber.append(varint: WireNumber.zigzag(least), to: &bytes)
      bytes.append(UInt8(width))
      if width > 0 {
        var bits = BitWriter()
        for index in start..<end { bits.append(UInt64(bitPattern: residuals[index] &- least), width, to: &bytes) }
        bits.finish(&bytes)
      }
      start = end
    }
  }
}

/// Appends fields of bits, the lowest first.
struct BitWriter {
  private var pending: UInt64 = 0
  private var fill = 0

  /// Appends the low `width` bits, 1…64; the bits above must be 0.
  @inline(__always)
  mutating func append(_ value: UInt64, _ width: Int, to bytes: inout [UInt8]) {
    if width > 32 {
      put(value & 0xFFFF_FFFF, 32, &bytes)
      put(value >> 32, width - 32, &bytes)
    } else {
      put(value, width, &bytes)
    }
  }

  @inline(__always)
  private mutating func put(_ value: UInt64, _ width: Int, _ bytes: inout [UInt8]) {
    pending |= value << UInt64(fill)
    fill += width
    while fill >= 8 {
      bytes.append(UInt8(truncatingIfNeeded: pending))
      pending >>= 8
      fill -= 8
    }
  }

  /// Fills up the last byte.
  mutating func finish(_ bytes: inout [UInt8]) {
    if fill > 0 { bytes.append(UInt8(truncatingIfNeeded: pending)) }
    (pending, fill) = (0, 0)
  }
}
