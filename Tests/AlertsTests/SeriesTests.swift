import Telemetry
import Testing

@testable import Alerts

/// Which series a rule watches, and what its views say of them.
@Suite struct SeriesTests {
  static func watched(by rule: AlertRule, of series: [Series]) -> [String] {
    var engine = Bench.engine([rule], series: series)
    return engine.evaluate(values: Array(repeating: 1000, count: series.count), milliseconds: 0).map(\.series.key)
  }

  @Test(arguments: [
    (String?.none, 4), ("cpu-thermal", 1), ("*-thermal", 3), ("cpu?thermal", 1), ("*", 4), ("cpu", 0), ("", 0), ("c*u-t*l", 1),
  ])
  func labelsMatchExactlyOrByGlob(zone: String?, count: Int) {
    let series = ["cpu-thermal", "gpu-thermal", "b-thermal", "nvme"].map { Series(Bench.temperature, [Label("zone", $0)]) }
    #expect(Self.watched(by: Bench.rule(zone: zone), of: series + [Series(Bench.load)]).count == count)
  }

  @Test func aLabelThatTheSeriesLacksDoesNotMatch() {
    let rule = AlertRule(name: "a", metric: "cpu.load1", labels: [.init("core", "*")], when: .init(.greater, 0))
    #expect(Self.watched(by: rule, of: [Series(Bench.load)]).isEmpty)
  }

  @Test func eachSeriesHasAStateOfItsOwn() {
    var engine = Bench.engine([Bench.rule(forSeconds: 0)], series: [Bench.cpu, Bench.gpu])
    let first = engine.evaluate(values: [80, 20], milliseconds: 0)
    let second = engine.evaluate(values: [80, 90], milliseconds: 1000)
    #expect(first.map(\.series) == [Bench.cpu])
    #expect(second.map(\.series) == [Bench.gpu])
    #expect(engine.summary(rule: "hot")?.firing == 2)
  }

  @Test func seriesLearnedLaterAreWatched() {
    var engine = Bench.engine([Bench.rule(forSeconds: 0)], series: [])
    let early = engine.evaluate(values: [], milliseconds: 0)
    engine.learn([Series(Bench.load), Bench.cpu])
    engine.learn([Series(Bench.load), Bench.cpu])
    let short = engine.evaluate(values: [80], milliseconds: 1000)
    let whole = engine.evaluate(values: [80, 80], milliseconds: 2000)
    #expect(early.isEmpty && short.isEmpty)
    #expect(whole.count == 1)
  }

  @Test func aRuleWatchesABoundedNumberOfSeries() {
    let series = (0..<AlertLimits.instancesPerRule + 3).map { Series(Bench.temperature, [Label("zone", "\($0)")]) }
    var engine = Bench.engine([Bench.rule(forSeconds: 0), Bench.rule("one", zone: "7", forSeconds: 0)], series: series)
    let changes = engine.evaluate(values: Array(repeating: 80, count: series.count), milliseconds: 0)
    #expect(changes.count == AlertLimits.instancesPerRule + 1)
    #expect(engine.refusedInstances == 3)
    #expect(engine.summary(rule: "hot")?.series.count == AlertLimits.seriesPerSummary)
    #expect(engine.summary(rule: "hot")?.firing == AlertLimits.instancesPerRule)
  }

  @Test func theSummarySaysTheGravestStateFirst() throws {
    let third = Series(Bench.temperature, [Label("zone", "x")])
    var engine = Bench.engine([Bench.rule(forSeconds: 10), Bench.rule("other")], series: [Bench.cpu, Bench.gpu, third])
    for (values, second): ([Double], Int64) in [([20, 80, 80], 0), ([80, 80, 80], 10), ([80, 60, 80], 11)] {
      _ = engine.evaluate(values: values, milliseconds: second * 1000)
    }
    let summary = try #require(engine.summary(rule: "hot"))
    #expect(summary.state == .firing)
    #expect(summary.firing == 2)
    #expect(summary.pending == 1)
    #expect(summary.series.map(\.state) == [.firing, .clearing, .pending])
    #expect(summary.series.map(\.series) == [third.key, Bench.gpu.key, Bench.cpu.key])
    #expect(summary.series.map(\.sinceMilliseconds) == [10_000, 10_000, 10_000])
    #expect(engine.firing.map(\.series) == [third.key, Bench.gpu.key])
    #expect(engine.active.map(\.rule.name) == ["hot", "hot", "hot", "other", "other"])
    #expect(engine.summary(rule: "none") == nil)
  }
}
