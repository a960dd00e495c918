import Foundation
import Sensors
import Telemetry
import Testing

@testable import Profile

/// What is shipped says what the code does.
@Suite struct ReferenceTests {
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  static func bytes(_ path: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: root.appendingPathComponent(path)))
  }

  @Test func theReferenceIsMadeFromTheTables() throws {
    let text = ProfileReference.markdown(catalogue: SensorCatalogue.kinds)
    let file = Self.root.appendingPathComponent("docs/profile.md")
    if ProcessInfo.processInfo.environment["GODWIT_REFRESH"] != nil {
      try text.write(to: file, atomically: true, encoding: .utf8)
    }
    #expect(try String(contentsOf: file, encoding: .utf8) == text, "docs/profile.md is old: GODWIT_REFRESH=1 writes it again")
  }

  @Test func everyDefaultIsAValueOfItsType() {
    let sections = [
      ProfileSchema.root, ProfileSchema.buffer, ProfileSchema.uplink, ProfileSchema.control, ProfileSchema.log,
      ProfileSchema.sensor,
      ProfileSchema.alert, ProfileSchema.output, ProfileSchema.watchdog, ProfileSchema.shutdown, ProfileSchema.identity,
    ]
    for spec in sections.flatMap(\.specs) + SensorCatalogue.kinds.flatMap({ Self.withItems($0.settings) }) {
      guard let fallback = spec.fallback else { continue }
      #expect(throws: Never.self, "\(spec.key): \(fallback)") { try spec.type.parse(fallback) }
    }
  }

  /// With the keys of lists' items.
  private static func withItems(_ specs: [SettingSpec]) -> [SettingSpec] {
    specs.flatMap { spec in
      if case .items(let keys) = spec.type { return [spec] + withItems(keys) }
      return [spec]
    }
  }

  @Test func noSensorHasAKeyThatAllSensorsHave() {
    let common = Set(ProfileSchema.sensor.specs.map(\.key))
    for kind in SensorCatalogue.kinds {
      #expect(common.isDisjoint(with: kind.settings.map(\.key)), "\(kind.name)")
    }
  }

  @Test func theSamplePassesAndTheExampleOverIt() throws {
    let sample = (name: "profile.yaml", text: try Self.bytes("etc/godwit/profile.yaml"))
    let example = (name: "profile.d/50-site.yaml", text: try Self.bytes("etc/godwit/profile.d/50-site.yaml.example"))
    let profile = try Profile.parse(files: [sample], catalogue: SensorCatalogue.kinds, environment: Fixture.environment)
    #expect(Set(profile.sensors.map(\.kind)) == Set(SensorCatalogue.kinds.map(\.name)))
    #expect(profile.uplink == nil)
    let merged = try Profile.parse(files: [sample, example], catalogue: SensorCatalogue.kinds, environment: Fixture.environment)
    #expect(merged.uplink?.brokers.first?.host == "broker.example")
    #expect(!merged.sensors.contains { $0.kind == "pressure" })
    #expect(merged.alerts.count == profile.alerts.count - 1)
  }

  @Test func theExampleOfAnEdgeDevicePasses() throws {
    let file = (name: "edge-device.yaml", text: try Self.bytes("docs/examples/edge-device.yaml"))
    let profile = try Profile.parse(files: [file], catalogue: SensorCatalogue.kinds, environment: Fixture.environment)
    let watched = Set(profile.alerts.map(\.metric))
    for metric in [
      "processes.group_running", "smart.healthy", "smart.failing_soon", "mounts.present", "mounts.turned_read_only",
      "mounts.filesystem_errors", "mounts.responding", "raid.degraded", "latency.certificate_seconds_left", "latency.up",
      "wifi.connected", "connections.unexpected_listener",
    ] { #expect(watched.contains(metric), "no rule watches \(metric)") }
    let rule = try #require(profile.alerts.first { $0.metric == "latency.certificate_seconds_left" })
    #expect(rule.when.threshold == 14 * 86_400)
  }

  @Test func theCommentedUplinkOfTheSamplePasses() throws {
    let text = String(decoding: try Self.bytes("etc/godwit/profile.yaml"), as: UTF8.self)
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    let start = try #require(lines.firstIndex(of: "# uplink:"))
    let uplink = lines[start...].prefix { $0.hasPrefix("#") }.map { $0.dropFirst(2) }.joined(separator: "\n")
    let profile = try Profile.parse(
      files: [("profile.yaml", Array(uplink.utf8))], catalogue: SensorCatalogue.kinds, environment: Fixture.environment)
    #expect(profile.uplink?.brokers.first?.port == 8883)
  }
}
