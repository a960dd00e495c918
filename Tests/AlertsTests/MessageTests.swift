import Telemetry
import Testing

@testable import Alerts

@Suite struct MessageTests {
  static func render(_ template: String, series: Series = Bench.cpu, value: Double = 76.5, state: String = "firing") -> String {
    AlertMessage(rule: Bench.rule(message: template), series: series, value: value, state: state, node: "edge-01").text()
  }

  @Test(arguments: [
    ("{rule}", "hot"), ("{series}", #"thermal.temperature_celsius{zone="cpu-thermal"}"#),
    ("{metric}", "thermal.temperature_celsius"),
    ("{value} {unit}", "76.5 °C"), ("{threshold}", "> 75"), ("{state}", "firing"), ("{node}", "edge-01"),
    ("{label.zone}", "cpu-thermal"), ("[{label.none}]", "[]"), ("", ""), ("no places", "no places"), ("{", "{"),
    ("a } b", "a } b"),
    ("{unknown} {node}", "{unknown} edge-01"), ("{{node}}", "{edge-01}"), ("{node", "{node"), ("{}", "{}"),
    ("é{node}🐦", "éedge-01🐦"),
  ])
  func places(template: String, text: String) {
    #expect(Self.render(template) == text)
  }

  @Test(arguments: [(76.0, "76"), (0.25, "0.25"), (-0.0, "0"), (1e300, "1e+300"), (.infinity, "inf")])
  func values(value: Double, text: String) {
    #expect(Self.render("{value}", value: value) == text)
  }

  @Test func aMetricWithoutUnitLeavesNoDoubleSpace() {
    #expect(Self.render(AlertRule.defaultMessage, series: Series(Bench.load), value: 4) == "cpu.load1 is 4 (hot: > 75)")
  }

  @Test func whatIsFilledInIsNotSearchedAgain() {
    #expect(Self.render("{label.zone}", series: Series(Bench.temperature, [Label("zone", "{node}")])) == "{node}")
  }

  @Test func messagesAreBounded() {
    let text = Self.render(String(repeating: "é", count: 2000))
    #expect(text.utf8.count <= AlertLimits.messageBytes)
    #expect(text.hasSuffix("é…"))
  }

  @Test func changesCarryTheMessageOfTheirState() {
    var engine = Bench.engine([Bench.rule(forSeconds: 0, clearForSeconds: 0, message: "{state}: {value}")])
    let changes = [80.0, 60].flatMap { engine.evaluate(values: [$0], milliseconds: 0) }
    #expect(changes.map(\.message) == ["firing: 80", "resolved: 60"])
  }
}
