import Testing

@testable import Buffer
@testable import Telemetry

/// What clocks do, asked for through tick rows, sealed blocks and rollups: ordered, complete, nothing twice.
@Suite struct ClockScenarioTests {
  /// Ticks a second apart under one clock.
  struct Stretch {
    var boot = "a"
    /// CLOCK_BOOTTIME at its begin; nil to go on where the one before ended.
    var at: Int64?
    /// Wall clock minus CLOCK_BOOTTIME as it was taken for; nil for no new epoch.
    var offset: Int64?
    /// The offset once the clock was synchronised, where that came later.
    var corrected: Int64?
    var ticks = 900
  }

  struct Scenario: CustomTestStringConvertible {
    var name: String
    var stretches: [Stretch]
    var testDescription: String { name }
  }

  private static let begin: Int64 = 1_700_000_000_000
  private static let day: Int64 = 86_400_000
  private static let everything: ClosedRange<Int64> = -(1 << 50)...(1 << 50)

  static let scenarios: [Scenario] =
    [("a second", 1_000), ("a day", day), ("ten years", 3_652 * day)].flatMap { name, step in
      [("forwards", step), ("backwards", -step)].map { way, step in
        Scenario(
          name: "\(name) \(way)",
          stretches: [
            Stretch(at: 7_000, offset: begin), Stretch(offset: begin + step),
            Stretch(boot: "b", at: 3_000, offset: begin + 2 * step),
          ])
      }
    } + [
      // CLOCK_BOOTTIME counts the sleep, and the wall clock follows: no epoch begins.
      Scenario(
        name: "suspend", stretches: [Stretch(at: 5_000, offset: begin), Stretch(at: 30_000_000), Stretch(at: 31_000_123)]),
      Scenario(
        name: "a reboot with the clock in the past",
        stretches: [
          Stretch(offset: begin), Stretch(boot: "b", at: 2_500, offset: begin - 40 * day),
          Stretch(boot: "c", at: 0, offset: begin + day),
        ]),
      Scenario(
        name: "the first synchronisation",
        stretches: [
          Stretch(at: 20_000, offset: 0, corrected: begin + 411_300), Stretch(offset: 5_000, corrected: begin + 411_300),
          Stretch(boot: "b", at: 0, offset: begin + 10_000_000),
        ]),
      Scenario(
        name: "to and fro", stretches: (0..<12).map { Stretch(offset: begin + ($0 % 2 == 0 ? 0 : -1_100_000), ticks: 260) }),
    ]

  private struct Expected {
    var wall: Int64
    var sequence: UInt64
  }

  /// Plays a scenario; `upkeep` is called after each stretch and once more after the correction.
  private static func play(
    _ scenario: Scenario, into recorder: inout Recorder, _ upkeep: (Recorder) throws -> Void
  ) throws -> [Expected] {
    var expected: [Expected] = []
    var corrections: [Epoch] = []
    var offset: Int64 = 0
    for stretch in scenario.stretches {
      if let at = stretch.at { recorder.milliseconds = at }
      if let new = stretch.offset {
        offset = stretch.corrected ?? new
        recorder.encoder.beginGroup()
        recorder.begin(boot: stretch.boot, offset: new, synced: stretch.corrected == nil)
        if let corrected = stretch.corrected, var epoch = recorder.transaction.epochs.last {
          (epoch.offsetMilliseconds, epoch.synced) = (corrected, true)
          corrections.append(epoch)
        }
      }
      for _ in 0..<stretch.ticks {
        expected.append(Expected(wall: recorder.milliseconds + offset, sequence: recorder.sequence))
        try recorder.tick()
      }
      try recorder.commit()
      try upkeep(recorder)
    }
    recorder.transaction.epochs = corrections
    try recorder.commit()
    try upkeep(recorder)
    return expected.sorted { ($0.wall, $0.sequence) < ($1.wall, $1.sequence) }
  }

  @Test(arguments: scenarios, [0, 250, 700]) func allComesOutOrdered(scenario: Scenario, ticksPerBlock: Int) throws {
    let scratch = try Scratch()
    var recorder = try Recorder(scratch, series: 1)
    let expected = try Self.play(scenario, into: &recorder) { recorder in
      if ticksPerBlock > 0 { while try !recorder.writer.seal(atLeast: ticksPerBlock).isEmpty {} }
    }
    let blocks = try recorder.writer.database.integer("SELECT count(*) FROM block") ?? 0
    #expect((blocks > 0) == (ticksPerBlock > 0))
    let reader = try BufferReader(path: scratch.path)
    var found: [UInt64] = []
    var times: [Int64] = []
    let damage = try reader.ticks(wall: .min ... .max) { tick in
      found.append(tick.sequence)
      times.append(tick.wallMilliseconds)
      return true
    }
    #expect(damage.isNone && found == expected.map(\.sequence) && times == expected.map(\.wall))
    let raw = try reader.samples(series: 0, wall: Self.everything, tier: .raw)
    #expect(raw.wallMilliseconds == expected.map(\.wall))
    // Where two ticks have the same wall time both are there, in the order of their numbers.
    #expect(raw.values == expected.map { (Double($0.sequence) / 10).rounded(decimals: 1) })
    for tier in [Tier.minute, .hour] {
      var buckets: [Int64: (count: Int, sum: Int)] = [:]
      for tick in expected {
        let bucket = tick.wall.flooredMultiple(of: tier.stepMilliseconds)
        let before = buckets[bucket] ?? (0, 0)
        buckets[bucket] = (before.count + 1, before.sum + Int(tick.sequence))
      }
      let rollups = try reader.samples(series: 0, wall: Self.everything, tier: tier)
      #expect(rollups.wallMilliseconds == buckets.keys.sorted())
      #expect(rollups.rollups.map(\.count) == buckets.keys.sorted().map { buckets[$0]?.count ?? 0 })
      #expect(rollups.rollups.map { Int(($0.sum * 10).rounded()) } == buckets.keys.sorted().map { buckets[$0]?.sum ?? 0 })
    }
    // Any window holds what lies in it.
    for place in stride(from: 0, to: expected.count, by: 401) {
      let window = expected[place].wall...(expected[place].wall + 333_000)
      let inside = expected.filter { window.contains($0.wall) }
      #expect(try wallTimes(reader, window) == inside.map(\.wall))
      #expect(try reader.samples(series: 0, wall: window, tier: .raw).values.count == inside.count)
    }
  }

  /// The card of a dead device in the technician's machine, and then in another device: other boots, another clock.
  @Test(.enabled(if: SmallDisk.isPermitted, "mounting a tmpfs needs root"))
  func aBufferIsReadAndGoesOnElsewhere() throws {
    let source = try Scratch()
    do {
      var recorder = try Recorder(source)
      recorder.begin(boot: "home", offset: Self.begin, synced: true)
      try recorder.tick(1_300)
      _ = try recorder.writer.seal(atLeast: 500)
      let disk = try SmallDisk(bytes: 8 << 20)
      // As the power cut left it, the log not copied back.
      try source.copy(["", "-wal"], to: disk.scratch)
      try disk.remount("ro")
      let reader = try BufferReader(path: disk.scratch.path)
      #expect(!reader.isWithoutLog)
      #expect(try sequences(reader).found == Array(1...1_300))
      #expect(try reader.samples(series: 2, wall: Self.everything, tier: .raw).values.count == 1_300)
      #expect(try reader.samples(series: 2, wall: Self.everything, tier: .minute).rollups.reduce(0) { $0 + $1.count } == 1_300)
      #expect(try reader.verify().isGood)
      #expect(try reader.inventory().unsealed.rows > 0)
    }
    let elsewhere = try Scratch()
    try source.copy(["", "-wal"], to: elsewhere)
    var recorder = try Recorder(elsewhere)
    #expect(recorder.writer.opening.lastSequence == 1_300)
    recorder.begin(boot: "elsewhere", offset: Self.begin - 20 * Self.day, synced: true, at: 0)
    try recorder.tick(1_300)
    while try !recorder.writer.seal(atLeast: 500).isEmpty {}
    // A clock before the buffer's ticks makes none of them old.
    let policy = RetentionPolicy(retainMilliseconds: 600_000, maximumBytes: 64 << 20)
    let now = Self.begin - 20 * Self.day + recorder.milliseconds
    let gone = try recorder.writer.makeRoom(policy, now: now, boot: "elsewhere", bootNow: recorder.milliseconds)
    let reader = try BufferReader(path: elsewhere.path)
    // What lies before a tick that is too old goes along: order is that of the numbers.
    let left = try sequences(reader).found
    #expect(UInt64(left.count) + gone.reduce(0) { $0 + $1.ticks } == 2_600)
    #expect(left.last == 2_600 && left == Array(left[0]...2_600))
    let walls = try wallTimes(reader, .min ... .max)
    #expect(walls.count == left.count && walls == walls.sorted())
  }

  /// A clock that steps at every tick: as many epochs as ticks, in one file.
  @Test func thousandsOfEpochsAreReadAndForgotten() throws {
    let scratch = try Scratch()
    var recorder = try Recorder(scratch, series: 1)
    for tick in 0..<3_000 {
      recorder.begin(boot: "a", offset: Self.begin + Int64(tick % 5) * 100, synced: true)
      try recorder.tick()
    }
    try recorder.commit()
    while try !recorder.writer.seal(atLeast: 500).isEmpty {}
    let reader = try BufferReader(path: scratch.path)
    let window = (Self.begin + 1_000_000)...(Self.begin + 1_009_999)
    // Ticks 1000 to 1009, and none of them moved beyond the window.
    #expect(try wallTimes(reader, window) == (1_000..<1_010).map { Self.begin + $0 * 1_000 + ($0 % 5) * 100 })
    let policy = RetentionPolicy(
      retainMilliseconds: 400_000, maximumBytes: 64 << 20, retainMinutesMilliseconds: 400_000, retainHoursMilliseconds: 400_000)
    _ = try recorder.writer.makeRoom(policy, now: nil, boot: "a", bootNow: recorder.milliseconds)
    #expect(try recorder.writer.database.integer("SELECT count(*) FROM epoch") ?? 0 <= BufferLimits.epochs)
    #expect(try sequences(BufferReader(path: scratch.path)).damaged == 0)
  }
}
