import Buffer
import Foundation
import Telemetry
import Testing

@testable import Uplink

/// Python with pysparkplug, a host's library that knows nothing of this project, in a place of its own under `.build`.
enum PythonHost {
  static let version = "0.6.1"
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../..")
  static let script = root.standardizedFileURL.appendingPathComponent("Tests/UplinkTests/Python/sparkplug_host.py").path

  /// The interpreter; nil, with a line that says why, where the library cannot be had.
  static let interpreter: String? = {
    let home = root.standardizedFileURL.appendingPathComponent(".build/sparkplug-host-" + version).path
    let python = home + "/bin/python3"
    if FileManager.default.fileExists(atPath: python) { return python }
    do {
      let folder = try TemporaryFolder()
      // Made aside and then moved: another run may do the same, and half of one is no place to be used.
      let fresh = home + "-\(ProcessInfo.processInfo.processIdentifier)"
      defer { try? FileManager.default.removeItem(atPath: fresh) }
      let steps = [
        ["python3", "-m", "venv", fresh],
        [
          fresh + "/bin/python3", "-m", "pip", "install", "-q", "--no-input", "--disable-pip-version-check", "--retries", "1",
          "pysparkplug==" + version,
        ],
        [fresh + "/bin/python3", "-c", "import pysparkplug"],
      ]
      for step in steps {
        let answer = try ChildProcess.run(step[0], Array(step.dropFirst()), in: folder, within: 240)
        guard answer.end == .exited(0) else { throw ChildProcess.Failure(description: answer.errors + answer.output) }
      }
      try? FileManager.default.moveItem(atPath: fresh, toPath: home)
      guard FileManager.default.fileExists(atPath: python) else {
        throw ChildProcess.Failure(description: "\(home) is not there")
      }
      return python
    } catch {
      print("godwit: no pysparkplug here, tests with an independent Sparkplug host are skipped: \(error)")
      return nil
    }
  }()
}

/// What an independent host makes of our payloads, and we of its command.
@Suite(.enabled(if: PythonHost.interpreter != nil, "PyPI cannot be reached"))
struct SparkplugHostTests {
  private struct Line: Decodable {
    struct Metric: Decodable, Equatable {
      var name: String
      var alias: UInt64?
      var timestamp: UInt64?
      var datatype: String
      var historical: Bool
      var null: Bool
      var value: Scalar?
    }

    var kind: String
    var seq: UInt64?
    var topic: String?
    var qos: Int?
    var retain: Bool?
    var metrics: [Metric]
  }

  private enum Scalar: Decodable, Equatable, ExpressibleByFloatLiteral, ExpressibleByStringLiteral, ExpressibleByBooleanLiteral {
    case number(Double)
    case text(String)
    case truth(Bool)

    init(floatLiteral value: Double) { self = .number(value) }
    init(stringLiteral value: String) { self = .text(value) }
    init(booleanLiteral value: Bool) { self = .truth(value) }

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let truth = try? container.decode(Bool.self) {
        self = .truth(truth)
      } else if let number = try? container.decode(Double.self) {
        self = .number(number)
      } else {
        self = .text(try container.decode(String.self))
      }
    }
  }

  private static let series = [
    StoredSeries.test(0, "cpu.usage_percent"), .test(1, "memory.swing_bytes", unit: "B", decimals: 0),
    .test(2, "thermal.temperature_celsius", [Label("zone", "cpu-thermal")], unit: "°C"),
  ]

  private func lines(_ output: String) throws -> [Line] {
    try output.split(separator: "\n").filter { $0.contains("\"kind\"") }.map {
      try JSONDecoder().decode(Line.self, from: Data($0.utf8))
    }
  }

  private func kind(_ message: SparkplugMessage) -> String { String(message.topic.split(separator: "/")[2]) }

  @Test func decodesBirthsDataAndHistory() throws {
    let python = try #require(PythonHost.interpreter)
    var bench = try SparkplugBench()
    bench.node.learn(SparkplugHostTests.series)
    bench.node.learn(stored: SparkplugHostTests.series)
    var messages = [bench.node.nextWill(at: bench.now)]
    _ = bench.node.connected(to: "one", at: bench.now)
    messages = bench.tick([12.5, -7_000_000_000, .missing]).messages + messages
    messages += bench.tick([12.5, 5, 51.25]).messages
    messages += try bench.drain([(1, 1_700_000_000_000, [1.5, -1, 40.5]), (2, 1_700_000_001_000, [1.5, -2, .infinity])])
    let folder = try TemporaryFolder()
    var arguments = [PythonHost.script, "decode"]
    for (index, message) in messages.enumerated() {
      let path = folder.path(of: "\(index)")
      try Data(message.payload).write(to: URL(fileURLWithPath: path))
      arguments.append("\(kind(message))=\(path)")
    }
    let answer = try ChildProcess.run(python, arguments, in: folder)
    try #require(answer.end == .exited(0), "\(answer.errors)")
    let read = try lines(answer.output)
    try #require(read.map(\.kind) == ["NBIRTH", "NDEATH", "NDATA", "NDATA"])
    #expect(read.map(\.seq) == [0, nil, 1, 2])
    let wall = UInt64(SparkplugBench.wall)
    func metric(
      _ name: String, _ alias: UInt64?, _ timestamp: UInt64, _ datatype: String, _ value: Scalar?, historical: Bool = false
    ) -> Line.Metric {
      .init(
        name: name, alias: alias, timestamp: timestamp, datatype: datatype, historical: historical, null: value == nil,
        value: value)
    }
    let zone = "thermal/temperature_celsius/cpu-thermal"
    #expect(
      read[0].metrics == [
        metric("cpu/usage_percent", 1, wall + 51_000, "DOUBLE", 12.5),
        metric("memory/swing_bytes", 2, wall + 51_000, "INT64", -7_000_000_000.0),
        metric(zone, 3, wall + 51_000, "DOUBLE", nil),
        metric("bdSeq", nil, wall + 51_000, "INT64", 0.0),
        metric("Node Control/Rebirth", nil, wall + 51_000, "BOOLEAN", false),
        metric("Properties/Boot", nil, wall + 51_000, "STRING", "be154352"),
      ])
    #expect(read[1].metrics == [metric("bdSeq", nil, wall + 50_000, "INT64", 0.0)])
    #expect(
      read[2].metrics == [
        metric("memory/swing_bytes", 2, wall + 52_000, "INT64", 5.0), metric(zone, 3, wall + 52_000, "DOUBLE", 51.25),
      ])
    let (first, second): (UInt64, UInt64) = (1_700_000_000_000, 1_700_000_001_000)
    #expect(
      read[3].metrics == [
        metric("cpu/usage_percent", 1, first, "DOUBLE", 1.5, historical: true),
        metric("memory/swing_bytes", 2, first, "INT64", -1.0, historical: true),
        metric(zone, 3, first, "DOUBLE", 40.5, historical: true),
        metric("memory/swing_bytes", 2, second, "INT64", -2.0, historical: true),
        metric(zone, 3, second, "DOUBLE", nil, historical: true),
      ])
  }

  @Test func itsCommandIsUnderstood() throws {
    let python = try #require(PythonHost.interpreter)
    let folder = try TemporaryFolder()
    let answer = try ChildProcess.run(python, [PythonHost.script, "rebirth", folder.path(of: "command")], in: folder)
    try #require(answer.end == .exited(0), "\(answer.errors)")
    let command = try Data(contentsOf: URL(fileURLWithPath: folder.path(of: "command")))
    var bench = try SparkplugBench()
    bench.node.learn(SparkplugHostTests.series)
    bench.connect()
    bench.tick([1, 2, 3])
    bench.milliseconds += 1_000
    bench.hear("spBv1.0/plant/NCMD/edge", [UInt8](command))
    #expect(bench.host.births == 2)
    #expect(bench.host.offences == [])
  }

  /// Over a real broker: the host says that it is online, sees births and data with their aliases resolved, and asks for a rebirth.
  @Test func standsAtABroker() throws {
    let python = try #require(PythonHost.interpreter)
    let broker = try Broker()
    let folder = try TemporaryFolder()
    let states = try Subscriber(["spBv1.0/STATE/scada"], to: broker)
    let arguments = [
      PythonHost.script, "host", "--port", "\(broker.port)", "--group", "plant", "--host-id", "scada", "--rebirth-after", "2",
      "--until-deaths", "1",
    ]
    let host = try ChildProcess(python, arguments, name: "host", in: folder)
    eventually("the host is subscribed") { host.output.contains("\"ready\"") }
    eventually("the host says that it is online") { states.messages.last?.payload.contains("\"online\": true") == true }
    var bench = try SparkplugBench(primaryHost: "scada")
    bench.node.learn(SparkplugHostTests.series)
    bench.connect()
    let state = try #require(states.messages.last)
    bench.tick([12.5, 1, 2])
    var messages = bench.hear(state.topic, Array(state.payload.utf8)).messages
    messages += bench.tick([12.5, 1, 3]).messages
    messages += bench.tick([12.5, 4, 5]).messages
    let commands = try Subscriber(["spBv1.0/plant/NCMD/edge"], to: broker)
    for message in messages { try publish(message, to: broker, in: folder) }
    eventually("the host resolved both data messages") { (try? lines(host.output).count { $0.kind == "NDATA" }) == 2 }
    eventually("a command comes") { !commands.messages.isEmpty }
    if let death = bench.node.farewell(at: bench.now) { try publish(death, to: broker, in: folder) }
    #expect(host.waitForExit(within: 20) == .exited(0), "\(host.errors)")
    let read = try lines(host.output).filter { $0.kind != "NCMD" }
    #expect(read.map(\.kind) == ["NBIRTH", "NDATA", "NDATA", "NDEATH"])
    #expect(read.map(\.qos) == [0, 0, 0, 0])
    #expect(read.allSatisfy { $0.retain == false })
    #expect(read.dropLast().last?.metrics.map(\.name) == ["memory/swing_bytes", "thermal/temperature_celsius/cpu-thermal"])
    eventually("the host says goodbye") { states.messages.last?.payload.contains("\"online\": false") == true }
  }

  private func publish(_ message: SparkplugMessage, to broker: Broker, in folder: TemporaryFolder) throws {
    let path = folder.path(of: "payload")
    try Data(message.payload).write(to: URL(fileURLWithPath: path))
    let answer = try ChildProcess.run(
      "mosquitto_pub", ["-p", "\(broker.port)", "-t", message.topic, "-q", "\(message.qualityOfService)", "-f", path], in: folder)
    try #require(answer.end == .exited(0), "\(answer.errors)")
  }
}
