import Foundation
import Testing

/// Somebody who sends commands to a device with `mosquitto_pub` and reads what becomes of them.
final class CommandConsole {
  /// A status as on the wire.
  struct Answer {
    var id, state: String
    var command, reason: String?
    var result: [String: Any]
    var isRetained: Bool
  }

  let broker: Broker
  let device: Device
  let subscriber: Subscriber
  private let folder: TemporaryFolder

  /// Starts an agent that takes the given commands.
  init(_ commands: String, plan: Device.Plan = Device.Plan(), device: Device? = nil) throws {
    broker = try Broker()
    self.device = try device ?? Device()
    folder = try TemporaryFolder()
    subscriber = try Subscriber(
      ["cmd/+/status", "events", "metrics", "backlog", "alerts/#"].map { "godwit/v1/+/" + $0 }, to: broker)
    try self.device.start(self.plan(plan, commands))
    listens()
  }

  /// The plan with this broker and the commands.
  func plan(_ plan: Device.Plan, _ commands: String) -> Device.Plan {
    var plan = plan
    plan.broker = broker.url
    plan.uplink = commands.isEmpty ? "" : "commands: [\(commands)]"
    return plan
  }

  /// Waits for ticks that were sent after the subscription to commands.
  func listens() {
    let before = ticks
    eventually("it is connected") { ticks > before + 1 }
  }

  private var ticks: Int { subscriber.messages.count { $0.topic.hasSuffix("/metrics") } }

  /// Sends a command that is good whenever it comes: the clock of the test's machine need not be synchronised.
  func send(
    _ command: String, id: String, args: String = "{}", t: String = "2026-01-01T00:00:00Z",
    expiry: String = #""expires":"never""#,
    retain: Bool = false
  ) throws {
    try publish(#"{"command":"\#(command)","args":\#(args),"t":"\#(t)",\#(expiry)}"#, id: id, retain: retain)
  }

  func publish(_ payload: String, id: String, node: String = "edge", retain: Bool = false) throws {
    let file = try folder.write("payload", payload)
    let answer = try ChildProcess.run(
      "mosquitto_pub",
      ["-h", "127.0.0.1", "-p", String(broker.port), "-q", "1", "-t", "godwit/v1/\(node)/cmd/\(id)", "-f", file]
        + (retain ? ["-r"] : []), in: folder)
    try #require(answer.end == .exited(0), "\(answer.errors)")
  }

  /// All that was told of an id, in order.
  func answers(_ id: String) -> [Answer] {
    subscriber.messages.filter { $0.topic.hasSuffix("/cmd/\(id)/status") }.compactMap { message in
      guard let json = try? JSONSerialization.jsonObject(with: Data(message.payload.utf8)) as? [String: Any],
        let name = json["id"] as? String, let state = json["state"] as? String
      else { return nil }
      return Answer(
        id: name, state: state, command: json["command"] as? String, reason: json["reason"] as? String,
        result: json["result"] as? [String: Any] ?? [:], isRetained: message.isRetained)
    }
  }

  func states(_ id: String) -> [String] { answers(id).map(\.state) }

  /// Waits for the command's end.
  @discardableResult
  func end(_ id: String, after count: Int = 0, sourceLocation: SourceLocation = #_sourceLocation) throws -> Answer {
    var last: Answer?
    eventually("the end of \(id); \(states(id)); log: \(device.log.suffix(500))", sourceLocation: sourceLocation) {
      let all = answers(id)
      last = all.count > count ? all.last : nil
      return last.map { ["successful", "failed"].contains($0.state) } ?? false
    }
    return try #require(last, sourceLocation: sourceLocation)
  }

  /// What the broker keeps on a topic.
  func retained(_ topic: String) throws -> String {
    try ChildProcess.run(
      "mosquitto_sub", ["-h", "127.0.0.1", "-p", String(broker.port), "-t", "godwit/v1/edge/\(topic)", "-C", "1", "-W", "10"],
      in: folder
    ).output
  }
}
