import Buffer
import Foundation
import Testing

@testable import Uplink

/// The real thread against a real mosquitto.
@Suite struct DeliveryTests {
  @Test(arguments: [(true, 1), (false, 1), (true, 0), (false, 0)])
  func liveTicksArrive(isVersion5: Bool, quality: Int) throws {
    let broker = try Broker()
    let subscriber = try Subscriber(["godwit/#"], to: broker)
    let bench = try Bench(port: broker.port) {
      $0.isVersion5 = isVersion5
      $0.qualityOfService = quality
    }
    try bench.start()
    eventually("a connection") { bench.isConnected }
    try bench.tick(50)
    eventually("all ticks") { bench.isAllDelivered && Set(subscriber.sequences) == Set(1...50) }
    #expect(subscriber.sequences.count == 50)
    #expect(bench.status.deliveredTicks == 50)
    #expect(bench.status.lostTicks == 0)
    #expect(bench.status.connections == 1)
    let first = try #require(subscriber.payloads("metrics").first)
    #expect(
      first
        == #"{"t":"2026-01-01T00:00:01.000Z","boot":"boot-1","seq":1,"q":"synced","m":{"t":{"value":{"0":1,"1":2}}}}"#
    )
  }

  @Test(arguments: [1, 0])
  func whatIsOwedIsDrained(quality: Int) throws {
    let broker = try Broker()
    let subscriber = try Subscriber(["godwit/#"], to: broker)
    let bench = try Bench(port: broker.port, stored: 30_000) { $0.qualityOfService = quality }
    try bench.start(position: DeliveryPosition(next: 29_001, owed: [11...20]))
    eventually("the backlog", timeout: 40) { bench.isAllDelivered }
    let expected = Set((11...20).map(UInt64.init) + (29_001...30_000).map(UInt64.init))
    eventually("the ticks at the subscriber") { Set(subscriber.sequences) == expected }
    #expect(subscriber.sequences.count == expected.count)
    #expect(bench.status.deliveredTicks == UInt64(expected.count))
    #expect(subscriber.payloads("metrics").isEmpty)
  }

  @Test func aLongBacklogIsDrainedBesideLiveTicks() throws {
    let broker = try Broker()
    let subscriber = try Subscriber(["godwit/#"], to: broker)
    let bench = try Bench(port: broker.port, stored: 20_000) { $0.drainBytesPerSecond = .max }
    try bench.start()
    try bench.tick(20)
    eventually("all of it", timeout: 60) { bench.isAllDelivered && Set(subscriber.sequences) == Set(1...20_020) }
    #expect(bench.status.lostTicks == 0)
  }

  @Test func theNodeIsOnlineWithItsInfoAndLeavesInOrder() throws {
    let broker = try Broker()
    let bench = try Bench(port: broker.port)
    try bench.start()
    _ = bench.uplink.put(.info(Array(#"{"node":"edge-01"}"#.utf8)))
    _ = bench.uplink.put(.alert(rule: "hot", json: Array(#"{"state":"firing"}"#.utf8)))
    _ = bench.uplink.put(.alert(rule: "old", json: Array(#"{"state":"ok"}"#.utf8)))
    try bench.tick()
    eventually("delivery") { bench.isAllDelivered }
    _ = bench.uplink.put(.alertRemoved(rule: "old"))
    // Who comes late sees what is retained.
    eventually("the retained messages") {
      guard let late = try? Subscriber(["godwit/+/+/state", "godwit/+/+/info", "godwit/+/+/alerts/#"], to: broker) else {
        return false
      }
      let three = holdsEventually(timeout: 2) { late.messages.count >= 3 }
      return three
        && Set(late.messages.map(\.payload)) == ["online", #"{"node":"edge-01"}"#, #"{"state":"firing"}"#]
        && late.messages.allSatisfy(\.isRetained)
    }
    let watcher = try Subscriber(["godwit/v1/edge-01/state"], to: broker)
    bench.uplink.stop(waitMilliseconds: 10_000)
    #expect(bench.status.state == .stopped)
    eventually("the goodbye") { watcher.payloads("state") == ["online", "offline"] }
  }

  @Test func theWillSpeaksForOneThatVanishes() throws {
    let broker = try Broker()
    let subscriber = try Subscriber(["godwit/v1/edge-01/state"], to: broker)
    let relay = try Relay(to: broker.port)
    let bench = try Bench(port: relay.port)
    try bench.start()
    eventually("online") { subscriber.payloads("state").last == "online" }
    relay.cut()
    eventually("the will") { subscriber.payloads("state").contains("offline") }
    // And it comes back by itself.
    eventually("online again") { subscriber.payloads("state").last == "online" && bench.status.connections >= 2 }
  }

  @Test func eventsComeOnceAndInOrderFromBufferAndMemory() throws {
    let broker = try Broker()
    let subscriber = try Subscriber(["godwit/#"], to: broker)
    let bench = try Bench(port: broker.port)
    for id in 1...5 as ClosedRange<UInt64> { try bench.feed.event(id) }
    try bench.start(position: DeliveryPosition(event: 2), events: 6)
    for id in 6...8 { _ = bench.uplink.put(.event(id: UInt64(id), json: Array("{\"id\":\(id)}".utf8))) }
    eventually("the events") { bench.position.event == 8 }
    struct Event: Decodable { var id: UInt64 }
    eventually("the events at the subscriber") { subscriber.payloads("events").count == 6 }
    let ids = try subscriber.payloads("events").map { try JSONDecoder().decode(Event.self, from: Data($0.utf8)).id }
    #expect(ids == [3, 4, 5, 6, 7, 8])
  }

  @Test func theBrokerMayDieAndComeBack() throws {
    let broker = try Broker()
    let subscriber = try Subscriber(["godwit/#"], to: broker)
    let relay = try Relay(to: broker.port)
    let bench = try Bench(port: relay.port)
    try bench.start()
    for round in 1...3 {
      try bench.tick(10)
      // The subscriber comes back first: what nobody subscribed to, the broker forgets.
      relay.set("drop")
      broker.crash(after: [subscriber])
      try bench.tick(10)
      eventually("the loss is seen") { !bench.isConnected }
      try broker.start()
      try subscriber.waitForSubscription(number: round + 1)
      relay.set("pass")
    }
    eventually("everything", timeout: 40) { bench.isAllDelivered && Set(subscriber.sequences) == Set(1...60) }
    #expect(bench.status.lostTicks == 0)
  }

  @Test func otherSettingsTakeEffectAtRunTime() throws {
    let first = try Broker()
    let second = try Broker()
    let left = try Subscriber(["godwit/#"], to: first)
    let right = try Subscriber(["other/#"], to: second)
    let bench = try Bench(port: first.port)
    try bench.start()
    try bench.tick(3)
    eventually("delivery to the first") { Set(left.sequences) == [1, 2, 3] && bench.isAllDelivered }
    bench.settings.brokers[0].port = Int(second.port)
    bench.settings.topicPrefix = "other"
    bench.settings.isVersion5 = false
    _ = bench.uplink.put(.settings(bench.settings))
    try bench.tick(3)
    eventually("delivery to the second") { Set(right.sequences) == [4, 5, 6] && bench.isAllDelivered }
    // The first broker does not hold us for online.
    eventually("offline at the first") { left.payloads("state").last == "offline" }
    #expect(bench.status.broker == "mqtt://127.0.0.1:\(second.port)")
    #expect(bench.status.lastError == nil)
  }

  @Test func aUnixSocketWillDo() throws {
    let folder = try TemporaryFolder()
    let path = folder.path(of: "mqtt.sock")
    let broker = try Broker(.init(extraLines: ["listener 0 \(path)", "allow_anonymous true"]))
    let subscriber = try Subscriber(["godwit/#"], to: broker)
    let bench = try Bench(port: broker.port) {
      $0.brokers[0].transport = .unixSocket
      $0.brokers[0].host = path
    }
    try bench.start()
    try bench.tick(2)
    eventually("delivery", timeout: 10) { Set(subscriber.sequences) == [1, 2] }
    #expect(bench.status.broker == "unix:\(path)")
  }
}
