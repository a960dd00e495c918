import Platform
import Profile
import Sensors
import Telemetry
import Testing

@testable import Agent

/// When lanes are called, and what a slow one says of itself.
@Suite struct LaneTests {
  private final class Lane: SensorLane {
    let profile: SensorProfile
    let readings = Readings()
    let isStaggered: Bool

    init(everySeconds: Int, isStaggered: Bool) throws {
      let text = "sensors: {s: {every: \(everySeconds)s}}\nbuffer: {path: /nowhere/b.db}\n"
      profile = try #require(try Bench.profile(text).sensors.first)
      self.isStaggered = isStaggered
    }

    func tick(now: Int64, isDue: Bool) -> LaneReport { LaneReport() }
    func begin() {}
    func stop() {}
  }

  private func dueTicks(_ place: Int, everySeconds: Int, isStaggered: Bool = true, upTo end: UInt64 = 100) throws -> [UInt64] {
    var pace = LanePace()
    pace.settle(try Lane(everySeconds: everySeconds, isStaggered: isStaggered), place: place, tickMilliseconds: 1_000)
    return (0..<end).filter { pace.isDue($0) }
  }

  @Test func allAreDueAtTheFirstTickAndNeighboursApartFromThenOn() throws {
    try #expect(dueTicks(0, everySeconds: 30) == [0, 30, 60, 90])
    try #expect(dueTicks(3, everySeconds: 30) == [0, 33, 63, 93])
    try #expect(dueTicks(4, everySeconds: 10, upTo: 40) == [0, 14, 24, 34])
    // Ten neighbours of the same interval are at ten different ticks.
    let second = try (0..<10).map { try dueTicks($0, everySeconds: 10, upTo: 20).last }
    #expect(second == (10..<20).map { $0 })
  }

  @Test func whatIsReadInsideTheTickKeepsToWholeMultiples() throws {
    try #expect(dueTicks(3, everySeconds: 5, isStaggered: false, upTo: 16) == [0, 5, 10, 15])
    try #expect(dueTicks(7, everySeconds: 1, upTo: 4) == [0, 1, 2, 3])
  }

  /// Other lanes come and go before it: it is at another place, and none of its samples is left out.
  @Test func aLaneKeepsItsTicksOverAReload() throws {
    let lane = try Lane(everySeconds: 30, isStaggered: true)
    var pace = LanePace()
    pace.settle(lane, place: 3, tickMilliseconds: 1_000)
    pace.settle(lane, place: 2, tickMilliseconds: 1_000, from: 63)
    #expect((33..<130).filter { pace.isDue($0) } == [33, 63, 93, 123])
    // Ticks of another length: it begins anew at once.
    pace.settle(lane, place: 2, tickMilliseconds: 2_000, from: 130)
    #expect((130..<180).filter { pace.isDue($0) } == [130, 147, 162, 177])
  }

  @Test func whatAReloadAddsIsSampledAtOnce() throws {
    let buffer = "buffer: {path: /nowhere/b.db}\nlog: {level: error}\n"
    let bench = try Bench("sensors: {a: }\n\(buffer)")
    bench.tick(5)
    bench.supervisor.apply(try Bench.profile("sensors: {a: , b: {every: 1h}}\n\(buffer)"))
    bench.tick()
    #expect(bench.live("b.value") == 1)
    #expect(bench.script("b").now.sampled == 1)
    bench.tick(3_599)
    #expect(bench.script("b").now.sampled == 1)
    bench.tick()
    #expect(bench.script("b").now.sampled == 2)
  }

  @Test func whatASampleLeftAloneIsNoAnswerWithoutAProblem() {
    var readings = Readings()
    var report = LaneReport()
    readings.passOver()
    readings.note(.timedOut)
    report.take(readings)
    #expect(report.answer == 2)
    #expect(report.problemCount == 1)
    readings.begin(nanoseconds: 1)
    report.take(readings)
    #expect(report.answer == 0)
  }

  @Test func oneThatRestsIsNotCalledAndWhatFellDueIsOwed() throws {
    var pace = LanePace()
    pace.settle(try Lane(everySeconds: 10, isStaggered: true), place: 0, tickMilliseconds: 1_000)
    var report = LaneReport()
    #expect(pace.call(at: 0, false) == nil)
    report.restsUntil = 60
    pace.take(report)
    #expect(pace.call(at: 10, true) == nil)
    #expect(pace.call(at: 59, false) == nil)
    #expect(pace.call(at: 60, false) == true)
    // Called and not owed any more, it is left alone until something is due.
    pace.take(report)
    #expect(pace.call(at: 61, false) == nil)
    report.isWaiting = true
    pace.take(report)
    #expect(pace.call(at: 62, false) == false)
  }

  @Test func aSlowSampleBeginsWhenItIsTold() throws {
    let (script, clock) = (Script(), HandClock())
    let profile = try #require(try Bench.profile("sensors: {s: }\nbuffer: {path: /nowhere/b.db}\n").sensors.first)
    let lane = SlowLane(
      { (_, _, readings) throws(SensorError) in try ScriptedSensor("s", script, &readings) }, Bench.catalogue[2],
      profile: profile, context: SensorContext(host: Host(root: "/nonexistent")), clock: clock)
    defer { lane.stop() }
    let asked = lane.tick(now: clock.bootNanoseconds(), isDue: true)
    #expect(asked.isAsked && asked.isWaiting && !asked.hasValues)
    #expect(script.now.sampled == 0)
    lane.begin()
    try #require(eventually("the sample ends") { lane.tick(now: clock.bootNanoseconds(), isDue: false).hasValues })
    let after = lane.tick(now: clock.bootNanoseconds(), isDue: false)
    #expect(!after.isAsked && !after.isWaiting)
  }
}
