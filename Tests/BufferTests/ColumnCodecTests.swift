import Randomness
import Testing

@testable import Buffer
@testable import Telemetry

@Suite struct ColumnCodecTests {
  static func bits(_ values: [Double]) -> [UInt64] { values.map(\.bitPattern) }

  private static func encode(_ values: [Double], digits: Int) -> (bytes: [UInt8], form: ColumnForm) {
    var encoder = ColumnEncoder()
    var bytes: [UInt8] = []
    let form = encoder.append(values[...], digits: digits, to: &bytes)
    return (bytes, form)
  }

  private static func decode(_ bytes: [UInt8], _ form: ColumnForm, rows: Int) -> [Double]? {
    var decoder = ColumnDecoder()
    var values: [Double] = []
    let isGood = bytes.withUnsafeBytes { decoder.read($0, form: form, rows: rows, to: &values) }
    return isGood ? values : nil
  }

  /// Columns of every shape that the codec tells apart.
  static func column(_ kind: Int, _ random: inout SplitMix64, digits: Int) -> [Double] {
    let count = [1, 2, 3, 63, 64, 65, 128, 1_000][Int(random.next() % 8)]
    var level = Double(random.next() % 10_000)
    return (0..<count).map { index in
      switch kind {
      case 0: return 42.5
      case 1: return .missing
      case 2: return random.value(decimals: digits)
      case 3: return Double(bitPattern: random.next())
      case 4:
        level += Double(random.next() % 100)
        return level
      case 5: return Double(index) * 1_000 + 7
      case 6: return (Double(random.next() % 400) / 10).rounded(decimals: 1)
      case 7: return random.next() % 50 == 0 ? [.missing, .nan, .infinity, -.infinity, -0.0][Int(random.next() % 5)] : 20.5
      case 8: return (index % 2 == 0 ? 1 : -1) * 9_007_199_254_740_991
      case 9: return Double(index) * 0.1 + 1e-7
      case 10: return random.next() % 3 == 0 ? .missing : Double(random.next() % 3)
      default: return index < count / 2 ? 0 : Double(random.next() % 1_000_000_000)
      }
    }
  }

  @Test(arguments: 0...11) func everyValueComesBackToTheBit(kind: Int) throws {
    var random = SplitMix64(seed: UInt64(kind) + 100)
    for round in 0..<60 {
      let digits = round % 10
      let values = Self.column(kind, &random, digits: digits)
      let (bytes, form) = Self.encode(values, digits: digits)
      let back = try #require(Self.decode(bytes, form, rows: values.count), "kind \(kind), round \(round)")
      #expect(Self.bits(back) == Self.bits(values), "kind \(kind), round \(round)")
      #expect(form.count == values.count { !$0.isMissing })
      // No shape costs more than its plain bits and a little.
      #expect(bytes.count <= 10 * values.count + 16, "kind \(kind), round \(round)")
    }
  }

  @Test func theEncodingsAreTheOnesMeant() {
    // mode (order, packing) of the first byte, for columns where one is plainly the best.
    let constant = Self.encode(Array(repeating: 20.5, count: 500), digits: 1)
    // Order 0, all residuals the same; base zigzag(205) = 410 = 0x9A 0x03; residual 0.
    #expect(constant.bytes == [0x00, 0x9A, 0x03, 0x00])
    let ramp = Self.encode((0..<500).map { Double($0 * 3 + 10) }, digits: 0)
    // Order 2; base 10 − 3 = 7 as 14; slope 3 as 6; residual 0.
    #expect(ramp.bytes == [0x02, 14, 6, 0])
    let fractions = Self.encode((0..<20).map { Double($0) / 3 + 0.01 }, digits: 1)
    #expect(fractions.form.inflatedBytes == nil ? fractions.bytes[0] == ValueEncoder.xorMode : true)
    var random = SplitMix64(seed: 3)
    let noise = Self.encode((0..<1_000).map { _ in Double(random.next() % 50) + Double(random.next() % 50) }, digits: 0)
    #expect(noise.form.inflatedBytes != nil)
    #expect(noise.bytes.count < 1_000)
  }

  @Test func packedBitsLieAsDrawn() {
    // 5, 7, 4, 6: order 0, middle 4 + (1+3+0+2)/4 = 5; residuals 0, 2, −1, 1; least −1, width 2; 1, 3, 0, 2 = 0b10_00_11_01.
    let packed = Self.encode([5, 7, 4, 6], digits: 0)
    #expect(packed.bytes == [0b0000_0100, 10, 1, 2, 0b1000_1101])
    // Presence: runs of 2 present, 1 missing, 1 present; then 5, 7, 6: middle 5 + (0+2+1)/3 = 6; residuals −1, 1, 0.
    let holes = Self.encode([5, 7, .missing, 6], digits: 0)
    #expect(holes.bytes == [3, 2, 1, 1, 0b0000_0100, 12, 1, 2, 0b01_10_00])
  }

  @Test(arguments: [7, 8, 9] as [UInt64]) func damageIsRefusedNotCrashedOn(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    for round in 0..<400 {
      let values = Self.column(round % 12, &random, digits: 1)
      var (bytes, form) = Self.encode(values, digits: 1)
      guard !bytes.isEmpty else { continue }
      for _ in 0...Int(random.next() % 4) {
        bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
      }
      if random.next() % 3 == 0 { bytes.removeLast(Int(random.next() % UInt64(bytes.count))) }
      if random.next() % 3 == 0 { form.count = Int(random.next() % UInt64(values.count + 1)) }
      if random.next() % 3 == 0 { form.inflatedBytes = Int(random.next() % 10_000) }
      let back = Self.decode(bytes, form, rows: values.count)
      #expect(back == nil || back?.count == values.count, "seed \(seed), round \(round)")
    }
  }

  @Test func rollupsComeBack() throws {
    var random = SplitMix64(seed: 12)
    for _ in 0..<40 {
      let rows = Int(random.next() % 300) + 1
      var column = RollupColumn()
      for _ in 0..<rows {
        var rollup = Rollup()
        for _ in 0..<random.next() % 4 { rollup.add(random.value(decimals: 1), scale: 10) }
        column.rows.append(rollup)
      }
      var encoder = ColumnEncoder()
      var bytes: [UInt8] = []
      let form = encoder.append(column, digits: 1, to: &bytes)
      var decoder = ColumnDecoder()
      var back = RollupColumn()
      let isGood = bytes.withUnsafeBytes { decoder.read($0, form: form, rows: rows, to: &back) }
      #expect(isGood)
      #expect(back.rows.map(\.count) == column.rows.map(\.count))
      for part in [\Rollup.min, \.max, \.sum, \.last] {
        #expect(Self.bits(back.rows.map { $0[keyPath: part] }) == Self.bits(column.rows.map { $0[keyPath: part] }))
      }
    }
  }
}
