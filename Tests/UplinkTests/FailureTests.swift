import Buffer
import Foundation
import Platform
import Testing

@testable import Uplink

/// Brokers and links that do not do what they should: a clear word, no crash, and delivery once it can be.
@Suite struct FailureTests {
  @Test(arguments: [true, false])
  func aWrongPasswordIsToldAndTriedAgain(isVersion5: Bool) throws {
    let broker = try Broker(.init(passwords: ["edge": "right"]))
    let subscriber = try Subscriber(["godwit/#"], to: broker, user: "edge", password: "right")
    let file = try broker.folder.write("password", "wrong\n")
    let bench = try Bench(port: broker.port) {
      $0.isVersion5 = isVersion5
      $0.username = "edge"
      $0.passwordFile = file
    }
    try bench.start()
    try bench.tick(2)
    eventually("the refusal, again and again") {
      bench.status.attempts >= 3 && bench.status.lastError?.contains("the broker refuses the connection") == true
    }
    #expect(bench.status.connections == 0)
    #expect(!(bench.status.lastError ?? "").contains("wrong"))
    // The file is read at each attempt.
    try broker.folder.write("password", "right\n")
    eventually("delivery") { Set(subscriber.sequences) == [1, 2] && bench.isAllDelivered }
    #expect(bench.status.lastError == nil)
  }

  @Test func aPasswordFileThatCannotBeReadIsNamed() throws {
    let broker = try Broker()
    let bench = try Bench(port: broker.port) {
      $0.username = "edge"
      $0.passwordFile = "/nowhere/password"
    }
    try bench.start()
    eventually("the error") {
      bench.status.lastError == "cannot read the password file /nowhere/password: No such file or directory"
        && bench.status.attempts >= 3
    }
  }

  @Test func nobodyListens() throws {
    let bench = try Bench(port: try freeLoopbackPort())
    try bench.start()
    try bench.tick(3)
    eventually("attempts") { bench.status.attempts >= 4 && bench.status.lastError != nil }
    #expect(bench.status.lastError?.contains(bench.settings.brokers[0].address) == true, "\(bench.status)")
    #expect(bench.status.owedTicks == 3)
  }

  @Test func aNameThatNobodyKnows() throws {
    let bench = try Bench(port: 1883) { $0.brokers[0].host = "no-such-host.invalid" }
    try bench.start()
    eventually("the error") { bench.status.lastError?.contains("mqtt://no-such-host.invalid:1883") == true }
  }

  @Test func aBrokerThatAcceptsAndDrops() throws {
    let relay = try Relay(to: 0, mode: "drop")
    let bench = try Bench(port: relay.port)
    try bench.start()
    try bench.tick(2)
    eventually("attempts") { bench.status.attempts >= 4 }
    #expect(bench.status.lastError != nil)
    #expect(bench.status.owedTicks == 2)
  }

  @Test func aBrokerThatNeverAnswers() throws {
    let relay = try Relay(to: 0, mode: "swallow")
    let bench = try Bench(port: relay.port)
    try bench.start()
    eventually("an attempt") { bench.status.state == .connecting }
    eventually("the end of patience") {
      bench.clock.lapse(seconds: UplinkLimits.connectSeconds + 1)
      bench.wake()
      return bench.status.lastError == "the broker did not accept the connection within \(UplinkLimits.connectSeconds) s"
    }
  }

  @Test func anAddressThatSwallowsEverythingDoesNotHoldUpTheStop() throws {
    // A listener whose queue is full answers no further connection: as a host that is not there.
    let folder = try TemporaryFolder()
    let port = try freeLoopbackPort()
    let code = """
      import socket, time
      listener = socket.socket(); listener.bind(("127.0.0.1", \(port))); listener.listen(0)
      held = []
      for _ in range(4):
          one = socket.socket(); one.setblocking(False); one.connect_ex(("127.0.0.1", \(port))); held.append(one)
      print("full", flush=True)
      time.sleep(600)
      """
    let hole = try ChildProcess("python3", ["-c", code], name: "hole", in: folder)
    eventually("a full queue") { hole.output.contains("full") }
    let bench = try Bench(port: port)
    try bench.start()
    eventually("an attempt") { bench.status.state == .connecting }
    try bench.tick(2)
    // Inputs are taken while the connection is being attempted.
    eventually("the ticks") { bench.status.owedTicks == 2 }
    bench.uplink.stop(waitMilliseconds: 10_000)
    #expect(bench.status.state == .stopped)
    hole.kill()
  }

  @Test func aLinkThatSwallowsIsNoticedAndNothingIsLost() throws {
    let broker = try Broker()
    let subscriber = try Subscriber(["godwit/#"], to: broker)
    let relay = try Relay(to: broker.port)
    let bench = try Bench(port: relay.port)
    try bench.start()
    try bench.tick(3)
    eventually("delivery") { bench.isAllDelivered }
    relay.set("swallow")
    try bench.tick(5)
    eventually("the ticks are under way") { bench.position.next == 9 }
    let before = bench.status.connections
    eventually("the stall") {
      bench.clock.lapse(seconds: 5)
      bench.wake()
      return bench.status.lastError == "the broker acknowledged nothing for \(UplinkLimits.stallSeconds) s"
    }
    relay.set("pass")
    relay.cut()
    eventually("delivery on a new connection") {
      bench.isAllDelivered && bench.status.connections > before && Set(subscriber.sequences) == Set(1...8)
    }
    #expect(bench.status.lostTicks == 0)
  }

  @Test func whatTheBrokerForbidsIsNotTriedForEver() throws {
    let folder = try TemporaryFolder()
    // Everything but live ticks and the backlog may be written.
    let list = try folder.write(
      "acl", "topic readwrite godwit/v1/edge-01/state\ntopic readwrite godwit/v1/edge-01/events\ntopic read #\n")
    let broker = try Broker(.init(extraLines: ["acl_file \(list)"]))
    let subscriber = try Subscriber(["godwit/#"], to: broker)
    let bench = try Bench(port: broker.port, stored: 10)
    try bench.start()
    eventually("a connection") { bench.isConnected }
    try bench.tick(5)
    _ = bench.uplink.put(.event(id: 1, json: Array("{}".utf8)))
    eventually("all is settled") { bench.isAllDelivered && bench.position.event == 1 }
    #expect(bench.status.lostTicks == 15)
    #expect(bench.status.deliveredTicks == 0)
    // This broker also closes the connection over it; the word stays.
    let error = bench.status.lastError ?? ""
    #expect(error.hasPrefix("the broker refuses messages") && error.contains("(reason 0x87)"))
    eventually("the event") { subscriber.payloads("events") == ["{}"] }
  }

  @Test func aBrokerThatTakesOnlySmallMessages() throws {
    // MQTT 5: the broker says so, and the library refuses larger ones.
    let broker = try Broker(.init(extraLines: ["max_packet_size 2000"]))
    let subscriber = try Subscriber(["godwit/#"], to: broker)
    let bench = try Bench(port: broker.port, stored: 200)
    try bench.start()
    eventually("the backlog in small messages") { bench.isAllDelivered && Set(subscriber.sequences) == Set(1...200) }
    #expect(bench.status.lostTicks == 0)
    // Nothing that can never be sent holds up the rest, nor breaks the connection.
    _ = bench.uplink.put(.event(id: 1, json: [UInt8](repeating: 0x20, count: 5_000)))
    _ = bench.uplink.put(.event(id: 2, json: Array("{}".utf8)))
    eventually("the second event") { subscriber.payloads("events") == ["{}"] && bench.position.event == 2 }
    #expect(bench.status.connections == 1)
    #expect(bench.status.lastError?.contains("cannot publish to godwit/v1/edge-01/events") == true)
  }

  @Test func aTopicThatCannotBeIsGivenUp() throws {
    let broker = try Broker()
    let bench = try Bench(port: broker.port)
    try bench.start()
    _ = bench.uplink.put(.alert(rule: "a/#/b", json: [1]))
    try bench.tick(2)
    eventually("the ticks") { bench.isAllDelivered && bench.status.deliveredTicks == 2 }
    #expect(bench.status.connections == 1)
  }

  @Test func evictedTicksAreCountedAsLost() throws {
    let broker = try Broker()
    let bench = try Bench(port: broker.port)
    try bench.feed.ticks(5)
    bench.feed.skip(10)
    try bench.feed.ticks(5)
    try bench.start()
    eventually("the backlog") { bench.isAllDelivered }
    #expect(bench.status.deliveredTicks == 10)
    #expect(bench.status.lostTicks == 10)
  }

  @Test func moreThanTheMailboxHoldsIsOwed() throws {
    let broker = try Broker()
    let subscriber = try Subscriber(["godwit/#"], to: broker)
    let bench = try Bench(port: broker.port)
    // Not started: nobody takes anything.
    try bench.tick(UplinkLimits.mailbox + 50)
    let settings = bench.uplink.put(.settings(bench.settings))
    #expect(settings)
    let started = bench.uplink.start(
      settings: bench.settings, clock: bench.clock, buffer: bench.feed.path, positions: [:], lastCommitted: nil, firstOfRun: 1,
      firstEvent: 1)
    #expect(started)
    bench.uplink.committed = bench.feed.next - 1
    // A tick that finds the box still full is refused too, and only the one after it would tell of it.
    eventually("room") { bench.uplink.mailbox.count == 0 }
    try bench.tick()
    eventually("everything") {
      bench.isAllDelivered && Set(subscriber.sequences) == Set(1...UInt64(UplinkLimits.mailbox + 51))
    }
  }
}
