import Telemetry
import Testing

@testable import Sensors

/// The names that use most, from sample to sample.
@Suite struct TopProcessesTests {
  private static func uses(_ ticks: [(String, UInt64)]) -> [(name: String, use: TopProcesses.Use)] {
    ticks.map { ($0.0, TopProcesses.Use(ticks: $0.1)) }
  }

  private static func values(_ readings: Readings) -> [String: Double] {
    var values: [String: Double] = [:]
    for (series, value) in zip(readings.series, readings.values) where !value.isMissing {
      values[series.label("process") ?? ""] = value
    }
    return values
  }

  private func step(_ top: inout TopProcesses, _ ticks: [(String, UInt64)], _ readings: inout Readings) -> [String: Double] {
    readings.begin(nanoseconds: 0)
    top.report(ProcessesMetrics.topCPU, Self.uses(ticks), least: 1, scale: 1, into: &readings) { $0.ticks }
    return Self.values(readings)
  }

  /// An alert on a name that is busy sees that it is no more.
  @Test func whatFallsOutHasValuesForAWhile() {
    var top = TopProcesses(count: 1, nameLimit: 4)
    var readings = Readings()
    #expect(step(&top, [("a", 90), ("b", 5)], &readings) == ["a": 90])
    #expect(step(&top, [("a", 3), ("b", 5)], &readings) == ["a": 3, "b": 5])
    // It ended.
    for _ in 1..<ProcessLimits.samplesBehindTop { #expect(step(&top, [("b", 5)], &readings) == ["a": 0, "b": 5]) }
    #expect(step(&top, [("b", 5)], &readings) == ["b": 5])
    #expect(step(&top, [("a", 7), ("b", 5)], &readings) == ["a": 7, "b": 5])
  }

  @Test func theSumOfTheOthersFallsOutToo() {
    var top = TopProcesses(count: 2, nameLimit: 1)
    var readings = Readings()
    #expect(step(&top, [("a", 90), ("b", 50)], &readings) == ["a": 90, "other": 50])
    #expect(step(&top, [("a", 90), ("b", 0)], &readings) == ["a": 90, "other": 0])
  }

  @Test func measuresDoNotMix() {
    var top = TopProcesses(count: 1, nameLimit: 4)
    var readings = Readings()
    readings.begin(nanoseconds: 0)
    let uses = Self.uses([("a", 90)])
    top.report(ProcessesMetrics.topCPU, uses, least: 1, scale: 1, into: &readings) { $0.ticks }
    top.report(ProcessesMetrics.topMemory, uses, least: 1, scale: 1, into: &readings) { $0.residentPages }
    #expect(readings.series.map(\.metric.name) == [ProcessesMetrics.topCPU.name])
  }
}
