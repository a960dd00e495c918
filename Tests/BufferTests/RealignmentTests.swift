import Testing

@testable import Buffer
@testable import Telemetry

/// Rollups of ticks that were sealed before the clock was first synchronised.
@Suite struct RealignmentTests {
  /// 13 minutes and 37.5 seconds into an hour.
  private static let offset: Int64 = 1_699_999_200_000 + 817_500
  private static let everything: ClosedRange<Int64> = 0...(1 << 50)

  /// Ten thousand ticks of an unsynchronised boot, in sealed blocks, and then the right time.
  private static func corrected(_ scratch: Scratch, offset: Int64 = offset, later: Int = 12) throws -> Recorder {
    var recorder = try Recorder(scratch)
    recorder.begin(boot: "a", offset: 0, synced: false, at: 20_000)
    for _ in 0..<40 {
      try recorder.tick(250)
      _ = try recorder.writer.seal(atLeast: 250)
    }
    recorder.transaction.epochs = [
      Epoch(id: 1, boot: "a", firstSequence: 1, fromMilliseconds: 20_000, offsetMilliseconds: offset, synced: true)
    ]
    for _ in 0..<later {
      try recorder.tick(250)
      _ = try recorder.writer.seal(atLeast: 250)
    }
    return recorder
  }

  /// Tick by tick: count, sum in tenths, and the last of each bucket.
  private static func naive(_ tier: Tier, _ sequences: ClosedRange<UInt64>) -> [Int64: [Int]] {
    var buckets: [Int64: [Int]] = [:]
    for sequence in sequences {
      let wall = offset + 20_000 + Int64(sequence - 1) * 1_000
      let begin = wall - wall % tier.stepMilliseconds
      let before = buckets[begin] ?? [0, 0, 0]
      buckets[begin] = [before[0] + 1, before[1] + Int(sequence), Int(sequence)]
    }
    return buckets
  }

  private static func found(_ samples: SeriesSamples) -> [Int64: [Int]] {
    Dictionary(
      zip(
        samples.wallMilliseconds,
        samples.rollups.map { [$0.count, Int(($0.sum * 10).rounded()), Int(($0.last * 10).rounded())] }),
      uniquingKeysWith: { $0 + $1 })
  }

  @Test(arguments: [Tier.minute, .hour]) func bucketsBeginWhereTheCorrectedClockSays(tier: Tier) throws {
    let scratch = try Scratch()
    let recorder = try Self.corrected(scratch)
    let reader = try BufferReader(path: scratch.path)
    let all = try reader.samples(series: 0, wall: Self.everything, tier: tier)
    #expect(all.tier == tier && all.damagedBlocks == 0)
    let isRight = Self.found(all) == Self.naive(tier, 1...13_000)
    #expect(isRight)
    let isOrdered = zip(all.wallMilliseconds, all.wallMilliseconds.dropFirst()).allSatisfy { $0 < $1 }
    #expect(isOrdered)
    // A part gives whole buckets, the same as before.
    let part = (all.wallMilliseconds[1] + 1)...(all.wallMilliseconds[2] + 5)
    let some = try reader.samples(series: 0, wall: part, tier: tier)
    #expect(some.wallMilliseconds == Array(all.wallMilliseconds[1...2]))
    #expect(some.rollups == Array(all.rollups[1...2]))
    // Walked in pieces, and joined to coarser steps.
    var walk = try SeriesWalk(reader, series: 0, wall: Self.everything, tier: tier, stepMilliseconds: 3_600_000)
    var counts: [Int] = []
    while let piece = try walk.advance() { counts += piece.rollups.map(\.count) }
    let hours = Self.naive(.hour, 1...13_000)
    #expect(counts == hours.keys.sorted().map { hours[$0]?[0] ?? 0 })
    withExtendedLifetime(recorder) {}
  }

  /// The clock steps once more within the hour of the correction: the last value of that hour is one under the new clock.
  @Test(arguments: [Tier.minute, .hour]) func theLastValueOfABucketIsTheLatest(tier: Tier) throws {
    let scratch = try Scratch()
    var recorder = try Self.corrected(scratch, later: 1)
    recorder.begin(boot: "a", offset: Self.offset + 100, synced: true)
    for _ in 0..<20 {
      try recorder.tick(250)
      _ = try recorder.writer.seal(atLeast: 250)
    }
    let reader = try BufferReader(path: scratch.path)
    let found = try reader.samples(series: 0, wall: Self.everything, tier: tier)
    var last: [Int64: UInt64] = [:]
    for sequence in 1...recorder.sequence - 1 {
      let wall = Self.offset + 20_000 + Int64(sequence - 1) * 1_000 + (sequence > 10_250 ? 100 : 0)
      last[wall - wall % tier.stepMilliseconds] = sequence
    }
    #expect(found.wallMilliseconds == last.keys.sorted())
    #expect(found.rollups.map { UInt64(($0.last * 10).rounded()) } == last.keys.sorted().map { last[$0] ?? 0 })
  }

  /// Blocks behind the correction are not read for the few buckets before it.
  @Test func onlyTheBlocksBeforeTheCorrectionAreReadAgain() throws {
    let scratch = try Scratch()
    let recorder = try Self.corrected(scratch, later: 40)
    try recorder.writer.database.execute("UPDATE block SET data = zeroblob(100) WHERE first > 14000")
    let reader = try BufferReader(path: scratch.path)
    let hours = try reader.samples(series: 0, wall: Self.everything, tier: .hour)
    #expect(hours.damagedBlocks == 0 && hours.rollups.reduce(0) { $0 + $1.count } == 20_000)
  }

  /// Where the ticks are gone, the rollups are given as they were made; nothing is given twice.
  @Test func withoutTheTicksBucketsStayAsTheyWere() throws {
    let scratch = try Scratch()
    let recorder = try Self.corrected(scratch)
    try recorder.writer.database.execute("DELETE FROM block WHERE last <= 3000")
    let reader = try BufferReader(path: scratch.path)
    for tier in [Tier.minute, .hour] {
      let samples = try reader.samples(series: 0, wall: Self.everything, tier: tier)
      let aligned = zip(samples.wallMilliseconds, samples.rollups).filter { $0.0 % tier.stepMilliseconds == 0 }
      let others = zip(samples.wallMilliseconds, samples.rollups).filter { $0.0 % tier.stepMilliseconds != 0 }
      // Each bucket begins 13 min 37.5 s after the hour that the first clock said.
      #expect(!others.isEmpty && others.allSatisfy { ($0.0 - Self.offset) % tier.stepMilliseconds == 0 })
      #expect(samples.rollups.reduce(0) { $0 + $1.count } == 13_000)
      #expect(aligned.count > 2)
    }
    try recorder.writer.database.execute("DELETE FROM block")
    let bare = try reader.samples(series: 0, wall: Self.everything, tier: .minute)
    #expect(bare.rollups.reduce(0) { $0 + $1.count } == 13_000)
  }

  @Test func aStepOfWholeMinutesLeavesMinutesAlone() throws {
    let scratch = try Scratch()
    let recorder = try Self.corrected(scratch, offset: 1_699_999_200_000 + 13 * 60_000)
    // A damaged tick block is not even looked at.
    try recorder.writer.database.execute("UPDATE block SET data = zeroblob(100) WHERE first = 1")
    let reader = try BufferReader(path: scratch.path)
    let minutes = try reader.samples(series: 0, wall: Self.everything, tier: .minute)
    #expect(minutes.damagedBlocks == 0 && minutes.rollups.reduce(0) { $0 + $1.count } == 13_000)
    let hours = try reader.samples(series: 0, wall: Self.everything, tier: .hour)
    #expect(hours.damagedBlocks == 1 && hours.rollups.reduce(0) { $0 + $1.count } == 12_000)
    #expect(hours.wallMilliseconds.allSatisfy { $0 % 3_600_000 == 0 })
  }

  /// Ticks that are kept longer than rollups answer where rollups cannot.
  @Test func theTierThatReachesBackIsChosen() throws {
    let scratch = try Scratch()
    var recorder = try Recorder(scratch)
    let begin: Int64 = 1_700_000_000_000
    recorder.begin(boot: "a", offset: begin, synced: true)
    for _ in 0..<80 {
      try recorder.tick(250)
      _ = try recorder.writer.seal(atLeast: 250)
    }
    let policy = RetentionPolicy(
      retainMilliseconds: 1 << 40, maximumBytes: 64 << 20, retainMinutesMilliseconds: 3_000_000, retainHoursMilliseconds: 1_000)
    _ = try recorder.writer.makeRoom(policy, now: nil, boot: "a", bootNow: recorder.milliseconds)
    let reader = try BufferReader(path: scratch.path)
    let all = begin...(begin + recorder.milliseconds)
    #expect(try reader.tier(stepMilliseconds: 60_000, from: begin) == .raw)
    #expect(try reader.tier(stepMilliseconds: 3_600_000, from: begin) == .raw)
    #expect(try reader.samples(series: 0, wall: all, stepMilliseconds: 60_000).values.count == 20_000)
    #expect(try reader.tier(stepMilliseconds: 60_000, from: all.upperBound - 600_000) == .minute)
    var walk = try SeriesWalk(reader, series: 0, wall: all, tier: .raw, stepMilliseconds: 60_000)
    var count = 0
    while let piece = try walk.advance() { count += piece.rollups.reduce(0) { $0 + $1.count } }
    #expect(count == 20_000)
  }
}
