import Randomness
import Telemetry
import Testing

@testable import Alerts

/// An hour of ticks against a model that keeps the whole history and looks back at each tick.
@Suite struct RandomWalkTests {
  /// The rule as a sentence over the history: it fires when `when` held at every sample of the last `for`, and ends when it was
  /// clear at every sample of the last clearing time.
  struct Model {
    let rule: AlertRule
    var history: [(at: Int64, value: Double)] = []
    var fired = false

    mutating func state(after value: Double, at now: Int64) -> AlertState? {
      guard !value.isNaN else { return nil }
      history.append((now, value))
      let wanted = fired ? isClear : rule.when.holds
      guard let start = history.reversed().prefix(while: { wanted($0.value) }).last?.at else { return fired ? .firing : .ok }
      let due = now - start >= Int64(fired ? rule.clearForMilliseconds : rule.forMilliseconds)
      if due { fired.toggle() }
      return due ? (fired ? .firing : .ok) : (fired ? .clearing : .pending)
    }

    func isClear(_ value: Double) -> Bool { !rule.when.holds(value) && (rule.clear?.holds(value) ?? true) }
  }

  static let rules = [
    Bench.rule("a"), Bench.rule("b", forSeconds: 0), Bench.rule("c", clearForSeconds: 0), Bench.rule("d", clear: nil),
    Bench.rule("e", when: .init(.less, 70), forSeconds: 5, clear: .init(.greaterOrEqual, 71), clearForSeconds: 3),
    Bench.rule("f", forSeconds: 0, clear: nil, clearForSeconds: 0), Bench.rule("g", clear: .init(.less, 80), clearForSeconds: 2),
  ]

  @Test(arguments: UInt64(1)...8)
  func agreesWithTheModel(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    var engine = Bench.engine(Self.rules)
    var models = Self.rules.map { Model(rule: $0) }
    var states = Array(repeating: AlertState.ok, count: Self.rules.count)
    var now: Int64 = 0
    var temperature = 72.0
    var announced = 0
    while now < 3_600_000 {
      now += [1000, 1000, 1000, 2000, 9000].randomElement(using: &random) ?? 1000
      temperature = min(max(temperature + Double.random(in: -1.5...1.5, using: &random), 66), 80)
      let kind = Int.random(in: 0..<20, using: &random)
      let value = kind == 0 ? Double.missing : kind == 1 ? .nan : temperature
      let changes = engine.evaluate(values: [value], milliseconds: now)
      for index in models.indices {
        let expected = models[index].state(after: value, at: now) ?? states[index]
        let change = changes.first { $0.rule == Self.rules[index] }
        #expect(
          change?.to == (expected == states[index] ? nil : expected), "seed \(seed), \(now) ms, rule \(Self.rules[index].name)")
        #expect(change == nil || change?.from == states[index])
        if change?.isAnnounced == true { announced += 1 }
        states[index] = expected
      }
    }
    #expect(announced > 20, "seed \(seed) hardly ever fires: the walk is not worth its while")
  }
}
