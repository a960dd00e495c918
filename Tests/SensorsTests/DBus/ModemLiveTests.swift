import Foundation
import Platform
import Telemetry
import Testing

@testable import Sensors

/// The sensor beside mmcli, over a real ModemManager, whose modem is a program that speaks AT commands.
@Suite(.serialized) struct ModemLiveTests {
  static let canRun =
    DBusReplayTests.canRun
    && ["/usr/sbin/ModemManager", "/usr/bin/mmcli"].allSatisfy { FileManager.default.isExecutableFile(atPath: $0) }

  /// ModemManager on a bus of its own. No modem of this machine is seen: it runs without udev.
  private final class Bench {
    let bus: PrivateBus
    private let input = Pipe()
    private let modem: FileHandle
    private var readings = Readings()
    private var sensor: ModemSensor
    private var seconds: Int64 = 1

    init() throws {
      let number = UInt32.random(in: 0...UInt32.max)
      let ports = (0..<2).map { "abstract:godwit-\(number)-\($0)" }
      bus = try PrivateBus()
      let options = ["session", "enable", "no-udev", "no-suspend-resume", "no-qrtr"].map { "--test-" + $0 }
      try bus.start("/usr/sbin/ModemManager", options + ["--no-auto-scan"], saysSomething: false)
      let script = CaseTests.folder.appendingPathComponent("../Python/at_modem.py").path
      modem = try bus.start("/usr/bin/python3", [script, bus.address] + ports, input: input)
      let host = Platform.Host(root: bus.root.path, calls: LinuxCalls())
      sensor = try ModemSensor(
        context: SensorContext(host: host), settings: Settings(ModemSensor.kind.settings), readings: &readings)
      try #require(eventually { try mmcli(["-L"]) != nil }, "ModemManager does not come")
    }

    /// Has the modem do something: see at_modem.py.
    func tell(_ key: String, _ text: String) throws {
      input.fileHandleForWriting.write(Data("\(key)\t\(text)\n".utf8))
      try #require(!modem.availableData.isEmpty, "the modem ended")
    }

    /// What mmcli says, as JSON; nil when it fails.
    func mmcli(_ arguments: [String]) throws -> [String: Any]? {
      let words = ["DBUS_SYSTEM_BUS_ADDRESS=" + bus.address, "/usr/bin/mmcli", "-J"] + arguments
      let outcome = try Subprocess.run("/usr/bin/env", words, timeoutMilliseconds: 60_000, outputBytes: 1 << 20)
      guard outcome.end == .exited(0) else { return nil }
      return try JSONSerialization.jsonObject(with: Data(outcome.output)) as? [String: Any]
    }

    /// One fact of the modem: `generic.state`.
    func fact(_ path: String) throws -> String? {
      var value: Any? = try mmcli(["-m", "any"])?["modem"]
      for key in path.split(separator: ".") { value = (value as? [String: Any])?[String(key)] }
      return value as? String ?? (value as? [String])?.last
    }

    /// Has ModemManager do something; it waits for the end.
    func order(_ argument: String) throws {
      let words = ["DBUS_SYSTEM_BUS_ADDRESS=" + bus.address, "/usr/bin/mmcli", "-m", "any", argument]
      let outcome = try Subprocess.run("/usr/bin/env", words, timeoutMilliseconds: 60_000, outputBytes: 1 << 16)
      try #require(outcome.end == .exited(0), "\(argument): \(String(decoding: outcome.errors, as: UTF8.self))")
    }

    func eventually(_ condition: () throws -> Bool) rethrows -> Bool {
      for _ in 0..<200 {
        if try condition() { return true }
        usleep(300_000)
      }
      return try condition()
    }

    func sample() throws {
      seconds += 30
      readings.begin(nanoseconds: seconds * 1_000_000_000)
      try sensor.sample(into: &readings)
      #expect(readings.problem == nil)
    }

    /// A value of the sensor, by its name without `modem.` and one more label.
    subscript(name: String, label: String?) -> Double? {
      let found = zip(readings.series, readings.values).first { series, _ in
        series.metric.name == "modem." + name && (label == nil || series.labels.contains { $0.value == label })
      }
      return found.flatMap { $0.1.isMissing ? nil : $0.1 }
    }
  }

  /// Compares all that both know, at a time when nothing changes.
  private func compare(_ bench: Bench) throws {
    try bench.sample()
    let state = try #require(try bench.fact("generic.state"))
    #expect(bench["state", state] == 1, "\(state)")
    let registration = try #require(try bench.fact("3gpp.registration-state"))
    #expect(registration == "--" || bench["registration", registration] == 1, "\(registration)")
    #expect(bench["registered", nil] ?? 0 == (["home", "roaming"].contains(registration) ? 1 : 0))
    let isOnline = state == "registered" || state == "connected"
    guard isOnline else { return }
    let names = [
      "operator": try #require(try bench.fact("3gpp.operator-name")),
      "technology": try #require(try bench.fact("generic.access-technologies")),
    ]
    for (metric, name) in names { #expect(bench[metric, name] == 1, "\(metric) \(name)") }
    if try bench.fact("generic.signal-quality.recent") == "yes" {
      let quality = try #require(try bench.fact("generic.signal-quality.value"))
      #expect(bench["signal_quality_percent", nil] == Double(quality))
    }
    #expect(bench["connected", nil] == (state == "connected" ? 1 : 0))
  }

  @Test(.enabled(if: canRun, "ModemManager, mmcli, dbus-daemon or python3-dbus is missing"))
  func agreesWithMMCLI() throws {
    let bench = try Bench()
    #expect(throws: SensorError.absent("a modem")) { try bench.sample() }
    try bench.tell("profile", "lte")
    #expect(try bench.eventually { try bench.fact("generic.state") == "disabled" })
    try compare(bench)
    #expect(bench["state", "disabled"] == 1 && bench["technology", nil] == nil)
    let port = try #require(try bench.fact("generic.primary-port"))
    #expect(bench["connected", port] == 0, "it is named by its port")

    try bench.order("-e")
    #expect(try bench.eventually { try bench.fact("generic.state") == "registered" })
    #expect(try bench.eventually { try bench.fact("3gpp.operator-name") == "Test Net" })
    try compare(bench)
    #expect(bench["technology", "lte"] == 1 && bench["rsrp_dbm", "lte"] == nil, "nobody asked for signals")
    // 17 of 31 (3GPP TS 27.007, 8.5), as ModemManager makes a share of it.
    #expect(bench["signal_quality_percent", nil] == 54)

    try bench.order("--signal-setup=5")
    let signal = (try bench.mmcli(["-m", "any", "--signal-get"])?["modem"] as? [String: Any])?["signal"] as? [String: Any]
    let lte = try #require(signal?["lte"] as? [String: String])
    try bench.sample()
    #expect(bench["rsrp_dbm", "lte"] == Double(lte["rsrp"] ?? ""))
    #expect(bench["rsrq_db", "lte"] == Double(lte["rsrq"] ?? ""))
    // 46 is -95 dBm to -94 dBm, 20 is -10 dB to -9.5 dB (3GPP TS 27.007, 8.69).
    #expect(bench["rsrp_dbm", "lte"] == -95 && bench["rsrq_db", "lte"] == -10)
    #expect(bench["rssi_dbm", nil] == nil && bench["snr_db", nil] == nil, "the modem does not know them")

    try bench.order("--simple-connect=apn=internet")
    try compare(bench)
    #expect(bench["connected", nil] == 1)
    try bench.order("--simple-disconnect")
    try compare(bench)
    #expect(bench["connected", nil] == 0)

    for (number, word) in [(5, "roaming"), (3, "denied")] {
      for kind in ["CREG", "CGREG", "CEREG"] {
        try bench.tell("AT+\(kind)?", "+\(kind): 2,\(number),\"1234\",\"001122BB\",7")
        try bench.tell("!", "+\(kind): \(number),\"1234\",\"001122BB\",7")
      }
      #expect(try bench.eventually { try bench.fact("3gpp.registration-state") == word })
      try compare(bench)
      #expect(bench["registered", nil] == (number == 5 ? 1 : 0))
    }
  }

  @Test(
    .enabled(if: canRun, "ModemManager, mmcli, dbus-daemon or python3-dbus is missing"),
    arguments: [("+CME ERROR: 10", "failed", "sim-missing"), ("+CPIN: SIM PIN", "locked", "--")])
  func aSIMThatIsNotThereOrLocked(answer: String, state: String, reason: String) throws {
    let bench = try Bench()
    try bench.tell("AT+CPIN?", answer)
    try bench.tell("profile", "sim")
    #expect(try bench.eventually { try bench.fact("generic.state") == state })
    #expect(try bench.fact("generic.state-failed-reason") == reason)
    try bench.sample()
    #expect(bench["state", state] == 1)
    #expect(bench["sim_missing", nil] == (state == "failed" ? 1 : 0) && bench["sim_locked", nil] == (state == "locked" ? 1 : 0))
    #expect(bench["failed", nil] == (state == "failed" ? 1 : 0))
  }
}
