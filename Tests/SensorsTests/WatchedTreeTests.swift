import Foundation
import Platform
import Synchronization
import Telemetry
import Testing

@testable import Sensors

/// Watched groups on a tree that a test changes between two samples.
@Suite final class WatchedTreeTests {
  /// Files are as old as the test says.
  private final class Calls: AbsentCalls {
    let age = Mutex<Int64>(0)
    func fileAge(_ path: String, modifiedMilliseconds: Int64) -> Int64 { age.withLock { $0 } }
  }

  private let root = FileManager.default.temporaryDirectory.appendingPathComponent("godwit-watched-\(UUID().uuidString)")
  private let calls = Calls()
  private var readings = Readings()

  init() throws {
    try write("proc/stat", "processes 1000\nbtime 1700000000\n")
    try process(1, started: 1)
  }

  deinit { try? FileManager.default.removeItem(at: root) }

  private func write(_ path: String, _ text: String) throws {
    let file = root.appendingPathComponent(path)
    try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: file)
  }

  /// A process that was started so many clock ticks, hundredths of a second, after the boot.
  private func process(_ id: Int32, started: UInt64) throws {
    try write("proc/\(id)/stat", "\(id) (daemon) S 1 1 1 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 \(started) 4096 1 0 0\n")
  }

  private func sensor(_ key: String, _ value: String) throws -> ProcessesSensor {
    let group = Settings(WatchedGroupSettings.specs, ["name": .text("g"), key: .text(value)])
    return try ProcessesSensor(
      context: SensorContext(host: Host(root: root.path, calls: calls)),
      settings: Settings(ProcessesSensor.kind.settings, ["watch": .items([group]), "top": .integer(0)]), readings: &readings)
  }

  private func sample(_ sensor: inout ProcessesSensor, seconds: Double, fileAge: Double = 0) throws {
    calls.age.withLock { $0 = Int64(fileAge * 1000) }
    readings.begin(nanoseconds: Int64(seconds * 1e9))
    try sensor.sample(into: &readings)
  }

  private func value(_ metric: Metric) -> Double? {
    readings.series.firstIndex { $0.metric == metric }.map { readings.values[$0] }.flatMap { $0.isMissing ? nil : $0 }
  }

  // MARK: Pid files

  /// A board without a battery: the daemon wrote its file at 15 s, and at 40 s the clock was set by a time server.
  @Test(arguments: [20.0, 250, 10_800, 1_700_000_000])
  func aClockThatIsSetForwardDoesNotEndADaemon(step: Double) throws {
    try process(700, started: 1_480)
    try write("run/daemon.pid", "700\n")
    // The agent is there before and after,
    var sensor = try sensor("pid_file", "/run/daemon.pid")
    try sample(&sensor, seconds: 30, fileAge: 15)
    #expect(value(ProcessesMetrics.running) == 1)
    try sample(&sensor, seconds: 50, fileAge: 35 + step)
    #expect(value(ProcessesMetrics.running) == 1)
    // or is started later.
    sensor = try self.sensor("pid_file", "/run/daemon.pid")
    try sample(&sensor, seconds: 3_600, fileAge: 3_585 + step)
    #expect(value(ProcessesMetrics.running) == 1)
  }

  @Test func aNumberThatWasGivenAnewIsAnotherProcess() throws {
    try write("run/daemon.pid", "700\n")
    try process(700, started: 1_480)
    var sensor = try sensor("pid_file", "/run/daemon.pid")
    try sample(&sensor, seconds: 30, fileAge: 15)
    #expect(value(ProcessesMetrics.running) == 1)
    try process(700, started: 3_200)
    try sample(&sensor, seconds: 40, fileAge: 25)
    #expect(value(ProcessesMetrics.running) == 0)
    // The daemon is started again, and writes its file again.
    try process(700, started: 4_200)
    try sample(&sensor, seconds: 50, fileAge: 7)
    #expect(value(ProcessesMetrics.running) == 1)
    // An agent that never saw the first one.
    try process(700, started: 100_000)
    sensor = try self.sensor("pid_file", "/run/daemon.pid")
    try sample(&sensor, seconds: 2_000, fileAge: 1_985)
    #expect(value(ProcessesMetrics.running) == 0)
  }

  /// A file that a boot before left on a disk says nothing of this one.
  @Test func aFileOfABootBeforeCountsNot() throws {
    try write("var/lib/daemon.pid", "700\n")
    try process(700, started: 1_480)
    var sensor = try sensor("pid_file", "/var/lib/daemon.pid")
    try sample(&sensor, seconds: 3_600, fileAge: 86_400)
    #expect(value(ProcessesMetrics.running) == 0)
  }

  /// The form of postmaster.pid (PostgreSQL, src/include/utils/pidfile.h): the number, then lines that may be long.
  @Test func moreMayStandBehindTheNumber() throws {
    try process(700, started: 1_480)
    let more = "/var/lib/postgresql/15/main\n1700000000\n5432\n/var/run/postgresql\nlocalhost\n 98765 65536\nready\n"
    try write("run/daemon.pid", "700\n\(more)")
    var sensor = try sensor("pid_file", "/run/daemon.pid")
    try sample(&sensor, seconds: 30, fileAge: 15)
    #expect(value(ProcessesMetrics.running) == 1)
  }

  @Test(arguments: [UInt64(1_000_000_000), UInt64(Int64.max), .max])
  func aProcessMayClaimAnyStart(ticks: UInt64) throws {
    try write("run/daemon.pid", "700\n")
    try process(700, started: ticks)
    var sensor = try sensor("pid_file", "/run/daemon.pid")
    try sample(&sensor, seconds: 30, fileAge: 15)
    #expect(value(ProcessesMetrics.running) == 0)
  }

  // MARK: Control groups

  private func cgroup(_ path: String, _ processes: [Int32], microseconds: UInt64 = 0) throws {
    try write("sys/fs/cgroup/cgroup.controllers", "cpu memory\n")
    try write("sys/fs/cgroup\(path)/cgroup.procs", processes.map { "\($0)\n" }.joined())
    try write("sys/fs/cgroup\(path)/cpu.stat", "usage_usec \(microseconds)\nuser_usec 0\nsystem_usec 0\n")
  }

  /// Between 36 and 72 minutes of processor time the sum looks like a counter of 32 bits that came round.
  @Test func aServiceThatIsStartedAgainHasNoGiantRate() throws {
    try process(700, started: 100)
    try cgroup("/system.slice/a.service", [700], microseconds: 3_600_000_000)
    var sensor = try sensor("unit", "a")
    try sample(&sensor, seconds: 10)
    try cgroup("/system.slice/a.service", [700], microseconds: 3_601_000_000)
    try sample(&sensor, seconds: 20)
    #expect(value(ProcessesMetrics.cpu) == 10)
    try cgroup("/system.slice/a.service", [700], microseconds: 100_000)
    try sample(&sensor, seconds: 30)
    #expect(try #require(value(ProcessesMetrics.cpu)) <= 100)
    try cgroup("/system.slice/a.service", [700], microseconds: 2_100_000)
    try sample(&sensor, seconds: 40)
    #expect(value(ProcessesMetrics.cpu) == 20)
  }

  /// A container's own systemd, or a user's, has units of the same names; whoever may make control groups could make one.
  @Test(arguments: [
    "/machine.slice/docker-1.scope/system.slice/a.service", "/docker/1/system.slice/a.service",
    "/user.slice/user-1000.slice/session-2.scope/a.service", "/machine.slice/nspawn@1.service/payload/system.slice/a.service",
  ])
  func aUnitInsideAnotherIsNotTheSystems(path: String) throws {
    try process(700, started: 100)
    try cgroup(path, [700])
    var sensor = try sensor("unit", "a")
    try sample(&sensor, seconds: 10)
    #expect(value(ProcessesMetrics.running) == 0)
  }

  @Test(arguments: [
    ("/system.slice/a.service", "a"), ("/a.service", "a"), ("/mine.slice/mine-deep.slice/a.service", "a.service"),
    ("/user.slice/user-1000.slice/session-2.scope", "session-2.scope"), ("/user.slice/user-1000.slice", "user-1000.slice"),
    ("/user.slice/user-1000.slice/user@1000.service/app.slice/a.service", "a"),
  ])
  func aUnitIsFoundInItsSlice(path: String, unit: String) throws {
    try process(700, started: 100)
    try cgroup(path, [700])
    var sensor = try sensor("unit", unit)
    try sample(&sensor, seconds: 10)
    #expect(value(ProcessesMetrics.running) == 1)
  }

  /// Any user may have a unit of that name.
  @Test func aUnitOfAUserIsNotTheSystemsThatEnded() throws {
    try process(700, started: 100)
    try process(701, started: 100)
    try cgroup("/system.slice/a.service", [700])
    try cgroup("/user.slice/user-1000.slice/user@1000.service/app.slice/a.service", [701])
    var sensor = try sensor("unit", "a")
    try sample(&sensor, seconds: 10)
    #expect(value(ProcessesMetrics.running) == 1)
    try FileManager.default.removeItem(at: root.appendingPathComponent("sys/fs/cgroup/system.slice/a.service"))
    for step in 2..<20 {
      try sample(&sensor, seconds: Double(step * 10))
      #expect(value(ProcessesMetrics.running) == 0)
    }
  }
}
