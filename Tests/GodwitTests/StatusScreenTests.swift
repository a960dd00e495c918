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
    return try JSONDecoder().decode(StatusReport.self, from: Data(json.utf8))
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
      for report in [try Self.busy(), try Self.card(), try Self.documented()] {
        let lines = StatusScreen(report: report, width: width, style: .plain).lines()
        #expect(lines.allSatisfy { $0.count <= width }, "width \(width)")
      }
    }
  }
}
