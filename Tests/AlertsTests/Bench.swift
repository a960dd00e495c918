import Telemetry

@testable import Alerts

/// What the tests share: a temperature of two zones, and a rule on it.
enum Bench {
  static let temperature = Metric("thermal.temperature_celsius", unit: .celsius, decimals: 1, labels: ["zone"], help: "")
  static let load = Metric("cpu.load1", unit: .none, decimals: 2, help: "")
  static let cpu = Series(temperature, [Label("zone", "cpu-thermal")])
  static let gpu = Series(temperature, [Label("zone", "gpu-thermal")])

  /// Fires above 75 after 30 s, clears below 70 after 10 s.
  static func rule(
    _ name: String = "hot", zone: String? = nil, when: AlertRule.Condition = .init(.greater, 75), forSeconds: Int = 30,
    clear: AlertRule.Condition? = .init(.less, 70), clearForSeconds: Int = 10, message: String = AlertRule.defaultMessage,
    severity: Severity = .warning
  ) -> AlertRule {
    AlertRule(
      name: name, metric: temperature.name, labels: zone.map { [.init("zone", $0)] } ?? [], when: when,
      forMilliseconds: forSeconds * 1000, clear: clear, clearForMilliseconds: clearForSeconds * 1000, severity: severity,
      message: message)
  }

  static func engine(_ rules: [AlertRule], restored: [AlertMemory] = [], series: [Series] = [cpu]) -> AlertEngine {
    var engine = AlertEngine(rules: rules, node: "edge-01", restored: restored)
    engine.learn(series)
    return engine
  }
}

extension AlertEngine {
  /// One tick of the first series at a second; the steps as `from>to`.
  mutating func step(_ value: Double, at second: Double) -> [String] {
    evaluate(values: [value], milliseconds: Int64(second * 1000)).map { "\($0.from)>\($0.to)" }
  }

  /// Several ticks, each a value and a second.
  mutating func steps(_ points: [(Double, Double)]) -> [String] {
    points.flatMap { step($0.0, at: $0.1) }
  }

  /// The state of a rule.
  func state(_ name: String = "hot") -> AlertState? { summary(rule: name)?.state }
}
