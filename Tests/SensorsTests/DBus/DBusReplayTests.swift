import Foundation
import Platform
import Telemetry
import Testing

@testable import Sensors

/// The recordings of the cases, answered by another implementation of D-Bus over a bus of the test's own: a sensor must see the same.
@Suite struct DBusReplayTests {
  static let canRun =
    FileManager.default.isExecutableFile(atPath: "/usr/bin/dbus-daemon")
    && (try? Subprocess.run(
      "/usr/bin/python3", ["-c", "import dbus, gi"], timeoutMilliseconds: 20_000, outputBytes: 100))?.end == .exited(0)

  @Test(
    .enabled(if: canRun, "dbus-daemon or python3-dbus is missing"),
    arguments: [
      ("systemd", "x86-server/input", 30), ("systemd", "booting/input.2", 12), ("modem", "lte/input", 20),
      ("modem", "sim/input", 10),
    ])
  func aSensorSeesTheSameOverABus(kind: String, name: String, least: Int) throws {
    let folder = CaseTests.folder.appendingPathComponent("\(kind)/\(name)")
    let bus = try PrivateBus()
    let script = CaseTests.folder.appendingPathComponent("../Python/dbus_replay.py").path
    try bus.start("/usr/bin/python3", [script, bus.address, folder.path + "/.host/dbus"])
    let type = try #require(SensorCatalogue.type(named: kind))
    let settings = Settings(type.kind.settings, ["units": .list(["ssh", "myapp@*", "sshd.service", "backup", "-.mount"])])
    func sample(_ host: Platform.Host) throws -> [String] {
      var readings = Readings()
      var sensor = try type.init(context: SensorContext(host: host), settings: settings, readings: &readings)
      readings.begin(nanoseconds: 1)
      try sensor.sample(into: &readings)
      #expect(readings.problem == nil)
      return zip(readings.series, readings.values).filter { !$0.1.isMissing }.map { "\($0.0.key) \($0.1)" }
    }
    let seen = try sample(Platform.Host(root: bus.root.path, calls: LinuxCalls()))
    #expect(seen == (try sample(Platform.Host(root: folder.path))))
    #expect(seen.count >= least, "\(seen.count) values")
  }
}
