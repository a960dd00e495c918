import Foundation
import Testing

/// Rules over MQTT, driven by a metric that the test steers: the sockets in use on this machine.
@Suite struct AlertTests {
  private struct RuleState: Decodable {
    struct Series: Decodable {
      var series, state, message: String
      var value: Double?
    }
    var rule, severity, state: String
    var series: [Series]
  }

  private func states(_ messages: [Subscriber.Message], of rule: String) throws -> [RuleState] {
    try messages.filter { $0.topic.hasSuffix("/alerts/\(rule)") && !$0.payload.isEmpty }.map {
      try JSONDecoder().decode(RuleState.self, from: Data($0.payload.utf8))
    }
  }

  /// Rules at 400 sockets above what is in use now; other tests open some, too.
  private func plan(_ broker: Broker, at baseline: Double) -> Device.Plan {
    let rules = """
      alerts:
        - {name: sockets-many, when: network.sockets_used > \(Int(baseline) + 400), clear: "< \(Int(baseline) + 300)", severity: critical,
           message: "{value} sockets on {node}"}
        - {name: always, when: memory.used_bytes > 0, severity: info}
        - {name: quiet, when: memory.used_bytes > 0, notify: [log]}
      """
    return Device.Plan(sensors: ["network:", "memory:"], broker: broker.url, more: rules)
  }

  @Test func aRuleFiresIsKeptOverARestartAndResolves() throws {
    let broker = try Broker()
    let subscriber = try Subscriber(["godwit/v1/edge/#"], to: broker)
    let device = try Device()
    let sample = try device.godwit("sample", "--sensor", "network", "--json", "--interval", "100ms")
    let baseline = try JSONDecoder().decode(Sample.self, from: Data(sample.output.utf8)).m["network.sockets_used"]
    try device.start(plan(broker, at: try #require(baseline)))
    try eventually("the rules that hold fire") {
      try states(subscriber.messages, of: "always").last?.state == "firing"
    }
    try eventually("the one that does not is ok") { try states(subscriber.messages, of: "sockets-many").last?.state == "ok" }

    var sockets: [Int32] = []
    defer { for socket in sockets { close(socket) } }
    raiseDescriptorLimit()
    while sockets.count < 600 {
      let one = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
      try #require(one >= 0, "errno \(errno)")
      sockets.append(one)
    }
    try eventually("it fires") { try states(subscriber.messages, of: "sockets-many").last?.state == "firing" }
    let fired = try #require(try states(subscriber.messages, of: "sockets-many").last)
    #expect(fired.severity == "critical")
    #expect(fired.series.first?.message.hasSuffix("sockets on edge") == true)
    eventually("the log tells") {
      device.log.contains("alert sockets-many: firing: ") && device.log.contains("alert quiet: firing: ")
    }
    let status = try device.eventuallyStatus("the status lists it") { $0.alerts.contains { $0.rule == "sockets-many" } }
    #expect(status.alerts.first { $0.rule == "sockets-many" }?.state == "firing")
    try eventually("the event") { try announced(subscriber, "sockets-many firing") == 1 }
    #expect(!subscriber.messages.contains { $0.topic.hasSuffix("/alerts/quiet") })

    try checkRestart(device, broker, subscriber)

    for socket in sockets { close(socket) }
    sockets = []
    try eventually("it resolves") { try states(subscriber.messages, of: "sockets-many").last?.state == "ok" }
    try eventually("the event of it") { try announced(subscriber, "sockets-many resolved") == 1 }
    let late = try Subscriber(["godwit/v1/edge/alerts/#"], to: broker)
    try eventually("retained") { try states(late.messages, of: "sockets-many").map(\.state) == ["ok"] }
    #expect(late.messages.allSatisfy { $0.isRetained })
  }

  /// A rule that fires goes on firing over a restart, and is not announced again.
  private func checkRestart(_ device: Device, _ broker: Broker, _ subscriber: Subscriber) throws {
    let lines = device.log.components(separatedBy: "alert sockets-many: firing").count
    #expect(device.agent.terminate(within: 20) == .exited(0))
    let late = try Subscriber(["godwit/v1/edge/alerts/sockets-many"], to: broker)
    try eventually("the state is retained while the agent is away") {
      try states(late.messages, of: "sockets-many").first?.state == "firing"
    }
    try device.agent.start()
    try device.takeTicks(10)
    try device.eventuallyStatus("still firing") { $0.alerts.contains { $0.rule == "sockets-many" && $0.state == "firing" } }
    // Whatever it had to say about its start has arrived when a later event of the same connection has.
    try eventually("the start's event") {
      try WireEvent.events(subscriber.messages).count { $0.kind == "started" } == 2
    }
    try #expect(announced(subscriber, "sockets-many firing") == 1)
    #expect(device.log.components(separatedBy: "alert sockets-many: firing").count == lines)
    let newest = try states(subscriber.messages, of: "sockets-many").suffix(2).map(\.state)
    #expect(newest == ["firing", "firing"])
  }

  /// How many different events begin with these words: one that was sent twice has the same id.
  private func announced(_ subscriber: Subscriber, _ words: String) throws -> Int {
    Set(try WireEvent.events(subscriber.messages).filter { $0.kind == "alert" && $0.message.hasPrefix(words) }.map(\.id)).count
  }

  @Test func aRuleThatIsTakenAwayEmptiesItsTopic() throws {
    let broker = try Broker()
    let subscriber = try Subscriber(["godwit/v1/edge/alerts/#"], to: broker)
    let device = try Device()
    var plan = Device.Plan(broker: broker.url, more: "alerts: [{name: always, when: memory.used_bytes > 0}]")
    try device.start(plan)
    try eventually("it fires") { try states(subscriber.messages, of: "always").last?.state == "firing" }
    plan.more = ""
    try device.agent.reload(profile: device.profile(plan))
    eventually("its topic is empty") { subscriber.messages.last?.payload == "" }
    let late = try Subscriber(["godwit/v1/edge/#"], to: broker)
    eventually("something else came") { late.messages.contains { $0.topic.hasSuffix("/metrics") } }
    #expect(!late.messages.contains { $0.topic.contains("/alerts/") })
  }

  private func raiseDescriptorLimit() {
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    limit.rlim_cur = min(limit.rlim_max, max(limit.rlim_cur, 4096))
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  }
}

/// `godwit sample --json`, as far as tests look at it.
struct Sample: Decodable {
  var m: [String: Double]
}
