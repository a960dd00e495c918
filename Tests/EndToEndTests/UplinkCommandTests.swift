import Foundation
import Testing

/// `godwit uplink` while the broker is there, away, and back.
@Suite struct UplinkCommandTests {
  /// The parts of the report that the test looks at; docs/uplink.md.
  private struct Report: Decodable {
    struct Connection: Decodable {
      struct Payload: Decodable {
        var name: String
        var owed, in_flight, owed_ranges, delivered, lost: UInt64
        var first_owed: [[UInt64]]
        var ticks_per_s, catch_up_s: Double?
      }
      var name: String
      var broker, state, last_error: String?
      var accepted, sent_bytes: UInt64
      var window_s: Double?
      var payloads: [Payload]
    }
    var source, node: String
    var connections: [Connection]

    func payload(_ name: String) -> Connection.Payload? { connections.flatMap(\.payloads).first { $0.name == name } }
  }

  private func report(_ device: Device) throws -> Report {
    let answer = try device.godwit("uplink", "--json", "--profile", device.profilePath)
    #expect(answer.end == .exited(0), "\(answer.errors)")
    return try JSONDecoder().decode(Report.self, from: Data(answer.output.utf8))
  }

  @discardableResult
  private func eventually(_ device: Device, _ what: String, _ holds: (Report) -> Bool) throws -> Report {
    var last: Report?
    try EndToEndTests.eventually(what, timeout: 60, every: 0.2) {
      let report = try report(device)
      last = report
      return holds(report)
    }
    return try #require(last)
  }

  @Test func anOutageIsSeenFromItsBeginToItsEnd() throws {
    let broker = try Broker()
    let device = try Device()
    try device.start(
      .init(broker: broker.url, uplink: "payloads: [json, packed, sparkplug], window: 2, drain_rate: 16KiB/s"))
    let before = try eventually(device, "delivered ticks") { report in
      ["json", "packed", "sparkplug"].allSatisfy { (report.payload($0)?.delivered ?? 0) > 10 }
    }
    #expect(before.source == "agent" && before.node == "edge")
    #expect(before.connections.map(\.name) == ["mqtt", "sparkplug"] && before.connections.allSatisfy { $0.state == "connected" })
    #expect(before.connections.allSatisfy { $0.broker == broker.url && $0.accepted == 1 && $0.sent_bytes > 1_000 })

    broker.stop()
    let down = try eventually(device, "an outage that grows") { report in
      report.connections.allSatisfy { $0.state != "connected" && $0.last_error != nil && $0.window_s != nil }
        && report.connections.flatMap(\.payloads).allSatisfy { $0.owed > 400 }
    }
    for payload in down.connections.flatMap(\.payloads) {
      #expect(payload.catch_up_s == nil && payload.in_flight == 0 && payload.lost == 0)
      #expect(payload.owed_ranges == UInt64(payload.first_owed.count) && payload.first_owed.allSatisfy { $0[0] <= $0[1] })
      let named = payload.first_owed.reduce(0) { $0 + $1[1] - $1[0] + 1 }
      #expect(named == payload.owed, "\(payload)")
    }
    let text = try device.godwit("uplink", "--profile", device.profilePath)
    #expect(text.end == .exited(0) && text.output.contains("not catching up"), "\(text.output)")

    try broker.start()
    let draining = try eventually(device, "a drain with an end") { report in
      report.payload("json").map { $0.owed > $0.in_flight && ($0.catch_up_s ?? 0) > 0 } ?? false
    }
    let json = try #require(draining.payload("json"))
    // More than what is taken meanwhile, ten a second.
    #expect(json.ticks_per_s ?? 0 > 10)
    let after = try eventually(device, "all delivered") { report in
      report.connections.flatMap(\.payloads).allSatisfy { $0.owed <= $0.in_flight + 1 && $0.catch_up_s == 0 }
    }
    #expect(after.connections.allSatisfy { $0.accepted == 2 && $0.last_error == nil })
    #expect(after.connections.flatMap(\.payloads).allSatisfy { $0.lost == 0 })
  }

  @Test func withoutAnAgentTheBufferSaysWhatIsOwed() throws {
    let device = try Device()
    // Nobody listens there.
    try device.start(.init(broker: "mqtt://127.0.0.1:\(try freeLoopbackPort())", uplink: "payloads: [json]"))
    try device.takeTicks(20)
    #expect(device.agent.terminate(within: 20) == .exited(0))
    let stored = try device.export().map(\.seq)
    let dead = try report(device)
    #expect(dead.source == "buffer" && dead.connections.map(\.state) == [nil])
    let owed = try #require(dead.payload("json"))
    let (first, last) = (try #require(stored.first), try #require(stored.last))
    #expect(owed.owed == UInt64(stored.count) && owed.first_owed == [[first, last]])
    let text = try device.godwit("uplink", "--profile", device.profilePath)
    #expect(text.output.contains("no agent answers: nobody listens at its socket"))
    let alone = try device.godwit("uplink", "--buffer", device.bufferPath)
    #expect(alone.end == .exited(0) && alone.output.contains("the buffer file, not the agent"))
    let nothing = try device.godwit("uplink", "--socket", device.socketPath)
    #expect(nothing.end == .exited(1) && nothing.errors.contains(device.socketPath))
  }
}
