import Telemetry

// The values of one row of the tick log, in the order of the series' ids; TickRow puts a checksum behind them.
//
//   +--------+---------------+-----------------+---------------------------------+
//   | format | count: varint | changed: bitmap | one token a set bit, ascending  |
//   | 1 byte |               | ⌈count/8⌉ bytes |                                 |
//   +--------+---------------+-----------------+---------------------------------+
//
//   format  0x4B  key row: compared with "all values missing" (1 in files of version 1 and 2)
//           0x44  compared with the row before it, sequence − 1 (2 in files of version 1 and 2)
//   count   series covered; those beyond are as in the row compared with (missing in a key row)
//   bitmap  bit i of byte b: series 8·b + i differs, bit for bit
//   token   varint t:
//             t even     the value's scaled integer (value · 10^decimals) is the one before plus unzigzag(t / 2);
//                        0 stands before a value that was no scaled integer
//             t = 1      eight bytes follow: the value's IEEE 754 bits, little-endian (NaN, infinities, odd fractions)
//             t = 3      missing
//   varint  LEB128: seven bits a byte, low first, the top bit says that more follow
//   zigzag  0, −1, 1, −2 … are 0, 1, 2, 3 …

enum TickFormat {
  static let key: UInt8 = 0x4B
  static let delta: UInt8 = 0x44
  static let plainKey: UInt8 = 1
  static let plainDelta: UInt8 = 2
  static let rawToken: UInt64 = 1
  static let missingToken: UInt64 = 3
  /// Scaled integers stay below 2⁵³, so that a double holds them exactly; a delta doubled and zigzagged then fits 64 bits.
  static let largestScaled = 9_007_199_254_740_992.0

  private static let roundingShift = 6_755_399_441_055_744.0

  /// The scaled integer that decodes to exactly these bits, if there is one.
  @inline(__always)
  static func scaled(_ value: Double, _ scale: Double) -> Int64? {
    var product = value * scale
    // Adding and taking away 1.5 · 2⁵² rounds without a call; to even in the middle, which no exact quotient is.
    product = product.magnitude < 2_251_799_813_685_248 ? product + roundingShift - roundingShift : product.rounded()
    guard product.magnitude < largestScaled else { return nil }
    let integer = Int64(product)
    return (Double(integer) / scale).bitPattern == value.bitPattern ? integer : nil
  }
}

/// Packs ticks into rows, each compared with the one before it in its group.
public struct TickEncoder: Sendable {
  private var previous: [Double] = []
  private var previousScaled: [Int64] = []
  private var scales: [Double] = []
  private var back = 0
  private var groupBytes = 0
  private var lastSequence: UInt64 = 0

  /// An encoder that knows no series; its first row is a key row.
  public init() {}

  /// Makes series known; ids follow on from those known already.
  public mutating func learn(decimals: [Int]) {
    for digits in decimals {
      scales.append(Double.powersOfTen[min(max(digits, 0), 9)])
      previous.append(.missing)
      previousScaled.append(0)
    }
  }

  /// The next row will be a key row: the group it belongs to begins.
  public mutating func beginGroup() {
    back = 0
    groupBytes = 0
    for index in previous.indices {
      previous[index] = .missing
      previousScaled[index] = 0
    }
  }

  /// Packs one tick. `values` may be shorter than the series known: the rest is missing.
  public mutating func encode(sequence: UInt64, epoch: Int, milliseconds: Int64, values: [Double]) -> EncodedTick {
    let isFull = back >= BufferLimits.ticksPerGroup || groupBytes >= BufferLimits.groupBytes
    if isFull || (back > 0 && sequence != lastSequence &+ 1) { beginGroup() }
    let count = min(values.count, scales.count)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(16 + count * 2)
    bytes.append(back == 0 ? TickFormat.key : TickFormat.delta)
    // Series that were there in the row before and are beyond the end now have to be said missing.
    let covered = max(count, back == 0 ? 0 : previous.count)
    appendVarint(UInt64(covered), to: &bytes)
    let bitmap = bytes.count
    bytes.append(contentsOf: repeatElement(0, count: (covered + 7) / 8))
    for index in 0..<covered {
      let value = index < count ? values[index] : .missing
      if value.bitPattern == previous[index].bitPattern { continue }
      bytes[bitmap + index >> 3] |= 1 << UInt8(index & 7)
      appendToken(value, at: index, to: &bytes)
      previous[index] = value
    }
    let tick = EncodedTick(sequence: sequence, epoch: epoch, milliseconds: milliseconds, back: back, bytes: bytes)
    lastSequence = sequence
    groupBytes += bytes.count
    back += 1
    return tick
  }

  @inline(__always)
  private mutating func appendToken(_ value: Double, at index: Int, to bytes: inout [UInt8]) {
    if value.isMissing {
      bytes.append(UInt8(TickFormat.missingToken))
      previousScaled[index] = 0
    } else if let scaled = TickFormat.scaled(value, scales[index]) {
      let delta = scaled - previousScaled[index]
      let zigzag = UInt64(bitPattern: (delta << 1) ^ (delta >> 63))
      appendVarint(zigzag << 1, to: &bytes)
      previousScaled[index] = scaled
    } else {
      bytes.append(UInt8(TickFormat.rawToken))
      var bits = value.bitPattern
      for _ in 0..<8 {
        bytes.append(UInt8(truncatingIfNeeded: bits))
        bits >>= 8
      }
      previousScaled[index] = 0
    }
  }

  @inline(__always)
  private func appendVarint(_ value: UInt64, to bytes: inout [UInt8]) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }
}

/// Why a row cannot be decoded.
public enum TickCodecError: Error, Hashable, Sendable {
  /// It ends in the middle, or a number in it is out of range.
  case damaged
  /// A later version of the agent wrote it.
  case unknownFormat(UInt8)
  /// The row it is compared with was not decoded before.
  case baseMissing
}

/// Unpacks rows in the order of their sequence numbers, beginning at a key row.
public struct TickDecoder: Sendable {
  /// The values of the last row decoded, by series id.
  public private(set) var values: [Double] = []
  private var scaled: [Int64] = []
  private var scales: [Double]
  private var hasBase = false
  /// The sequence number of a row that builds on the last one decoded.
  var expected: UInt64 = 0

  /// A decoder for series of these decimals, by id.
  public init(decimals: [Int]) {
    scales = decimals.map { Double.powersOfTen[min(max($0, 0), 9)] }
  }

  /// How many series it knows.
  var known: Int { scales.count }

  /// Makes later series known; ids follow on from those known already.
  public mutating func learn(decimals: some Sequence<Int>) {
    scales += decimals.map { Double.powersOfTen[min(max($0, 0), 9)] }
  }

  /// Decodes the next row into `values`. After an error the next row must be a key row.
  public mutating func decode(_ bytes: [UInt8]) throws(TickCodecError) {
    let outcome = bytes.withUnsafeBytes { decode(raw: $0) }
    if let outcome { throw outcome }
  }

  /// The same over borrowed memory: rows are decoded where SQLite keeps them. Nil when all is well.
  mutating func decode(raw: UnsafeRawBufferPointer) -> TickCodecError? {
    var reader = VarintReader(raw)
    guard let format = reader.byte() else { return fail(.damaged) }
    switch format {
    case TickFormat.key, TickFormat.plainKey:
      for index in values.indices {
        values[index] = .missing
        scaled[index] = 0
      }
      hasBase = true
    case TickFormat.delta, TickFormat.plainDelta:
      guard hasBase else { return fail(.baseMissing) }
    default:
      return fail(.unknownFormat(format))
    }
    guard let count = reader.varint(), count <= UInt64(scales.count), let bitmap = reader.take((Int(count) + 7) / 8) else {
      return fail(.damaged)
    }
    while values.count < Int(count) {
      values.append(.missing)
      scaled.append(0)
    }
    for index in 0..<Int(count) where raw[bitmap + index >> 3] & (1 << UInt8(index & 7)) != 0 {
      guard let token = reader.varint() else { return fail(.damaged) }
      guard decode(token, at: index, from: &reader) else { return fail(.damaged) }
    }
    return reader.isAtEnd ? nil : fail(.damaged)
  }

  @inline(__always)
  private mutating func decode(_ token: UInt64, at index: Int, from reader: inout VarintReader) -> Bool {
    if token & 1 == 0 {
      let zigzag = token >> 1
      let (sum, overflow) = scaled[index].addingReportingOverflow(Int64(bitPattern: zigzag >> 1) ^ -Int64(zigzag & 1))
      guard !overflow else { return false }
      scaled[index] = sum
      values[index] = Double(sum) / scales[index]
      return true
    }
    scaled[index] = 0
    if token == TickFormat.missingToken {
      values[index] = .missing
      return true
    }
    guard token == TickFormat.rawToken, let bits = reader.bits() else { return false }
    values[index] = Double(bitPattern: bits)
    return true
  }

  mutating func fail(_ error: TickCodecError) -> TickCodecError {
    hasBase = false
    return error
  }
}

/// Reads numbers from borrowed memory, never past its end. Raw memory because rows are decoded in place, 10⁵ a second.
struct VarintReader {
  let bytes: UnsafeRawBufferPointer
  private(set) var position = 0

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  var isAtEnd: Bool { position == bytes.count }

  @inline(__always)
  mutating func byte() -> UInt8? {
    guard position < bytes.count else { return nil }
    defer { position += 1 }
    return bytes[position]
  }

  @inline(__always)
  mutating func varint() -> UInt64? {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while shift < 64, position < bytes.count {
      let byte = bytes[position]
      position += 1
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
      shift += 7
    }
    return nil
  }

  /// Skips bytes; returns where they begin.
  mutating func take(_ count: Int) -> Int? {
    guard bytes.count - position >= count else { return nil }
    defer { position += count }
    return position
  }

  @inline(__always)
  mutating func bits() -> UInt64? {
    guard let start = take(8) else { return nil }
    var value: UInt64 = 0
    for offset in (0..<8).reversed() { value = value << 8 | UInt64(bytes[start + offset]) }
    return value
  }
}
