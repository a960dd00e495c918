import Foundation
import Telemetry
import Testing

/// The report on delivery against docs/uplink.md.
@Suite struct UplinkReportTests {
  private static let text: String? = try? String(
    contentsOf: StatusReportTests.document.deletingLastPathComponent().appendingPathComponent("uplink.md"), encoding: .utf8)

  /// The first example between the fences of the document.
  private static func example() throws -> Data {
    let parts = try #require(text).components(separatedBy: "```json\n")
    return Data(try #require(parts.dropFirst().first?.components(separatedBy: "```").first).utf8)
  }

  @Test func theDocumentsExampleIsAReport() throws {
    let report = try JSONDecoder().decode(UplinkReport.self, from: Self.example())
    #expect(report.connections.first?.payloads.map(\.catchUpSeconds) == [216, 0])
    let written = try JSONSerialization.jsonObject(with: Data(report.json())) as? NSDictionary
    let documented = try JSONSerialization.jsonObject(with: Self.example()) as? NSDictionary
    #expect(written == documented)
  }

  @Test func theDocumentListsEveryKeyAndNoOther() throws {
    let report = try JSONDecoder().decode(UplinkReport.self, from: Self.example())
    let written = StatusReportTests.paths(of: try JSONSerialization.jsonObject(with: Data(report.json())))
    let rows = try #require(Self.text).split(separator: "\n").filter { $0.hasPrefix("| `") }
    let documented = rows.compactMap { $0.split(separator: "`").dropFirst().first.map(String.init) }
    #expect(Set(documented) == written && documented.count == written.count)
  }

  @Test func whatIsUnknownIsNull() throws {
    var report = UplinkReport(source: .buffer, node: "edge \"01\"", time: nil)
    report.connections = [.init(name: "mqtt")]
    report.connections[0].payloads = [.init(name: "json")]
    report.connections[0].payloads[0].owed = .max
    report.connections[0].payloads[0].firstOwed = [[1, .max]]
    let json = report.json()
    #expect(try JSONDecoder().decode(UplinkReport.self, from: Data(json)) == report)
    let keys = try #require(try JSONValue(parsing: json)["connections"]?.elements?.first)
    #expect(keys["state"] == .null && keys["window_s"] == .null && keys["payloads"]?.elements?.first?["catch_up_s"] == .null)
  }
}
