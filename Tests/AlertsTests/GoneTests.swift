import Telemetry
import Testing

@testable import Alerts

/// What becomes of the alert of a series that its sensor no longer reports.
@Suite struct GoneTests {
  /// An engine whose rule is in a state at second 100, and one tick a second of a sensor that answers.
  struct Watch {
    var engine: AlertEngine
    var second = 100

    init(in state: AlertState, clearForSeconds: Int = 10) {
      engine = TransitionTests.engine(in: state, clearForSeconds: clearForSeconds)
      // The last value comes with a sample that has no problem.
      _ = tick(Self.value(in: state), problems: 0)
    }

    private static func value(in state: AlertState) -> Double {
      switch state {
      case .ok: 20
      case .pending, .firing: 80
      case .clearing: 60
      }
    }

    mutating func tick(_ value: Double = .missing, problems: Int?) -> [AlertChange] {
      defer { second += 1 }
      return engine.evaluate(values: [value], milliseconds: Int64(second) * 1000) { _ in problems }
    }

    /// The seconds after the first of these ticks at which something changed.
    mutating func ticks(_ count: Int, problems: Int?) -> [Int] {
      let first = second
      return (0..<count).compactMap { _ in tick(problems: problems).isEmpty ? nil : second - 1 - first }
    }
  }

  @Test(arguments: [AlertState.pending, .firing, .clearing])
  func itEndsFromEveryState(state: AlertState) throws {
    var watch = Watch(in: state)
    #expect(watch.engine.state() == state)
    let early = watch.ticks(120, problems: 0)
    #expect(early.isEmpty)
    let change = try #require(watch.tick(problems: 0).first)
    #expect(change.from == state && change.to == .ok)
    #expect(change.isAnnounced == state.isFiring)
    // Nobody was told of one that only was pending.
    #expect(change.isGone == state.isFiring)
    #expect(watch.engine.gone.count == (state.isFiring ? 1 : 0))
    #expect(change.milliseconds == 221_000)
    #expect(watch.engine.active.isEmpty && watch.engine.memory.isEmpty)
    #expect(watch.ticks(1000, problems: 0).isEmpty)
  }

  @Test func whatIsOkHasNothingToEnd() {
    var watch = Watch(in: .ok)
    #expect(watch.ticks(1000, problems: 0).isEmpty)
    #expect(watch.engine.gone.isEmpty)
  }

  @Test func aSensorThatFailsOrHangsKeepsItsAlerts() {
    var watch = Watch(in: .firing)
    #expect(watch.ticks(86_400, problems: nil).isEmpty)
    #expect(watch.engine.state() == .firing)
  }

  @Test func aSlowSensorIsGivenItsSamples() {
    var watch = Watch(in: .firing)
    var ended: Int?
    for minute in 0..<10 where ended == nil {
      if !watch.tick(problems: 0).isEmpty { ended = minute }
      #expect(watch.ticks(59, problems: nil).isEmpty)
    }
    // The first without it, and three more.
    #expect(ended == AlertLimits.answersUntilGone)
  }

  @Test func aNewProblemMayBeWhyAValueIsMissing() {
    var watch = Watch(in: .firing)
    #expect(watch.ticks(10_000, problems: 1).isEmpty)
    // It was mended, and the series is still not there.
    #expect(watch.ticks(121, problems: 0) == [120])
  }

  /// A sensor that looks for some of its hardware at every third sample only, and fails to; `Int.max` is a sensor that fails as a whole.
  @Test(arguments: [1, Int.max])
  func aProblemOfSomeSamplesIsOne(problems: Int) {
    var watch = Watch(in: .firing)
    for second in 0..<3_000 {
      let changes = watch.tick(problems: second % 3 == 0 ? problems : 0)
      #expect(changes.isEmpty)
    }
    #expect(watch.engine.state() == .firing)
  }

  @Test func aProblemThatWasThereBeforeIsNone() {
    var watch = Watch(in: .firing)
    _ = watch.tick(80, problems: 2)
    #expect(watch.ticks(500, problems: 3).isEmpty)
    #expect(watch.ticks(121, problems: 2) == [120])
  }

  @Test(arguments: [80, Double.nan])
  func anyValueBeginsTheTimeAnew(value: Double) {
    var watch = Watch(in: .firing)
    #expect(watch.ticks(120, problems: 0).isEmpty)
    #expect(watch.tick(value, problems: 0).isEmpty)
    #expect(watch.ticks(121, problems: 0) == [120])
  }

  @Test func aLongTimeToClearIsATimeToBeGoneToo() {
    var watch = Watch(in: .firing, clearForSeconds: 3_600)
    #expect(watch.ticks(3_601, problems: 0) == [3_600])
  }

  @Test func itIsToldWithItsLastValue() throws {
    let rule = Bench.rule(forSeconds: 0, message: "{label.zone} {value} {state}")
    var engine = Bench.engine([rule])
    _ = engine.evaluate(values: [91], milliseconds: 0) { _ in 0 }
    let changes = (1...121).flatMap { second in engine.evaluate(values: [.missing], milliseconds: second * 1000) { _ in 0 } }
    #expect(changes.map(\.message) == ["cpu-thermal 91 gone"])
    #expect(changes.map(\.isResolved) == [true])
    let ending = AlertEnding(rule: rule, series: Bench.cpu.key, value: 91, milliseconds: 121_000)
    #expect(engine.gone == [ending])
    #expect(engine.summary(rule: "hot")?.gone == [ending])
    #expect(engine.summary(rule: "hot")?.state == .ok)
    // For a day.
    _ = engine.evaluate(values: [.missing], milliseconds: 86_520_999)
    #expect(engine.gone.count == 1)
    _ = engine.evaluate(values: [.missing], milliseconds: 86_521_000)
    #expect(engine.gone.isEmpty)
  }

  @Test func whatComesBackMayFireAgain() {
    var watch = Watch(in: .firing)
    _ = watch.ticks(121, problems: 0)
    #expect(watch.engine.gone.count == 1)
    let back = (0...30).flatMap { _ in watch.tick(80, problems: 0) }
    #expect(back.map { "\($0.from)>\($0.to)" } == ["ok>pending", "pending>firing"])
    #expect(watch.engine.gone.isEmpty)
    let resolved = (0...10).flatMap { _ in watch.tick(60, problems: 0) }
    #expect(resolved.last.map { $0.isResolved && !$0.isGone } == true)
  }

  @Test func whatComesBackAndIsWellIsNotGoneAnyMore() throws {
    var watch = Watch(in: .firing)
    _ = watch.ticks(121, problems: 0)
    #expect(watch.engine.gone.map(\.value) == [80])
    // Told once, so that the rule's state goes out anew; there is nothing to announce.
    let back = try #require(watch.tick(20, problems: 0).first)
    #expect(back.from == .ok && back.to == .ok && !back.isGone && !back.isAnnounced && !back.isResolved)
    #expect(watch.engine.gone.isEmpty)
    #expect(watch.engine.summary(rule: "hot")?.gone.isEmpty == true)
    #expect(watch.tick(20, problems: 0).isEmpty)
  }

  @Test func afterARestartOnlySamplesWithoutAProblemCount() {
    var engine = Bench.engine([Bench.rule()], restored: [RestoreTests.memory(.firing)])
    let unclear = (0..<500).flatMap { engine.evaluate(values: [.missing], milliseconds: $0 * 1000) { _ in 1 } }
    #expect(unclear.isEmpty)
    let clear = (500...620).flatMap { engine.evaluate(values: [.missing], milliseconds: $0 * 1000) { _ in 0 } }
    #expect(clear.map(\.isGone) == [true])
  }

  @Test func aReloadKeepsWhatIsKnown() {
    var watch = Watch(in: .firing)
    _ = watch.ticks(100, problems: 0)
    _ = watch.engine.replace(rules: [Bench.rule(severity: .critical)])
    #expect(watch.ticks(21, problems: 0) == [20])
    _ = watch.engine.replace(rules: [Bench.rule("other"), Bench.rule()])
    #expect(watch.engine.gone.map(\.rule.name) == ["hot"])
  }

  @Test func eachSeriesIsOnItsOwn() {
    var engine = Bench.engine([Bench.rule(forSeconds: 0)], series: [Bench.cpu, Bench.gpu])
    _ = engine.evaluate(values: [80, 80], milliseconds: 0) { _ in 0 }
    let changes = (1...200).flatMap { second in
      engine.evaluate(values: [80, .missing], milliseconds: second * 1000) { $0 == 0 ? 1 : 0 }
    }
    #expect(changes.map(\.series) == [Bench.gpu])
    #expect(engine.firing.map(\.series) == [Bench.cpu.key])
  }
}
