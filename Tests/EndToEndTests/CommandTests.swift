import Foundation
import Testing

/// Commands over MQTT: a real agent, told by mosquitto_pub.
@Suite struct CommandTests {
  private static let all = "flush, sample, reload, silence, resend, export-bundle, set-output"

  @Test func whatTheAgentDoes() throws {
    let rules = "alerts: [{name: always, when: memory.used_bytes > 0}, {name: never, when: memory.used_bytes < 0}]"
    let plan = Device.Plan(commit: "10m", sensors: ["cpu: {per_core: off}", "memory: {every: 1h}"], more: rules)
    let console = try CommandConsole(Self.all, plan: plan)

    try console.send("flush", id: "f1")
    let flushed = try console.end("f1")
    #expect(console.states("f1") == ["init", "executing", "successful"])
    #expect(flushed.result["committed"] as? Int ?? 0 > 0)
    #expect(try console.device.export().count > 1, "although the next commit is ten minutes away")
    #expect(try console.retained("cmd/f1/status").contains(#""state":"successful""#))

    try console.send("sample", id: "s1")
    let sampled = try #require(try console.end("s1").result["seq"] as? Int)
    try eventually("the tick with all sensors") {
      try console.subscriber.messages.flatMap(WireTick.ticks)
        .contains { $0.seq == UInt64(sampled) && $0.m["memory.used_bytes"] != nil && $0.m["cpu.usage_percent"] != nil }
    }

    try console.send("set-output", id: "o1", args: #"{"line":"relay","state":"on"}"#)
    #expect(try console.end("o1").reason == "no output named 'relay' is configured")

    try checkReload(console, plan)
    try checkAudit(console)
  }

  private func checkReload(_ console: CommandConsole, _ plan: Device.Plan) throws {
    var labelled = plan
    labelled.more += "\nlabels: {site: plant-7}"
    try console.device.folder.write("profile.yaml", console.device.profile(console.plan(labelled, Self.all)))
    try console.send("reload", id: "r1")
    #expect(try console.end("r1").result["changes"] as? [String] == ["labels: none -> site=plant-7"])
    try console.device.folder.write("profile.yaml", "node: [")
    try console.send("reload", id: "r2")
    let refused = try console.end("r2")
    #expect(refused.state == "failed" && refused.reason?.contains("profile.yaml:") == true)
  }

  private func checkAudit(_ console: CommandConsole) throws {
    let expected = ["flush (f1) done", "sample (s1) done", "reload (r1) done"]
    try eventually("the events") {
      let events = try WireEvent.events(console.subscriber.messages).filter { $0.kind == "command" }.map(\.message)
      return Set(expected).isSubset(of: events) && events.contains { $0.hasPrefix("set-output (o1) failed: no output") }
        && events.contains { $0.hasPrefix("reload (r2) failed: ") }
    }
    let detail =
      #""detail":{"id":"o1","command":"set-output","args":{"line":"relay","state":"on"},"outcome":"failed","reason":"no"#
    #expect(console.subscriber.messages.contains { $0.topic.hasSuffix("/events") && $0.payload.contains(detail) })
  }

  @Test func aSilencedRuleIsNotAnnounced() throws {
    let rules = "alerts: [{name: always, when: memory.used_bytes > 0}]"
    let console = try CommandConsole("silence", plan: Device.Plan(more: rules))
    try console.send("silence", id: "q1", args: #"{"rule":"nobody","duration":"1h"}"#)
    #expect(try console.end("q1").reason == "there is no rule 'nobody'")
    try console.send("silence", id: "q2", args: #"{"rule":"always","duration":"400d"}"#)
    #expect(try console.end("q2").state == "failed")
    try console.send("silence", id: "q3", args: #"{"rule":"*","duration":"1h"}"#)
    #expect(try console.end("q3").state == "successful")
    eventually("the state is marked") { isSilenced(console) }
    // Over a restart the silence holds: the rule, which fires at once on a fresh state, is not announced again anyway; a new one would be.
    console.device.agent.kill()
    let before = console.subscriber.messages.count { $0.topic.hasSuffix("/alerts/always") }
    try console.device.agent.start()
    eventually("the state after the restart") {
      console.subscriber.messages.count { $0.topic.hasSuffix("/alerts/always") } > before && isSilenced(console)
    }
    console.listens()
    try console.send("silence", id: "q4", args: #"{"rule":"*","duration":"0s"}"#)
    #expect(try console.end("q4").state == "successful")
    try eventually("what still fires is announced") {
      try WireEvent.events(console.subscriber.messages)
        .contains { $0.kind == "alert" && $0.message.hasPrefix("always still firing after its silence") }
    }
    eventually("the mark is gone") { !isSilenced(console) }
  }

  private func isSilenced(_ console: CommandConsole) -> Bool {
    console.subscriber.messages.last { $0.topic.hasSuffix("/alerts/always") }?.payload.contains("\"silenced_until\":\"20")
      ?? false
  }

  @Test func storedTicksOnceMore() throws {
    let console = try CommandConsole("resend, export-bundle")
    try console.device.eventuallyStatus("stored ticks") { $0.buffer.ticks > 20 }
    try console.send("resend", id: "x1", args: #"{"first":3,"last":9}"#)
    let resent = try console.end("x1")
    #expect(resent.result["first"] as? Int == 3 && resent.result["last"] as? Int == 9)
    try eventually("the ticks again") {
      let again = try console.subscriber.messages.filter { $0.topic.hasSuffix("/backlog") }.flatMap(WireTick.ticks).map(\.seq)
      return Set(3...9).isSubset(of: Set(again))
    }
    for (id, args, reason) in [
      ("x2", "{}", "it names no range: 'first' and 'last' as sequence numbers, or 'from' and 'to' as times"),
      ("x3", #"{"first":9,"last":3}"#, "'first' must be at least 1 and not beyond 'last'"),
      ("x4", #"{"first":900000,"last":900001}"#, "the buffer holds nothing of the range"),
      ("x5", #"{"first":1,"last":2,"payload":"xml"}"#, "the profile has no such payload"),
    ] {
      try console.send("resend", id: id, args: args)
      #expect(try console.end(id).reason == reason)
    }
    try checkBundle(console)
  }

  /// The chunks are the lines of `godwit export`, with the checksum that gzip(1) computes.
  private func checkBundle(_ console: CommandConsole) throws {
    let folder = try TemporaryFolder()
    let receiver = try ChildProcess(
      "stdbuf",
      [
        "-oL", "mosquitto_sub", "-h", "127.0.0.1", "-p", String(console.broker.port), "-q", "1", "-d", "-t",
        "godwit/v1/edge/cmd/+/data/+", "-F", "\\t%t\\t%x",
      ], name: "receiver", in: folder)
    defer { receiver.kill() }
    eventually("the receiver") { receiver.output.contains("Subscribed (mid") }
    let seen = try console.device.eventuallyStatus("enough for two chunks") { $0.buffer.ticks > 150 }
    try console.send("export-bundle", id: "b1", args: #"{"from":"2000-01-01","to":"2100-01-01","format":"jsonl"}"#)
    let result = try console.end("b1").result
    let chunks = try #require(result["chunks"] as? Int)
    #expect(chunks > 1 && result["ticks"] as? UInt64 ?? 0 >= seen.buffer.ticks)
    var parts: [Int: Data] = [:]
    eventually("all chunks") {
      for line in receiver.output.split(separator: "\n") where line.hasPrefix("\t") {
        let fields = line.split(separator: "\t")
        guard fields.count == 2, let number = fields[0].split(separator: "/").last.flatMap({ Int($0) }) else { continue }
        parts[number] = Self.bytes(hexadecimal: fields[1])
      }
      return parts.count >= chunks
    }
    let bundle = (0..<chunks).reduce(Data()) { $0 + (parts[$1] ?? Data()) }
    #expect(bundle.count == result["bytes"] as? Int)
    let exported = try console.device.godwit("export", "--buffer", console.device.bufferPath, "--format", "jsonl").output
    #expect(exported.hasPrefix(String(decoding: bundle, as: UTF8.self)))
    try bundle.write(to: URL(fileURLWithPath: folder.path(of: "bundle")))
    // RFC 1952: the last eight bytes are the checksum and the length, least byte first.
    _ = try ChildProcess.run("gzip", [folder.path(of: "bundle")], in: folder)
    let trailer = try Data(contentsOf: URL(fileURLWithPath: folder.path(of: "bundle.gz"))).suffix(8).prefix(4)
    #expect(trailer.reversed().map { String(format: "%02x", $0) }.joined() == result["crc32"] as? String)
  }

  private static func bytes(hexadecimal text: Substring) -> Data {
    let digits = Array(text.utf8)
    return Data(
      stride(from: 0, to: digits.count - 1, by: 2).compactMap {
        UInt8(String(decoding: digits[$0...$0 + 1], as: UTF8.self), radix: 16)
      })
  }
}
