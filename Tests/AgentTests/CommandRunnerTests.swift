import Alerts
import Buffer
import Foundation
import Profile
import Telemetry
import Testing
import Uplink

@testable import Agent

/// Commands on the agent's side, on a hand-driven clock.
@Suite struct CommandRunnerTests {
  private let plain = "sensors: {a: , b: {every: 5s}}\nlog: {level: error}\nbuffer: {path: /nowhere/b.db, commit_every: 1m}\n"
  private let rule = "alerts: [{name: high, when: a.value > 5}]\n"

  private func request(_ name: CommandName, _ arguments: JSONValue = .object([])) -> CommandNotice {
    .run(CommandRequest(id: "c1", name: name, arguments: arguments, issuedMilliseconds: 0, expiry: .never))
  }

  private func silence(_ rule: String, _ duration: String) -> CommandNotice {
    request(.silence, .object([.init("rule", .string(rule)), .init("duration", .string(duration))]))
  }

  private func runner(_ bench: Bench) -> CommandRunner {
    CommandRunner(bench.supervisor, reload: { .applied([]) }, hasten: {})
  }

  /// What the uplink was answered, in words.
  private func answers(_ bench: Bench) -> [String] {
    bench.delivery.answers.map { answer in
      switch answer.outcome {
      case .executing: "executing"
      case .successful(let json): String(decoding: json, as: UTF8.self)
      case .failed(let reason): "failed: \(reason)"
      }
    }
  }

  @Test func aFlushIsDoneWhenTheDiskHasIt() throws {
    let bench = try Bench(plain)
    let runner = runner(bench)
    bench.tick(3)
    bench.storage.refuse(true)
    runner.take([request(.flush)])
    bench.tick()
    runner.afterTick()
    #expect(answers(bench) == ["executing"])
    bench.storage.refuse(false)
    bench.supervisor.commit(bench.clock.bootNanoseconds())
    runner.afterTick()
    #expect(answers(bench) == ["executing", #"{"committed":4}"#])
    bench.storage.refuse(true)
    bench.tick()
    runner.take([request(.flush)])
    bench.tick(Int(AgentLimits.flushSeconds) + 1)
    runner.afterTick()
    #expect(answers(bench).last == "failed: the disk did not take it within 30 s")
  }

  @Test func aSampleTakesAllSensorsAndLeavesTheirPace() throws {
    let bench = try Bench(plain)
    let runner = runner(bench)
    bench.tick(7)
    runner.take([request(.sample)])
    bench.tick()
    runner.afterTick()
    #expect(answers(bench) == ["executing", #"{"seq":8}"#])
    // Another one between two ticks.
    runner.take([request(.sample)])
    bench.clock.pass(milliseconds: 300)
    bench.supervisor.tick(due: bench.clock.bootNanoseconds(), skipped: 0, isExtra: true)
    runner.afterTick()
    #expect(answers(bench).last == #"{"seq":9}"#)
    bench.tick(8)
    // Due at the first, sixth, … regular tick; the ninth was extra, so all later ones are one number on.
    let sampled = bench.sent("b.value").enumerated().filter { $0.element != nil }.map { $0.offset + 1 }
    #expect(sampled == [1, 6, 8, 9, 12, 17])
  }

  @Test func whatTheUplinkHasNoRoomForIsToldLater() throws {
    let bench = try Bench(plain)
    let runner = runner(bench)
    bench.tick()
    bench.delivery.refuse(true)
    runner.take([
      silence("x", "1h"), request(.setOutput, .object([.init("line", .string("relay")), .init("state", .string("on"))])),
    ])
    #expect(answers(bench).isEmpty)
    bench.delivery.refuse(false)
    runner.afterTick()
    let expected = ["failed: there is no rule 'x'", "executing", "failed: no output named 'relay' is configured"]
    #expect(answers(bench) == ["executing"] + expected)
  }

  @Test func whatWasTakenIsOnTheDiskBeforeItRuns() throws {
    let bench = try Bench(plain)
    let runner = runner(bench)
    bench.tick()
    runner.take([.remember("[1]"), request(.flush), .remember("[2]")])
    #expect(bench.storage.transactions.last { !$0.notes.isEmpty }?.notes == ["commands": "[2]"])
    runner.take([
      .record(
        CommandRecord(id: "c9", command: nil, arguments: Array("{}".utf8), isSuccessful: false, reason: "it is no JSON"))
    ])
    let event = try #require(bench.storage.events.last)
    #expect(event.kind == "command" && event.severity == .warning && event.message == "command (c9) failed: it is no JSON")
    #expect(event.detail == #"{"id":"c9","command":null,"args":{},"outcome":"failed","reason":"it is no JSON"}"#)
  }

  // MARK: Silences

  @Test func aSilencedRuleGoesOnUnannounced() throws {
    let bench = try Bench(plain + rule)
    let runner = runner(bench)
    bench.tick()
    runner.take([silence("high", "10s")])
    #expect(bench.delivery.alerts.last?.contains(#""silenced_until":"2026-01-01T00:00:11.000Z""#) == true)
    bench.script("a").change { $0.value = 9 }
    bench.tick(9)
    #expect(bench.delivery.alerts.last?.contains(#""state":"firing","t":"#) == true)
    #expect(!bench.storage.events.contains { $0.kind == "alert" })
    bench.tick(1)
    #expect(bench.storage.events.filter { $0.kind == "alert" }.map(\.message).count == 1)
    #expect(bench.storage.events.last?.message.hasPrefix("high still firing after its silence: ") == true)
    #expect(bench.delivery.alerts.last?.contains("silenced_until") == false)
    #expect(bench.storage.transactions.last { !$0.notes.isEmpty }?.notes["silences"] == "[]")
  }

  @Test func aSilenceOutlivesARestartButIsNoLongerThanItWas() throws {
    let bench = try Bench(plain + rule)
    bench.tick()
    runner(bench).take([silence("*", "10m")])
    bench.tick()
    bench.supervisor.finish(bench.clock.bootNanoseconds())
    var opening = BufferWriter.Opening()
    opening.notes = bench.storage.transactions.reduce(into: [:]) { $0.merge($1.notes) { $1 } }
    func rest(_ clock: HandClock) throws -> Int64? {
      let again = try Bench(plain + rule, opening: opening, clock: clock)
      return again.supervisor.silences.end(of: "high").map { $0 - clock.bootNanoseconds() / 1_000_000 }
    }
    let wall: Int64 = 1_767_225_600_000 + 1_000
    #expect(try rest(HandClock(boot: "boot-2", seconds: 5, wall: wall + 60_000)) == 540_000)
    #expect(try rest(HandClock(boot: "boot-2", seconds: 5, wall: 0)) == 600_000)
    #expect(try rest(HandClock(boot: "boot-2", seconds: 5, wall: wall + 600_000)) == nil)
    opening.notes["silences"] = "[{\"rule\":7}, {}, 1"
    #expect(try rest(HandClock()) == nil)
  }
}
