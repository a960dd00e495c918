import Foundation
import Testing

/// Brokers that refuse, drop, ignore or are not there: a clear state, no crash, sampling goes on.
@Suite struct BrokerFaultTests {
  @Test func aWrongPasswordIsSaidAndARightOneTakenUp() throws {
    let broker = try Broker(.init(passwords: ["edge": "right", "watcher": "seen"]))
    let subscriber = try Subscriber(["godwit/v1/edge/#"], to: broker, user: "watcher", password: "seen")
    let device = try Device()
    let password = try device.folder.write("password", "wrong\n")
    try device.start(.init(broker: broker.url, uplink: "username: edge, password_file: \(password)"))
    let status = try device.eventuallyStatus("refused") { $0.uplink.last_error?.contains("refuses the connection") == true }
    #expect(status.uplink.last_error?.lowercased().contains("authori") == true, "\(status.uplink.last_error ?? "")")
    #expect(["waiting", "connecting"].contains(status.uplink.state))
    #expect(!"\(status)".contains("wrong") && !device.log.contains("wrong"), "no password is told")
    try device.takeTicks(10)
    #expect(subscriber.messages.isEmpty)
    try device.folder.write("password", "right\n")
    try device.eventuallyStatus("connected") { $0.uplink.state == "connected" && $0.uplink.last_error == nil }
    try eventually("what was sampled meanwhile arrives, too") {
      let numbers = try subscriber.messages.flatMap(WireTick.ticks).map(\.seq)
      return numbers.contains(1) && Set(numbers).count == Int(numbers.max() ?? 0)
    }
    // A password file that went away is a state, too.
    unlink(password)
    broker.stop()
    try broker.start()
    try device.eventuallyStatus("no password") { $0.uplink.last_error?.contains("password file \(password)") == true }
    try device.takeTicks(5)
  }

  @Test func aBrokerThatDropsIsNotCalledWithoutEnd() throws {
    let listener = try TestListener(.drop)
    let device = try Device()
    let plan = Device.Plan(broker: "mqtt://127.0.0.1:\(listener.port)")
    // Waits of 0 to 0.5, 1, 2, 4 … 60 s.
    let profile = device.profile(plan).replacingOccurrences(
      of: "backoff_min: 100ms, backoff_max: 1s", with: "backoff_min: 500ms, backoff_max: 60s")
    try device.start(profile: profile)
    let status = try device.eventuallyStatus("dropped twice") { $0.uplink.attempts >= 2 && $0.uplink.state == "waiting" }
    #expect(status.uplink.last_error?.hasPrefix("the broker closed the connection before accepting it") == true)
    try device.takeTicks(40)
    let calls = listener.accepted
    print("back-off: \(calls) calls to a broker that drops")
    // 7 calls reach the longest wait; 18 more of 30 s each on average cannot fall into this test.
    #expect((2...25).contains(calls))
    #expect(device.agent.terminate(within: 20) == .exited(0))
    let stored = try device.export().map(\.seq)
    #expect(stored == Array(1...UInt64(max(stored.count, 1))))
  }

  @Test func aBrokerThatIsNotThereIsSaidAndServedWhenItComes() throws {
    let broker = try Broker()
    broker.stop()
    let device = try Device()
    try device.start(.init(commit: "300ms", broker: broker.url))
    let status = try device.eventuallyStatus("refused") { $0.uplink.last_error?.contains("Connection refused") == true }
    #expect(status.uplink.configured && status.uplink.broker == broker.url)
    try device.takeTicks(20)
    try device.eventuallyStatus("owed") { $0.uplink.owed >= 20 }
    try broker.start()
    let subscriber = try Subscriber(["godwit/v1/edge/#"], to: broker)
    try device.eventuallyStatus("drained") { $0.uplink.state == "connected" && $0.uplink.delivered >= 20 && $0.uplink.owed < 20 }
    eventually("live ticks") { subscriber.messages.contains { $0.topic.hasSuffix("/metrics") } }
    let end = try #require(try device.status())
    #expect(end.uplink.lost == 0)
    #expect(end.uplink.last_error == nil)
  }

  @Test func aNameThatIsNotCheckedIsSaidLoudly() throws {
    let device = try Device()
    try device.start(.init(broker: "mqtts://127.0.0.1:\(try freeLoopbackPort())", uplink: "verify_server_name: false"))
    try device.eventuallyStatus("the warning") { $0.uplink.warning?.contains("verify_server_name: false") == true }
    eventually("the log") { device.log.contains("the broker's name is not checked (verify_server_name: false)") }
  }

  @Test func aBrokerThatFallsSilentDoesNotHoldUpTheStop() throws {
    let broker = try Broker()
    let device = try Device()
    try device.start(.init(commit: "10m", broker: broker.url))
    try device.eventuallyStatus("connected") { $0.uplink.state == "connected" && $0.uplink.delivered > 3 }
    broker.freeze()
    defer { broker.thaw() }
    try device.takeTicks(30)
    try stop(device)
  }

  @Test func aBrokerThatNeverAnswersDoesNotHoldUpTheStop() throws {
    let listener = try TestListener(.ignore)
    let device = try Device()
    try device.start(.init(commit: "10m", broker: "mqtt://127.0.0.1:\(listener.port)"))
    let status = try device.takeTicks(10)
    #expect(["connecting", "waiting"].contains(status.uplink.state))
    try stop(device)
  }

  /// The stop commits everything, whatever the broker does.
  private func stop(_ device: Device) throws {
    let asked = Date()
    #expect(device.agent.terminate(within: 30) == .exited(0))
    print("stop: with a silent broker in \(String(format: "%.2f", Date().timeIntervalSince(asked))) s")
    let stored = try device.export().map(\.seq)
    #expect(stored.count >= 10)
    #expect(stored == Array(1...UInt64(max(stored.count, 1))))
  }
}
