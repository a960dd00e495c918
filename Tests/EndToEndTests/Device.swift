import Foundation
import Testing

/// A node under test: a folder with its data, a profile, the real agent on it and the real command line beside it.
final class Device {
  /// What a profile of these tests says; the rest are the defaults.
  struct Plan {
    var tick = "100ms"
    var commit = "500ms"
    var buffer = ""
    var sensors = ["cpu: {per_core: off}", "memory:"]
    /// Of `uplink`; nil: no uplink.
    var broker: String?
    var uplink = ""
    /// More sections, as YAML lines.
    var more = ""
  }

  let folder: TemporaryFolder
  /// The directory of the buffer.
  let data: String
  private var process: AgentProcess?
  private let environment: [String: String]
  private let launcher: [String]?

  /// Does not start the agent. `data` is made in the folder unless given.
  init(data: String? = nil, environment: [String: String] = [:], launcher: [String]? = nil) throws {
    folder = try TemporaryFolder()
    self.environment = environment
    self.launcher = launcher
    self.data = data ?? folder.path(of: "data")
    if data == nil { try FileManager.default.createDirectory(atPath: self.data, withIntermediateDirectories: true) }
  }

  /// The agent, once it was started.
  var agent: AgentProcess {
    guard let process else { preconditionFailure("the test did not start the agent") }
    return process
  }

  var bufferPath: String { data + "/buffer.db" }
  var socketPath: String { folder.path(of: "run/godwit.sock") }
  var profilePath: String { folder.path(of: "profile.yaml") }

  /// The profile as YAML.
  func profile(_ plan: Plan) -> String {
    var lines = [
      "node: edge", "tick: \(plan.tick)", "control: {socket: \(socketPath)}",
      "buffer: {path: \(bufferPath), commit_every: \(plan.commit)\(plan.buffer.isEmpty ? "" : ", " + plan.buffer)}", "sensors:",
    ]
    lines += plan.sensors.map { "  " + $0 }
    if let broker = plan.broker {
      let more = plan.uplink.isEmpty ? "" : ", " + plan.uplink
      lines.append("uplink: {broker: \"\(broker)\", backoff_min: 100ms, backoff_max: 1s\(more)}")
    }
    return (lines + [plan.more]).joined(separator: "\n") + "\n"
  }

  /// Starts the agent for the first time.
  func start(_ plan: Plan) throws { try start(profile: profile(plan)) }

  /// The same with a profile's text.
  func start(profile: String) throws {
    try FileManager.default.createDirectory(atPath: folder.path(of: "run"), withIntermediateDirectories: true)
    process = try AgentProcess(profile: profile, in: folder, environment: environment, launcher: launcher)
  }

  /// Runs the command line to its end.
  func godwit(_ arguments: String...) throws -> (end: ChildProcess.End, output: String, errors: String) {
    try ChildProcess.run(AgentProcess.program("godwit"), arguments, in: folder)
  }

  /// What the agent, or else its buffer, says of itself; nil when neither can be asked.
  func status() throws -> Status? {
    let answer = try godwit("status", "--json", "--socket", socketPath, "--buffer", bufferPath)
    guard answer.end == .exited(0) else { return nil }
    return try JSONDecoder().decode(Status.self, from: Data(answer.output.utf8))
  }

  /// Waits until the running agent's status is as wanted, and answers it.
  @discardableResult
  func eventuallyStatus(
    _ what: String, timeout: Double = 30, sourceLocation: SourceLocation = #_sourceLocation, _ holds: (Status) -> Bool
  ) throws -> Status {
    var last: Status?
    let held = try holdsEventually(timeout: timeout, every: 0.1) {
      last = try status()
      return last.map { $0.source == "agent" && holds($0) } ?? false
    }
    if !held {
      let seen = last.map { "\($0)".prefix(1500) } ?? "no status"
      let log = agent.log.suffix(3000)
      Issue.record("within \(timeout) s it never held: \(what); \(seen)\nlog: \(log)", sourceLocation: sourceLocation)
    }
    return try #require(last, sourceLocation: sourceLocation)
  }

  /// Waits until the agent took so many more ticks.
  @discardableResult
  func takeTicks(_ count: UInt64, sourceLocation: SourceLocation = #_sourceLocation) throws -> Status {
    let first = try eventuallyStatus("ticks", sourceLocation: sourceLocation) { $0.tick.ticks > 0 }.tick.ticks
    return try eventuallyStatus("\(count) more ticks", timeout: 60, sourceLocation: sourceLocation) {
      $0.tick.ticks >= first + count
    }
  }

  /// The ticks that the buffer holds now, by the command line's export.
  func export(sourceLocation: SourceLocation = #_sourceLocation) throws -> [WireTick] {
    let answer = try godwit("export", "--buffer", bufferPath, "--format", "jsonl")
    #expect(answer.end == .exited(0), "\(answer.errors)", sourceLocation: sourceLocation)
    return try answer.output.split(separator: "\n").map { try JSONDecoder().decode(WireTick.self, from: Data($0.utf8)) }
  }

  /// Everything that the agent logged so far.
  var log: String { agent.log }
}

/// The parts of `godwit status --json` that tests look at; docs/status.md.
struct Status: Decodable {
  struct Tick: Decodable {
    var seq, ticks, skipped: UInt64
  }
  struct Buffer: Decodable {
    var path, state: String
    var problem: String?
    var ticks, uncommitted, bytes: UInt64
  }
  struct Uplink: Decodable {
    var configured: Bool
    var broker: String?
    var state: String
    var attempts: Int
    var last_error: String?
    var warning: String?
    var delivered, owed, lost: UInt64
  }
  struct Sensor: Decodable {
    var name, state: String
    var values: Int
  }
  struct Alert: Decodable {
    var rule, severity, state, series: String
  }

  var version: Int
  var source, node: String
  var tick: Tick
  var buffer: Buffer
  var uplink: Uplink
  var sensors: [Sensor]
  var alerts: [Alert]
  var m: [String: Double]
}

/// A tick as on the wire.
struct WireTick: Decodable {
  /// What a receiver tells repeats by, besides the node.
  struct ID: Hashable, Comparable {
    var boot: String
    var seq: UInt64

    static func < (a: ID, b: ID) -> Bool { (a.boot, a.seq) < (b.boot, b.seq) }
  }

  var t, boot, q: String
  var seq: UInt64
  var m: WireValues

  var id: ID { ID(boot: boot, seq: seq) }

  /// The ticks of a live or backlog message; none of any other.
  static func ticks(_ message: Subscriber.Message) throws -> [WireTick] {
    struct Backlog: Decodable {
      var first, last: UInt64
      var ticks: [WireTick]
    }
    let payload = Data(message.payload.utf8)
    if message.topic.hasSuffix("/metrics") { return [try JSONDecoder().decode(WireTick.self, from: payload)] }
    guard message.topic.hasSuffix("/backlog") else { return [] }
    return try JSONDecoder().decode(Backlog.self, from: payload).ticks
  }
}

/// An event as on the wire.
struct WireEvent: Decodable {
  var id: UInt64
  var kind, severity, message: String

  static func events(_ messages: [Subscriber.Message]) throws -> [WireEvent] {
    try messages.filter { $0.topic.hasSuffix("/events") }.map {
      try JSONDecoder().decode(WireEvent.self, from: Data($0.payload.utf8))
    }
  }
}
