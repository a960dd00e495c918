import Platform
import Sensors
import Synchronization
import Telemetry
import Testing

@testable import Agent

/// What a slow sensor that is made anew may not mix up.
@Suite struct SlowLaneTests {
  /// Reports an instance for each name it is told of, in that order.
  private struct Instances: Sensor {
    static let kind = SensorKind(name: "s", summary: "", sources: [], metrics: [])
    static let metric = Metric("s.value", unit: .none, labels: ["name"], help: "")
    let now: SharedNames

    init(context: SensorContext, settings: Settings, readings: inout Readings) throws(SensorError) { throw .absent("names") }
    init(_ now: SharedNames) { self.now = now }

    mutating func sample(into readings: inout Readings) throws(SensorError) {
      let names = now.value
      guard !names.isEmpty else { throw .absent("names") }
      for name in names { readings.set(readings.slot(Self.metric, [Label("name", name)]), Double(name.utf8.count)) }
    }
  }

  @Test func seriesKeepTheirPlacesWhenASensorIsMadeAnew() throws {
    let names = SharedNames(["a", "bb"])
    let bench = try Bench(
      "sensors: {s: {every: 1s}}\nlog: {level: error}\nbuffer: {path: /nowhere/b.db}\n",
      slow: { (_, _, _) throws(SensorError) in Instances(names) })
    func eventuallyLive(_ expected: [String: Double]) {
      eventually("\(expected)") {
        bench.tick()
        Platform.Thread.sleep(milliseconds: 1)
        return ["a", "bb", "ccc"].allSatisfy { bench.live("s.value{name=\"\($0)\"}") == expected[$0] }
      }
    }
    eventuallyLive(["a": 1, "bb": 2])
    names.value = []
    eventuallyLive([:])
    // Other hardware, in another order.
    names.value = ["ccc", "bb", "a"]
    bench.clock.pass(milliseconds: (AgentLimits.absentRetrySeconds + Int64(AgentLimits.absentStaggerSeconds)) * 1_000)
    eventuallyLive(["a": 1, "bb": 2, "ccc": 3])
    names.value = []
    eventuallyLive([:])
    // And less of it.
    names.value = ["bb"]
    bench.clock.pass(milliseconds: (AgentLimits.absentRetrySeconds + Int64(AgentLimits.absentStaggerSeconds)) * 1_000)
    eventuallyLive(["bb": 2])
  }
}

/// Shared by a test and a sensor's thread.
private final class SharedNames: Sendable {
  private let names: Mutex<[String]>
  init(_ names: [String]) { self.names = Mutex(names) }
  var value: [String] {
    get { names.withLock { $0 } }
    set { names.withLock { $0 = newValue } }
  }
}
