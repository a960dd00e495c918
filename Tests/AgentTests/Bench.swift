import Buffer
import Foundation
import Platform
import Profile
import Sensors
import Synchronization
import Telemetry
import Uplink

@testable import Agent

/// A clock that stands still until the test moves it.
final class HandClock: Platform.Clock {
  private struct Hands {
    var boot: Int64
    var wall: Int64
    var synced: Bool
  }

  let boot: String
  private let hands: Mutex<Hands>

  /// One hour after boot, 2026-01-01T00:00:00Z.
  init(boot: String = "boot-1", seconds: Int64 = 3_600, wall: Int64 = 1_767_225_600_000, synced: Bool = true) {
    self.boot = boot
    hands = Mutex(Hands(boot: seconds * 1_000_000_000, wall: wall, synced: synced))
  }

  func bootNanoseconds() -> Int64 { hands.withLock { $0.boot } }
  func wallMilliseconds() -> Int64 { hands.withLock { $0.wall } }
  func isSynchronized() -> Bool { hands.withLock { $0.synced } }

  /// Time passes.
  func pass(milliseconds: Int64) {
    hands.withLock {
      $0.boot += milliseconds * 1_000_000
      $0.wall += milliseconds
    }
  }

  /// Somebody sets the wall clock.
  func step(milliseconds: Int64) { hands.withLock { $0.wall += milliseconds } }
  func synchronize(_ synced: Bool = true) { hands.withLock { $0.synced = synced } }
}

/// Keeps what it is given; refuses when told to.
final class RecordingStorage: TickStorage {
  private struct State {
    var transactions: [BufferTransaction] = []
    var refuses = false
    var notices: [StorageNotice] = []
  }

  private let state = Mutex(State())

  func put(_ transaction: BufferTransaction) -> Bool {
    state.withLock {
      guard !$0.refuses else { return false }
      $0.transactions.append(transaction)
      return true
    }
  }

  var status: StorageStatus {
    var status = StorageStatus()
    status.state = .ok
    // Asked for at each tick: looking at the last transaction only.
    status.committed = state.withLock { $0.transactions.last { !$0.ticks.isEmpty }?.ticks.last?.sequence } ?? 0
    return status
  }

  func takeNotices() -> [StorageNotice] {
    state.withLock { state in
      defer { state.notices = [] }
      return state.notices
    }
  }

  func refuse(_ refuses: Bool) { state.withLock { $0.refuses = refuses } }
  func notice(_ notice: StorageNotice) { state.withLock { $0.notices.append(notice) } }

  var transactions: [BufferTransaction] { state.withLock { $0.transactions } }
  var ticks: [EncodedTick] { transactions.flatMap(\.ticks) }
  var events: [StoredEvent] { transactions.flatMap(\.events) }
  /// As the buffer would know them after the last commit.
  var epochs: [Epoch] {
    var known: [Int: Epoch] = [:]
    for epoch in transactions.flatMap(\.epochs) { known[epoch.id] = epoch }
    return known.values.sorted { $0.id < $1.id }
  }
  var series: [StoredSeries] { transactions.flatMap(\.series) }
  /// The newest reservation.
  var reserved: UInt64 { transactions.compactMap(\.reservedSequence).last ?? 0 }
  var alerts: [StoredAlert] { transactions.compactMap(\.alerts).last ?? [] }
}

/// Keeps what it is handed.
final class RecordingDelivery: TickDelivery {
  private struct State {
    var ticks: [LiveTick] = []
    var series: [StoredSeries] = []
    var removedAlerts: [String] = []
    var answers: [CommandAnswer] = []
    var alerts: [String] = []
    var events: [String] = []
  }

  private let state = Mutex(State())
  private let refuses = Atomic<Bool>(false)
  private let last = Atomic<UInt64>(0)

  func put(_ input: UplinkInput) -> Bool {
    guard !refuses.load(ordering: .relaxed) else { return false }
    state.withLock { state in
      switch input {
      case .tick(let tick): state.ticks.append(tick)
      case .series(let series): state.series += series
      case .alertRemoved(let rule): state.removedAlerts.append(rule)
      case .alert(_, let json): state.alerts.append(String(decoding: json, as: UTF8.self))
      case .event(_, let json): state.events.append(String(decoding: json, as: UTF8.self))
      case .command(let answer): state.answers.append(answer)
      default: break
      }
    }
    return true
  }

  var status: UplinkStatus { UplinkStatus() }
  var committed: UInt64 {
    get { last.load(ordering: .relaxed) }
    set { last.store(newValue, ordering: .relaxed) }
  }

  func refuse(_ value: Bool) { refuses.store(value, ordering: .relaxed) }

  var ticks: [LiveTick] { state.withLock { $0.ticks } }
  var series: [StoredSeries] { state.withLock { $0.series } }
  var events: [String] { state.withLock { $0.events } }
  var answers: [CommandAnswer] { state.withLock { $0.answers } }
  /// Retained states of rules, as they were sent.
  var alerts: [String] { state.withLock { $0.alerts } }
  var removedAlerts: [String] { state.withLock { $0.removedAlerts } }
}

/// What a sensor of the test's does, and what was done to it.
final class Script: Sendable {
  struct State {
    var made = 0
    var sampled = 0
    var value = 1.0
    var failsToMake: SensorError?
    var fails: SensorError?
    var hangs = false
    var ended = 0
  }

  private let state = Mutex(State())

  var now: State { state.withLock { $0 } }
  func change(_ body: (inout State) -> Void) { state.withLock { body(&$0) } }
}

/// A sensor that follows a script: `<kind>.value`.
struct ScriptedSensor: Sensor {
  static let kind = SensorKind(name: "scripted", summary: "", sources: [], metrics: [])
  private let script: Script
  private let slot: Slot

  init(context: SensorContext, settings: Settings, readings: inout Readings) throws(SensorError) { throw .absent("a script") }

  init(_ name: String, _ script: Script, _ readings: inout Readings) throws(SensorError) {
    script.change { $0.made += 1 }
    if let error = script.now.failsToMake { throw error }
    self.script = script
    slot = readings.slot(Metric("\(name).value", unit: .none, decimals: 1, help: ""))
  }

  mutating func sample(into readings: inout Readings) throws(SensorError) {
    script.change { $0.sampled += 1 }
    while script.now.hangs { Platform.Thread.sleep(milliseconds: 1) }
    script.change { $0.ended += 1 }
    if let error = script.now.fails { throw error }
    readings.set(slot, script.now.value)
  }
}

/// A supervisor with sensors `a`, `b` (fast) and `s` (slow) on a hand-driven clock.
final class Bench {
  let clock: HandClock
  let storage = RecordingStorage()
  let delivery = RecordingDelivery()
  let scripts = ["a": Script(), "b": Script(), "s": Script()]
  let statistics = AgentStatistics()
  let watchdogs = RecordedWatchdogs()
  let guards = RecordedGuards()
  let power = RecordedPower()
  let supervisor: Supervisor
  private(set) var due: Int64

  static let catalogue = [
    SensorKind(name: "a", summary: "", sources: [], metrics: [Metric("a.value", unit: .none, decimals: 1, help: "")]),
    SensorKind(name: "b", summary: "", sources: [], metrics: [Metric("b.value", unit: .none, decimals: 1, help: "")]),
    SensorKind(
      name: "s", summary: "", sources: [], lane: .slow, metrics: [Metric("s.value", unit: .none, decimals: 1, help: "")]),
  ]

  static func profile(_ text: String) throws -> Profile {
    try Profile.parse(
      files: [(name: "profile.yaml", text: Array(text.utf8))], catalogue: catalogue,
      environment: ProfileEnvironment(hostName: "edge-01"))
  }

  /// - Parameter slow: makes the sensor `s` instead of its script.
  init(
    _ text: String, opening: BufferWriter.Opening? = BufferWriter.Opening(), clock: HandClock = HandClock(),
    slow: SensorMaker? = nil
  ) throws {
    self.clock = clock
    due = clock.bootNanoseconds()
    let scripts = scripts
    let profile = try Bench.profile(text)
    supervisor = Supervisor(
      profile: profile,
      environment: Supervisor.Environment(
        clock: clock, context: SensorContext(host: Host(root: "/nonexistent"), statistics: statistics), storage: storage,
        delivery: delivery, log: Log(profile.log, clock: clock, environment: [:]),
        maker: { name in
          guard let kind = Bench.catalogue.first(where: { $0.name == name }), let script = scripts[name] else { return nil }
          if name == "s", let slow { return (kind, slow) }
          return (
            kind,
            { (_, _, readings) throws(SensorError) in try ScriptedSensor(name, script, &readings) }
          )
        }, device: DeviceEdges(watchdogs: watchdogs, guards: guards, power: power)),
      opening: opening)
  }

  deinit {
    for script in scripts.values { script.change { $0.hangs = false } }
    for slot in supervisor.lanes { slot.lane.stop() }
  }

  func script(_ name: String) -> Script { scripts[name] ?? Script() }

  /// Ticks pass, each a tick's length after the last.
  func tick(_ count: Int = 1) {
    for _ in 0..<count {
      clock.pass(milliseconds: Int64(supervisor.profile.tickMilliseconds))
      due = clock.bootNanoseconds()
      supervisor.tick(due: due, skipped: 0)
    }
  }

  /// The newest value in the live view.
  func live(_ key: String) -> Double? {
    guard let id = supervisor.table.series.firstIndex(where: { $0.key == key }), id < supervisor.latest.count else { return nil }
    return supervisor.latest[id].isMissing ? nil : supervisor.latest[id]
  }

  /// The values of a series in what was handed to the uplink.
  func sent(_ key: String) -> [Double?] {
    guard let id = supervisor.table.series.firstIndex(where: { $0.key == key }) else { return [] }
    return delivery.ticks.map { id < $0.values.count && !$0.values[id].isMissing ? $0.values[id] : nil }
  }

  func figures(_ name: String) -> AgentStatistics.SensorFigures? {
    supervisor.lanes.map(\.figures).first { $0.name == name }
  }
}
