import Buffer
import Foundation
import Randomness
import Telemetry
import Testing

@testable import Uplink

/// A real Home Assistant, with its own schemas, takes every message and shows what it should.
@Suite struct HomeAssistantCheckTests {
  /// A script for `homeassistant_check.py`: messages, and what has to hold after them.
  private struct Script {
    var lines: [String] = []

    mutating func publish(_ messages: [HomeAssistantMessage]) throws {
      for message in messages {
        try add([
          "topic": message.topic, "payload": String(decoding: message.payload, as: UTF8.self), "qos": message.qualityOfService,
          "retain": message.retain,
        ])
      }
    }

    mutating func publish(_ topic: String, _ payload: String) throws {
      try add(["topic": topic, "payload": payload, "qos": 1, "retain": true])
    }

    mutating func expect(_ step: String, _ states: [String: Any], absent: [String] = [], entities: Int) throws {
      try add(["step": step, "expect": states, "absent": absent, "entities": entities])
    }

    private mutating func add(_ line: [String: Any]) throws {
      lines.append(String(decoding: try JSONSerialization.data(withJSONObject: line), as: UTF8.self))
    }
  }

  /// Every metric of a real device would have: all units and kinds, plain and hostile labels.
  private static func series(seed: UInt64) -> [Series] {
    var random = SplitMix64(seed: seed)
    var series: [Series] = []
    for unit in Telemetry.Unit.allCases {
      for kind in MetricKind.allCases {
        let name = "cpu.quantity_\(unit)_\(kind)".lowercased()
        let metric = HomeAssistantBench.metric(name, unit, kind: kind, decimals: Int(random.next() % 4))
        series.append(Series(metric))
        for index in 0..<2 { series.append(Series(metric, [Label("x", HostileText.make(&random) + "\(index)")])) }
      }
    }
    series.append(Series(HomeAssistantBench.metric("godwit.ticks", kind: .counter)))
    series.append(Series(HomeAssistantBench.metric("system.boot_time_seconds", .seconds)))
    return series
  }

  private static func alert(_ state: String) -> String {
    "{\"rule\":\"cpu-hot\",\"severity\":\"warning\",\"state\":\"\(state)\",\"t\":\"2026-11-20T22:40:01.000Z\",\"series\":[]}"
  }

  private func script(seed: UInt64) throws -> Script {
    let series = Self.series(seed: seed)
    var random = SplitMix64(seed: seed &+ 1)
    var values = series.map { series in (Double(random.next() % 1_000_000) / 8).rounded(decimals: series.metric.decimals) }
    values[series.count - 1] = 1_700_000_000
    var bench = HomeAssistantBench {
      $0.families = ["cpu": 1_000, "godwit": 1_000, "system": 1_000]
      $0.model = "Raspberry Pi 5"
      $0.manufacturer = "Raspberry \"Pi\" Ltd"
      $0.serialNumber = "hash:05abbc4472fd1ca8"
      $0.rules = ["cpu-hot"]
      $0.commands = [.init(name: "flush", topic: "godwit/v1/edge-01/cmd/home", payload: "{}", template: "{{ value }}")]
    }
    let unique = { (bench: HomeAssistantBench, id: Int) in
      "\(HomeAssistantNames.level(bench.settings.node)).\(bench.payload.entities[id].id)"
    }
    var script = Script()
    try script.publish("godwit/v1/edge-01/state", "online")
    bench.connect()
    bench.learn(series)
    bench.take(values)
    let announced = bench.run(seconds: 3)
    try script.publish(announced.configs)
    try script.expect("announced", [unique(bench, 0): "unavailable"], entities: series.count + 2)
    bench.take(values)
    try script.publish(bench.run(seconds: 10).states)
    try script.publish("godwit/v1/edge-01/alerts/cpu-hot", Self.alert("firing"))
    var expected: [String: Any] = [:]
    for id in series.indices { expected[unique(bench, id)] = values[id] }
    // 1,700,000,000 s after 1970 (`date -u -d @1700000000`).
    expected[unique(bench, series.count - 1)] = "2023-11-14T22:13:20+00:00"
    expected["edge-01.alert-cpu-hot"] = "on"
    try script.expect("values", expected, entities: series.count + 2)

    // One value stays away, one is no number, the alert ends.
    values[1] = .nan
    for _ in 0..<40 {
      values[0] = .missing
      bench.take(values)
      _ = bench.run(seconds: 1)
    }
    bench.take(values)
    try script.publish(bench.run(seconds: 10).states)
    try script.publish("godwit/v1/edge-01/alerts/cpu-hot", Self.alert("ok"))
    expected[unique(bench, 0)] = "unknown"
    expected[unique(bench, 1)] = "unknown"
    expected["edge-01.alert-cpu-hot"] = "off"
    try script.expect("missing values", expected, entities: series.count + 2)
    try script.publish("godwit/v1/edge-01/state", "offline")
    try script.expect("offline", [unique(bench, 2): "unavailable"], entities: series.count + 2)
    try script.publish("godwit/v1/edge-01/state", "online")

    // A reload without a family, the rule and the command.
    let ticks = unique(bench, series.count - 2)
    bench.configure {
      $0.families["godwit"] = nil
      $0.rules = []
      $0.commands = []
    }
    bench.take(values)
    try script.publish(bench.run(seconds: 5).configs)
    try script.expect(
      "removed", [:], absent: [ticks, "edge-01.alert-cpu-hot", "edge-01.command-flush"], entities: series.count - 1)
    bench.take(values)
    try script.publish(bench.run(seconds: 20).configs)
    try script.publish("godwit/v1/edge-01/alerts/cpu-hot", "")
    try script.expect("removed for good", [:], absent: [ticks], entities: series.count - 1)

    // Another name.
    bench.configure { $0.node = "edge.two" }
    bench.take(values)
    try script.publish(bench.run(seconds: 20).configs)
    try script.expect("renamed", [unique(bench, 3): "unavailable"], absent: ["edge-01.cpu_quantity"], entities: series.count - 1)
    return script
  }

  @Test(.timeLimit(.minutes(5))) func homeAssistantTakesEveryMessage() throws {
    let seed = UInt64(ProcessInfo.processInfo.environment["GODWIT_SEED"] ?? "") ?? 11
    print("seed \(seed)")
    let folder = try TemporaryFolder()
    let here = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    let python = here.appendingPathComponent("Python")
    let home = here.deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent(".build/homeassistant").path
    // A machine without PyPI, or with a slow way there, has no say in whether the payload is right.
    let installation = try? ChildProcess.run(
      "sh", [python.appendingPathComponent("homeassistant_install.sh").path, home], in: folder, within: 150)
    guard let installation, installation.end == .exited(0) else {
      print("skipped: Home Assistant cannot be installed here: \(installation?.errors.suffix(500) ?? "PyPI is too slow")")
      return
    }
    let broker = try Broker()
    let file = try folder.write("script", try script(seed: seed).lines.joined(separator: "\n"))
    let check = try ChildProcess.run(
      home + "/bin/python",
      [python.appendingPathComponent("homeassistant_check.py").path, file, "\(broker.port)", folder.path(of: "home")],
      in: folder, within: 120)
    #expect(check.end == .exited(0), "\(check.output) \(check.errors.suffix(3_000))")
    print(check.output)
  }
}
