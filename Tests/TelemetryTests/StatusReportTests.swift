import Foundation
import Telemetry
import Testing

@Suite struct StatusReportTests {
  static let document = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("docs/status.md")

  /// The example between the fences of the document.
  static func example() throws -> Data {
    let text = try String(contentsOf: document, encoding: .utf8)
    let fenced = try #require(text.components(separatedBy: "```json\n").last?.components(separatedBy: "```").first)
    return Data(fenced.utf8)
  }

  /// Paths of all keys: `tick.seq`, `sensors[].name`; what is below a map of free keys is not looked at.
  static func paths(of value: Any, at path: String = "") -> Set<String> {
    if ["m", "units", "labels"].contains(path) { return [path] }
    if let object = value as? [String: Any] {
      return object.reduce(into: []) { $0.formUnion(paths(of: $1.value, at: path.isEmpty ? $1.key : "\(path).\($1.key)")) }
    }
    if let array = value as? [Any] { return array.reduce(into: []) { $0.formUnion(paths(of: $1, at: "\(path)[]")) } }
    return [path]
  }

  @Test func theDocumentsExampleIsAReport() throws {
    let report = try JSONDecoder().decode(StatusReport.self, from: Self.example())
    #expect(report.source == .agent)
    #expect(report.tick.lateMaxMilliseconds == 4.5)
    #expect(report.sensors.last?.failures == 30)
    #expect(report.values[#"cpu.core_usage_percent{core="0"}"#] == 95)
    let written = try JSONSerialization.jsonObject(with: Data(report.json())) as? NSDictionary
    let documented = try JSONSerialization.jsonObject(with: Self.example()) as? NSDictionary
    #expect(written == documented)
  }

  @Test func theDocumentListsEveryKeyAndNoOther() throws {
    let report = try JSONDecoder().decode(StatusReport.self, from: Self.example())
    let written = Self.paths(of: try JSONSerialization.jsonObject(with: Data(report.json())))
    let rows = try String(contentsOf: Self.document, encoding: .utf8).split(separator: "\n").filter { $0.hasPrefix("| `") }
    let documented = rows.compactMap { $0.split(separator: "`").dropFirst().first.map(String.init) }
    #expect(Set(documented) == written)
    #expect(documented.count == written.count, "a key is listed twice")
  }

  @Test func anEmptyReportRoundTrips() throws {
    let report = StatusReport(source: .buffer, node: "edge \"01\"", time: "2026-11-20T22:40:01.000Z")
    #expect(try JSONDecoder().decode(StatusReport.self, from: Data(report.json())) == report)
  }

  @Test func extremesRoundTrip() throws {
    var report = StatusReport(source: .agent, node: "", time: "")
    report.labels = ["a\n": "\\", "": ""]
    report.tick.seq = .max
    report.uplink.owed = .max
    report.clock.synced = false
    report.clock.offsetSeconds = -1e-9
    report.alerts = [.init(rule: "r", severity: "info", state: "firing", series: "s", value: -0.5, since: nil, message: "é")]
    report.values = ["x{a=\"\\\"\"}": 1e300, "y": -0.25, "z": 0]
    #expect(try JSONDecoder().decode(StatusReport.self, from: Data(report.json())) == report)
  }

  @Test func whatIsNotFiniteOrHasNoUnitIsLeftOut() throws {
    var report = StatusReport(source: .agent, node: "n", time: "")
    report.units = ["a": "", "d": "%"]
    report.values = ["a": .nan, "b": .infinity, "c": .missing, "d": 1]
    let decoded = try JSONDecoder().decode(StatusReport.self, from: Data(report.json()))
    #expect(decoded.values == ["d": 1])
    #expect(decoded.units == ["d": "%"])
  }
}
