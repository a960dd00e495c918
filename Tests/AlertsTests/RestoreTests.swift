import Telemetry
import Testing

@testable import Alerts

/// What a restart and a reload of the profile keep.
@Suite struct RestoreTests {
  static func memory(
    _ state: AlertState, rule: String = "hot", series: Series = Bench.cpu, since: Int64? = nil
  ) -> AlertMemory {
    AlertMemory(rule: rule, series: series.key, state: state, value: 80, sinceMilliseconds: since)
  }

  @Test func aFiringAlertStaysFiringAndIsNotAnnouncedAgain() {
    var engine = Bench.engine([Bench.rule()], restored: [Self.memory(.firing)])
    #expect(engine.state() == .firing)
    let still = engine.step(80, at: 5)
    let clearing = engine.step(60, at: 6)
    let over = engine.evaluate(values: [60], milliseconds: 16_000)
    #expect(still.isEmpty)
    #expect(clearing == ["firing>clearing"])
    #expect(over.map(\.isResolved) == [true])
  }

  @Test func pendingAndClearingBeginTheirDurationsAnew() {
    var pending = Bench.engine([Bench.rule()], restored: [Self.memory(.pending)])
    #expect(pending.state() == .pending)
    let steps = [5.0, 34.9, 35].map { pending.step(80, at: $0) }
    #expect(steps == [[], [], ["pending>firing"]])
    var clearing = Bench.engine([Bench.rule()], restored: [Self.memory(.clearing)])
    let ends = [5.0, 14.9, 15].map { clearing.step(60, at: $0) }
    #expect(ends == [[], [], ["clearing>ok"]])
  }

  @Test func memoryRoundTripsAndWaitsForItsSeries() {
    let restored = [Self.memory(.firing, series: Bench.gpu), Self.memory(.pending)]
    var engine = Bench.engine([Bench.rule()], restored: restored, series: [])
    #expect(Set(engine.memory) == Set(restored))
    #expect(engine.firing.map(\.series) == [Bench.gpu.key])
    #expect(engine.firing.map(\.message) == ["\(Bench.gpu.key) was 80 before the restart"])
    engine.learn([Bench.cpu, Bench.gpu])
    #expect(Set(engine.memory) == Set(restored))
    let changes = engine.evaluate(values: [20, 60], milliseconds: 0)
    #expect(changes.map { "\($0.from)>\($0.to)" } == ["pending>ok", "firing>clearing"])
    #expect(engine.memory == [AlertMemory(rule: "hot", series: Bench.gpu.key, state: .clearing, value: 60)])
  }

  @Test func memoryOfRulesThatAreGoneIsForgotten() {
    let memory = [Self.memory(.firing, rule: "gone"), Self.memory(.firing, series: Series(Bench.load))]
    let engine = Bench.engine([Bench.rule()], restored: memory)
    #expect(engine.forgotten == memory)
    #expect(engine.memory.isEmpty)
  }

  @Test func unchangedRulesKeepStateAndDuration() {
    var engine = Bench.engine([Bench.rule()])
    _ = engine.step(80, at: 0)
    let resolved = engine.replace(rules: [Bench.rule("new"), Bench.rule()])
    #expect(resolved.isEmpty)
    let steps = engine.evaluate(values: [80], milliseconds: 30_000).map { "\($0.rule.name) \($0.from)>\($0.to)" }
    #expect(steps == ["new ok>pending", "hot pending>firing"])
  }

  @Test func changedRulesKeepStateAndBeginDurationsAnew() {
    var engine = Bench.engine([Bench.rule(), Bench.rule("cool", forSeconds: 0)])
    _ = engine.step(80, at: 0)
    let resolved = engine.replace(rules: [Bench.rule(forSeconds: 40), Bench.rule("cool", when: .init(.greater, 90))])
    #expect(resolved.isEmpty)
    #expect(engine.state("hot") == .pending)
    #expect(engine.state("cool") == .firing)
    #expect(engine.firing.map(\.sinceMilliseconds) == [0])
    let steps = [30.0, 69.9, 70].map { engine.step(80, at: $0) }
    #expect(steps == [[], [], ["pending>firing"]])
  }

  @Test func whatVanishedWhileFiringIsResolved() {
    var engine = Bench.engine(
      [Bench.rule("a", forSeconds: 0), Bench.rule("b", forSeconds: 0), Bench.rule("c")], series: [Bench.cpu, Bench.gpu])
    _ = engine.evaluate(values: [80, 90], milliseconds: 7000)
    // "a" is gone, "b" watches one zone only, "c" was pending.
    let resolved = engine.replace(rules: [Bench.rule("b", zone: "cpu-*", forSeconds: 0)])
    #expect(
      resolved.map { "\($0.rule.name) \($0.series.label("zone") ?? "") \($0.from)>\($0.to) \($0.value)" } == [
        "a cpu-thermal firing>ok 80.0", "a gpu-thermal firing>ok 90.0", "b gpu-thermal firing>ok 90.0",
      ])
    #expect(resolved.allSatisfy { $0.isResolved && $0.milliseconds == 7000 })
    #expect(engine.memory == [Self.memory(.firing, rule: "b", since: 7000)])
    #expect(engine.forgotten.isEmpty)
  }

  @Test func whatStillAwaitsItsSeriesSurvivesAReload() {
    var engine = Bench.engine(
      [Bench.rule(), Bench.rule("b")], restored: [Self.memory(.firing), Self.memory(.firing, rule: "b")], series: [])
    _ = engine.replace(rules: [Bench.rule(forSeconds: 1)])
    #expect(engine.memory == [Self.memory(.firing)])
    #expect(engine.forgotten == [Self.memory(.firing, rule: "b")])
  }
}
