import Buffer
import Testing
import Uplink

@testable import Agent

/// Wall time by epochs, while the clock does what clocks do.
@Suite struct ClockTests {
  private let text = "sensors: {a: }\nbuffer: {path: /nowhere/b.db}\n"

  /// The wall time of each stored tick by the epochs as they are known at the end.
  private func wallTimes(_ bench: Bench) -> [Int64] {
    bench.supervisor.commit(bench.clock.bootNanoseconds())
    let epochs = Dictionary(uniqueKeysWithValues: bench.storage.epochs.map { ($0.id, $0) })
    return bench.storage.ticks.map { $0.milliseconds + (epochs[$0.epoch]?.offsetMilliseconds ?? 0) }
  }

  @Test(arguments: [1_000, -1_000, 86_400_000, -86_400_000, 315_576_000_000, -315_576_000_000] as [Int64])
  func aStepOfASyncedClockOpensAnEpoch(step: Int64) throws {
    let bench = try Bench(text)
    bench.tick(10)
    bench.clock.step(milliseconds: step)
    bench.tick(10)
    let times = wallTimes(bench)
    let start: Int64 = 1_767_225_600_000
    #expect(times == (1...10).map { start + $0 * 1_000 } + (11...20).map { start + $0 * 1_000 + step })
    #expect(bench.storage.epochs.count == 2)
    #expect(bench.storage.ticks.map(\.sequence) == Array(1...20))
    #expect(bench.storage.epochs.map(\.firstSequence) == [1, 11])
  }

  @Test func smallCorrectionsAreNoStep() throws {
    let bench = try Bench(text)
    for _ in 0..<20 {
      bench.tick()
      bench.clock.step(milliseconds: AgentLimits.clockStepMilliseconds / 25)
    }
    #expect(bench.supervisor.timekeeper.epochs.count == 1)
  }

  /// A tick bears the time at which it was due, and comes a little later. A question that ends with the first tick of an epoch finds it.
  @Test func anEpochBeginsNoLaterThanItsFirstTick() {
    let clock = HandClock(synced: true)
    var keeper = Timekeeper(boot: clock.boot, lastID: 0, earlier: [])
    let now = clock.bootNanoseconds() / 1_000_000
    #expect(keeper.observe(clock, sequence: 1, due: now - 30).map(\.fromMilliseconds) == [now - 30])
    clock.pass(milliseconds: 1_000)
    clock.step(milliseconds: 5_000)
    #expect(keeper.observe(clock, sequence: 2, due: now + 900).map(\.fromMilliseconds) == [now + 900])
  }

  /// A week at 1 Hz of a clock that never comes to rest.
  @Test(arguments: [true, false]) func aClockThatStepsAtEveryTickFillsNothing(synced: Bool) throws {
    let clock = HandClock(synced: synced)
    var keeper = Timekeeper(boot: clock.boot, lastID: 0, earlier: [])
    var opened: [Epoch] = []
    for tick in 0..<(7 * 86_400) as Range<Int64> {
      opened += keeper.observe(clock, sequence: UInt64(tick + 1))
      clock.pass(milliseconds: 1_000)
      clock.step(milliseconds: tick % 2 == 0 ? 700 : -650)
    }
    #expect(opened.count <= AgentLimits.epochsPerBoot + 7 * 24 && opened.count > AgentLimits.epochsPerBoot)
    #expect(Set(opened.map(\.id)).count == opened.count)
    #expect(keeper.epochs.count <= (synced ? 1 : opened.count))
    // Once it is synchronised, what is not yet right is put right.
    guard !synced else { return }
    clock.synchronize()
    clock.pass(milliseconds: 10_000)
    #expect(keeper.observe(clock, sequence: 1 << 40).count == opened.count)
    #expect(keeper.epochs.allSatisfy { $0.synced })
  }

  @Test func theFirstSynchronisationCorrectsWhatCameBefore() throws {
    // A board without a battery: 1970 until the network is there.
    let clock = HandClock(seconds: 20, wall: 20_000, synced: false)
    let bench = try Bench(text, clock: clock)
    bench.tick(10)
    clock.step(milliseconds: 5_000)
    bench.tick(10)
    clock.step(milliseconds: 1_767_225_600_000 - 45_000)
    clock.synchronize()
    bench.tick(10)
    let times = wallTimes(bench)
    #expect(times == (1...30).map { 1_767_225_600_000 - 20_000 + $0 * 1_000 })
    #expect(bench.storage.epochs.allSatisfy { $0.synced })
    #expect(bench.delivery.ticks.map(\.synced) == Array(repeating: false, count: 20) + Array(repeating: true, count: 10))
  }

  @Test func synchronisationWithoutAStepIsSeen() throws {
    let bench = try Bench(text, clock: HandClock(synced: false))
    bench.tick(5)
    bench.clock.synchronize()
    bench.tick(10)
    bench.supervisor.commit(bench.clock.bootNanoseconds())
    #expect(bench.storage.epochs.map(\.synced) == [true])
    #expect(bench.delivery.ticks.last?.synced == true)
  }

  @Test func aRebootWithTheClockInThePastKeepsTheOrder() throws {
    let first = try Bench(text)
    first.tick(10)
    first.supervisor.commit(first.clock.bootNanoseconds())
    var opening = BufferWriter.Opening()
    opening.series = first.storage.series
    opening.epochs = first.storage.epochs
    opening.lastEpoch = first.storage.epochs.last?.id ?? 0
    opening.nextSequence = 100_011
    let clock = HandClock(boot: "boot-2", seconds: 5, wall: 1_767_225_600_000 - 14 * 86_400_000, synced: false)
    let second = try Bench(text, opening: opening, clock: clock)
    second.tick(5)
    second.supervisor.commit(second.clock.bootNanoseconds())
    #expect(second.storage.ticks.map(\.sequence) == Array(100_011...100_015))
    let epoch = try #require(second.storage.epochs.first)
    #expect(second.storage.epochs.count == 1)
    #expect(epoch.id == opening.lastEpoch + 1 && epoch.boot == "boot-2" && !epoch.synced)
    // The other boot's epochs are none of this one's business.
    clock.synchronize()
    second.tick(10)
    second.supervisor.commit(second.clock.bootNanoseconds())
    #expect(second.storage.epochs.map(\.boot) == ["boot-2"])
  }

  @Test func aRestartInTheSameBootCorrectsTheEarlierRunToo() throws {
    var opening = BufferWriter.Opening()
    opening.epochs = [
      Epoch(id: 4, boot: "boot-1", firstSequence: 1, fromMilliseconds: 9_000, offsetMilliseconds: 0, synced: false)
    ]
    opening.lastEpoch = 4
    opening.nextSequence = 500
    let bench = try Bench(text, opening: opening, clock: HandClock(synced: false))
    bench.tick(2)
    bench.clock.synchronize()
    bench.tick(10)
    bench.supervisor.commit(bench.clock.bootNanoseconds())
    #expect(bench.storage.epochs.map(\.id) == [4, 5])
    #expect(bench.storage.epochs.allSatisfy { $0.synced })
    #expect(bench.storage.epochs.map(\.offsetMilliseconds) == [1_767_222_000_000, 1_767_222_000_000])
  }
}
