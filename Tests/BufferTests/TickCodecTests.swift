import Randomness
import Testing

@testable import Buffer
@testable import Telemetry

@Suite struct TickCodecTests {
  @Test func rowIsLaidOutAsDrawn() {
    var encoder = TickEncoder()
    encoder.learn(decimals: [1, 0])
    let key = encoder.encode(sequence: 7, epoch: 1, milliseconds: 0, values: [12.5, .infinity])
    // 125 zigzags to 250, doubled 500 = 0xF4 0x03; infinity is raw.
    #expect(key.bytes == [0x4B, 2, 0b11, 0xF4, 0x03, 1, 0, 0, 0, 0, 0, 0, 0xF0, 0x7F])
    let next = encoder.encode(sequence: 8, epoch: 1, milliseconds: 0, values: [12.4, .infinity])
    // −1 zigzags to 1, doubled 2.
    #expect(next.bytes == [0x44, 2, 0b01, 2])
    #expect(next.back == 1)
  }

  @Test(arguments: [1, 2, 3, 4, 5] as [UInt64])
  func everyValueComesBackToTheBit(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let decimals = (0..<40).map { _ in Int(random.next() % 10) }
    var encoder = TickEncoder()
    encoder.learn(decimals: decimals)
    var decoder = TickDecoder(decimals: decimals)
    var values = [Double](repeating: .missing, count: 40)
    for sequence in 1...2_000 as ClosedRange<UInt64> {
      for index in values.indices where random.next() % 3 == 0 { values[index] = random.value(decimals: decimals[index]) }
      let given = random.next() % 50 == 0 ? Array(values.prefix(20)) : values
      let row = encoder.encode(sequence: sequence, epoch: 1, milliseconds: 0, values: given)
      try decoder.decode(row.bytes)
      for index in given.indices {
        let same = decoder.values[index].bitPattern == given[index].bitPattern
        #expect(same, "seed \(seed), row \(sequence), series \(index)")
      }
      let rest = decoder.values.dropFirst(given.count)
      #expect(rest.allSatisfy { $0.isMissing })
    }
  }

  @Test(arguments: [11, 12, 13] as [UInt64])
  func damagedRowsAreErrorsNotCrashes(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    var encoder = TickEncoder()
    encoder.learn(decimals: [Int](repeating: 2, count: 64))
    let row = encoder.encode(sequence: 1, epoch: 1, milliseconds: 0, values: (0..<64).map { Double($0) * 1.25 })
    for _ in 0..<20_000 {
      var bytes = row.bytes
      for _ in 0...Int(random.next() % 4) {
        bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
      }
      if random.next() % 2 == 0 { bytes.removeLast(Int(random.next() % UInt64(bytes.count))) }
      var decoder = TickDecoder(decimals: [Int](repeating: 2, count: 64))
      try? decoder.decode(bytes)
    }
  }

  @Test func unknownFormatAndMissingBaseAreTold() {
    var decoder = TickDecoder(decimals: [0])
    #expect(throws: TickCodecError.unknownFormat(9)) { try decoder.decode([9, 0]) }
    #expect(throws: TickCodecError.baseMissing) { try decoder.decode([2, 0]) }
    #expect(throws: TickCodecError.damaged) { try decoder.decode([]) }
  }

  @Test func sequenceGapBeginsANewGroup() {
    var encoder = TickEncoder()
    encoder.learn(decimals: [0])
    _ = encoder.encode(sequence: 1, epoch: 1, milliseconds: 0, values: [1])
    #expect(encoder.encode(sequence: 2, epoch: 1, milliseconds: 0, values: [1]).back == 1)
    #expect(encoder.encode(sequence: 9, epoch: 1, milliseconds: 0, values: [1]).back == 0)
  }
}
