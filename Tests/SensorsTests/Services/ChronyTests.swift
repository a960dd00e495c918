import Foundation
import Platform
import Telemetry
import Testing

@testable import Sensors

/// The time sensor beside chronyc: a chronyd that keeps no clock (`-x`) follows another on the loopback.
@Suite(.serialized) struct ChronyTests {
  private func daemon(_ lines: String) throws -> ServerProgram? {
    try ServerProgram(
      "chronyd",
      files: { folder in
        let common = "pidfile \(folder.path)/chronyd.pid\nbindcmdaddress /\nbindcmdaddress 127.0.0.1\n"
        try (common + lines).write(to: folder.appendingPathComponent("chrony.conf"), atomically: true, encoding: .utf8)
      }, arguments: { _ in ["-x", "-d", "-U", "-u", NSUserName(), "-f", "chrony.conf"] })
  }

  private func chronyc(_ port: UInt16, _ report: String) throws -> [[String]]? {
    let text = try ServicePeers.output("chronyc", ["-h", "127.0.0.1", "-p", "\(port)", "-c", "-n", report])
    return text.map {
      $0.split(separator: "\n").map { $0.split(separator: ",", omittingEmptySubsequences: false).map { String($0) } }
    }
  }

  private func isNear(_ ours: Double?, _ theirs: String, _ other: String, _ digits: Double) -> Bool {
    guard let ours, let theirs = Double(theirs), let other = Double(other) else { return false }
    return ours >= min(theirs, other) - digits && ours <= max(theirs, other) + digits
  }

  /// chronyd lists them with numbers in place of addresses, and so does `chronyc sources -a`; without `-a` they are left out.
  @Test func sourcesWithoutAnAddressAreNone() throws {
    let (port, command) = (try LoopbackServer.closedPort(), try LoopbackServer.closedPort())
    let lines = "pool none.invalid\nserver 127.0.0.1 port \(port)\nport 0\ncmdport \(command)\n"
    guard let client = try daemon(lines) else { return }
    let sensor = try ServicePeers.Sampled("time", "chrony_port: \(command)")
    #expect(
      holdsSoon {
        try? sensor.sample()
        return sensor["time.sources"] != nil
      })
    #expect(sensor["time.sources"] == 1)
    let all = try #require(try ServicePeers.output("chronyc", ["-h", "127.0.0.1", "-p", "\(command)", "-n", "sources", "-a"]))
    #expect(all.split(separator: "\n").filter { $0.split(separator: " ").dropFirst().first?.hasPrefix("ID#") == true }.count > 1)
    #expect(Set(sensor.readings.series.compactMap { $0.label("source") }) == ["127.0.0.1"])
    withExtendedLifetime(client) {}
  }

  @Test func tellsWhatChronycTells() throws {
    let (port, command) = (try LoopbackServer.closedPort(), try LoopbackServer.closedPort())
    guard let server = try daemon("local stratum 8\nport \(port)\nallow 127.0.0.0/8\nbindaddress 127.0.0.1\ncmdport 0\n"),
      let client = try daemon("server 127.0.0.1 port \(port) minpoll 4 maxpoll 4 iburst\nport 0\ncmdport \(command)\n")
    else { return }
    let sensor = try ServicePeers.Sampled("time", "chrony_port: \(command)")
    let selected = "time.source_selected{source=\"127.0.0.1\"}"
    #expect(
      holdsSoon {
        try? sensor.sample()
        return sensor[selected] == 1 && sensor["time.stratum"] == 9
      })
    // The clock may be set right between the two: then both are asked again.
    for _ in 0..<50 {
      guard let before = try chronyc(command, "tracking")?.first, let source = try chronyc(command, "sources")?.first else {
        return
      }
      try sensor.sample()
      guard let after = try chronyc(command, "tracking")?.first, let sourceAfter = try chronyc(command, "sources")?.first else {
        return
      }
      guard before[3] == after[3], source.dropLast(4) == sourceAfter.dropLast(4) else { continue }
      #expect(before[2] == "9" && sensor["time.leap_status"] == 0 && before[13] == "Normal")
      // The fields of `chronyc -c tracking` from the fifth on, in their order; the first drifts.
      for (place, metric) in TimeMetrics.tracked.enumerated() {
        let digits = metric.decimals == 9 ? 2e-9 : metric.decimals == 3 ? 0.0011 : 0.11
        #expect(
          isNear(sensor[metric.name], before[4 + place], after[4 + place], digits),
          "\(metric.name): \(sensor[metric.name] ?? Double.nan), chronyc \(before[4 + place]) and \(after[4 + place])")
      }
      let age = Date().timeIntervalSince1970 - (Double(after[3]) ?? 0)
      #expect(try #require(sensor["time.last_update_seconds"]) <= age + 0.1)
      let label = "{source=\"127.0.0.1\"}"
      #expect(source[0] == "^" && source[1] == "*" && sensor["time.source_state\(label)"] == 0)
      #expect(sensor["time.source_stratum\(label)"] == Double(source[3]))
      let reach = try #require(Int(source[5], radix: 8)).nonzeroBitCount
      #expect(sensor["time.source_reach_percent\(label)"] == Double(reach) * 12.5)
      #expect(isNear(sensor["time.source_sample_seconds\(label)"], source[6], sourceAfter[6], 0.1))
      #expect(isNear(sensor["time.source_offset_seconds\(label)"], source[8], sourceAfter[8], 2e-9))
      #expect(isNear(sensor["time.source_error_seconds\(label)"], source[9], sourceAfter[9], 1e-6))
      #expect(sensor["time.sources"] == 1 && sensor["time.sources_reachable"] == 1)
      withExtendedLifetime((server, client)) {}
      return
    }
    Issue.record("the clock was set right each time")
  }
}
