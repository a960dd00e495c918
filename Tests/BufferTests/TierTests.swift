import Randomness
import Testing

@testable import Buffer
@testable import Telemetry

@Suite struct TierTests {
  private static let begin: Int64 = 1_700_000_000_000
  private static let everything: ClosedRange<Int64> = 0...(1 << 50)

  /// What one bucket holds, in whole tenths: computed from the values one by one.
  private struct Naive: Equatable {
    var count = 0
    var least = Int.max
    var most = Int.min
    var sum = 0
    var last = 0

    mutating func add(_ tenths: Int) {
      count += 1
      least = min(least, tenths)
      most = max(most, tenths)
      sum += tenths
      last = tenths
    }
  }

  /// The time of a tick row is under no checksum.
  @Test func aDamagedTimeIsOnlyWrong() {
    let times = BlockTimes(epochs: [1, 1, 1], milliseconds: [.min, 0, .max])
    #expect(Buckets(times, step: Tier.minute.stepMilliseconds, offsets: [1: 0]).ofRow == [0, 1, 2])
    var query = SampleQuery(series: 0, range: .min ... .max)
    query.found.tier = .minute
    query.learn([Epoch(id: 1, boot: "b", firstSequence: 1, fromMilliseconds: 0, offsetMilliseconds: 0, synced: true)])
    for time in [Int64.min, 0, .max] { query.addTick(1, time, 2) }
    let found = query.finish(decimals: 0)
    #expect(found.wallMilliseconds.contains(0))
    #expect(found.rollups.reduce(0) { $0 + $1.count } == 3)
  }

  /// Two hours and more, with holes, a restart and a clock that is set back by 90 s.
  private static func recorded(_ scratch: Scratch, _ naive: inout [Tier: [Int64: Naive]]) throws -> Recorder {
    var random = SplitMix64(seed: 15)
    var recorder = try Recorder(scratch, series: 2)
    for (number, offset) in [begin, begin + 3_000_000, begin + 5_910_000].enumerated() {
      recorder.begin(boot: "boot \(number)", offset: offset, synced: true, at: 0)
      for _ in 0..<3_000 {
        let tenths = Int(random.next() % 2_000) - 1_000
        let isThere = random.next() % 5 > 0
        if isThere {
          for tier in [Tier.minute, .hour] {
            let wall = recorder.milliseconds + offset
            let bucket = wall - wall % tier.stepMilliseconds
            naive[tier, default: [:]][bucket, default: Naive()].add(tenths)
          }
        }
        // The other series has NaN and infinities.
        let odd = [Double.nan, .infinity, -.infinity, 1][Int(random.next() % 4)]
        try recorder.tick { _ in [isThere ? Double(tenths) / 10 : .missing, odd] }
      }
    }
    try recorder.commit()
    return recorder
  }

  private static func compare(_ found: SeriesSamples, _ naive: [Int64: Naive]) {
    #expect(found.wallMilliseconds == naive.keys.sorted())
    for (place, wall) in found.wallMilliseconds.enumerated() {
      guard let expected = naive[wall] else { continue }
      let rollup = found.rollups[place]
      #expect(rollup.count == expected.count)
      #expect(rollup.min == Double(expected.least) / 10)
      #expect(rollup.max == Double(expected.most) / 10)
      #expect(rollup.sum == Double(expected.sum) / 10)
      #expect(rollup.last == Double(expected.last) / 10)
      #expect(found.values[place] == Double(expected.sum) / 10 / Double(expected.count))
    }
  }

  @Test func rollupsAreWhatCountingGives() throws {
    let scratch = try Scratch()
    var naive: [Tier: [Int64: Naive]] = [:]
    let recorder = try Self.recorded(scratch, &naive)
    let reader = try BufferReader(path: scratch.path)
    for ticksPerBlock in [0, 4_000, 700, 1] {
      // From rows alone, from some blocks, from many that were merged.
      if ticksPerBlock > 0 { while try !recorder.writer.seal(atLeast: ticksPerBlock).isEmpty {} }
      for tier in [Tier.minute, .hour] {
        let found = try reader.samples(series: 0, wall: Self.everything, tier: tier)
        #expect(found.tier == tier && found.damagedBlocks == 0)
        Self.compare(found, naive[tier] ?? [:])
      }
      let raw = try reader.samples(series: 0, wall: Self.everything, tier: .raw)
      #expect(raw.values.count == naive[.hour]?.values.reduce(0) { $0 + $1.count })
      let isOrdered = zip(raw.wallMilliseconds, raw.wallMilliseconds.dropFirst()).allSatisfy { $0 <= $1 }
      #expect(isOrdered)
    }
    let odd = try reader.samples(series: 1, wall: Self.everything, tier: .hour)
    #expect(odd.rollups.allSatisfy { $0.min == -.infinity && $0.max == .infinity && $0.sum.isNaN && !$0.last.isNaN })
    #expect(try reader.samples(series: 7, wall: Self.everything, tier: .minute).values.isEmpty)
  }

  @Test func smallRollupBlocksAreMerged() throws {
    let scratch = try Scratch()
    var recorder = try Recorder(scratch)
    recorder.begin(boot: "a", offset: Self.begin, synced: true)
    for _ in 0..<90 {
      try recorder.tick(250)
      _ = try recorder.writer.seal(atLeast: 250)
    }
    let database = recorder.writer.database
    // 89 sealings: 5 · 16 + 2 · 4 + 1 minute blocks, 64 + 16 + 2 · 4 + 1 hour blocks.
    #expect(try database.blocks(.minute).map(\.seals) == [16, 16, 16, 16, 16, 4, 4, 1])
    #expect(try database.blocks(.hour).map(\.seals) == [64, 16, 4, 4, 1])
    #expect(try database.blocks(.raw).map(\.rows) == Array(repeating: 1_000, count: 22) + [250])
    let reader = try BufferReader(path: scratch.path)
    let minutes = try reader.samples(series: 0, wall: Self.everything, tier: .minute)
    #expect(minutes.rollups.reduce(0) { $0 + $1.count } == 22_500)
    // 1 700 000 000 s are 20 s into a minute: so 40 values, then 60 each.
    #expect(minutes.rollups.map(\.count).prefix(3) == [40, 60, 60])
  }

  @Test func aDamagedRollupBlockStopsNothing() throws {
    let scratch = try Scratch()
    var recorder = try Recorder(scratch)
    recorder.begin(boot: "a", offset: Self.begin, synced: true)
    for round in 0..<30 {
      try recorder.tick(250)
      _ = try recorder.writer.seal(atLeast: 250)
      if round == 2 { try recorder.writer.database.execute("UPDATE minute SET data = zeroblob(400) WHERE first = 251") }
    }
    let reader = try BufferReader(path: scratch.path)
    let minutes = try reader.samples(series: 0, wall: Self.everything, tier: .minute)
    #expect(minutes.damagedBlocks == 1)
    #expect(minutes.rollups.reduce(0) { $0 + $1.count } == 30 * 250 - 250)
    #expect(try sequences(reader).found.count == 30 * 250)
  }

  @Test func theTierIsChosenByStepAndByWhatIsLeft() throws {
    let scratch = try Scratch()
    var recorder = try Recorder(scratch)
    recorder.begin(boot: "a", offset: Self.begin, synced: true)
    try recorder.tick(20_000)
    for _ in 0..<30 { _ = try recorder.writer.seal(atLeast: 250) }
    let reader = try BufferReader(path: scratch.path)
    let all = Self.begin...(Self.begin + 20_000_000)
    func tier(_ step: Int64?, _ range: ClosedRange<Int64>) throws -> Tier {
      try reader.samples(series: 0, wall: range, stepMilliseconds: step).tier
    }
    #expect(try tier(1_000, all) == .raw)
    #expect(try tier(59_999, all) == .raw)
    #expect(try tier(60_000, all) == .minute)
    #expect(try tier(3_600_000, all) == .hour)
    // 20 s a point; a day at a thousand points is a minute and more.
    #expect(try tier(nil, all) == .raw)
    #expect(try tier(nil, (Self.begin - 86_400_000)...(Self.begin + 20_000_000)) == .minute)
    // Ticks of the first hours are gone: the minutes know more.
    try recorder.writer.database.execute("DELETE FROM block WHERE first < 10000")
    #expect(try tier(1_000, all) == .minute)
    #expect(try tier(1_000, (Self.begin + 15_000_000)...(Self.begin + 20_000_000)) == .raw)
    #expect(try reader.samples(series: 0, wall: all, stepMilliseconds: 1_000, tier: .raw).tier == .raw)
  }

  /// Thirty days at a tick every 10 s.
  @Test func thirtyDaysKeepTheirTiersWithinTheirTimes() throws {
    let scratch = try Scratch()
    let day = 86_400_000
    let policy = RetentionPolicy(
      retainMilliseconds: 2 * day, maximumBytes: 64 << 20, retainMinutesMilliseconds: 5 * day, retainHoursMilliseconds: 20 * day)
    var recorder = try Recorder(scratch, series: 3, policy: policy)
    recorder.begin(boot: "a", offset: Self.begin, synced: true)
    recorder.transaction.deliveries = ["mqtt": DeliveryPosition(next: 1_000)]
    var evicted: UInt64 = 0
    var undelivered: UInt64 = 0
    for _ in 0..<(30 * 24) {
      try recorder.tick(360, every: 10_000)
      _ = try recorder.writer.seal()
      let now = Self.begin + recorder.milliseconds
      for eviction in try recorder.writer.makeRoom(policy, now: now, boot: "a", bootNow: recorder.milliseconds) {
        evicted += eviction.ticks
        undelivered += eviction.undelivered["mqtt"] ?? 0
      }
    }
    let reader = try BufferReader(path: scratch.path)
    let total = UInt64(30 * 24 * 360)
    #expect(try reader.count(0...(.max)) + evicted == total)
    #expect(undelivered == evicted - 999)
    let end = Self.begin + recorder.milliseconds
    // Age in days of the oldest point; whole blocks go, so up to a block more is kept.
    for (tier, days, block) in [(Tier.raw, 2.0, 0.15), (.minute, 5.0, 2.1), (.hour, 20.0, 8.5)] {
      let found = try reader.samples(series: 0, wall: 0...end, tier: tier)
      let age = Double(end - (found.wallMilliseconds.first ?? 0)) / Double(day)
      #expect(age >= days - 0.05 && age <= days + block, "\(tier): \(age) days")
    }
    #expect(try recorder.writer.database.integer("SELECT count(*) FROM epoch") == 1)
  }

  @Test func whenBytesAreShortEachTierKeepsAShare() throws {
    let scratch = try Scratch()
    var random = SplitMix64(seed: 16)
    let policy = RetentionPolicy(retainMilliseconds: 1 << 50, maximumBytes: 1 << 20)
    var recorder = try Recorder(scratch, series: 30, policy: policy)
    recorder.begin(boot: "a", offset: Self.begin, synced: true)
    recorder.transaction.deliveries = ["mqtt": DeliveryPosition()]
    var evicted: UInt64 = 0
    var undelivered: UInt64 = 0
    var largest = 0
    for _ in 0..<600 {
      try recorder.tick(60, every: 5_000) { _ in (0..<30).map { _ in Double(random.next() % 1_000) / 10 } }
      _ = try recorder.writer.seal()
      for eviction in try recorder.writer.makeRoom(policy, now: nil, boot: "a", bootNow: recorder.milliseconds) {
        evicted += eviction.ticks
        undelivered += eviction.undelivered["mqtt"] ?? 0
      }
      largest = max(largest, scratch.bytes())
    }
    #expect(largest <= 1 << 20)
    #expect(evicted > 0 && evicted == undelivered)
    let reader = try BufferReader(path: scratch.path)
    #expect(try reader.count(0...(.max)) + evicted == 36_000)
    let sizes = try reader.tierSizes()
    for size in sizes where size.tier != .hour { #expect(size.bytes > policy.share(of: size.tier) / 3, "\(size)") }
    // The coarser, the further back.
    let oldest = try Tier.allCases.map {
      try reader.samples(series: 0, wall: Self.everything, tier: $0).wallMilliseconds.first ?? 0
    }
    #expect(oldest[0] > oldest[1] && oldest[1] > oldest[2])
    #expect(try sequences(reader).damaged == 0)
  }
}
