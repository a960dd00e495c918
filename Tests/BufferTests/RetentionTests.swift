import Randomness
import Testing

@testable import Buffer
@testable import Telemetry

@Suite struct RetentionTests {
  private static let now: Int64 = 1_700_000_000_000

  private static func policy(seconds: Int = 1 << 40, bytes: Int = 64 << 20) -> RetentionPolicy {
    RetentionPolicy(retainMilliseconds: seconds * 1_000, maximumBytes: bytes)
  }

  @Test func theRunningBootAgesByItsOwnClock() throws {
    let scratch = try Scratch()
    var recorder = try Recorder(scratch)
    recorder.begin(boot: "a", offset: 0, synced: false)
    try recorder.tick(1_000)
    recorder.transaction.deliveries = ["mqtt": DeliveryPosition(next: 400, owed: [11...20])]
    try recorder.commit()
    // At 1000 s, older than 300 s: ticks 1…700 (at 0…699 s); of these the whole groups 1…250 and 251…500.
    let gone = try recorder.writer.makeRoom(Self.policy(seconds: 300), now: nil, boot: "a", bootNow: 1_000_000)
    #expect(gone == [Eviction(range: 1...500, ticks: 500, undelivered: ["mqtt": 10 + 101])])
    #expect(try recorder.writer.extent() == 501...1_000)
    let again = try recorder.writer.makeRoom(Self.policy(seconds: 300), now: nil, boot: "a", bootNow: 1_000_000)
    #expect(again == [])
    let reader = try BufferReader(path: scratch.path)
    #expect(try sequences(reader).damaged == 0)
  }

  @Test func earlierBootsAgeOnlyByATrustedClock() throws {
    let scratch = try Scratch()
    var recorder = try Recorder(scratch)
    recorder.begin(boot: "unsynced", offset: 0, synced: false, at: 0)
    try recorder.tick(300)
    recorder.begin(boot: "synced", offset: Self.now - 900_000, synced: true, at: 0)
    try recorder.tick(300)
    recorder.begin(boot: "running", offset: Self.now, synced: true, at: 0)
    try recorder.tick(50)
    try recorder.commit()
    let writer = recorder.writer
    // Without a clock nothing of an earlier boot is known to be old.
    let blind = try writer.makeRoom(Self.policy(seconds: 60), now: nil, boot: "running", bootNow: 50_000)
    #expect(blind == [])
    // The unsynced boot alone never ages: here the synced one is still young.
    let young = try writer.makeRoom(Self.policy(seconds: 2_000), now: Self.now, boot: "running", bootNow: 50_000)
    #expect(young == [])
    // The synced boot is 900 to 600 s old, so what lies before it is older still. The group 501…650 is not all old.
    let old = try writer.makeRoom(Self.policy(seconds: 300), now: Self.now + 3_600_000, boot: "running", bootNow: 3_600_000)
    #expect(old.map(\.range).first == 1...500)
    #expect(old.allSatisfy { $0.undelivered.isEmpty })
  }

  /// Marked as synchronised, and ten years ahead.
  @Test func aClockYearsAheadAgesNothingUntilItHasStayedThere() throws {
    let scratch = try Scratch()
    let years = 3_652 * 86_400_000 as Int64
    let policy = RetentionPolicy(
      retainMilliseconds: 7 * 86_400_000, maximumBytes: 64 << 20, retainMinutesMilliseconds: 7 * 86_400_000,
      retainHoursMilliseconds: 7 * 86_400_000)
    var recorder = try Recorder(scratch)
    recorder.begin(boot: "before", offset: Self.now, synced: true, at: 0)
    try recorder.tick(1_500)
    _ = try recorder.writer.seal(atLeast: 500)
    recorder.begin(boot: "running", offset: Self.now + 1_600_000 + years, synced: true, at: 0)
    try recorder.tick(50)
    try recorder.commit()
    let writer = recorder.writer
    func makeRoom(at bootNow: Int64, ahead: Int64) throws -> UInt64 {
      let now = Self.now + 1_600_000 + ahead + bootNow
      return try writer.makeRoom(policy, now: now, boot: "running", bootNow: bootNow).reduce(0) { $0 + $1.ticks }
    }
    let rollups = "SELECT (SELECT count(*) FROM minute) + (SELECT count(*) FROM hour)"
    let before = try writer.database.integer(rollups)
    #expect(before ?? 0 > 0)
    #expect(try makeRoom(at: 60_000, ahead: years) == 0)
    #expect(try makeRoom(at: 3_500_000, ahead: years) == 0)
    // Put right within the hour: nothing was lost, and nothing is old.
    #expect(try makeRoom(at: 3_600_000, ahead: 0) == 0)
    #expect(try makeRoom(at: 9_000_000, ahead: 0) == 0)
    // Ahead again: the hour begins anew, also over a small correction in between, and not after it over none.
    #expect(try makeRoom(at: 9_100_000, ahead: years) == 0)
    #expect(try makeRoom(at: 12_600_000, ahead: years + 40_000) == 0)
    #expect(try writer.database.integer(rollups) == before)
    #expect(try makeRoom(at: 12_700_000, ahead: years + 40_000) == 1_500)
    #expect(try writer.database.integer(rollups) == 0)
    #expect(try sequences(BufferReader(path: scratch.path)).found == Array(1_501...1_550))
  }

  /// What the trial holds back is not held back from the bytes.
  @Test func theTrialDoesNotStopTheBytes() throws {
    let scratch = try Scratch()
    var random = SplitMix64(seed: 8)
    let policy = Self.policy(seconds: 100, bytes: 1 << 20)
    var recorder = try Recorder(scratch, series: 60, policy: policy)
    recorder.begin(boot: "before", offset: Self.now, synced: true, at: 0)
    try recorder.tick(9_000) { _ in Self.noise(&random) }
    recorder.begin(boot: "running", offset: Self.now * 2, synced: true, at: 0)
    try recorder.tick(10) { _ in Self.noise(&random) }
    var evicted = 0
    for _ in 0..<20 {
      let gone = try recorder.writer.makeRoom(policy, now: Self.now * 2 + 10_000, boot: "running", bootNow: 10_000)
      evicted += gone.reduce(0) { $0 + Int($1.ticks) }
    }
    #expect(evicted > 1_000 && evicted < 9_000)
    #expect(try recorder.writer.usedBytes() <= policy.usableBytes)
  }

  @Test func unusedNumbersAreNoLoss() throws {
    let scratch = try Scratch()
    var recorder = try Recorder(scratch)
    recorder.begin(boot: "a", offset: 0, synced: false)
    recorder.transaction.deliveries = ["mqtt": DeliveryPosition()]
    for _ in 0..<20 {
      try recorder.tick(30)
      recorder.sequence += 4_066
    }
    try recorder.commit()
    let gone = try recorder.writer.makeRoom(Self.policy(seconds: 300), now: nil, boot: "a", bootNow: 600_000)
    // Ticks 0…299 s: ten runs of thirty, the last of them at 9 · 4096 + 1 and on.
    #expect(gone == [Eviction(range: 1...36_894, ticks: 300, undelivered: ["mqtt": 300])])
  }

  /// 60 noisy values a tick: some 150 bytes a row.
  private static func noise(_ random: inout SplitMix64) -> [Double] {
    (0..<60).map { _ in (Double(random.next() % 1_000) / 10).rounded(decimals: 1) }
  }

  @Test(arguments: [1 << 20, 3 << 20, 0])
  func fileAndLogStayWithinTheirBytes(maximum: Int) throws {
    let scratch = try Scratch()
    let policy = Self.policy(bytes: maximum)
    var random = SplitMix64(seed: 5)
    var recorder = try Recorder(scratch, series: 60, policy: policy)
    recorder.begin(boot: "a", offset: 0, synced: false)
    recorder.transaction.deliveries = ["mqtt": DeliveryPosition()]
    var evicted: UInt64 = 0
    var undelivered: UInt64 = 0
    var largest = 0
    for round in 0..<5_000 as Range<UInt64> {
      if round % 10 == 0 {
        recorder.transaction.events = [
          StoredEvent(
            id: round + 1, epoch: 1, milliseconds: 0, kind: "alert", severity: .info, message: String(repeating: "m", count: 200))
        ]
      }
      // A restart now and then leaves numbers unused.
      if round % 100 == 99 { recorder.sequence += 3_000 }
      try recorder.tick(10) { _ in Self.noise(&random) }
      for eviction in try recorder.writer.makeRoom(policy, now: nil, boot: "a", bootNow: recorder.milliseconds) {
        evicted += eviction.ticks
        undelivered += eviction.undelivered["mqtt"] ?? 0
      }
      largest = max(largest, scratch.bytes())
    }
    #expect(largest <= max(maximum, RetentionPolicy.smallestBytes))
    #expect(evicted == undelivered)
    let reader = try BufferReader(path: scratch.path)
    let all = try sequences(reader)
    #expect(all.damaged == 0)
    #expect(UInt64(all.found.count) + evicted == 50_000)
    // Not thrown away for nothing: three fifths of the bytes hold data.
    #expect(try recorder.writer.usedBytes() > max(maximum, RetentionPolicy.smallestBytes) * 3 / 5)
  }

  @Test func loweringTheBytesShrinksTheFile() throws {
    let scratch = try Scratch()
    var random = SplitMix64(seed: 6)
    var recorder = try Recorder(scratch, series: 60, policy: Self.policy(bytes: 16 << 20))
    recorder.begin(boot: "a", offset: 0, synced: false)
    try recorder.tick(30_000) { _ in Self.noise(&random) }
    try recorder.writer.checkpoint()
    #expect(scratch.bytes([""]) > 3 << 20)
    let low = Self.policy(bytes: 1 << 20)
    for _ in 0..<20 {
      try recorder.tick(10) { _ in Self.noise(&random) }
      _ = try recorder.writer.makeRoom(low, now: nil, boot: "a", bootNow: recorder.milliseconds)
    }
    #expect(scratch.bytes() <= 1 << 20)
    let tooSmall = Self.policy(bytes: 1)
    #expect(tooSmall.usableBytes == low.usableBytes)
  }

  @Test func aGapThatNobodyToldIsFoundAtTheNextStart() throws {
    let scratch = try Scratch()
    do {
      var recorder = try Recorder(scratch)
      recorder.begin(boot: "a", offset: 0, synced: false)
      recorder.transaction.deliveries = ["mqtt": DeliveryPosition(), "all done": DeliveryPosition(next: 5_000)]
      try recorder.tick(1_000)
      _ = try recorder.writer.makeRoom(Self.policy(seconds: 700), now: nil, boot: "a", bootNow: 1_000_000)
      _ = try recorder.writer.makeRoom(Self.policy(seconds: 300), now: nil, boot: "a", bootNow: 1_000_000)
    }
    let writer = try BufferWriter(path: scratch.path, node: "edge-01", policy: Self.policy())
    #expect(writer.opening.unreported == [Eviction(range: 1...500, ticks: 500, undelivered: ["mqtt": 500])])
    var transaction = BufferTransaction()
    transaction.events = [
      StoredEvent(id: 1, epoch: 1, milliseconds: 0, kind: "gap", severity: .warning, message: "500 ticks were evicted")
    ]
    try writer.commit(transaction)
    #expect(try BufferReader(path: scratch.path).state().unreported == [])
  }

  @Test func eventsAndEpochsAreBounded() throws {
    let scratch = try Scratch()
    let policy = Self.policy(seconds: 10, bytes: 1 << 20)
    var recorder = try Recorder(scratch, policy: policy)
    for id in 1...2_000 as ClosedRange<UInt64> {
      recorder.begin(boot: "a", offset: Int64(id), synced: true)
      recorder.transaction.events = [
        StoredEvent(id: id, epoch: Int(id), milliseconds: 0, kind: "alert", severity: .info, message: "m")
      ]
      try recorder.tick()
      try recorder.commit()
    }
    _ = try recorder.writer.makeRoom(policy, now: nil, boot: "a", bootNow: recorder.milliseconds)
    let reader = try BufferReader(path: scratch.path)
    #expect(try reader.events(after: 0, limit: 10_000).map(\.id) == Array(1_745...2_000))
    #expect(reader.epochs.count <= BufferLimits.epochs)
    #expect(try sequences(reader).damaged == 0)
  }
}
