import Buffer
import Foundation
import Synchronization
import Testing

@testable import Uplink

/// What a connection makes of the broker's wishes, and of several brokers.
@Suite struct SessionTests {
  @Test func theNextBrokerIsTriedAtOnceAndThePreferredOneLater() throws {
    let preferred = try Broker()
    let second = try Broker()
    let bench = try Bench(port: preferred.port) {
      $0.backoffMinimumMilliseconds = 60_000
      $0.backoffMaximumMilliseconds = 60_000
    }
    bench.settings.brokers.append(.init(host: "127.0.0.1", port: Int(second.port)))
    preferred.stop()
    let subscriber = try Subscriber(["godwit/#"], to: second)
    try bench.start()
    eventually("the second broker", timeout: 20) { bench.isConnected && bench.status.broker == second.url }
    try bench.tick(5)
    eventually("the ticks") { Set(subscriber.sequences) == Set(1...5) && bench.isAllDelivered }
    try preferred.start()
    let other = try Subscriber(["godwit/#"], to: preferred)
    bench.clock.lapse(seconds: UplinkLimits.preferredRetrySeconds + 1)
    bench.wake()
    eventually("the preferred broker", timeout: 20) { bench.isConnected && bench.status.broker == preferred.url }
    eventually("a farewell at the second") { subscriber.payloads("state").last == "offline" }
    try bench.tick(5)
    eventually("the ticks") { Set(other.sequences) == Set(6...10) && bench.isAllDelivered }
  }

  @Test func aBrokersPacketSizeIsKept() throws {
    let broker = try Broker(.init(extraLines: ["max_packet_size 3000"]))
    let subscriber = try Subscriber(["godwit/#"], to: broker)
    let bench = try Bench(port: broker.port, stored: 500)
    try bench.start()
    eventually("everything", timeout: 20) { bench.isAllDelivered && Set(subscriber.sequences) == Set(1...500) }
    #expect(bench.status.lostTicks == 0 && bench.status.lastError == nil && bench.status.connections == 1)
    #expect(subscriber.payloads("backlog").allSatisfy { $0.utf8.count < 3_000 })
  }

  @Test func theNewestOfABacklogMayGoFirst() throws {
    let broker = try Broker(.init(extraLines: ["max_packet_size 3000"]))
    let subscriber = try Subscriber(["godwit/+/+/backlog"], to: broker)
    let bench = try Bench(port: broker.port, stored: 600) {
      $0.drainsNewestFirst = true
      $0.window = 2
    }
    try bench.start()
    eventually("everything", timeout: 20) { bench.isAllDelivered && Set(subscriber.sequences) == Set(1...600) }
    let firsts = try subscriber.payloads("backlog").map { try BacklogMessage.decode(Array($0.utf8)).first }
    // Each message reaches further back than those before it, but for the rest of one that did not fit.
    #expect(firsts.count > 10 && firsts.last == 1)
    let earliest = firsts.indices.filter { firsts[$0] == firsts[...$0].min() }
    #expect(earliest.count > firsts.count / 2)
    #expect(bench.status.lostTicks == 0 && subscriber.sequences.count == 600)
  }

  @Test func aBrokersReceiveMaximumIsKept() throws {
    let broker = try Broker(.init(extraLines: ["max_inflight_messages 2"]))
    let subscriber = try Subscriber(["godwit/#"], to: broker)
    let bench = try Bench(port: broker.port, stored: 5_000)
    try bench.start()
    try bench.tick(50)
    eventually("everything", timeout: 20) { bench.isAllDelivered && Set(subscriber.sequences) == Set(1...5_050) }
    #expect(bench.status.lostTicks == 0 && bench.status.connections == 1)
  }

  /// mosquitto takes ten topics as numbers unless told otherwise, and without a limit of messages in flight tells nothing of it.
  @Test(arguments: [0, 10]) func aFrequentTopicIsNamedOnceWhereTheBrokerTakesNumbers(aliases: Int) throws {
    let broker = try Broker(.init(extraLines: ["max_topic_alias \(aliases)"]))
    let subscriber = try Subscriber(["godwit/#"], to: broker)
    let relay = try Relay(to: broker.port)
    let bench = try Bench(port: relay.port)
    try bench.start()
    eventually("the connection") { bench.isConnected }
    for _ in 0..<20 {
      try bench.tick()
      eventually("the tick") { bench.isAllDelivered }
    }
    eventually("the ticks") { Set(subscriber.sequences) == Set(1...20) }
    let named = relay.passed.ranges(of: Data("godwit/v1/edge-01/metrics".utf8)).count
    #expect(named == (aliases == 0 ? 20 : 1))
  }

  @Test func anExpiredTickIsDroppedByTheBroker() throws {
    let broker = try Broker()
    let bench = try Bench(port: broker.port) { $0.messageExpirySeconds = 1 }
    // A subscriber with a session, away when the ticks come.
    let arguments = ["-h", "127.0.0.1", "-p", "\(broker.port)", "-i", "away", "-c", "-q", "1", "-t", "godwit/#", "-V", "5"]
    let expiry = ["-x", "60"]
    let first = try ChildProcess.run("mosquitto_sub", arguments + expiry + ["-E"], in: bench.feed.folder)
    try #require(first.end == .exited(0), "\(first.errors)")
    try bench.start()
    try bench.tick(3)
    eventually("the ticks") { bench.isAllDelivered }
    Thread.sleep(forTimeInterval: 2.5)
    let later = try ChildProcess.run("mosquitto_sub", arguments + expiry + ["-W", "1", "-v"], in: bench.feed.folder)
    #expect(later.output.contains("/state online"), "\(later.output)")
    #expect(!later.output.contains("/metrics"), "\(later.output)")
  }
}

/// What a kill may repeat.
@Suite struct SaveTests {
  @Test func aDrainRunsNoFurtherAheadOfTheDiskThanAWindow() throws {
    let broker = try Broker(.init(extraLines: ["max_packet_size 2048"]))
    let subscriber = try Subscriber(["godwit/+/+/backlog"], to: broker)
    let bench = try Bench(port: broker.port, stored: 2_000) {
      $0.window = 8
      $0.drainBytesPerSecond = .max
    }
    let asked = Mutex<[[String: DeliveryPosition]]>([])
    bench.uplink.saves { positions in
      asked.withLock { $0.append(positions) }
      return true
    }
    try bench.start()
    eventually("the drain waits for the disk") { asked.withLock { !$0.isEmpty } && subscriber.messages.count >= 8 }
    subscriber.settle()
    #expect(subscriber.messages.count == 8)
    while let newest = asked.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) {
      let before = subscriber.messages.count
      bench.uplink.saved(newest.mapValues(\.mark))
      eventually("it goes on") { bench.isAllDelivered || asked.withLock { !$0.isEmpty } && subscriber.messages.count > before }
      #expect(subscriber.messages.count <= before + 8)
    }
    #expect(bench.isAllDelivered && Set(subscriber.sequences) == Set(1...2_000))
  }

  @Test func aDiskThatTakesNothingDoesNotStopTheDrain() throws {
    let broker = try Broker(.init(extraLines: ["max_packet_size 2048"]))
    let subscriber = try Subscriber(["godwit/+/+/backlog"], to: broker)
    let bench = try Bench(port: broker.port, stored: 2_000) {
      $0.window = 8
      $0.drainBytesPerSecond = .max
    }
    bench.uplink.saves { _ in true }
    try bench.start()
    eventually("the drain waits for the disk") { subscriber.messages.count >= 8 }
    bench.clock.lapse(seconds: UplinkLimits.saveSeconds)
    bench.wake()
    eventually("it goes on without") { bench.isAllDelivered && Set(subscriber.sequences) == Set(1...2_000) }
  }
}
