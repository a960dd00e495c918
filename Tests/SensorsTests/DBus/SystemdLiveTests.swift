import Foundation
import Glibc
import Platform
import Telemetry
import Testing

@testable import Sensors

/// The sensor beside systemctl and systemd-analyze, all asking a systemd of the test's own: a user's instance, in a mount namespace where the
/// machine looks booted by systemd. It has services that run, fail and are restarted.
@Suite struct SystemdLiveTests {
  /// A running instance; gone with the test.
  final class Instance {
    let root: URL
    private let process: Process

    static let canRun: Bool = {
      guard geteuid() == 0, FileManager.default.isExecutableFile(atPath: "/lib/systemd/systemd") else { return false }
      let tries = Process()
      tries.executableURL = URL(fileURLWithPath: "/usr/bin/env")
      tries.arguments = ["unshare", "--mount", "sh", "-c", "mount -t tmpfs tmpfs /run"]
      tries.standardError = FileHandle.nullDevice
      guard (try? tries.run()) != nil else { return false }
      tries.waitUntilExit()
      return tries.terminationStatus == 0
    }()

    init() throws {
      root = URL(fileURLWithPath: "/tmp/godwit-systemd-\(UInt32.random(in: 0...UInt32.max))")
      let units = root.appendingPathComponent("etc/systemd/user")
      let run = root.appendingPathComponent("run")
      let files = FileManager.default
      try files.createDirectory(at: units, withIntermediateDirectories: true)
      try files.createDirectory(at: run, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
      for (name, text) in [
        "good.service": "ExecStart=/bin/sleep infinity", "bad.service": "ExecStart=/bin/false",
        "again.service": "ExecStart=/bin/false\nRestart=always\nRestartSec=50ms",
      ] {
        // Two starts and three restarts are enough to be told apart; then it has failed for good.
        let limit = "[Unit]\nStartLimitIntervalSec=1h\nStartLimitBurst=4\n"
        try Data("\(limit)[Service]\n\(text)\n".utf8).write(to: units.appendingPathComponent(name))
      }
      process = Process()
      process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
      let script = "mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/system && exec /lib/systemd/systemd --user"
      // systemd closes all descriptors that it did not open. By one of them Foundation watches its child, which must be another therefore.
      process.arguments = ["sh", "-c", "unshare --mount sh -c '\(script)'; exit"]
      process.environment = [
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "XDG_RUNTIME_DIR": run.path, "SYSTEMD_UNIT_PATH": units.path + ":",
        "HOME": root.path,
      ]
      process.standardOutput = FileHandle.nullDevice
      process.standardError = FileHandle.nullDevice
      try process.run()
    }

    var isRunning: Bool { process.isRunning }

    func run(_ program: String, _ arguments: [String]) throws -> String {
      let process = Process()
      let pipe = Pipe()
      process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
      process.arguments = [program, "--user"] + arguments
      process.environment = ["PATH": "/usr/bin:/bin", "XDG_RUNTIME_DIR": root.path + "/run", "LC_ALL": "C"]
      process.standardOutput = pipe
      process.standardError = FileHandle.nullDevice
      try process.run()
      let data = pipe.fileHandleForReading.readDataToEndOfFile()
      process.waitUntilExit()
      return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Waits for a property of a unit, or of the instance.
    func wait(_ what: String, _ arguments: [String], for wanted: String) throws {
      for _ in 0..<600 {
        if try run("systemctl", ["show", "--value"] + arguments) == wanted { return }
        usleep(50_000)
      }
      Issue.record("\(what) did not become \(wanted)")
    }

    deinit {
      // systemd first, so that it starts nothing anew.
      for _ in 0..<2 { killAll() }
      process.waitUntilExit()
      try? FileManager.default.removeItem(at: root)
    }

    /// Kills all that has this instance's folder in its environment: systemd and what it started.
    private func killAll() {
      for entry in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] {
        guard let id = Int32(entry), let environment = FileManager.default.contents(atPath: "/proc/\(entry)/environ") else {
          continue
        }
        if environment.range(of: Data("XDG_RUNTIME_DIR=\(root.path)/run".utf8)) != nil { kill(id, SIGKILL) }
      }
    }
  }

  static func value(_ readings: Readings, _ key: String) -> Double? {
    zip(readings.series, readings.values).first { $0.0.key == key && !$0.1.isMissing }?.1
  }

  @Test(.enabled(if: Instance.canRun, "systemd is missing, or no mount namespace may be made"))
  func saysWhatSystemctlSays() throws {
    let instance = try Instance()
    guard try hasStarted(instance) else { return print("SystemdLiveTests: skipped: systemd gives up here") }
    _ = try instance.run("systemctl", ["start", "--no-block", "good.service", "bad.service", "again.service"])
    try instance.wait("good", ["-p", "SubState", "good.service"], for: "running")
    try instance.wait("bad", ["-p", "SubState", "bad.service"], for: "failed")
    try instance.wait("again", ["-p", "SubState", "again.service"], for: "failed")

    let host = Host(root: instance.root.path, calls: LinuxCalls())
    let settings = Settings(SystemdSensor.kind.settings, ["units": .list(["good", "again", "b?d.service", "nowhere"])])
    var readings = Readings()
    var sensor = try SystemdSensor(context: SensorContext(host: host), settings: settings, readings: &readings)
    readings.begin(nanoseconds: 1)
    try sensor.sample(into: &readings)
    #expect(readings.problem == nil)

    for unit in ["good.service", "again.service", "bad.service"] {
      func shown(_ property: String) throws -> String {
        try instance.run("systemctl", ["show", "--value", "-p", property, unit])
      }
      let state = "\(try shown("ActiveState")) (\(try shown("SubState")))"
      #expect(Self.value(readings, #"systemd.unit_state{state="\#(state)",unit="\#(unit)"}"#) == 1)
      #expect(Self.value(readings, #"systemd.unit_active{unit="\#(unit)"}"#) == (unit == "good.service" ? 1 : 0))
      #expect(Self.value(readings, #"systemd.unit_restarts_total{unit="\#(unit)"}"#) == Double(try shown("NRestarts")))
      // As `--timestamp=unix` has it, `@1700000000`.
      let time = try instance.run("systemctl", ["show", "--timestamp=unix", "--value", "-p", "StateChangeTimestamp", unit])
      #expect(Self.value(readings, #"systemd.unit_changed_seconds{unit="\#(unit)"}"#) == Double(time.dropFirst()))
    }
    #expect(try instance.run("systemctl", ["show", "--value", "-p", "NRestarts", "again.service"]) != "0")
    #expect(Self.value(readings, #"systemd.unit_active{unit="nowhere.service"}"#) == 0)

    let list = try instance.run("systemctl", ["list-units", "--all", "--plain", "--no-legend", "--no-pager", "--full"])
    var states: [String: Double] = [:]
    for line in list.split(separator: "\n") {
      let columns = line.split(separator: " ", omittingEmptySubsequences: true)
      states[String(columns[2]), default: 0] += 1
    }
    #expect(states["failed"] == 2)
    for state in ["active", "inactive", "failed", "activating"] {
      #expect(Self.value(readings, #"systemd.units{state="\#(state)"}"#) == states[state] ?? 0, "\(state)")
    }
    #expect(Self.value(readings, #"systemd.unit_failed{unit="bad.service"}"#) == 1)
    #expect(Self.value(readings, #"systemd.unit_failed{unit="again.service"}"#) == 1)
    let system = try instance.run("systemctl", ["show", "--value", "-p", "SystemState"])
    #expect(Self.value(readings, #"systemd.state{state="\#(system)"}"#) == 1)

    // "Startup finished in 2.796s (userspace)", rounded down to milliseconds.
    let analysis = try instance.run("systemd-analyze", ["time"])
    let said = try #require(analysis.firstMatch(of: /finished in (?:(\d+)s )?(\d+(?:\.\d+)?)(m?s) \(userspace\)/))
    let seconds = Double(said.1 ?? "0")! + Double(said.2)! / (said.3 == "ms" ? 1000 : 1)
    let measured = try #require(Self.value(readings, #"systemd.boot_seconds{phase="userspace"}"#))
    #expect((measured - seconds).magnitude < 0.0015, "\(analysis), \(measured)")
  }

  /// Waits for the end of its start; false when it ended itself, where it may not make control groups.
  private func hasStarted(_ instance: Instance) throws -> Bool {
    for _ in 0..<600 where instance.isRunning {
      let time = try instance.run("systemctl", ["show", "--value", "-p", "FinishTimestampMonotonic"])
      if !time.isEmpty, time != "0" { return true }
      usleep(50_000)
    }
    #expect(!instance.isRunning, "systemd started and did not finish")
    return false
  }
}
