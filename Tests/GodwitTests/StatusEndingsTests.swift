import Telemetry
import Testing

@testable import godwit

/// What the screen says of alerts that ended because their series is gone.
@Suite struct StatusEndingsTests {
  private static func lines(_ ended: [StatusReport.Ending]?) -> [String] {
    var report = StatusReport(source: .agent, node: "n", time: "2026-11-20T22:40:01.000Z")
    report.ended = ended
    return StatusScreen(report: report, width: 120, style: .plain).lines()
  }

  @Test func theyAreNamedWithTheirLastValue() throws {
    let lines = Self.lines([
      StatusReport.Ending(
        rule: "disk-full", severity: "critical", series: "disk.usage_percent{mount=\"/usb\"}", value: 95.25, reason: "gone",
        at: "2026-11-20T22:12:40.000Z"),
      StatusReport.Ending(
        rule: "hot", severity: "info", series: "s", value: nil, reason: "gone", at: "2026-11-19T22:12:40.000Z"),
    ])
    let first = try #require(lines.firstIndex(of: "ENDED")) + 1
    #expect(
      lines[first...].prefix(2) == [
        "  gone  disk-full  22:12:40             disk.usage_percent{mount=\"/usb\"} is no longer reported; it was 95.25",
        "  gone  hot        2026-11-19 22:12:40  s is no longer reported",
      ])
    // They are no alerts any more.
    #expect(lines.contains("alerts   none"))
  }

  @Test(arguments: [[], nil] as [[StatusReport.Ending]?])
  func withoutAnyNothingIsSaid(ended: [StatusReport.Ending]?) {
    #expect(!Self.lines(ended).contains("ENDED"))
  }
}
