import Foundation
import Platform
import Profile
import Telemetry
import Testing

@testable import Sensors

@Suite struct I2CSensorTests {
  /// A clock that goes on by a second each time it is read.
  private final class SlowTime {
    var milliseconds: Int64 = 0

    func read() -> Int64 {
      defer { milliseconds += 1_000 }
      return milliseconds
    }
  }

  private static func settings(_ text: String) throws -> Settings {
    let profile = try Profile.parse(
      files: [("profile.yaml", Array("node: n\nsensors:\n  i2c:\n    devices: \(text)\n".utf8))], catalogue: [I2CSensor.kind],
      environment: ProfileEnvironment(hostName: "n", hardware: HardwareFolders([CaseRun.hardware])))
    return try #require(profile.sensors.first).settings
  }

  /// Devices that were read, by their number, in a sample.
  private static func read(_ readings: Readings) -> [String] {
    zip(readings.series, readings.values).filter { $0.0.metric.name == "i2c.device_up" && $0.1 == 1 }
      .compactMap { $0.0.label("device") }.sorted()
  }

  @Test func theDevicesThatTimeDoesNotReachComeFirstInTheNextSample() throws {
    let root = FileManager.default.temporaryDirectory.appendingPathComponent("godwit-i2c-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: root) }
    let folder = root.appendingPathComponent(".host/i2c")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let bus = (8...15).map { "at 4\(String($0, radix: 16, uppercase: true))\nregister 00 = 19 00\n" }.joined()
    try bus.write(to: folder.appendingPathComponent("1"), atomically: true, encoding: .utf8)
    let devices = (8...15).map { "{chip: lm75, address: 0x4\(String($0, radix: 16)), name: d\($0 - 8)}" }
    var readings = Readings()
    var sensor = try I2CSensor(
      context: SensorContext(host: Platform.Host(root: root.path)),
      settings: Self.settings("[\(devices.joined(separator: ", "))]"),
      readings: &readings)
    let time = SlowTime()
    sensor.now = { time.read() }
    var seen: [[String]] = []
    for _ in 0..<4 {
      readings.begin(nanoseconds: 0)
      try sensor.sample(into: &readings)
      seen.append(Self.read(readings))
    }
    // The first one always, and those that are begun within 2.5 s: after 1 s and 2 s.
    #expect(seen == [["d0", "d1", "d2"], ["d3", "d4", "d5"], ["d0", "d6", "d7"], ["d1", "d2", "d3"]])
    let errors = try #require(readings.series.firstIndex { $0.key.contains("errors_total") && $0.label("device") == "d0" })
    #expect(readings.values[errors] == 2)
    #expect(readings.series[errors].label("kind") == "timeout")
  }
}
