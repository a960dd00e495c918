import Platform
import Sensors
import Synchronization
import Telemetry
import Testing

@testable import Agent

/// A slow sensor that is made anew on another thread, and then has other series than before: each value must still be told of its own series.
@Suite struct NewWorkerTests {
  /// What the sensor does next, and the metrics that it names when it is made.
  final class Plan: Sendable {
    struct State {
      var names = ["first", "second"]
      var isAbsent = false
      var hangs = false
      var made = 0
      var ended = 0
    }

    private let state = Mutex(State())
    var now: State { state.withLock { $0 } }
    func change(_ body: (inout State) -> Void) { state.withLock { body(&$0) } }
  }

  /// Its values are the lengths of the names.
  struct PlannedSensor: Sensor {
    static let kind = SensorKind(name: "s", summary: "", sources: [], metrics: [])
    private let plan: Plan
    private var slots: [(slot: Slot, value: Double)] = []

    init(context: SensorContext, settings: Settings, readings: inout Readings) throws(SensorError) { throw .absent("a plan") }

    init(_ plan: Plan, _ readings: inout Readings) {
      self.plan = plan
      plan.change { $0.made += 1 }
      for name in plan.now.names {
        let metric = Metric("s.\(name)", unit: .none, decimals: 1, help: "")
        slots.append((readings.slot(metric), Double(name.utf8.count)))
      }
    }

    mutating func sample(into readings: inout Readings) throws(SensorError) {
      let made = plan.now.made
      while plan.now.hangs && plan.now.made == made { Platform.Thread.sleep(milliseconds: 1) }
      plan.change { $0.ended += 1 }
      if plan.now.isAbsent { throw .absent("a plan") }
      for (slot, value) in slots { readings.set(slot, value) }
    }
  }

  enum Interruption: CaseIterable { case absent, hanging }

  @Test(
    arguments: Interruption.allCases,
    [["third-one"], ["second"], ["second", "third-one"], ["third-one", "second", "first"]])
  func eachValueStaysWithItsSeries(_ interruption: Interruption, _ names: [String]) throws {
    let plan = Plan()
    let bench = try Bench(
      "sensors: {a: , b: , s: {every: 1s, deadline: 2s}}\nlog: {level: error}\nbuffer: {path: /nowhere/b.db}\n",
      slow: { (_, _, readings) throws(SensorError) in PlannedSensor(plan, &readings) })
    try #require(
      eventually("its first values") {
        let ended = plan.now.ended
        bench.tick()
        _ = holdsEventually(timeout: 1) { plan.now.ended > ended }
        return bench.live("s.first") == 5
      })
    #expect(bench.live("s.second") == 6)

    plan.change {
      $0.names = names
      $0.isAbsent = interruption == .absent
      $0.hangs = interruption == .hanging
    }
    try #require(
      eventually("it is interrupted") {
        bench.tick()
        return bench.figures("s")?.outcome == (interruption == .absent ? .absent : .timedOut)
      })
    #expect(bench.live("s.first") == nil)

    plan.change { ($0.isAbsent, $0.hangs) = (false, false) }
    try #require(
      eventually("another one's values") {
        bench.clock.pass(milliseconds: AgentLimits.failedRetrySeconds * 1_000)
        let ended = plan.now.ended
        bench.tick()
        _ = holdsEventually(timeout: 1) { plan.now.ended > ended }
        bench.tick()
        return bench.figures("s")?.outcome == .ok
      })
    #expect(plan.now.made == 2)
    for name in ["first", "second", "third-one"] {
      #expect(bench.live("s.\(name)") == (names.contains(name) ? Double(name.utf8.count) : nil), "s.\(name)")
    }
  }
}
