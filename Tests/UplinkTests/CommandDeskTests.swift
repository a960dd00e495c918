import Foundation
import Telemetry
import Testing

@testable import Uplink

@Suite struct CommandDeskTests {
  private typealias Bench = DeskBench

  @Test func theWayOfACommand() throws {
    var bench = Bench()
    bench.receive(#"{"command":"silence","args":{"rule":"*","duration":"1h"},"t":"2026-01-01T00:00:00Z"}"#)
    #expect(bench.runs.map(\.name) == [.silence])
    #expect(bench.runs.first?.arguments["duration"] == .string("1h"))
    bench.answer(.executing)
    bench.pass(milliseconds: 500)
    bench.answer(.successful(Array(#"{"n":1}"#.utf8)))
    var jsons: [String] = []
    while let status = bench.desk.takeStatus() {
      #expect(status.isRetained && status.id == "c1")
      jsons.append(String(decoding: status.json, as: UTF8.self))
    }
    let head = #"{"id":"c1","command":"silence","state":"#
    let issued = #""issued":"2026-01-01T00:00:00.000Z""#
    #expect(
      jsons == [
        head + #""init","t":"2026-01-01T00:00:00.000Z","# + issued + "}",
        head + #""executing","t":"2026-01-01T00:00:00.000Z","# + issued + "}",
        head + #""successful","t":"2026-01-01T00:00:00.500Z","# + issued + #","result":{"n":1}}"#,
      ])
    let record = try #require(bench.records.first)
    #expect(bench.records.count == 1 && record.isSuccessful && record.command == "silence" && record.reason == nil)
    #expect(String(decoding: record.arguments, as: UTF8.self) == #"{"rule":"*","duration":"1h"}"#)
    // An answer to what is over says nothing.
    bench.answer(.failed("late"))
    #expect(try bench.states().isEmpty)
  }

  @Test(arguments: [
    ("no json", "it is not the JSON of a command: no value begins like this, byte 0"), ("[]", "it is JSON, but no object"),
    ("{}", "it has no text 'command'"), (#"{"command":7}"#, "it has no text 'command'"),
    (DeskBench.command("reboot"), "there is no command 'reboot'"),
    (#"{"command":"flush"}"#, "it does not say when it was given: 't', as 2026-11-20T22:40:01Z"),
    (DeskBench.command("flush", t: "now"), "it does not say when it was given: 't', as 2026-11-20T22:40:01Z"),
    (DeskBench.command("flush", #","args":[]"#), "'args' is no object"),
    (DeskBench.command("flush", #","shell":"ls""#), "it has a member 'shell' that no command has"),
    (DeskBench.command("flush", #","expires":"soon""#), "'expires' is neither a time nor 'never'"),
    (
      DeskBench.command("flush", #","expires_in":0"#),
      "'expires' must be a time or 'never', or 'expires_in' a number of seconds up to 604800"
    ),
    (
      DeskBench.command("flush", #","expires":"2025-01-01""#),
      "it expires before it was given, or more than 604800 s later"
    ),
    (DeskBench.command("flush", t: "2025-12-31T23:49:59Z"), "it expired at 2025-12-31T23:59:59.000Z"),
    (DeskBench.command("flush", t: "2026-01-01T00:05:01Z"), "it was given in the future: 2026-01-01T00:05:01.000Z"),
    (
      #"{"command":"flush","x":""# + String(repeating: "x", count: 4_096) + "\"}",
      "it is not the JSON of a command: the text is longer than 4096 bytes, byte 0"
    ),
  ])
  func refusals(payload: String, reason: String) throws {
    var bench = Bench()
    bench.receive(payload)
    #expect(try bench.states() == ["failed: \(reason)"])
    #expect(bench.runs.isEmpty)
    #expect(bench.records.map(\.reason) == [reason])
  }

  @Test func onlyWhatTheProfileAllows() throws {
    var bench = Bench([.flush])
    bench.receive(Bench.command("sample"))
    #expect(try bench.states() == ["failed: the profile does not allow it: add it to uplink.commands"])
    // Allowed later, the same command stays refused; a new one runs.
    bench.desk.allowed = [.flush, .sample]
    bench.receive(Bench.command("sample"), .init(isRetained: true))
    #expect(try bench.states().isEmpty && bench.runs.isEmpty)
    bench.receive(Bench.command("sample", t: "2026-01-01T00:00:01Z"))
    #expect(bench.runs.map(\.name) == [.sample])
    // Without any the desk does not even refuse.
    var closed = Bench([])
    closed.receive(Bench.command("flush"))
    #expect(try closed.states().isEmpty && closed.records.isEmpty)
  }

  @Test func idsAndEmptyPayloads() throws {
    var bench = Bench()
    for id in ["", "a/b", "a b", "é", "a+", String(repeating: "x", count: 65)] { bench.receive(Bench.command("flush"), id: id) }
    #expect(try bench.states().isEmpty && bench.runs.isEmpty, "no topic of such an id is written to")
    #expect(bench.records.count == 6)
    // A retained command that is taken back.
    bench.receive("")
    #expect(try bench.states().isEmpty && bench.records.count == 6)
    bench.receive(Bench.command("flush"), id: "Az09-_." + String(repeating: "x", count: 57))
    #expect(bench.runs.count == 1)
  }

  @Test func nothingRunsTwice() throws {
    var bench = Bench()
    bench.receive(Bench.command("flush"))
    // Delivered again while it runs, or kept by the broker: nobody's mistake, and the status stands.
    bench.receive(Bench.command("flush"))
    bench.answer(.successful(Array("{}".utf8)))
    bench.receive(Bench.command("flush"), .init(isRetained: true, mayBeOld: true))
    #expect(try bench.states() == ["init", "successful"])
    let replay = "failed: it was taken before: another command needs another id or a later 't' (live)"
    bench.receive(Bench.command("flush"))
    bench.receive(Bench.command("sample", t: "2025-12-31T23:59:59Z"))
    #expect(try bench.states() == [replay, replay])
    // Not after a restart either.
    var after = Bench(remembered: bench.remembered)
    after.receive(Bench.command("flush"))
    #expect(try after.states() == [replay] && after.runs.isEmpty)
    after.receive(Bench.command("flush", t: "2026-01-01T00:00:01Z"))
    #expect(after.runs.count == 1)
  }

  @Test func whatARestartInterruptedHasFailed() throws {
    var bench = Bench()
    bench.receive(Bench.command("flush"))
    bench.answer(.executing)
    var after = Bench(remembered: bench.remembered)
    #expect(try after.states() == ["failed: the agent ended before it was done"])
    #expect(after.records.map(\.isSuccessful) == [false])
    // Told once.
    var later = Bench(remembered: after.remembered)
    #expect(try later.states().isEmpty && later.records.isEmpty)
  }

  @Test func aDamagedMemoryIsNoMemory() throws {
    for text in ["", "x", "{}", "[{}]", #"[{"id":"a/b","t":1}]"#, #"[{"id":"c1","t":"x"}]"#] {
      var bench = Bench(remembered: text)
      bench.receive(Bench.command("flush"))
      #expect(bench.runs.count == 1)
    }
  }

  // MARK: Clocks

  @Test func withoutARightClockWhatMayBeOldWaits() throws {
    var bench = Bench(synced: false)
    bench.receive(Bench.command("flush"), .init(mayBeOld: true))
    #expect(try bench.states() == ["init"] && bench.runs.isEmpty && bench.desk.isWaiting)
    bench.pass(milliseconds: 1_000)
    bench.look()
    #expect(bench.runs.isEmpty)
    // The clock turns out to have been two days late: the command is long over.
    bench.moment.isSynced = true
    bench.moment.wallMilliseconds += 2 * 86_400_000
    bench.look()
    #expect(try bench.states() == ["failed: it expired at 2026-01-01T00:10:00.000Z"])
    #expect(bench.runs.isEmpty && !bench.desk.isWaiting)
    // Or it was right: the command runs.
    var right = Bench(synced: false)
    right.receive(Bench.command("flush"), .init(isRetained: true))
    right.moment.isSynced = true
    right.look()
    #expect(right.runs.count == 1)
  }

  @Test func aClockThatIsNeverSynchronised() throws {
    var bench = Bench(synced: false)
    // From the future by a clock that is late: it waits as long as it is good for.
    bench.receive(Bench.command("flush", t: "2026-06-01", #","expires_in":60"#), .init(mayBeOld: true))
    bench.pass(milliseconds: 60_000)
    bench.look()
    #expect(try bench.states() == ["init"])
    bench.pass(milliseconds: 1)
    bench.look()
    #expect(try bench.states() == ["failed: it expired before the node's clock was synchronised"])
    // What comes on a connection that holds was given just now.
    bench.receive(Bench.command("flush", t: "2026-06-02"))
    #expect(bench.runs.count == 1)
    // Or does not care.
    bench.receive(Bench.command("flush", t: "2026-06-02", #","expires":"never""#), id: "c2", .init(mayBeOld: true))
    #expect(bench.runs.count == 2)
    bench.receive(Bench.command("flush", t: "2026-06-02", #","expires":"never""#), id: "c3", .init(isRetained: true))
    #expect(bench.runs.count == 2)
    #expect(try bench.states().last == "failed: a retained command must expire")
  }

  // MARK: Bounds

  @Test func atMostEightAtOnce() throws {
    var bench = Bench()
    for n in 1...9 { bench.receive(Bench.command("flush"), id: "c\(n)") }
    #expect(bench.runs.count == 8)
    #expect(try bench.states().last == "failed: 8 commands are under way")
    bench.answer(.successful(Array("{}".utf8)), id: "c3")
    bench.receive(Bench.command("flush"), id: "c10")
    #expect(bench.runs.count == 9)
  }

  @Test func aFloodIsBounded() throws {
    var bench = Bench([.flush])
    for n in 0..<1_000 { bench.receive(Bench.command("sample"), id: "c\(n)") }
    #expect(bench.records.count == 30)
    let states = try bench.states()
    #expect(states.count == 64 && states.last == "failed: more than 30 commands in a minute")
    bench.pass(milliseconds: 60_000)
    for n in 1_000..<1_031 { bench.receive(Bench.command("sample"), id: "c\(n)") }
    #expect(bench.records.count == 60)
  }

  @Test func theMemoryIsBoundedAndForgetsOnlyWhatIsOver() throws {
    var bench = Bench()
    func fill(_ bench: inout Bench, _ count: Int, _ name: String) {
      for n in 0..<count {
        bench.pass(milliseconds: 2_000)
        bench.receive(Bench.command("flush", t: "2026-01-01T00:00:00Z", #","expires_in":7200"#), id: "\(name)\(n)")
        bench.answer(.successful(Array("{}".utf8)), id: "\(name)\(n)")
      }
    }
    fill(&bench, 256, "a")
    _ = try bench.states()
    #expect(bench.runs.count == 256 && bench.remembered.utf8.count < UplinkLimits.Commands.rememberedBytes)
    fill(&bench, 1, "b")
    #expect(try bench.states() == ["failed: too many commands of late could still come again: try later"])
    // One that always uses its own id needs no more room.
    bench.receive(Bench.command("flush", t: "2026-01-01T00:05:00Z"), id: "a7")
    #expect(bench.runs.count == 257)
    bench.pass(milliseconds: 7_200_000)
    bench.receive(Bench.command("flush", t: "2026-01-01T02:08:00Z"), id: "b1")
    #expect(bench.runs.count == 258)
  }

  @Test func anAgentThatTakesNothingMissesNoCommand() {
    var desk = CommandDesk(allowed: [.flush], remembered: "", at: Bench().moment)
    var moment = Bench().moment
    for n in 0..<200 {
      moment.bootMilliseconds += 2_000
      let name = n == 0 ? "flush" : "sample"
      desk.receive(Array(Bench.command(name).utf8), id: "c\(n)", .init(), at: moment)
      desk.hand { _ in false }
    }
    var count = 0
    var runs = 0
    desk.hand { notice in
      count += 1
      if case .run = notice { runs += 1 }
      return true
    }
    #expect(count == UplinkLimits.Commands.notices && runs == 1)
  }

  @Test func aLostStatusIsSentAgainUnlessALaterOneSaysMore() throws {
    var bench = Bench()
    bench.receive(Bench.command("flush"))
    let first = bench.desk.takeStatus()
    let initial = try #require(first)
    bench.answer(.executing)
    let second = bench.desk.takeStatus()
    let executing = try #require(second)
    bench.desk.lose(executing)
    bench.desk.lose(initial)
    #expect(try bench.states() == ["executing"])
  }
}
