import Foundation
import Glibc
import Platform
import Randomness
import Synchronization
import Telemetry
import Testing

@testable import Sensors

@Suite struct PushTests {
  private static func settings(_ path: String, _ more: [String: SettingValue] = [:]) -> Settings {
    Settings(PushSensor.kind.settings, ["socket": .text(path)].merging(more) { _, new in new })
  }

  private static func path() -> String { "/tmp/godwit-push-\(UUID().uuidString.prefix(8)).sock" }

  /// Sends from one client; false when the socket refuses.
  private static func send(_ count: Int, to path: String, _ text: (Int) -> String) -> Bool {
    let client = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
    defer { close(client) }
    var name = sockaddr_un()
    name.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
    let connected = withUnsafeBytes(of: &name) { raw in
      connect(client, raw.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t(raw.count))
    }
    guard connected == 0 else { return false }
    for index in 0..<count {
      let bytes = Array(text(index).utf8)
      guard Glibc.send(client, bytes, bytes.count, 0) == bytes.count else { return false }
    }
    return true
  }

  @Test func aFloodIsCountedWithinBounds() throws {
    let path = Self.path()
    var readings = Readings()
    readings.begin(nanoseconds: 0)
    var sensor = try PushSensor(
      context: SensorContext(host: Host()), settings: Self.settings(path, ["accept": .text("any")]), readings: &readings)
    let isDone = Mutex(false)
    let started = Platform.Thread.start(name: "flood") {
      let all = Self.send(100_000, to: path) { "name\($0 % 1000):1|c" }
      #expect(all)
      isDone.withLock { $0 = true }
    }
    try #require(started)
    var ticks: Int64 = 0
    while !isDone.withLock({ $0 }), ticks < 600_000 {
      ticks += 1
      readings.begin(nanoseconds: ticks)
      try sensor.sample(into: &readings)
      Platform.Thread.sleep(milliseconds: 1)
    }
    var total = 0.0
    for _ in 0..<1_000 where total < 100_000 {
      readings.begin(nanoseconds: ticks + 1)
      try sensor.sample(into: &readings)
      total = zip(readings.series, readings.values).filter { $0.0.metric.kind == .counter && !$0.1.isMissing }.map(\.1)
        .reduce(0, +)
    }
    // Each was taken, refused, or dropped unread; past the bound of 100 names nothing is kept.
    #expect(total == 100_000)
    #expect(readings.series.count == 104)
  }

  @Test func whatIsDroppedIsCounted() throws {
    let path = Self.path()
    let totals = PushTotals(Self.settings(path, ["accept": .text("any")]))
    // A thread that may not work at all.
    let receiver = try PushReceiver(
      try UnixDatagrams(path: path, mode: 0o600), totals, credit: WorkCredit(mostNanoseconds: 0))
    #expect(Self.send(2_000, to: path) { _ in "x:1|c\ny:1|c" })
    var (dropped, sum) = (0, 0.0)
    var readings = Readings()
    for _ in 0..<10_000 where dropped + Int(sum) < 2_000 {
      receiver.sample { totals in
        readings.begin(nanoseconds: 0)
        totals.report(into: &readings)
        dropped = totals.dropped
        sum = readings.values.first ?? 0
      }
      Platform.Thread.sleep(milliseconds: 1)
    }
    // The few that the samples took themselves.
    #expect(dropped > 0 && sum < 2_000)
    #expect(dropped + Int(sum) == 2_000)
  }

  @Test func aShareOfACoreIsGrantedAndSomeAtOnce() {
    var credit = WorkCredit(mostNanoseconds: 500_000_000)
    func settle(_ used: Int64, _ now: Int64) -> Bool {
      credit.settle(used: used * 1_000_000, at: now)
      return credit.isSpent
    }
    #expect(!settle(0, 1_000_000), "time before the first look is no rest")
    // A burst: half a second of work in half a second of time, of which a twentieth comes back.
    #expect(!settle(500, 1_000_500))
    #expect(settle(526, 1_000_501))
    // 20 ms of rest grant one of work.
    #expect(settle(526, 1_000_510))
    #expect(!settle(526, 1_000_542))
    // An hour of rest grants no more than the most.
    #expect(!settle(526, 4_600_000))
    #expect(!settle(526 + 499, 4_600_000))
    #expect(settle(526 + 500, 4_600_000))
  }

  /// An hour in which as much is worked as is granted: a twentieth of it, and what was there at first.
  @Test func inTheLongRunItIsATwentieth() {
    var credit = WorkCredit()
    var (used, now): (Int64, Int64) = (0, 0)
    while now < 3_600_000 {
      credit.settle(used: used, at: now)
      if !credit.isSpent { used += 7_000_000 }
      now += credit.isSpent ? 20 : 8
    }
    #expect((180_000_000_000...180_520_000_000).contains(used))
  }

  @Test func theSocketIsItsOwnAndGoesAwayWithIt() throws {
    let path = Self.path()
    var readings = Readings()
    readings.begin(nanoseconds: 0)
    let context = SensorContext(host: Host())
    let settings = Self.settings(path, ["accept": .text("any"), "mode": .text("0600")])
    var sensor: PushSensor? = try PushSensor(context: context, settings: settings, readings: &readings)
    let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    #expect(mode == 0o600)
    #expect(throws: SensorError.self) { _ = try UnixDatagrams(path: path, mode: 0o600) }
    #expect(Self.send(1, to: path) { _ in "x:1|c" })
    try sensor?.sample(into: &readings)
    sensor = nil
    for _ in 0..<10_000 where FileManager.default.fileExists(atPath: path) { Platform.Thread.sleep(milliseconds: 1) }
    #expect(!FileManager.default.fileExists(atPath: path))
    // What is no socket stays.
    try Data().write(to: URL(fileURLWithPath: path))
    defer { try? FileManager.default.removeItem(atPath: path) }
    #expect(throws: SensorError.self) { _ = try UnixDatagrams(path: path, mode: 0o600) }
    #expect(FileManager.default.fileExists(atPath: path))
  }

  @Test func aSocketThatNobodyServesIsReplaced() throws {
    let path = Self.path()
    let dead = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
    var name = sockaddr_un()
    name.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
    let bound = withUnsafeBytes(of: &name) { raw in
      bind(dead, raw.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t(raw.count))
    }
    #expect(bound == 0)
    close(dead)
    let datagrams = try UnixDatagrams(path: path, mode: 0o600)
    #expect(Self.send(2, to: path) { $0 == 0 ? "x:1|c" : String(repeating: "y", count: 100) })
    #expect(datagrams.receive(limit: 50) == Array("x:1|c".utf8))
    #expect(datagrams.receive(limit: 50) == [])
    #expect(datagrams.receive(limit: 50) == nil)
  }

  @Test func aPercentileIsThatOfTheNearestRank() {
    var tally = TimerTally()
    #expect(tally.percentile95 == nil)
    #expect(tally.mean == nil)
    for value in (1...100).reversed() { _ = tally.add(Double(value), weight: 1) }
    #expect(tally.percentile95 == 95)
    #expect(tally.mean == 50.5)
    #expect(tally.maximum == 100)
    for _ in 0..<100_000 { _ = tally.add(7, weight: 2) }
    #expect(tally.count == 200_100)
    #expect(tally.percentile95 == 7)
    #expect(tally.maximum == 100)
  }

  @Test func whatIsRefusedMakesNoSeriesAndIsNoSignOfLife() {
    var totals = PushTotals(Self.settings("/x", ["accept": .text("any"), "stale_after": .milliseconds(1000)]))
    var readings = Readings()
    readings.begin(nanoseconds: 0)
    totals.take(Array("load:-1|c\nname:x|g\n\n:5|c".utf8))
    #expect(!totals.isNew && totals.refused == 3)
    totals.report(into: &readings)
    #expect(readings.series.isEmpty)
    totals.take(Array("load:2|c".utf8))
    #expect(totals.isNew)
    totals.report(into: &readings)
    #expect(readings.values == [2])
    // A program that sends nothing but what is refused is a program that sends nothing.
    readings.begin(nanoseconds: 2_000_000_000)
    totals.take(Array("load:-1|c".utf8))
    totals.report(into: &readings)
    #expect(readings.values.count == 1 && readings.values.allSatisfy(\.isMissing))
  }

  @Test(arguments: ["t:1e308|ms\nt:1e308|ms", "t:1e308|ms|@0.1", "t:1|ms|@1e-320", "t:-1e308|ms\nt:-1e308|ms\nt:1e308|ms"])
  func sumsOfTimersStayFinite(lines: String) {
    var totals = PushTotals(Self.settings("/x", ["accept": .text("any"), "stale_after": .milliseconds(1000)]))
    var readings = Readings()
    readings.begin(nanoseconds: 0)
    totals.take(Array("t:5|ms\n\(lines)".utf8))
    totals.report(into: &readings)
    #expect(totals.refused > 0)
    #expect(readings.values.count == 4 && readings.values.allSatisfy(\.isFinite), "\(readings.values)")
  }

  @Test func anyBytesAreTakenOrRefused() throws {
    let seed = CustomMutationTests.seed
    var generator = SplitMix64(seed: seed)
    let file = CaseTests.folder.appendingPathComponent("push/statsd/input/.host/datagrams")
    let bytes = [UInt8](try Data(contentsOf: file))
    var totals = PushTotals(Self.settings("/x", ["accept": .text("any"), "stale_after": .milliseconds(1000)]))
    var readings = Readings()
    for round in 0..<10_000 {
      totals.take(CustomMutationTests.mutated(bytes, using: &generator))
      guard round % 100 == 0 else { continue }
      readings.begin(nanoseconds: Int64(round))
      totals.report(into: &readings)
      for (series, value) in zip(readings.series, readings.values) where !value.isMissing {
        #expect(value.isFinite, "seed \(seed): \(series.key)")
      }
    }
    #expect(totals.refused > 1000)
    #expect(readings.series.count <= 400)
  }
}
