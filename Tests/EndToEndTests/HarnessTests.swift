import Foundation
import Testing

/// The harness itself, against the real mosquitto.
@Suite(.serialized) struct HarnessTests {
  private func publish(_ payload: String, to broker: Broker, more: [String] = []) throws -> ChildProcess.End {
    let arguments = ["-h", "127.0.0.1", "-p", String(broker.port), "-q", "1", "-t", "godwit/v1/edge/metrics", "-m", payload]
    return try ChildProcess.run("mosquitto_pub", arguments + more, in: broker.folder).end
  }

  @Test func messagesArriveInTheirOrder() throws {
    let broker = try Broker()
    let subscriber = try Subscriber(["godwit/#"], to: broker)
    for number in 1...3 {
      let end = try publish("number \(number)\twith a tab", to: broker)
      #expect(end == .exited(0))
    }
    eventually("three messages") { subscriber.messages.count == 3 }
    #expect(subscriber.messages.map(\.payload) == (1...3).map { "number \($0)\twith a tab" })
    #expect(subscriber.messages.allSatisfy { $0.topic == "godwit/v1/edge/metrics" && !$0.isRetained })
  }

  @Test func theSubscriberComesBackAfterTheBrokerWasKilled() throws {
    let broker = try Broker()
    let subscriber = try Subscriber(["godwit/#"], to: broker)
    for round in 1...2 {
      _ = try publish("round \(round)", to: broker)
      broker.crash(after: [subscriber])
      #expect(!broker.isRunning)
      try broker.start()
      try subscriber.waitForSubscription(number: round + 1)
    }
    _ = try publish("last", to: broker)
    eventually("the last message") { subscriber.messages.last?.payload == "last" }
    #expect(subscriber.messages.map(\.payload) == ["round 1", "round 2", "last"])
  }

  @Test func aCrashLosesNothingThatWasAcknowledged() throws {
    let broker = try Broker()
    let subscriber = try Subscriber(["godwit/#"], to: broker)
    let lines = (1...20_000).map { String($0) }.joined(separator: "\n") + "\n"
    let input = try broker.folder.write("lines", lines)
    // `-d` prints a line for every PUBACK that it received.
    let command = "stdbuf -oL mosquitto_pub -h 127.0.0.1 -p \(broker.port) -q 1 -t godwit/lines -l -d <'\(input)'"
    let publisher = try ChildProcess("/bin/sh", ["-c", "exec " + command], name: "publisher", in: broker.folder)
    let sees = { publisher.output.split(separator: "\n").count { $0.contains("received PUBACK") } }
    eventually("the first acknowledgements") { sees() > 100 || !publisher.isRunning }
    broker.crash(after: [subscriber])
    publisher.kill()
    let acknowledged = sees()
    #expect(acknowledged > 100)
    let came = Set(subscriber.messages.compactMap { Int($0.payload) })
    #expect(Set(1...acknowledged).subtracting(came).isEmpty)
  }

  @Test func aSessionHoldsMessagesWhileTheSubscriberIsAway() throws {
    let broker = try Broker()
    let subscriber = try Subscriber(["godwit/#"], to: broker, session: "watcher")
    subscriber.stop()
    _ = try publish("while away", to: broker)
    try subscriber.restart()
    eventually("the held message") { subscriber.messages.map(\.payload) == ["while away"] }
  }

  @Test func persistenceKeepsRetainedMessagesOverARestart() throws {
    let broker = try Broker(.init(persistence: true))
    _ = try publish("kept", to: broker, more: ["-r"])
    broker.stop()
    try broker.start()
    let subscriber = try Subscriber(["godwit/#"], to: broker)
    eventually("the retained message") { subscriber.messages.map(\.payload) == ["kept"] }
    #expect(subscriber.messages.first?.isRetained == true)
  }

  @Test func aWrongPasswordIsRefused() throws {
    let broker = try Broker(.init(passwords: ["edge": "right"]))
    let right = try publish("in", to: broker, more: ["-u", "edge", "-P", "right"])
    #expect(right == .exited(0))
    let wrong = try publish("out", to: broker, more: ["-u", "edge", "-P", "wrong"])
    #expect(wrong != .exited(0))
  }

  @Test func aChildEndsWithItsReference() throws {
    let folder = try TemporaryFolder()
    var child: ChildProcess? = try ChildProcess("sleep", ["600"], name: "sleep", in: folder)
    let pid = try #require(child?.pid)
    child = nil
    #expect(Foundation.kill(pid, 0) != 0)
  }

  @Test func theEndOfAChildIsTold() throws {
    let folder = try TemporaryFolder()
    let answer = try ChildProcess.run("sh", ["-c", "echo out; echo err >&2; exit 3"], in: folder)
    #expect(answer.end == .exited(3))
    #expect(answer.output == "out\n")
    #expect(answer.errors == "err\n")
    let child = try ChildProcess("sleep", ["600"], name: "sleep", in: folder)
    #expect(child.waitForExit(within: 0.1) == nil)
    child.kill()
    #expect(child.waitForExit(within: 5) == .signalled(SIGKILL))
  }
}
