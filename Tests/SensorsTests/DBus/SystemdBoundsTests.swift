import Foundation
import Glibc
import Platform
import Telemetry
import Testing

@testable import Sensors

/// Many units, units that go, and a systemd that takes its time.
@Suite struct SystemdBoundsTests {
  /// A recorded systemd whose list of units changes; gone with the test.
  private final class Recording {
    let root = URL(fileURLWithPath: "/tmp/godwit-units-\(UInt32.random(in: 0...UInt32.max))")

    private func write(_ json: String, _ path: String) throws {
      let file = root.appendingPathComponent(".host/dbus/org.freedesktop.systemd1/org/freedesktop/systemd1\(path)")
      try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(json.utf8).write(to: file)
    }

    init() throws {
      try write(
        #"{"type":"v","data":[{"type":"s","data":"running"}]}"#,
        "/org.freedesktop.DBus.Properties.Get org.freedesktop.systemd1.Manager SystemState")
    }

    deinit { try? FileManager.default.removeItem(at: root) }

    func list(_ names: [String], _ state: String = "active") throws {
      let units = names.enumerated().map { index, name in
        #"["\#(name)","","loaded","\#(state)","running","","/org/freedesktop/systemd1/unit/u\#(index)",0,"","/"]"#
      }
      try write(
        #"{"type":"a(ssssssouso)","data":[[\#(units.joined(separator: ","))]]}"#, "/org.freedesktop.systemd1.Manager.ListUnits")
      for index in names.indices {
        try write(
          #"{"type":"a{sv}","data":[{"StateChangeTimestamp":{"type":"t","data":1000000}}]}"#,
          "/unit/u\(index)/org.freedesktop.DBus.Properties.GetAll org.freedesktop.systemd1.Unit")
      }
    }
  }

  /// A sensor, sampled again and again.
  private struct Watch {
    var sensor: SystemdSensor
    var readings = Readings()

    init(_ host: Platform.Host, _ units: [String]) throws {
      let settings = Settings(SystemdSensor.kind.settings, ["units": .list(units)])
      sensor = try SystemdSensor(context: SensorContext(host: host), settings: settings, readings: &readings)
    }

    /// The watched units and whether each is active.
    mutating func active() throws -> [String: Double] {
      readings.begin(nanoseconds: 1)
      try sensor.sample(into: &readings)
      var active: [String: Double] = [:]
      for (series, value) in zip(readings.series, readings.values)
      where series.metric.name == "systemd.unit_active" && !value.isMissing {
        active[series.labels.first?.value ?? ""] = value
      }
      return active
    }
  }

  @Test func anInstanceThatIsGoneIsNotActive() throws {
    let recording = try Recording()
    var watch = try Watch(Platform.Host(root: recording.root.path), ["app@*"])
    try recording.list(["app@1.service", "app@2.service", "other.service"])
    #expect(try watch.active() == ["app@1.service": 1, "app@2.service": 1])
    try recording.list(["app@2.service", "other.service"])
    #expect(try watch.active() == ["app@1.service": 0, "app@2.service": 1])
    try recording.list(["app@1.service", "app@2.service"])
    #expect(try watch.active() == ["app@1.service": 1, "app@2.service": 1])
    #expect(watch.readings.problem == nil)
  }

  @Test func aPatternThatFindsManyLeavesRoomForNames() throws {
    let recording = try Recording()
    var watch = try Watch(Platform.Host(root: recording.root.path), ["run-*", "zebra"])
    try recording.list((0..<70).map { "run-\($0).service" } + ["zebra.service"])
    let active = try watch.active()
    #expect(active.count == SystemdMetrics.mostUnits && active["zebra.service"] == 1 && active["run-62.service"] == 1)
    #expect(watch.readings.problem == .device("systemd", what: "7 units more match than the 64 that are watched"))
    // Others than those before: there is no room for them, and the first ones are gone.
    try recording.list(["run-80.service", "zebra.service"])
    let later = try watch.active()
    #expect(later["zebra.service"] == 1 && later["run-0.service"] == 0 && later["run-80.service"] == nil)
  }

  @Test func failedUnitsWithoutANameAreTold() throws {
    let recording = try Recording()
    var watch = try Watch(Platform.Host(root: recording.root.path), [])
    try recording.list((0..<16).map { "job-\($0).service" }, "failed")
    #expect(try watch.active().isEmpty && watch.readings.problem == nil)
    try recording.list(["job-1.service", "late.service"], "failed")
    #expect(try watch.active().isEmpty)
    #expect(
      watch.readings.problem
        == .device("systemd", what: "failed units that are not named: 1; the setting 'failed' allows 16 names in one run"))
  }

  @Test(arguments: [(64, true), (65, false)]) func moreNamesThanPlacesAreRefused(count: Int, isGood: Bool) {
    let names = (0..<count).map { "u\($0)" }
    let faults = SystemdSensor.kind.check(Settings(SystemdSensor.kind.settings, ["units": .list(names)]))
    #expect(faults.isEmpty == isGood)
  }

  /// Answers each call late, and counts them.
  private final class Late: DBus {
    let bus: any DBus
    var count = 0

    init(_ bus: any DBus) { self.bus = bus }

    func call(_ object: DBusObject, _ member: String, _ arguments: [String]) throws(SensorError) -> DBusValue? {
      count += 1
      usleep(500_000)
      return try bus.call(object, member, arguments)
    }
  }

  private struct Calls: AbsentCalls {
    nonisolated(unsafe) let late: Late

    func dbus(at path: String, isBus: Bool) -> any DBus { late }
  }

  @Test func lateAnswersCostOnlyTheRest() throws {
    let recording = try Recording()
    try recording.list((0..<20).map { "run-\($0).scope" })
    let calls = Calls(late: Late(Platform.Host(root: recording.root.path).systemBus))
    var watch = try Watch(Platform.Host(root: recording.root.path, calls: calls), ["run-*.scope"])
    let active = try watch.active()
    // Each call takes half a second at least, so that no more than four begin within two.
    #expect(calls.late.count <= 4 && active.count < 20)
    #expect(watch.readings.problem == .timedOut)
    let counted = zip(watch.readings.series, watch.readings.values).contains {
      $0.key == #"systemd.units{state="active"}"# && $1 == 20
    }
    #expect(counted, "what the list tells is told")
  }
}
