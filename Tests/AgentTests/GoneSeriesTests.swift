import Alerts
import Buffer
import Foundation
import Platform
import Profile
import Sensors
import Telemetry
import Testing

@testable import Agent

/// Alerts on what vanishes, from the files of a device to what is stored, sent and shown.
@Suite struct GoneSeriesTests {
  /// A supervisor of real sensors over a folder: a sample each of two ticks, so that ticks in between only ask for answers.
  private final class Device {
    let folder: TemporaryFolder
    let clock = HandClock()
    let storage = RecordingStorage()
    let delivery = RecordingDelivery()
    let supervisor: Supervisor
    var log: String { folder.read("log") }

    init(_ folder: TemporaryFolder, _ profile: String, opening: BufferWriter.Opening = BufferWriter.Opening()) throws {
      self.folder = folder
      let text = "node: edge-01\ntick: 25s\nbuffer: {path: /nowhere/b.db}\nlog: {level: error}\n\(profile)\n"
      let profile = try Profile.parse(
        files: [(name: "profile.yaml", text: Array(text.utf8))], catalogue: SensorCatalogue.kinds,
        environment: ProfileEnvironment(hostName: "edge-01"))
      supervisor = Supervisor(
        profile: profile,
        environment: Supervisor.Environment(
          clock: clock, context: SensorContext(host: Host(root: folder.path)), storage: storage, delivery: delivery,
          log: Log(profile.log, clock: clock, environment: [:]), maker: AgentProcess.maker,
          device: DeviceEdges(watchdogs: RecordedWatchdogs(), guards: RecordedGuards(), power: RecordedPower())),
        opening: opening)
    }

    deinit { for slot in supervisor.lanes { slot.lane.stop() } }

    /// Every sensor takes a sample, of which the tick knows at the end; 50 seconds pass.
    func sample(_ count: Int = 1) {
      for _ in 0..<count {
        let before = supervisor.lanes.map(\.figures.sampledAtNanoseconds)
        pass(25_000)
        eventually("all sensors answer", every: 0.001) {
          pass(1, isExtra: true)
          return zip(supervisor.lanes, before).allSatisfy { $0.figures.sampledAtNanoseconds != $1 }
        }
        pass(25_000)
      }
    }

    /// Time passes, whether sensors answer or not.
    func pass(_ milliseconds: Int64, isExtra: Bool = false) {
      clock.pass(milliseconds: milliseconds)
      supervisor.tick(due: clock.bootNanoseconds(), skipped: 0, isExtra: isExtra)
    }

    var firing: [String] { supervisor.engine.firing.map { "\($0.rule.name) \($0.series)" } }
    var told: [String] { storage.events.filter { $0.kind == "alert" }.map(\.message) }
  }

  private static let root = "26 1 179:2 / / rw,noatime shared:1 - ext4 /dev/mmcblk0p2 rw\n"
  private static let stick = "80 26 8:1 / /media/usb rw,relatime shared:9 - exfat /dev/sda1 rw\n"
  private static let full =
    "sensors: {disk: {every: 50s, usage_every: 0}}\nalerts: [{name: disk-full, when: disk.usage_percent > 90, severity: critical}]"

  /// Files are changed and not replaced: as those of the kernel, sensors keep them open.
  private func write(_ name: String, _ text: String) throws {
    if folder.read(name).isEmpty { try folder.write(name, "") }
    try Data(text.utf8).write(to: URL(fileURLWithPath: folder.path(of: name)))
  }

  private func mount(_ mounts: String) throws {
    try write("proc/self/mountinfo", mounts)
    try write(".host/statvfs", "/ 1000000 400000 300000 100 40 rw\n/media/usb 1000000 50000 50000 0 0 rw\n")
    try write("proc/diskstats", "179 0 mmcblk0 100 0 800 50 10 0 80 5 0 55 55\n")
  }

  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func theAlertOfAStickThatIsTakenOutEnds() throws {
    try mount(Self.root + Self.stick)
    let device = try Device(folder, Self.full)
    device.sample(3)
    #expect(device.firing == [#"disk-full disk.usage_percent{mount="/media/usb"}"#])
    try mount(Self.root)
    // Two minutes, and four samples; a stick that is only moved keeps its alert.
    device.sample(3)
    #expect(device.firing.count == 1)
    device.sample()
    #expect(device.firing.isEmpty)
    let event = try #require(device.storage.events.last { $0.kind == "alert" })
    #expect(event.severity == .critical)
    #expect(
      event.message
        == #"disk-full gone, no longer reported: disk.usage_percent{mount="/media/usb"} is 95 % (disk-full: > 90)"#)
    let detail = try JSONReader.read(Array(event.detail.utf8), limits: JSONReader.Limits(bytes: 4_096, depth: 4, values: 32))
    #expect(detail["reason"]?.text == "gone")
    #expect(detail["state"]?.text == "ok")
    #expect(device.storage.alerts.isEmpty)
    // What a broker keeps.
    let retained = try #require(device.delivery.alerts.last)
    #expect(retained.contains(#""state":"ok""#))
    let at = try #require(device.supervisor.engine.gone.first).milliseconds
    let end = WallTime.text(1_767_225_600_000 - 3_600_000 + at)
    #expect(
      retained.contains(
        #""gone":[{"series":"disk.usage_percent{mount=\"/media/usb\"}","value":95,"t":"\#(end)"}]"#))
    let report = device.supervisor.statusReport()
    #expect(report.alerts.isEmpty)
    #expect(
      report.ended == [
        StatusReport.Ending(
          rule: "disk-full", severity: "critical", series: #"disk.usage_percent{mount="/media/usb"}"#, value: 95,
          reason: "gone", at: end)
      ])
    // The stick is back, as full as it was.
    try mount(Self.root + Self.stick)
    device.sample(2)
    #expect(device.firing.count == 1)
    #expect(device.told.count == 3)
    #expect(device.supervisor.statusReport().ended == [])
  }

  @Test func aStickThatComesBackWithRoomIsNotListedAsGone() throws {
    try mount(Self.root + Self.stick)
    let device = try Device(folder, Self.full)
    device.sample(3)
    try mount(Self.root)
    device.sample(4)
    #expect(device.supervisor.statusReport().ended?.count == 1)
    try write(".host/statvfs", "/ 1000000 400000 300000 100 40 rw\n/media/usb 1000000 950000 950000 0 0 rw\n")
    try write("proc/self/mountinfo", Self.root + Self.stick)
    device.sample(2)
    #expect(device.supervisor.statusReport().ended == [])
    let retained = try #require(device.delivery.alerts.last)
    #expect(retained.hasSuffix(#""series":[],"gone":[]}"#))
    // It fired and was gone; of its return nobody is told.
    #expect(device.told.count == 2)
  }

  @Test func aSensorThatFailsInPartKeepsItsAlerts() throws {
    try mount(Self.root + Self.stick)
    let device = try Device(folder, Self.full)
    device.sample(3)
    #expect(device.firing.count == 1)
    try write("proc/self/mountinfo", "neither a mount nor a line of one\n")
    try write("proc/diskstats", "nor of a disk\n")
    device.sample(10)
    #expect(device.supervisor.lanes.map(\.figures.outcome) == [.partial])
    #expect(device.firing.count == 1)
    #expect(device.told.count == 1)
  }

  @Test func anAlertOfBeforeTheStartEndsToo() throws {
    try mount(Self.root + Self.stick)
    let before = try Device(folder, Self.full)
    before.sample(3)
    before.supervisor.finish(before.clock.bootNanoseconds())
    var opening = BufferWriter.Opening()
    (opening.series, opening.alerts) = (before.storage.series, before.storage.alerts)
    #expect(opening.alerts.count == 1)
    // It was taken out while the agent did not run.
    try mount(Self.root)
    let device = try Device(folder, Self.full, opening: opening)
    device.sample(3)
    #expect(device.firing.count == 1)
    device.sample()
    #expect(device.firing.isEmpty)
    #expect(device.told.count == 1)
  }

  @Test func whatIsSwitchedOffIsGoneFromItsSensor() throws {
    try mount(Self.root + Self.stick)
    let device = try Device(folder, Self.full)
    device.sample(3)
    let text = "sensors: {disk: {every: 50s, usage_every: 0, exclude_mounts: [/media/usb]}}\ntick: 25s\n"
    device.supervisor.apply(
      try Profile.parse(
        files: [
          (
            name: "profile.yaml",
            text: Array("\(text)alerts: [{name: disk-full, when: disk.usage_percent > 90, severity: critical}]\n".utf8)
          )
        ], catalogue: SensorCatalogue.kinds, environment: ProfileEnvironment(hostName: "edge-01")))
    #expect(device.firing.count == 1)
    device.sample(4)
    #expect(device.firing.isEmpty)
  }

  /// What the sensor has a problem with all the time is another thing than what the profile took out.
  @Test(arguments: [false, true]) func whatTheProfileTakesOutIsGoneDespiteOtherProblems(restarts: Bool) throws {
    try mount(Self.root + Self.stick)
    try write("proc/diskstats", "nor of a disk\n")
    let before = try Device(folder, Self.full)
    before.sample(3)
    #expect(before.firing.count == 1)
    let text = Self.full.replacingOccurrences(of: "usage_every: 0", with: "usage_every: 0, exclude_mounts: [/media/usb]")
    try #require(text != Self.full)
    var device = before
    if restarts {
      before.supervisor.finish(before.clock.bootNanoseconds())
      var opening = BufferWriter.Opening()
      (opening.series, opening.alerts) = (before.storage.series, before.storage.alerts)
      device = try Device(folder, text, opening: opening)
    } else {
      let files = [(name: "profile.yaml", text: Array("tick: 25s\n\(text)\n".utf8))]
      device.supervisor.apply(
        try Profile.parse(files: files, catalogue: SensorCatalogue.kinds, environment: ProfileEnvironment(hostName: "edge-01")))
    }
    device.sample(2)
    #expect(device.supervisor.lanes.map(\.figures.outcome) == [.partial])
    #expect(device.firing.count == 1)
    device.sample(6)
    #expect(device.firing.isEmpty)
  }

  /// Absence as a condition: a required mount that is missing is a value, and is reported as long as it is missing.
  @Test func whatMustBeThereFiresOn() throws {
    try mount(Self.root + Self.stick)
    let device = try Device(
      folder,
      """
      sensors: {mounts: {every: 50s, required: [/media/usb]}}
      alerts:
        - {name: stick-missing, when: mounts.present == 0, severity: critical}
        - {name: writable, when: 'mounts.read_only{mount="/media/usb"} == 0'}
      """)
    device.sample(2)
    #expect(device.firing == [#"writable mounts.read_only{mount="/media/usb"}"#])
    try mount(Self.root)
    device.sample(4)
    #expect(device.firing == [#"stick-missing mounts.present{mount="/media/usb"}"#])
    device.sample(20)
    #expect(device.firing == [#"stick-missing mounts.present{mount="/media/usb"}"#])
    #expect(device.told.count == 3)
  }

  /// Nothing of a kind is left: its sensor says so once a minute.
  @Test func hardwareThatIsAbsentAsAWholeIsGone() throws {
    let bench = try Bench(
      "sensors: {a: }\nlog: {level: error}\nbuffer: {path: /nowhere/b.db}\nalerts: [{name: high, when: a.value > 5}]\n")
    bench.script("a").change { $0.value = 9 }
    bench.tick(5)
    #expect(bench.supervisor.engine.firing.count == 1)
    bench.script("a").change { $0.fails = .absent("no chip") }
    bench.tick(180)
    #expect(bench.supervisor.engine.firing.count == 1)
    bench.tick(5)
    #expect(bench.supervisor.engine.firing.isEmpty)
    #expect(bench.supervisor.engine.gone.map(\.series) == ["a.value"])
  }

  /// The only sensor has nothing to report from the start on.
  @Test func anAlertOfBeforeTheStartEndsWhereNothingIsLeft() throws {
    let text = "sensors: {a: }\nlog: {level: error}\nbuffer: {path: /nowhere/b.db}\nalerts: [{name: high, when: a.value > 5}]\n"
    let before = try Bench(text)
    before.script("a").change { $0.value = 9 }
    before.tick(5)
    before.supervisor.finish(before.clock.bootNanoseconds())
    var opening = BufferWriter.Opening()
    (opening.series, opening.alerts) = (before.storage.series, before.storage.alerts)
    try #require(opening.alerts.count == 1)
    let bench = try Bench(text, opening: opening)
    bench.script("a").change { $0.failsToMake = .absent("no chip") }
    bench.tick(180)
    #expect(bench.supervisor.engine.firing.count == 1)
    bench.tick(5)
    #expect(bench.supervisor.engine.firing.isEmpty)
  }

  @Test func aSensorThatFailsKeepsItsAlerts() throws {
    let bench = try Bench(
      "sensors: {a: }\nlog: {level: error}\nbuffer: {path: /nowhere/b.db}\nalerts: [{name: high, when: a.value > 5}]\n")
    bench.script("a").change { $0.value = 9 }
    bench.tick(5)
    bench.script("a").change { $0.fails = .io(path: "/x", errno: 5) }
    bench.tick(3_600)
    #expect(bench.figures("a")?.outcome == .failed)
    #expect(bench.supervisor.engine.firing.count == 1)
  }

  @Test func aSensorThatHangsKeepsItsAlerts() throws {
    let bench = try Bench(
      "sensors: {s: {every: 1s}}\nlog: {level: error}\nbuffer: {path: /nowhere/b.db}\nalerts: [{name: high, when: s.value > 5}]\n"
    )
    bench.script("s").change { $0.value = 9 }
    eventually("it fires") {
      bench.tick()
      return bench.supervisor.engine.firing.count == 1
    }
    bench.script("s").change { $0.hangs = true }
    bench.tick(3_600)
    #expect(bench.figures("s")?.outcome == .timedOut)
    #expect(bench.supervisor.engine.firing.count == 1)
  }
}
