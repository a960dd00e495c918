import Foundation
import Platform
import Profile
import Telemetry
import Testing

@testable import Sensors

@Suite struct WiFiTests {
  /// Frequencies and channels of IEEE 802.11-2020, annex E, and of `iw list`.
  @Test(arguments: [
    (2412, 1), (2437, 6), (2472, 13), (2484, 14), (4920, 184), (5180, 36), (5500, 100), (5825, 165), (5955, 1), (6115, 33),
    (7115, 233),
    (5935, 2), (58_320, 1), (60_480, 2), (64_800, 4),
  ])
  func channelsAreThoseOfTheStandard(megahertz: Int, channel: Int) {
    #expect(NL80211.channel(Double(megahertz) * 1e6) == Double(channel))
  }

  @Test(arguments: [0, 868, 2400, 4900, 5930, 5950, 50_000, 80_000])
  func otherFrequenciesHaveNone(megahertz: Int) {
    #expect(NL80211.channel(Double(megahertz) * 1e6) == nil)
  }

  /// A link that is 3 s old and was 10 s old before has been down in between; at another access point it has roamed.
  @Test func roamsAndLinkDownsAreCounted() {
    var readings = Readings()
    var interface = WiFiInterface("wlan0")
    func value(_ metric: Metric) -> Double { readings.values[readings.slot(metric, [Label("interface", "wlan0")]).index] }
    var steps: [(station: NL80211.Station?, roams: Double, downs: Double)] = []
    func station(_ address: UInt64, _ seconds: UInt32) -> NL80211.Station {
      NL80211.Station(address: address, connectedSeconds: seconds)
    }
    steps = [
      (nil, 0, 0), (station(1, 5), 0, 0), (station(1, 10), 0, 0), (station(1, 3), 0, 1), (station(2, 0), 1, 1), (nil, 1, 2),
      (nil, 1, 2), (station(2, 1), 1, 2), (nil, 1, 3), (station(1, 1), 2, 3),
    ]
    for (index, step) in steps.enumerated() {
      readings.begin(nanoseconds: Int64(index + 1) * 10_000_000_000)
      interface.set(client: step.station.map { [$0] } ?? [], withAddress: false, into: &readings)
      #expect(value(WiFiMetrics.roams) == step.roams, "step \(index)")
      #expect(value(WiFiMetrics.linkDowns) == step.downs, "step \(index)")
      #expect(value(WiFiMetrics.connected) == (step.station == nil ? 0 : 1), "step \(index)")
    }
  }

  @Test func addressesAreBounded() {
    var readings = Readings()
    var interface = WiFiInterface("wlan0")
    for address in 1...UInt64(40) {
      readings.begin(nanoseconds: Int64(address))
      interface.set(client: [NL80211.Station(address: address)], withAddress: true, into: &readings)
    }
    let labels = readings.series.compactMap { $0.label("access_point") }
    #expect(labels.count == WiFiInterface.accessPoints + 1)
    #expect(labels.first == "00:00:00:00:00:01" && labels.last == "other")
  }

  /// The examples of the documents are profiles.
  @Test(arguments: ["wifi", "connections"])
  func theDocumentsExamplePasses(kind: String) throws {
    let path = CaseTests.folder.appendingPathComponent("../../../docs/sensors/\(kind).md").standardizedFileURL
    let parts = try String(contentsOf: path, encoding: .utf8).components(separatedBy: "```")
    let example = try #require(parts.first { $0.hasPrefix("yaml\n") }).dropFirst(5)
    let text = example.hasPrefix("sensors:") ? String(example) : "sensors:\n  \(kind):\n\(example)"
    let profile = try Profile.parse(
      files: [(kind, Array("node: example\n\(text)".utf8))], catalogue: SensorCatalogue.kinds,
      environment: ProfileEnvironment(hostName: "example", hardware: HardwareFolders([CaseRun.hardware])))
    #expect(profile.alerts.count == 2)
    #expect(profile.alerts.allSatisfy { kind == "connections" || $0.when.threshold == -75 || $0.when.threshold == 1 })
  }
}
