import Foundation
import Telemetry
import Testing

@testable import godwit

/// The screen against texts under Golden/; refreshed with GODWIT_REFRESH=1, then read by a person.
@Suite struct StatusScreenTests {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Golden")

  /// The report that the documentation shows.
  static func documented() throws -> StatusReport {
    let document = folder.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("docs/status.md")
    let text = try String(contentsOf: document, encoding: .utf8)
    let json = try #require(text.components(separatedBy: "```json\n").last?.components(separatedBy: "```").first)
    var report = try JSONDecoder().decode(StatusReport.self, from: Data(json.utf8))
    // StatusEndingsTests has them.
    report.ended = []
    return report
  }

  /// A board with much to say: all groups of values, alerts of all states, a broken link.
  static func busy() throws -> StatusReport {
    var report = try documented()
    report.clock.synced = false
    report.buffer.bytes = 250_000_000
    report.buffer.state = "memory-only"
    report.buffer.problem = "commit: /var/lib/godwit/buffer.db: disk full"
    report.uplink.state = "waiting"
    report.uplink.attempts = 7
    report.uplink.lastError = "connection refused"
    report.uplink.owed = 86_400
    report.alerts.append(
      .init(
        rule: "disk-full", severity: "critical", state: "clearing", series: #"disk.usage_percent{mount="/"}"#, value: 89,
        since: nil,
        message: #"disk.usage_percent{mount="/"} is 89 % (disk-full: > 90)"#))
    report.alerts.append(
      .init(
        rule: "hot", severity: "info", state: "pending", series: "s", value: 1, since: "2026-11-19T01:02:03.000Z", message: "m"))
    report.values.merge([
      "memory.usage_percent": 41.5, "memory.swap_usage_percent": 0, #"thermal.temperature_celsius{zone="cpu-thermal"}"#: 78.2,
      #"disk.usage_percent{mount="/"}"#: 89, #"disk.usage_percent{mount="/boot/firmware"}"#: 14.3,
      #"disk.read_bytes_per_second{device="mmcblk0"}"#: 0, #"disk.write_bytes_per_second{device="mmcblk0"}"#: 131_072,
      #"network.receive_bytes_per_second{interface="eth0"}"#: 1_572_864,
      #"network.transmit_bytes_per_second{interface="eth0"}"#: 10_240,
      #"network.receive_bytes_per_second{interface="wlan0"}"#: 5,
    ]) { $1 }
    for core in 0..<9 { report.values["disk.usage_percent{mount=\"/mnt/\(core)\"}"] = Double(core * 10) }
    report.units.merge([
      "memory.usage_percent": "%", "memory.swap_usage_percent": "%", "thermal.temperature_celsius": "°C",
      "disk.usage_percent": "%",
      "disk.read_bytes_per_second": "B/s", "network.receive_bytes_per_second": "B/s",
    ]) { $1 }
    return report
  }

  /// A board with hardware of its own, several things wrong with it.
  static func equipped() throws -> StatusReport {
    var report = try documented()
    report.uplink.state = "waiting"
    report.uplink.lastError = "the broker's certificate is not trusted: self-signed certificate in certificate chain"
    report.uplink.warning = "verify_server_name is false: whoever holds a certificate of this authority can be the broker"
    report.sensors += [
      sensor("gpu", "absent", problem: "absent: /sys/class/drm"), sensor("i2c", "partial", values: 5, problem: problems[0]),
      sensor("systemd", "failed", problem: problems[1]), sensor("gpu_processes", "timed out", problem: problems[2]),
      sensor("modem", "absent", problem: "absent: ModemManager is not on the system's bus (org.freedesktop.ModemManager1)"),
    ]
    report.alerts.append(
      .init(
        rule: "gateway-does-not-answer-for-a-long-time", severity: "critical", state: "firing", series: "s", value: 1,
        since: "2026-11-19T01:02:03.000Z", message: problems[3]))
    let values: [(String, Double, String)] = [
      (#"gpu.usage_percent{gpu="v3d"}"#, 37.5, "%"), (#"gpu.temperature_celsius{gpu="0000:03:00.0",sensor="edge"}"#, 61, "°C"),
      (#"gpu.memory_usage_percent{gpu="0000:03:00.0"}"#, 80, "%"), (#"gpu.power_watts{gpu="0000:03:00.0"}"#, 25.25, "W"),
      (#"accelerator.temperature_celsius{device="hailo0",sensor="ts0"}"#, 52, "°C"), (#"gpio.active{input="door"}"#, 1, ""),
      (#"gpio.active{input="leak"}"#, 0, ""), (#"gpio.units_per_hour{input="water"}"#, 12.125, ""),
      (#"i2c.temperature_celsius{channel="temperature",chip="bme280",device="rack"}"#, 23.375, "°C"),
      (#"i2c.humidity_percent{channel="humidity",chip="bme280",device="rack"}"#, 41.5, "%"),
      (#"i2c.device_up{chip="bme280",device="rack"}"#, 1, ""), (#"custom.up{kind="exec",source="ups"}"#, 1, ""),
      ("custom.ups_load_percent", 18, "%"), (#"custom.jobs_total{queue="mail"}"#, 1234, ""),
      (#"custom.dropped_total{kind="push",source="push"}"#, 3, ""), (#"power.charge_percent{supply="BAT0"}"#, 77, "%"),
    ]
    for (key, value, unit) in values {
      report.values[key] = value
      report.units[SeriesKey(key).name] = unit
    }
    for index in 0..<12 { report.values["custom.line\(index)"] = Double(index) }
    return report
  }

  static let problems = [
    "rack: no answer at 0x76 on bus 1 (errno 121); door: another driver, lm75, holds 0x48 of bus 1: see the sensor hwmon",
    "the bus answered ListUnits with org.freedesktop.DBus.Error.AccessDenied: Permission denied",
    "no answer within 5s; its thread was given up",
    "gateway 192.0.2.1 lost 100 % of its probes (gateway-does-not-answer-for-a-long-time: > 20)",
  ]

  private static func sensor(_ name: String, _ state: String, values: Int = 0, problem: String) -> StatusReport.Sensor {
    var sensor = StatusReport.Sensor(name: name, state: state)
    (sensor.everyMilliseconds, sensor.values, sensor.problem) = (10_000, values, problem)
    return sensor
  }

  /// A card in a reader.
  static func card() throws -> StatusReport {
    var report = StatusReport(source: .buffer, node: "edge-01", time: "2026-11-20T22:39:55.000Z")
    report.buffer.path = "/mnt/card/var/lib/godwit/buffer.db"
    report.buffer.state = "read-only"
    report.buffer.ticks = 12_001
    report.buffer.first = "2026-11-20T19:20:01.000Z"
    report.clock.synced = true
    report.uplink.configured = true
    report.uplink.owed = 17
    report.values = ["cpu.usage_percent": 12.5, "cpu.load1": 0.5]
    report.units = ["cpu.usage_percent": "%"]
    return report
  }

  static func compare(_ lines: [String], with name: String) throws {
    let actual = lines.map { $0 + "\n" }.joined()
    let file = folder.appendingPathComponent(name)
    if ProcessInfo.processInfo.environment["GODWIT_REFRESH"] != nil {
      try actual.write(to: file, atomically: true, encoding: .utf8)
    }
    #expect(try actual == String(contentsOf: file, encoding: .utf8), "the screen differs from Golden/\(name)")
  }

  @Test(arguments: [60, 100, 140])
  func aHealthyNode(width: Int) throws {
    let screen = StatusScreen(report: try Self.documented(), width: width, style: .plain)
    try Self.compare(screen.lines(), with: "status-healthy-\(width).txt")
  }

  @Test(arguments: [false, true])
  func aNodeInTrouble(isColoured: Bool) throws {
    let screen = StatusScreen(report: try Self.busy(), width: 100, style: Style(isColoured: isColoured))
    try Self.compare(screen.lines(), with: "status-trouble-\(isColoured ? "coloured" : "plain").txt")
  }

  @Test(arguments: [60, 80, 200])
  func aNodeWithHardwareOfItsOwn(width: Int) throws {
    let screen = StatusScreen(report: try Self.equipped(), width: width, style: .plain)
    try Self.compare(screen.lines(), with: "status-equipped-\(width).txt")
  }

  /// Each word of each problem, in its order, whatever is between the lines.
  @Test(arguments: [40, 60, 80, 99, 120, 200])
  func noProblemIsCut(width: Int) throws {
    let report = try Self.equipped()
    let screen = StatusScreen(report: report, width: width, style: .plain, agentProblem: "its socket /run/godwit/s is not there")
    let text = screen.lines().joined(separator: " ").filter { $0 != " " }
    let problems =
      Self.problems + [
        try #require(report.uplink.lastError), try #require(report.uplink.warning), "its socket /run/godwit/s is not there",
      ]
    for problem in problems { #expect(text.contains(problem.filter { $0 != " " }), "\(problem) is cut") }
  }

  @Test func aBufferFile() throws {
    let screen = StatusScreen(
      report: try Self.card(), width: 100, style: .plain, agentProblem: "nobody listens at its socket")
    try Self.compare(screen.lines(), with: "status-buffer.txt")
  }

  @Test func anEmptyReport() throws {
    let screen = StatusScreen(report: StatusReport(source: .buffer, node: "n", time: ""), width: 100, style: .plain)
    try Self.compare(screen.lines(), with: "status-empty.txt")
  }

  @Test func noLineIsWiderThanAsked() throws {
    for width in [40, 57, 80, 133] {
      for report in [try Self.busy(), try Self.card(), try Self.documented(), try Self.equipped()] {
        let lines = StatusScreen(report: report, width: width, style: .plain).lines()
        #expect(lines.allSatisfy { $0.count <= width }, "width \(width)")
      }
    }
  }
}
