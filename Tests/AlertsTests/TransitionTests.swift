import Telemetry
import Testing

@testable import Alerts

@Suite struct TransitionTests {
  /// Values that lead to a state at second 100, where its duration begins.
  static func engine(in state: AlertState, forSeconds: Int = 30, clearForSeconds: Int = 10) -> AlertEngine {
    var engine = Bench.engine([Bench.rule(forSeconds: forSeconds, clearForSeconds: clearForSeconds)])
    switch state {
    case .ok: _ = engine.step(20, at: 100)
    case .pending: _ = engine.step(80, at: 100)
    case .firing: _ = engine.steps([(80, 0), (80, 100)])
    case .clearing: _ = engine.steps([(80, 0), (80, 40), (60, 100)])
    }
    return engine
  }

  struct Row: Sendable, CustomTestStringConvertible {
    let from: AlertState
    let value: Double
    let after: Double
    let to: AlertState
    var testDescription: String { "\(from) \(value) after \(after) s: \(to)" }

    init(_ from: AlertState, _ value: Double, _ after: Double, _ to: AlertState) {
      self.from = from
      self.value = value
      self.after = after
      self.to = to
    }
  }

  /// 80 holds, 72 lies between clear and when, 60 is clear; 29.999 s is short of `for`, 9.999 s short of the clearing time.
  @Test(arguments: [
    Row(.ok, 60, 1, .ok), Row(.ok, 72, 1, .ok), Row(.ok, 75, 1, .ok), Row(.ok, 75.1, 1, .pending), Row(.ok, 80, 1000, .pending),
    Row(.pending, 80, 0, .pending), Row(.pending, 80, 29.999, .pending), Row(.pending, 80, 30, .firing),
    Row(.pending, 80, 1000, .firing), Row(.pending, 72, 1, .ok), Row(.pending, 60, 1, .ok), Row(.pending, 75, 30, .ok),
    Row(.firing, 80, 1, .firing), Row(.firing, 72, 1, .firing), Row(.firing, 70, 1, .firing), Row(.firing, 69.9, 1, .clearing),
    Row(.firing, 60, 1000, .clearing), Row(.clearing, 60, 0, .clearing), Row(.clearing, 60, 9.999, .clearing),
    Row(.clearing, 60, 10, .ok), Row(.clearing, 60, 1000, .ok), Row(.clearing, 72, 1, .firing), Row(.clearing, 72, 10, .firing),
    Row(.clearing, 80, 1, .firing), Row(.clearing, 80, 10, .firing),
  ])
  func oneStep(row: Row) {
    var engine = Self.engine(in: row.from)
    let steps = engine.step(row.value, at: 100 + row.after)
    #expect(steps == (row.from == row.to ? [] : ["\(row.from)>\(row.to)"]))
    #expect(engine.state() == row.to)
  }

  @Test(arguments: AlertState.allCases, [Double.missing, Double.nan, -Double.nan])
  func missingAndNaNMoveNothing(state: AlertState, value: Double) {
    var engine = Self.engine(in: state)
    for after in [0.0, 10, 30, 1000] {
      let steps = engine.step(value, at: 100 + after)
      #expect(steps.isEmpty)
    }
    #expect(engine.state() == state)
  }

  @Test func durationsRunOnBetweenSamplesAndEndAtOne() {
    var engine = Self.engine(in: .pending)
    let unsampled = engine.step(.missing, at: 140)
    let sampled = engine.step(80, at: 141)
    #expect(unsampled.isEmpty)
    #expect(sampled == ["pending>firing"])
  }

  @Test func infinityIsAValue() {
    var engine = Self.engine(in: .ok, forSeconds: 0, clearForSeconds: 0)
    let up = engine.step(.infinity, at: 101)
    let down = engine.step(-.infinity, at: 102)
    #expect(up == ["ok>firing"])
    #expect(down == ["firing>ok"])
  }

  @Test func zeroDurationsSkipTheirStates() {
    var engine = Self.engine(in: .ok, forSeconds: 0, clearForSeconds: 0)
    let steps = engine.steps([(80, 101.0), (80, 102), (72, 103), (60, 104), (60, 105)])
    #expect(steps == ["ok>firing", "firing>ok"])
  }

  @Test func everyInterruptionBeginsTheDurationAnew() {
    var engine = Self.engine(in: .ok)
    let steps = engine.steps([(80, 100.0), (80, 129), (74, 130), (80, 131), (80, 160), (80, 161)])
    #expect(steps == ["ok>pending", "pending>ok", "ok>pending", "pending>firing"])
  }

  @Test func withoutClearItEndsAsSoonAsWhenDoesNotHold() {
    var engine = Bench.engine([Bench.rule(forSeconds: 0, clear: nil, clearForSeconds: 0)])
    let steps = engine.steps([(76, 1.0), (75, 2), (75.1, 3)])
    #expect(steps == ["ok>firing", "firing>ok", "ok>firing"])
  }

  @Test func aClearThatOverlapsWhenDoesNotFlap() {
    var engine = Bench.engine([Bench.rule(forSeconds: 0, clear: .init(.less, 90), clearForSeconds: 0)])
    let steps = (0..<10).flatMap { engine.step(80, at: Double($0)) }
    #expect(steps == ["ok>firing"])
  }

  @Test func onlyTheBeginningAndTheEndAreAnnounced() {
    var engine = Self.engine(in: .ok)
    let values: [(Double, Int64)] = [(80, 0), (80, 30), (60, 31), (72, 32), (60, 33), (60, 43), (80, 50), (60, 51)]
    let changes = values.flatMap { engine.evaluate(values: [$0.0], milliseconds: 100_000 + $0.1 * 1000) }
    #expect(
      changes.map { "\($0.from)>\($0.to)\($0.isAnnounced ? "!" : "")\($0.isResolved ? "." : "")" } == [
        "ok>pending", "pending>firing!", "firing>clearing", "clearing>firing", "firing>clearing", "clearing>ok!.",
        "ok>pending", "pending>ok",
      ])
    #expect(changes[1].milliseconds == 130_000)
    #expect(changes[1].value == 80)
    #expect(changes[1].series == Bench.cpu)
  }

  @Test(arguments: [
    (AlertRule.Comparison.greater, [false, false, true]), (.greaterOrEqual, [false, true, true]), (.less, [true, false, false]),
    (.lessOrEqual, [true, true, false]), (.equal, [false, true, false]), (.notEqual, [true, false, true]),
  ])
  func comparisons(comparison: AlertRule.Comparison, fires: [Bool]) {
    for (value, expected) in zip([1.0, 2, 3], fires) {
      var engine = Bench.engine([Bench.rule(when: .init(comparison, 2), forSeconds: 0, clear: nil, clearForSeconds: 0)])
      let steps = engine.step(value, at: 1)
      #expect(steps == (expected ? ["ok>firing"] : []), "\(value) \(comparison.rawValue) 2")
    }
  }
}
