import Foundation
import Platform
import Telemetry
import Testing

@testable import Sensors

/// Files of a directory that others write to.
@Suite final class TextfileTests {
  /// A host whose files are as old as a test says.
  private struct Calls: AbsentCalls {
    let ageMilliseconds: Int64
    func fileAge(_ path: String, modifiedMilliseconds: Int64) -> Int64 { ageMilliseconds }
  }

  private let root = FileManager.default.temporaryDirectory.appendingPathComponent("godwit-textfile-\(UUID().uuidString)")

  init() throws { try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true) }

  deinit { try? FileManager.default.removeItem(at: root) }

  private func write(_ name: String, _ text: String) throws {
    try Data(text.utf8).write(to: root.appendingPathComponent(name))
  }

  private func sensor(_ calls: any HostCalls, _ given: [String: SettingValue] = [:]) throws -> (TextfileSensor, Readings) {
    var readings = Readings()
    readings.begin(nanoseconds: 1_000_000_000)
    let settings = Settings(
      TextfileSensor.kind.settings, given.merging(["directory": .text("/"), "accept": .text("any")]) { given, _ in given })
    let context = SensorContext(host: Host(root: root.path, calls: calls))
    return (try TextfileSensor(context: context, settings: settings, readings: &readings), readings)
  }

  private func values(_ readings: Readings) -> [String: Double] {
    var values: [String: Double] = [:]
    for (series, value) in zip(readings.series, readings.values) where !value.isMissing { values[series.key] = value }
    return values
  }

  /// `touch -d` gives a file of tmpfs or btrfs any time of 64 bits.
  @Test(arguments: [36_500 * 86_400_000, 9_300_000_000_000, .max / 4, .max])
  func aFileMayClaimAnyAge(milliseconds: Int64) throws {
    try write("job.prom", "load 5\n")
    var (sensor, readings) = try sensor(Calls(ageMilliseconds: milliseconds))
    try sensor.sample(into: &readings)
    let found = values(readings)
    #expect(found["custom.load"] == nil)
    #expect(found["custom.age_seconds{kind=\"textfile\",source=\"job\"}"] == 3_153_600_000)
    #expect(found["custom.up{kind=\"textfile\",source=\"job\"}"] == 1)
  }

  @Test(arguments: [0, -1, .min / 4, .min])
  func aFileOfALaterTimeIsNew(milliseconds: Int64) throws {
    try write("job.prom", "load 5\n")
    var (sensor, readings) = try sensor(Calls(ageMilliseconds: milliseconds))
    try sensor.sample(into: &readings)
    #expect(values(readings)["custom.load"] == 5)
  }

  /// Keys and values of labels go into every message and are kept for the life of the buffer.
  @Test func labelsAreBounded() throws {
    let (long, much) = (String(repeating: "k", count: 129), String(repeating: "v", count: 129))
    try write("job.prom", "a{\(long)=\"v\"} 1\nb{k=\"\(much)\"} 2\nc{\(long.dropLast())=\"\(much.dropLast())\"} 3\n")
    var (sensor, readings) = try sensor(Calls(ageMilliseconds: 0))
    try sensor.sample(into: &readings)
    #expect(Set(readings.series.map(\.metric.name)) == ["custom.c", "custom.up", "custom.age_seconds", "custom.refused_total"])
    #expect(values(readings)["custom.refused_total{kind=\"textfile\",source=\"job\"}"] == 2)
  }

  /// Each value of a label is remembered: within its bound only.
  @Test func manyLongLabelsAreNotKept() throws {
    var (sensor, readings) = try sensor(Calls(ageMilliseconds: 0))
    for round in 0..<50 {
      try write("job.prom", "a{k=\"\(round)\(String(repeating: "v", count: 200_000))\"} 1\n")
      try sensor.sample(into: &readings)
    }
    #expect(readings.series.count == 3)
    #expect(values(readings)["custom.refused_total{kind=\"textfile\",source=\"job\"}"] == 50)
  }

  @Test func filesOfEverNewNamesDoNotMakeSeriesWithoutEnd() throws {
    var (sensor, readings) = try sensor(Calls(ageMilliseconds: 0))
    for round in 0..<CustomLimits.sources + 50 {
      try write("backup-\(round).prom", "size 1\n")
      readings.begin(nanoseconds: Int64(round))
      try sensor.sample(into: &readings)
      #expect(values(readings)["custom.size"] == 1)
      try FileManager.default.removeItem(at: root.appendingPathComponent("backup-\(round).prom"))
    }
    #expect(readings.series.count == 3 * (CustomLimits.sources + 1) + 1)
    #expect(values(readings)["custom.up{kind=\"textfile\",source=\"other\"}"] == 1)
  }
}
