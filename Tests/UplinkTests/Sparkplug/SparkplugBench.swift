import Buffer
import SparkplugProto
import SwiftProtobuf
import Telemetry
import Testing

@testable import Uplink

extension StoredSeries {
  /// A series for tests: `cpu.usage_percent{core="0"}`.
  static func test(
    _ id: Int, _ name: String, _ labels: [Label] = [], unit: String = "%", decimals: Int = 1
  ) -> StoredSeries {
    StoredSeries(
      id: id, key: Series.key(name: name, labels: labels), name: name, labels: labels, unit: unit, kind: "gauge",
      decimals: decimals)
  }
}

/// A node and the host at its other end, with a clock that is moved by hand.
struct SparkplugBench {
  static let wall: Int64 = 1_795_000_000_000
  var node: SparkplugNode
  var host = SparkplugHostModel()
  var milliseconds: Int64 = 50_000
  /// How far the wall clock was set.
  var step: Int64 = 0
  var tickNumber: UInt64 = 0

  init(primaryHost: String? = nil, last: UInt8? = nil) throws {
    let topics = try #require(SparkplugTopics(group: "plant", node: "edge", primaryHost: primaryHost))
    node = SparkplugNode(topics: topics, facts: [("Boot", "be154352")], lastBirthDeathSequence: last)
  }

  var now: SparkplugMoment {
    SparkplugMoment(wallMilliseconds: SparkplugBench.wall + milliseconds + step, milliseconds: milliseconds)
  }

  mutating func connect(to broker: String = "one") {
    let will = node.nextWill(at: now)
    host.connect(will: will)
    let messages = node.connected(to: broker, at: now)
    host.take(messages)
  }

  /// A tick a second later.
  @discardableResult
  mutating func tick(_ values: [Double], after pause: Int64 = 1_000) -> SparkplugTickAnswer {
    milliseconds += pause
    tickNumber += 1
    let tick = LiveTick(sequence: tickNumber, wallMilliseconds: now.wallMilliseconds, synced: true, values: values)
    let answer = node.tick(tick, at: now)
    if case .messages(let messages) = answer { host.take(messages) }
    return answer
  }

  @discardableResult
  mutating func hear(_ topic: String, _ payload: [UInt8]) -> SparkplugReaction {
    let reaction = node.message(topic: topic, payload: payload, at: now)
    host.take(reaction.messages)
    return reaction
  }

  @discardableResult
  mutating func state(online: Bool, _ timestamp: UInt64) -> SparkplugReaction {
    hear("spBv1.0/STATE/scada", Array("{\"online\":\(online),\"timestamp\":\(timestamp)}".utf8))
  }

  @discardableResult
  mutating func askForRebirth(_ value: Bool = true, name: String = "Node Control/Rebirth") throws -> SparkplugReaction {
    var command = Sparkplug_Payload()
    command.timestamp = UInt64(SparkplugBench.wall)
    command.metrics = [
      .with {
        $0.name = name
        $0.datatype = 11
        $0.booleanValue = value
      }
    ]
    return hear("spBv1.0/plant/NCMD/edge", try command.serializedBytes())
  }

  /// Sends owed ticks as the session would.
  mutating func drain(_ ticks: [(sequence: UInt64, wall: Int64, values: [Double])]) throws -> [SparkplugMessage] {
    var sent: [SparkplugMessage] = []
    var rest = ticks[...]
    while let first = rest.first {
      var history = try #require(node.history(at: now))
      for tick in rest {
        guard history.append(tick.values, sequence: tick.sequence, wallMilliseconds: tick.wall) else { break }
      }
      let last = try #require(history.lastSequence)
      let messages = node.messages(of: history, from: first.sequence)
      host.take(messages)
      sent += messages
      rest = rest.drop { $0.sequence <= last }
    }
    return sent
  }
}

extension SparkplugTickAnswer {
  var isOwed: Bool { if case .owed = self { true } else { false } }
  var isUnchanged: Bool { if case .unchanged = self { true } else { false } }
  var messages: [SparkplugMessage] { if case .messages(let messages) = self { messages } else { [] } }
}
