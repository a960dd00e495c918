import Buffer
import Foundation
import Testing

@testable import Uplink

/// Several payloads over one connection, and Sparkplug over its own, to a real broker.
@Suite struct PayloadSessionTests {
  /// What a reader of `packed` makes of all that came; what it could not read is counted.
  private struct Packed {
    var reader = PackedReader()
    var ticks: [UInt64: [Double]] = [:]
    var unread = 0

    init(_ messages: [Subscriber.Message]) throws {
      for message in messages where message.topic.contains("/series/") { try reader.learn(catalogue: message.bytes) }
      for message in messages where message.topic.contains("/packed/") {
        do throws(PackedFault) {
          var found: [PackedTick] = []
          try reader.read(message.bytes) { found.append($0) }
          for tick in found { ticks[tick.sequence] = tick.values }
        } catch {
          unread += 1
        }
      }
    }
  }

  @Test func packedAndJSONAreDeliveredEachOnItsOwnAccount() throws {
    let broker = try Broker()
    let subscriber = try Subscriber(["godwit/#"], to: broker)
    let binary = try Subscriber(["godwit/+/+/packed/#", "godwit/+/+/series/#"], to: broker, isBinary: true)
    let bench = try Bench(port: broker.port, stored: 2_500) { $0.payloads = [.json, .packed] }
    try bench.feed.seal()
    // JSON was delivered by an earlier run but for some, packed not at all.
    let positions = ["mqtt": DeliveryPosition(next: 2_501, owed: [11...20]), "packed": DeliveryPosition()]
    try bench.start(positions: positions)
    eventually("the connection") { bench.isConnected }
    for _ in 0..<40 {
      try bench.tick()
      eventually("it is sent") { bench.status.positions.values.allSatisfy { $0.next == bench.feed.next } }
    }
    eventually("everything") {
      bench.status.owedTicks == 0 && (try? Packed(binary.messages).ticks.count) == 2_540
    }
    let packed = try Packed(binary.messages)
    #expect(packed.unread == 0 && Set(packed.ticks.keys) == Set(1...2_540))
    for (sequence, values) in packed.ticks { #expect(values == BufferFeed.live(sequence)) }
    #expect(Set(subscriber.sequences) == Set(11...20).union(2_501...2_540))
    let catalogue = subscriber.messages.filter { $0.topic.hasSuffix("/series/0") }.map(\.payload)
    #expect(catalogue.last?.contains(#""name":"t.value""#) == true)
  }

  /// Cut in the middle of live deltas: whatever arrives is readable, and all of it arrives.
  @Test func packedSurvivesALossyLink() throws {
    let broker = try Broker()
    let binary = try Subscriber(["godwit/+/+/packed/#", "godwit/+/+/series/#"], to: broker, isBinary: true)
    let relay = try Relay(to: broker.port)
    let bench = try Bench(port: relay.port) { $0.payloads = [.packed] }
    try bench.start()
    for round in 0..<10 {
      eventually("the connection", timeout: 20) { bench.isConnected }
      try bench.tick(15)
      if round % 3 == 2 { eventually("all is sent") { bench.status.owedTicks == 0 } }
      let before = bench.status.connections
      relay.cut()
      // The loss itself may be over before anyone looks.
      eventually("another connection", timeout: 20) { bench.status.connections > before }
    }
    eventually("everything", timeout: 30) { (try? Packed(binary.messages).ticks.count) == 150 && bench.status.owedTicks == 0 }
    let packed = try Packed(binary.messages)
    #expect(packed.unread == 0)
    for (sequence, values) in packed.ticks { #expect(values == BufferFeed.live(sequence)) }
  }

  @Test func homeAssistantIsShownTheNodeAndToldAgainAtItsBirth() throws {
    let broker = try Broker()
    let subscriber = try Subscriber(["godwit/#", "homeassistant/#"], to: broker)
    var shown = HomeAssistantSettings()
    shown.node = "edge-01"
    shown.families = ["t": 1_000]
    shown.rules = ["hot"]
    let bench = try Bench(port: broker.port) {
      $0.payloads = []
      $0.homeAssistant = shown
    }
    try bench.start(positions: [:])
    eventually("the connection") { bench.isConnected }
    try bench.tick(3)
    let announced = { subscriber.messages.filter { $0.topic.hasPrefix("homeassistant/device/") && !$0.payload.isEmpty } }
    eventually("the announcement") { announced().contains { $0.payload.contains("t.value") || $0.payload.contains("value") } }
    bench.clock.lapse(seconds: 11)
    try bench.tick()
    eventually("the values") { subscriber.messages.contains { $0.topic.contains("/edge-01/homeassistant/") } }
    let before = announced().count
    let birth = ["-h", "127.0.0.1", "-p", "\(broker.port)", "-t", "homeassistant/status", "-m", "online"]
    let answer = try ChildProcess.run("mosquitto_pub", birth, in: bench.feed.folder)
    try #require(answer.end == .exited(0))
    eventually("it hears") {
      bench.clock.lapse(seconds: 30)
      bench.wake()
      return announced().count > before
    }
    // Nothing of this is kept from or delivered to anyone else.
    #expect(!subscriber.messages.contains { $0.topic.hasSuffix("/metrics") })
  }

  @Test func sparkplugTicksAreConfirmedByTheOrderOfAnswers() throws {
    let broker = try Broker()
    let binary = try Subscriber(["spBv1.0/#"], to: broker, isBinary: true)
    let relay = try Relay(to: broker.port)
    let bench = try Bench(port: relay.port, stored: 30) {
      $0.payloads = [.sparkplug]
      $0.sparkplug = SparkplugSettings()
    }
    try bench.start(positions: [:])
    eventually("the connection") { bench.isConnected }
    try bench.tick(5)
    let delivered = { bench.status.owedTicks == 0 && bench.status.positions["sparkplug"]?.next == bench.feed.next }
    eventually("all is confirmed", timeout: 20) { delivered() }
    relay.set("drop")
    relay.cut()
    eventually("the loss is seen") { !bench.isConnected }
    try bench.tick(5)
    relay.set("pass")
    eventually("it is back", timeout: 20) { bench.isConnected }
    try bench.tick()
    eventually("all is confirmed", timeout: 20) { delivered() }
    let payloads = try binary.messages.map { ($0.topic, try SparkplugPayload(decoding: $0.bytes)) }
    let births = payloads.filter { $0.0.contains("NBIRTH") }
    #expect(births.count >= 2 && births.allSatisfy { $0.1.sequence == 0 })
    // The will of the lost connection carries the number of its birth.
    let numbers = payloads.filter { $0.0.contains("NDEATH") || $0.0.contains("NBIRTH") }.map { topic, payload in
      (topic.contains("NBIRTH"), payload.metrics.first { $0.name == "bdSeq" }?.value)
    }
    #expect(numbers.first?.0 == true && numbers.last?.0 == true)
    let historical = payloads.filter { $0.0.contains("NDATA") && $0.1.metrics.contains { $0.isHistorical } }
    #expect(!historical.isEmpty && historical.allSatisfy { $0.1.metrics.allSatisfy(\.isHistorical) })
    let times = Set(historical.flatMap { $0.1.metrics.compactMap(\.timestamp) })
    // Ticks are a second apart: those of the backlog and of the outage are all there.
    #expect(Set((1...30).map { 1_767_225_600_000 + UInt64($0) * 1_000 }).isSubset(of: times))
  }
}
