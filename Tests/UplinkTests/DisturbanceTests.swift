import Buffer
import CMosquitto
import Foundation
import Platform
import Telemetry
import Testing

@testable import Uplink

/// Moments in which ticks could be taken for delivered that never were, or the thread or the broker be kept busy for nothing.
@Suite struct DisturbanceTests {
  private func session(_ configure: (inout UplinkSettings) -> Void = { _ in }) -> UplinkSession {
    var settings = UplinkSettings()
    configure(&settings)
    return UplinkSession(
      uplink: Uplink(), settings: settings, clock: LapseClock(), buffer: "/nowhere/buffer.db",
      feeds: settings.payloads.map {
        TickFeed($0, ledger: DeliveryLedger(position: nil, lastCommitted: nil, firstOfRun: 1))
      }, outbox: Outbox(deliveredEvent: 0, nextEvent: 1), remembered: "")
  }

  private func sparkplug() throws -> UplinkSession {
    let session = session {
      $0.payloads = [.sparkplug]
      $0.sparkplug = SparkplugSettings()
    }
    try #require(session.sparkplug != nil)
    session.sparkplug?.learn([.test(0, "cpu.usage_percent")])
    return session
  }

  private let tick = LiveTick(sequence: 1, wallMilliseconds: 1_767_225_600_000, synced: true, values: [1])

  /// A broker that accepts and drops: the first subscription finds no connection any more.
  @Test func aConnectionThatBreaksAtItsSubscriptionTakesNoTicks() throws {
    let session = try sparkplug()
    session.takeSparkplug(tick)
    session.client = try MQTTClient(session.settings, broker: session.broker, wallMilliseconds: 0)
    session.isConnected = true
    session.beginSparkplug()
    #expect(!session.isConnected)
    #expect(session.sparkplug?.node.isConnected == false)
    session.takeSparkplug(LiveTick(sequence: 2, wallMilliseconds: 1_767_225_601_000, synced: true, values: [2]))
    #expect(session.feeds[0].ledger.owed == [1...2])
    #expect(session.feeds[0].ledger.inFlight.isEmpty)
    #expect(session.sparkplug?.unconfirmed.isEmpty == true)
  }

  @Test func ofSparkplugOnlyWhatCameOutOfTheBufferAsksForACommit() throws {
    let session = try sparkplug()
    for isOwed in [false, true] {
      for sequence in UInt64(1)...4 {
        session.feeds[0].ledger.send(live: sequence)
        session.sparkplug?.sent(sequence...sequence, ticks: 1, isOwed: isOwed)
      }
      session.sparkplug?.ask(now: 0)
      session.confirmSparkplug()
      let wants = session.unsaved.wantsSave(8, now: 0)
      #expect(wants == isOwed)
    }
  }

  /// The marks order positions: one that falls has the newer ones thrown away.
  @Test func marksGrowAlsoWhenAnEarlierRunIsInheritedLate() {
    let session = session()
    session.outbox.put(event: [], id: 5_000_000)
    session.outbox.taken(5_000_000)
    session.outbox.acknowledge(event: 5_000_000)
    #expect(session.outbox.deliveredEvent == 5_000_000)
    let before = session.mark
    session.outbox.inherit(event: 7)
    #expect(session.outbox.deliveredEvent == 7)
    #expect(session.mark > before)
  }

  @Test func ticksThatExistNoMoreAreCountedOnceHoweverOftenTheirRangeIsSent() {
    var ledger = DeliveryLedger(position: nil, lastCommitted: 10, firstOfRun: 11)
    for _ in 0..<3 {
      ledger.send(owed: 1...10)
      ledger.loseAll()
    }
    #expect(ledger.lost == 0)
    ledger.send(owed: 1...10)
    ledger.acknowledge(1...10, ticks: 7)
    #expect(ledger.lost == 3)
    #expect(ledger.delivered == 7)
  }

  /// A broker over its quota is left alone for a while, with all but the live ticks.
  @Test func aFullBrokerIsNotHammered() throws {
    let broker = try QuotaBroker()
    let bench = try Bench(port: broker.port)
    try bench.start()
    eventually("the catalogue") { broker.answers("series/0", isRefused: false) == 1 }
    broker.isFull = true
    #expect(bench.uplink.put(.event(id: 1, json: Array("{\"id\":1}".utf8))))
    #expect(bench.uplink.put(.info(Array("{}".utf8))))
    eventually("refusals") { bench.status.refusals >= 2 }
    for number in 1...20 {
      try bench.tick()
      eventually("a refused tick") { broker.answers("metrics", isRefused: true) == number }
    }
    // Each refused tick puts the next attempt off by some seconds.
    #expect(broker.answers("events", isRefused: true) <= 2)
    #expect(broker.answers("info", isRefused: true) <= 2)
    broker.isFull = false
    bench.clock.lapse(seconds: UplinkLimits.drainPauseSeconds + 1)
    bench.wake()
    eventually("all of it") {
      broker.answers("events", isRefused: false) == 1 && broker.answers("info", isRefused: false) == 1 && bench.isAllDelivered
    }
  }

  @Test(arguments: ["password", "ca.pem"])
  func aPipeInPlaceOfAFileHoldsNobodyUp(name: String) throws {
    let folder = try TemporaryFolder()
    let pipe = folder.path(of: name)
    #expect(mkfifo(pipe, 0o600) == 0)
    let bench = try Bench(port: try freeLoopbackPort()) {
      if name == "password" {
        $0.username = "edge"
        $0.passwordFile = pipe
      } else {
        $0.brokers[0].transport = .tls
        $0.tls.caFile = pipe
      }
    }
    try bench.start()
    eventually("the error") { bench.status.attempts >= 2 && bench.status.lastError?.contains("it is no file") == true }
  }

  @Test func aPasswordIsNotCutShort() throws {
    let folder = try TemporaryFolder()
    let long = String(repeating: "x", count: UplinkLimits.passwordBytes)
    let file = try folder.write("long", long)
    #expect(throws: MQTTError.self) { try Secret.read(file, "password") }
    let right = try folder.write("right", String(long.dropLast()) + "\n" + long)
    #expect(try Secret.read(right, "password") == String(long.dropLast()))
  }

  /// Acknowledgements of a large window come in at once; a command behind them is not dropped.
  @Test func acknowledgementsCrowdOutNoCommand() {
    let box = MQTTEventBox(incomingBytes: 64)
    let pointer = Unmanaged.passUnretained(box).toOpaque()
    for message in 0..<Int32(UplinkLimits.incomingMessages) { onPublish(nil, pointer, message, 0, nil) }
    var topic = Array("cmd/1".utf8CString)
    topic.withUnsafeMutableBufferPointer { topic in
      var message = mosquitto_message()
      message.topic = topic.baseAddress
      onMessage(nil, pointer, &message, nil)
    }
    #expect(box.messages == 1)
    #expect(box.events.count == UplinkLimits.incomingMessages + 1)
  }

  @Test func whatTheProfileAllowsNoMoreIsNotBegun() throws {
    var bench = DeskBench([.flush], synced: false)
    bench.receive(DeskBench.command("flush"), .init(mayBeOld: true))
    #expect(try bench.states() == ["init"])
    bench.desk.allowed = [.sample]
    bench.moment.isSynced = true
    bench.look()
    #expect(try bench.states() == ["failed: the profile does not allow it any more"])
    #expect(bench.runs.isEmpty)
  }
}
