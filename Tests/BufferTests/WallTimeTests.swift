import Randomness
import Testing

@testable import Buffer

@Suite struct WallTimeTests {
  private static let day: Int64 = 86_400_000

  @Test func firstSynchronisationCorrectsWhatWasBefore() throws {
    let scratch = try Scratch()
    var recorder = try Recorder(scratch)
    recorder.begin(boot: "a", offset: 0, synced: false)
    try recorder.tick(20)
    let reader = try BufferReader(path: scratch.path)
    #expect(try wallTimes(reader, 0...19_000).count == 20)
    recorder.transaction.epochs = [
      Epoch(id: 1, boot: "a", firstSequence: 1, fromMilliseconds: 0, offsetMilliseconds: 1_700_000_000_000, synced: true)
    ]
    try recorder.commit()
    #expect(try wallTimes(reader, 0...19_000) == [])
    #expect(
      try wallTimes(reader, 1_700_000_003_000...1_700_000_005_500) == [1_700_000_003_000, 1_700_000_004_000, 1_700_000_005_000])
    #expect(reader.epochs.map(\.synced) == [true])
  }

  @Test(arguments: [1_000, -1_000, day, -day, 3_652 * day, -3_652 * day])
  func stepsOfTheClockLoseAndRepeatNothing(step: Int64) throws {
    let scratch = try Scratch()
    var recorder = try Recorder(scratch)
    let offset: Int64 = 1_700_000_000_000
    recorder.begin(boot: "a", offset: offset, synced: true, at: 5_000)
    try recorder.tick(300)
    recorder.begin(boot: "a", offset: offset + step, synced: true)
    try recorder.tick(300)
    recorder.begin(boot: "b", offset: offset + step + 500, synced: true, at: 0)
    try recorder.tick(300)
    let reader = try BufferReader(path: scratch.path)
    // By hand: the same arithmetic, sorted.
    var expected = (0..<300).map { offset + 5_000 + $0 * 1_000 }
    expected += (300..<600).map { offset + 5_000 + $0 * 1_000 + step }
    expected += (0..<300).map { offset + $0 * 1_000 + step + 500 }
    expected.sort()
    #expect(try wallTimes(reader, .min ... .max) == expected)
    for window in [100, 4_321, 250_000, 3_000_000] as [Int64] {
      for begin in [offset, offset + step, offset + 304_500, offset + step + 304_500, offset - 7] {
        let range = begin...(begin + window)
        #expect(try wallTimes(reader, range) == expected.filter(range.contains))
        let counted = try reader.sequences(wall: range).reduce(0) { try $0 + reader.count($1) }
        #expect(counted == UInt64(expected.count(where: range.contains)))
      }
    }
    #expect(try sequences(reader).found == Array(1...900))
  }

  @Test(arguments: [71, 72, 73] as [UInt64])
  func manyOverlappingEpochsComeOutOrdered(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let scratch = try Scratch()
    var recorder = try Recorder(scratch, series: 1)
    var expected: [(Int64, UInt64)] = []
    for boot in 0..<40 {
      let offset = Int64(random.next() % 100_000)
      recorder.begin(boot: "boot-\(boot)", offset: offset, synced: true, at: Int64(random.next() % 1_000))
      if random.next() % 3 == 0 { recorder.sequence += random.next() % 5_000 }
      for _ in 0..<random.next() % 60 {
        expected.append((recorder.milliseconds + offset, recorder.sequence))
        try recorder.tick(every: Int64(1 + random.next() % 2_000))
      }
    }
    try recorder.commit()
    expected.sort { $0 < $1 }
    let reader = try BufferReader(path: scratch.path)
    for _ in 0..<20 {
      let low = Int64(random.next() % 120_000)
      let range = low...(low + Int64(random.next() % 60_000))
      var found: [UInt64] = []
      let damage = try reader.ticks(wall: range) {
        found.append($0.sequence)
        return true
      }
      #expect(damage.isNone)
      #expect(found == expected.filter { range.contains($0.0) }.map(\.1), "seed \(seed), range \(range)")
    }
  }

  @Test func aSlowTakerMayAskTheReaderAgainAndHoldsNothing() throws {
    let scratch = try Scratch()
    var recorder = try Recorder(scratch)
    recorder.begin(boot: "a", offset: 0, synced: true)
    try recorder.tick(1_000)
    let reader = try BufferReader(path: scratch.path)
    var outer = 0
    _ = try reader.ticks(1...1_000) { _ in
      outer += 1
      if outer % 300 == 0 {
        let inner = try? sequences(reader, 10...20)
        #expect(inner?.found == Array(10...20))
        // No snapshot is held: the log can be emptied while the taker thinks.
        try? recorder.writer.checkpoint()
        #expect(scratch.bytes(["-wal"]) == 0)
      }
      return true
    }
    #expect(outer == 1_000)
  }
}
