import Buffer
import Foundation
import Telemetry
import Testing

@testable import Uplink

/// The listening client against a real broker.
@Suite struct ListenerTests {
  private func listener(
    _ broker: Broker, _ filters: [String] = ["t/#"], mostBytes: Int = UplinkLimits.listenedBytes, isVersion5: Bool = true,
    user: String? = nil
  ) throws -> UplinkListener {
    var settings = UplinkSettings()
    settings.clientID = "listener"
    settings.isVersion5 = isVersion5
    settings.username = user
    return try UplinkListener(
      settings, broker: .init(host: "127.0.0.1", port: Int(broker.port)), filters: filters, mostBytes: mostBytes)
  }

  private func publish(_ broker: Broker, _ topic: String, _ payload: Data, retain: Bool = false) throws {
    let path = broker.folder.path(of: "payload")
    try payload.write(to: URL(fileURLWithPath: path))
    let arguments = ["-h", "127.0.0.1", "-p", String(broker.port), "-q", "1", "-t", topic, "-f", path] + (retain ? ["-r"] : [])
    let answer = try ChildProcess.run("mosquitto_pub", arguments, in: broker.folder)
    #expect(answer.end == .exited(0), "\(answer.errors)")
  }

  /// Takes until so many came.
  private func take(_ count: Int, from listener: UplinkListener) throws -> [UplinkListener.Message] {
    var messages: [UplinkListener.Message] = []
    try eventually("\(count) messages") {
      messages += try listener.take(waitMilliseconds: 100)
      return messages.count >= count
    }
    return messages
  }

  @Test(arguments: [true, false]) func messagesComeAsTheyAre(isVersion5: Bool) throws {
    let broker = try Broker()
    let large = Data((0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31) })
    try publish(broker, "t/kept", Data("retained".utf8), retain: true)
    let listener = try listener(broker, isVersion5: isVersion5)
    defer { listener.close() }
    try publish(broker, "t/large", large)
    try publish(broker, "other", Data("x".utf8))
    try publish(broker, "t/empty", Data())
    let messages = try take(3, from: listener)
    #expect(messages.map(\.topic) == ["t/kept", "t/large", "t/empty"])
    #expect(messages.map(\.isRetained) == [true, false, false])
    #expect(messages[0].payload == Array("retained".utf8) && messages[1].payload == Array(large) && messages[2].payload.isEmpty)
    #expect(messages.allSatisfy { !$0.isCut })
  }

  @Test func aLongerMessageIsCut() throws {
    let broker = try Broker()
    let listener = try listener(broker, mostBytes: 1_000)
    defer { listener.close() }
    try publish(broker, "t/1", Data(repeating: 7, count: 1_000))
    try publish(broker, "t/2", Data(repeating: 7, count: 1_001))
    let messages = try take(2, from: listener)
    #expect(messages.map(\.isCut) == [false, true])
    #expect(messages.allSatisfy { $0.payload.count == 1_000 })
  }

  @Test func aRefusalIsSaid() throws {
    let broker = try Broker(.init(passwords: ["someone": "secret"]))
    let failure = #expect(throws: UplinkListener.Failure.self) { try listener(broker, user: "someone") }
    #expect(failure?.description.contains("refuses the connection") == true, "\(failure?.description ?? "")")
    broker.stop()
    let gone = #expect(throws: UplinkListener.Failure.self) { try listener(broker) }
    #expect(gone?.description.contains("127.0.0.1:\(broker.port)") == true, "\(gone?.description ?? "")")
  }

  @Test func aLostConnectionIsSaid() throws {
    let broker = try Broker()
    let listener = try listener(broker)
    broker.kill()
    #expect(throws: UplinkListener.Failure.self) {
      for _ in 0..<200 { _ = try listener.take(waitMilliseconds: 100) }
    }
  }

  /// Whatever tree the sender made of its series, each value comes back under its key.
  @Test func namesAreFoundAgain() throws {
    let keys: [(name: String, labels: [Label])] = [
      ("cpu.usage_percent", []), ("cpu.core_usage_percent", [Label("core", "0")]),
      ("cpu.core_usage_percent", [Label("core", "1")]),
      ("disk.used_bytes", [Label("mount", "/")]), ("disk.used_bytes", [Label("mount", "")]),
      // Different labels of one metric, and a branch that has a value of its own.
      ("net.rx", [Label("interface", "eth0")]), ("net.rx", [Label("vlan", "7")]), ("net.rx", []),
      ("a.b.c", [Label("x", "1"), Label("y", "2")]), ("single", []),
    ]
    let series = keys.enumerated().map { id, one in
      StoredSeries(
        id: id, key: Series.key(name: one.name, labels: one.labels), name: one.name, labels: one.labels, unit: "", kind: "gauge",
        decimals: 1)
    }
    // A sender that knows fewer series than the reader made other paths of some.
    for known in 1...series.count {
      var tree = MetricTree()
      tree.learn(series.prefix(known))
      var writer = JSONWriter()
      tree.append((0..<known).map(Double.init), to: &writer)
      var found: [String: Double] = [:]
      let names = SeriesNames(series)
      func walk(_ value: JSONValue, _ path: [String]) {
        if case .number(let number) = value { found[names.key(path: path)] = number }
        for member in value.members ?? [] { walk(member.value, path + [member.key]) }
      }
      walk(try JSONValue(parsing: writer.bytes), [])
      #expect(found == Dictionary(uniqueKeysWithValues: series.prefix(known).map { ($0.key, Double($0.id)) }))
    }
  }

  @Test func namesThatAreNotKnownArePositional() {
    let names = SeriesNames()
    #expect(names.key(path: ["cpu", "usage_percent"]) == "cpu.usage_percent")
    #expect(names.key(path: ["disk", "used_bytes", "/a\"b", "x"]) == #"disk.used_bytes{_1="/a\"b",_2="x"}"#)
    #expect(names.key(path: ["net", "rx", ""]) == "net.rx")
    #expect(names.key(member: "k000000000000") == nil)
  }
}
