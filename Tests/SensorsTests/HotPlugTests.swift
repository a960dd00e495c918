import Foundation
import Glibc
import Platform
import Telemetry
import Testing

@testable import Sensors

/// What a case folder cannot show: devices that come and go between many samples, and answers that only a driver gives.
@Suite struct HotPlugTests {
  /// A tree of hwmon chips that the test changes.
  final class Tree {
    let root = FileManager.default.temporaryDirectory.appendingPathComponent("godwit-hotplug-\(UUID().uuidString)")

    deinit { try? FileManager.default.removeItem(at: root) }

    func write(_ path: String, _ text: String) throws {
      let file = root.appendingPathComponent(path)
      try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: file)
    }

    func chip(_ number: Int, _ name: String, millidegrees: Int) throws {
      try write("sys/class/hwmon/hwmon\(number)/name", name + "\n")
      try write("sys/class/hwmon/hwmon\(number)/temp1_input", "\(millidegrees)\n")
    }

    func remove(_ path: String) throws { try FileManager.default.removeItem(at: root.appendingPathComponent(path)) }
  }

  /// The values by chip, after as many samples as it takes to look for devices once.
  static func names(_ sensor: inout HwmonSensor, _ readings: inout Readings) throws -> [String: Double] {
    for step in 1...HotPlug.samplesBetweenLooks {
      readings.begin(nanoseconds: Int64(step) * 1_000_000_000)
      try sensor.sample(into: &readings)
    }
    var values: [String: Double] = [:]
    for (series, value) in zip(readings.series, readings.values) where !value.isMissing {
      values[series.label("chip") ?? ""] = value
    }
    return values
  }

  @Test func chipsThatComeAndGoAreNoticed() throws {
    let tree = Tree()
    try tree.chip(0, "board", millidegrees: 30_000)
    var readings = Readings()
    let kind = HwmonSensor.kind
    var sensor = try HwmonSensor(
      context: SensorContext(host: Host(root: tree.root.path)), settings: Settings(kind.settings), readings: &readings)

    let first = try Self.names(&sensor, &readings)
    #expect(first == ["board": 30])
    try tree.chip(1, "probe", millidegrees: 40_000)
    let plugged = try Self.names(&sensor, &readings)
    #expect(plugged == ["board": 30, "probe": 40])
    try tree.remove("sys/class/hwmon/hwmon1")
    let unplugged = try Self.names(&sensor, &readings)
    #expect(unplugged == ["board": 30])
    // Back under another number: the same series as before.
    try tree.chip(7, "probe", millidegrees: 50_000)
    let back = try Self.names(&sensor, &readings)
    #expect(back == ["board": 30, "probe": 50])
    #expect(readings.series.count == 2)
  }

  @Test func whenAllAreGoneTheSensorIsAbsent() throws {
    let tree = Tree()
    try tree.chip(0, "board", millidegrees: 30_000)
    var readings = Readings()
    var sensor = try HwmonSensor(
      context: SensorContext(host: Host(root: tree.root.path)), settings: Settings(HwmonSensor.kind.settings), readings: &readings
    )
    _ = try Self.names(&sensor, &readings)
    try tree.remove("sys/class/hwmon/hwmon0")
    #expect(throws: SensorError.absent("/sys/class/hwmon")) { _ = try Self.names(&sensor, &readings) }
  }

  @Test func aVanishedDeviceHastensTheNextLook() throws {
    let tree = Tree()
    try tree.chip(0, "board", millidegrees: 30_000)
    var hotPlug = HotPlug(host: Host(root: tree.root.path), directory: "/sys/class/hwmon")
    hotPlug.deviceVanished()
    var due: [Int] = []
    for sample in 1...(3 * HotPlug.samplesBetweenLooks) where hotPlug.isDue() { due.append(sample) }
    #expect(due == [HotPlug.samplesAfterLoss])
  }

  @Test func everyTenthLookRefreshes() throws {
    let tree = Tree()
    try tree.chip(0, "board", millidegrees: 30_000)
    var hotPlug = HotPlug(host: Host(root: tree.root.path), directory: "/sys/class/hwmon")
    var due: [Int] = []
    for sample in 1...1300 where hotPlug.isDue() { due.append(sample) }
    #expect(due == [600, 1200])
  }

  @Test func noReadingNowIsNoProblem() {
    var readings = Readings()
    for code in [ENODATA, EAGAIN] {
      #expect(NumberFile.note(.io(path: "/sys/x", errno: code), into: &readings) == .nothing)
    }
    #expect(readings.problem == nil)
    #expect(NumberFile.note(.io(path: "/sys/x", errno: EIO), into: &readings) == .failed)
    #expect(NumberFile.note(.absent("/sys/x"), into: &readings) == .vanished)
    #expect(readings.problemCount == 2)
  }

  @Test func switchedOffPressureIsAbsent() {
    #expect(PressureSensor.isAbsence(.io(path: "/proc/pressure/cpu", errno: EOPNOTSUPP)))
    #expect(PressureSensor.isAbsence(.absent("/proc/pressure/cpu")))
    #expect(!PressureSensor.isAbsence(.io(path: "/proc/pressure/cpu", errno: EACCES)))
  }

  @Test(arguments: [
    ("temp1_input", "temp", "temp1", "input"), ("in0_lcrit_alarm", "in", "in0", "lcrit_alarm"),
    ("power12_average", "power", "power12", "average"),
  ])
  func attributesSplit(entry: String, family: String, id: String, item: String) throws {
    let parts = try #require(HwmonChip.split(entry))
    #expect(parts.family == family && parts.id == id && parts.item == item)
  }

  @Test(arguments: ["name", "temp_input", "1_input", "_input", "temp1x_input", "Temp1_input", "update_interval", ""])
  func otherEntriesAreNoAttributes(entry: String) {
    #expect(HwmonChip.split(entry) == nil)
  }
}
