import Foundation
import Glibc
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

  /// A bus with one who answers from a folder; gone with the test.
  private final class Bus {
    let root = URL(fileURLWithPath: "/tmp/godwit-replay-\(UInt32.random(in: 0...UInt32.max))")
    private var processes: [Process] = []

    init(recordings: String) throws {
      let place = root.appendingPathComponent("run/dbus")
      try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
      let configuration = """
        <busconfig><type>session</type><listen>unix:path=\(place.path)/system_bus_socket</listen><auth>EXTERNAL</auth>
        <policy context="default"><allow send_destination="*"/><allow receive_type="method_call"/><allow receive_type="signal"/>
        <allow receive_type="method_return"/><allow receive_type="error"/><allow own="*"/></policy></busconfig>
        """
      try Data(configuration.utf8).write(to: place.appendingPathComponent("bus.conf"))
      try start("/usr/bin/dbus-daemon", ["--config-file=\(place.path)/bus.conf", "--nofork", "--print-address=1"])
      let script = CaseTests.folder.appendingPathComponent("../Python/dbus_replay.py").path
      try start("/usr/bin/python3", [script, "unix:path=\(place.path)/system_bus_socket", recordings])
    }

    /// Starts a program and waits for its first line.
    private func start(_ program: String, _ arguments: [String]) throws {
      let process = Process()
      let pipe = Pipe()
      process.executableURL = URL(fileURLWithPath: program)
      process.arguments = arguments
      process.standardOutput = pipe
      process.standardError = FileHandle.nullDevice
      try process.run()
      processes.append(process)
      try #require(!pipe.fileHandleForReading.availableData.isEmpty, "\(program) ended")
    }

    deinit {
      for process in processes {
        // A thread of the tests may have SIGTERM blocked, and its children with it.
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
      }
      try? FileManager.default.removeItem(at: root)
    }
  }

  @Test(
    .enabled(if: canRun, "dbus-daemon or python3-dbus is missing"),
    arguments: [
      ("systemd", "x86-server/input", 30), ("systemd", "booting/input.2", 12), ("modem", "lte/input", 20),
      ("modem", "sim/input", 10),
    ])
  func aSensorSeesTheSameOverABus(kind: String, name: String, least: Int) throws {
    let folder = CaseTests.folder.appendingPathComponent("\(kind)/\(name)")
    let bus = try Bus(recordings: folder.path + "/.host/dbus")
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
