import Foundation
import Testing

/// SIGHUP: a new profile is applied as one step, or refused with its reasons.
@Suite struct ReloadTests {
  @Test func aGoodProfileIsAppliedAndUnchangedSensorsKeepTheirState() throws {
    let broker = try Broker()
    let subscriber = try Subscriber(["godwit/v1/edge/#"], to: broker)
    let device = try Device()
    var plan = Device.Plan(sensors: ["cpu: {per_core: off}", "memory: {every: 200ms}", "network:"], broker: broker.url)
    try device.start(plan)
    try device.takeTicks(5)
    let before = try #require(try device.status()).tick
    plan.sensors = ["cpu: {per_core: off}", "memory: {every: 300ms}", "pressure:"]
    plan.more = "labels: {site: plant-7}"
    try device.agent.reload(profile: device.profile(plan))
    let status = try device.eventuallyStatus("the new sensors") { Set($0.sensors.map(\.name)) == ["cpu", "memory", "pressure"] }
    #expect(status.tick.seq >= before.seq && status.tick.ticks >= before.ticks, "the ticks go on")
    #expect(!status.m.keys.contains { $0.hasPrefix("network.") }, "the live view forgets a sensor that was taken away")
    for words in [
      "labels: none -> site=plant-7", "sensors.memory.every: 200ms -> 300ms", "sensors.network: removed",
      "sensors.pressure: added",
    ] {
      eventually("the log tells of \(words)") { device.log.contains(words) }
    }
    eventually("the event") { (try? WireEvent.events(subscriber.messages).contains { $0.kind == "reloaded" }) ?? false }
    eventually("the identity has the label") {
      subscriber.messages.last { $0.topic.hasSuffix("/info") }?.payload.contains("plant-7") ?? false
    }
    try device.takeTicks(10)
    #expect(device.agent.terminate(within: 20) == .exited(0))
    try checkTicks(try device.export())
  }

  /// The numbers have no hole, and `cpu`, which did not change, gave its rates without a pause.
  private func checkTicks(_ ticks: [WireTick]) throws {
    #expect(ticks.map(\.seq) == Array(1...UInt64(max(ticks.count, 1))))
    // A rate needs two samples: only the first tick of a sensor has none. A new start would show as a second such tick.
    let without = ticks.filter { $0.m["cpu.usage_percent"] == nil }.map(\.seq)
    #expect(without.isEmpty || without == [1])
  }

  @Test func aBadProfileIsRefusedWithAllItsReasons() throws {
    let device = try Device()
    let plan = Device.Plan()
    try device.start(plan)
    try device.takeTicks(3)
    let bad = device.profile(plan).replacingOccurrences(of: "tick: 100ms", with: "tick: 1parsec\ncolour: red")
    try device.agent.reload(profile: bad)
    eventually("it is refused") { device.log.contains("the new profile is refused, the old one stays: 2 problems") }
    eventually("both reasons") {
      device.log.contains("profile.yaml:2:7: error:") && device.log.contains("profile.yaml:3:1: error:")
    }
    try device.takeTicks(3)
    try device.agent.reload(profile: "{")
    eventually("no YAML") { device.log.contains("the old one stays: 1 problem") }
    try FileManager.default.removeItem(atPath: device.profilePath)
    Foundation.kill(device.agent.pid, SIGHUP)
    eventually("no file") { device.log.components(separatedBy: "the new profile is refused").count == 4 }
    try device.folder.write("profile.yaml", device.profile(plan))
    try device.takeTicks(3)
    Foundation.kill(device.agent.pid, SIGHUP)
    eventually("nothing changed") { device.log.contains("the profile did not change") }
  }

  @Test func whatNeedsARestartIsRefused() throws {
    let device = try Device()
    var plan = Device.Plan()
    try device.start(plan)
    try device.takeTicks(3)
    let moved = device.profile(plan).replacingOccurrences(of: "buffer.db", with: "other.db")
    try device.agent.reload(profile: moved)
    eventually("the path is refused") { device.log.contains("restart to change buffer.path") }
    plan.broker = "mqtt://127.0.0.1:9"
    try device.agent.reload(profile: device.profile(plan))
    eventually("an uplink that was not there is refused") { device.log.contains("restart to change uplink") }
    try device.folder.write("profile.yaml", device.profile(.init()))
    let status = try device.takeTicks(3)
    #expect(status.buffer.path == device.bufferPath)
    #expect(!FileManager.default.fileExists(atPath: device.data + "/other.db"))
  }

  @Test func anotherBrokerIsTakenOver() throws {
    let (first, second) = (try Broker(), try Broker())
    let one = try Subscriber(["godwit/v1/edge/#"], to: first)
    let two = try Subscriber(["godwit/v1/edge/#"], to: second)
    let device = try Device()
    try device.start(.init(broker: first.url))
    eventually("ticks at the first") { one.messages.contains { $0.topic.hasSuffix("/metrics") } }
    try device.agent.reload(profile: device.profile(.init(broker: second.url)))
    eventually("ticks at the second") { two.messages.contains { $0.topic.hasSuffix("/metrics") } }
    eventually("identity at the second") { two.messages.contains { $0.topic.hasSuffix("/info") } }
    eventually("no gap between the two") {
      let both = (try? (one.messages + two.messages).flatMap(WireTick.ticks).map(\.seq)) ?? []
      return Set(both).count == Int(both.max() ?? 0) && !both.isEmpty
    }
  }
}
