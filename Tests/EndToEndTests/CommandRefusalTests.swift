import Foundation
import Testing

/// Commands that are not run, and that none runs twice.
@Suite struct CommandRefusalTests {
  @Test func refusals() throws {
    let console = try CommandConsole("flush")
    try console.send("sample", id: "a1")
    #expect(try console.end("a1").reason == "the profile does not allow it: add it to uplink.commands")
    #expect(console.states("a1") == ["failed"])
    try console.send("reboot", id: "a2")
    #expect(try console.end("a2").reason == "there is no command 'reboot'")
    try console.publish("{\"command\":", id: "a3")
    #expect(try console.end("a3").reason == "it is not the JSON of a command: the text ends where a value belongs, byte 11")
    try console.publish("{\"command\":\"\(String(repeating: "x", count: 100_000))\"}", id: "a4")
    #expect(try console.end("a4").reason?.contains("longer than 4096 bytes") == true)
    try console.send("flush", id: "a5", expiry: #""expires_in":1"#)
    #expect(try console.end("a5").reason == "it expired at 2026-01-01T00:00:01.000Z")
    try console.send("flush", id: "a6", retain: true)
    try console.end("a6")
    // Another node's, and what is no id: nobody answers, and a later command is.
    try console.publish(#"{"command":"flush","t":"2026-01-01","expires":"never"}"#, id: "a7", node: "other")
    try console.send("flush", id: "not an id")
    try console.send("flush", id: "a8")
    #expect(try console.end("a8").state == "successful")
    #expect(console.states("a7").isEmpty && console.states("not an id").isEmpty)
    try eventually("what was refused is told") {
      let told = try WireEvent.events(console.subscriber.messages).filter { $0.kind == "command" }.map(\.message)
      return [
        "sample (a1) failed", "reboot (a2) failed", "command (a3) failed", "flush (a5) failed", "command (not an id) failed",
      ]
      .allSatisfy { start in told.contains { $0.hasPrefix(start) } }
    }
  }

  @Test func nothingRunsTwiceOverARestart() throws {
    let console = try CommandConsole("flush")
    try console.send("flush", id: "once", retain: true)
    try console.end("once")
    try console.send("flush", id: "two")
    try console.end("two")
    let replay = "it was taken before: another command needs another id or a later 't'"
    for restart in 0..<2 {
      restart == 0 ? console.device.agent.kill() : { _ = console.device.agent.terminate() }()
      try console.device.agent.start()
      console.listens()
      // A late answer of the broker would be taken for its own repeat; the agent is settled when it says so.
      let count = console.answers("two").count
      try eventually("a repeat is refused", timeout: 40, every: 1) {
        try console.send("flush", id: "two")
        return console.answers("two").count > count
      }
      let last = try #require(console.answers("two").last)
      #expect(last.reason == replay)
      #expect(try console.retained("cmd/two/status").contains(#""state":"successful""#), "the outcome stays")
    }
    // An event may come twice, with its own id, after a kill.
    let events = try WireEvent.events(console.subscriber.messages).filter { $0.message == "flush (two) done" }
    #expect(Set(events.map(\.id)).count == 1)
    #expect(
      console.states("once") == ["init", "executing", "successful"], "although the broker brought it again at each connection")
    // The same id with a later time is another command.
    let count = console.answers("two").count
    try console.send("flush", id: "two", t: "2026-01-02T00:00:00Z")
    #expect(try console.end("two", after: count).state == "successful")
  }

  @Test func aNodeListensOnlyWhenItIsTold() throws {
    let console = try CommandConsole("")
    try console.send("flush", id: "deaf")
    let (closed, open) = (console.plan(.init(), ""), console.plan(.init(), "flush"))
    try console.device.agent.reload(profile: console.device.profile(open))
    eventually("the change") { console.device.log.contains("uplink.commands: none -> flush") }
    console.listens()
    try console.send("flush", id: "heard")
    #expect(try console.end("heard").state == "successful")
    try console.device.agent.reload(profile: console.device.profile(closed))
    eventually("the change back") { console.device.log.contains("uplink.commands: flush -> none") }
    console.listens()
    try console.send("flush", id: "deaf-again")
    try console.device.agent.reload(profile: console.device.profile(open))
    console.listens()
    try console.send("flush", id: "heard-again")
    #expect(try console.end("heard-again").state == "successful")
    #expect(console.states("deaf").isEmpty && console.states("deaf-again").isEmpty)
  }
}
