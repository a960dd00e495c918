import Alerts
import Buffer
import Platform
import Profile
import Sensors
import Telemetry
import Uplink

/// Where samples go that leave the device: the uplink's thread, or a test's own.
protocol TickDelivery: AnyObject, Sendable {
  /// Hands something over; false when there is no room.
  func put(_ input: UplinkInput) -> Bool
  /// How delivery stands.
  var status: UplinkStatus { get }
  /// The last tick on the disk.
  var committed: UInt64 { get set }
}

extension UplinkGroup: TickDelivery {}

/// Runs the ticks: samples what is due, stores, evaluates, hands over. Lives on the agent's one loop thread; takes its time from
/// `clock`, so that a test can drive an hour of ticks by hand.
final class Supervisor {
  /// What the supervisor is made with, besides the profile.
  struct Environment {
    var clock: any Clock
    var context: SensorContext
    var storage: any TickStorage
    var delivery: (any TickDelivery)?
    var log: Log
    /// The maker of a kind of sensor; nil when there is no such kind.
    var maker: (String) -> (kind: SensorKind, make: SensorMaker)?
    /// What it acts with on the device.
    var device: DeviceEdges
  }

  private(set) var profile: Profile
  let environment: Environment
  var lanes: [LaneSlot] = []
  /// When each of them has to be called.
  var paces: [LanePace] = []
  /// Lanes that begin a sample when all else of the tick is done.
  var asked: [Int] = []
  /// Lanes whose figures are newer than the statistics'.
  var untold: [Int] = []
  var table: SeriesTable
  var sources = SeriesSources()
  private(set) var engine: AlertEngine
  /// The newest value of each series and when it was taken, for the live view.
  var latest: [Double] = []
  /// Rules whose changes are not announced.
  var silences = AlertSilences()
  /// Whether the next tick samples all sensors, whatever their pace.
  var samplesAll = false
  private(set) var tickIndex: UInt64 = 0
  var nextSequence: UInt64
  private(set) var timekeeper: Timekeeper
  let started: Int64
  var pending = BufferTransaction()
  var events: EventCounter
  /// What the tick has so far, by the id of the series.
  var values: [Double] = []
  private var encoder = TickEncoder()
  var lateness = LatenessWindow()
  private var reservedSequence: UInt64
  private var lastCommitNanoseconds: Int64
  private var learnedSeries = 0
  private var toldSeries = 0
  var loggedLink = UplinkStatus()
  let watchdog: HardwareWatchdog
  let outputs: OutputControl
  let shutdown: DeviceShutdown
  /// Rules that began to fire since the last tick; nil when nothing changed in any rule.
  var fired: Set<String>? = []
  /// The boot whose beginning by the watchdog was told.
  var toldReset: String?

  init(profile: Profile, environment: Environment, opening: BufferWriter.Opening?) {
    self.profile = profile
    self.environment = environment
    let clock = environment.clock
    started = clock.bootNanoseconds()
    watchdog = HardwareWatchdog(edge: environment.device.watchdogs, log: environment.log, profile: profile.watchdog)
    outputs = OutputControl(guards: environment.device.guards, log: environment.log, profile: profile)
    shutdown = DeviceShutdown(
      edge: environment.device.power, log: environment.log, profile: profile.shutdown, started: started,
      isDone: opening?.notes[Self.shutdownNote] == clock.boot)
    toldReset = opening?.notes[Self.watchdogNote]
    lastCommitNanoseconds = started
    let found = opening ?? BufferWriter.Opening()
    table = SeriesTable(found.series)
    // Without a buffer nobody knows what numbers were used: milliseconds are more than ticks, see Quarantine.unusedSequence.
    let unused = UInt64(max(clock.wallMilliseconds(), started / 1_000_000, 1))
    nextSequence = opening?.nextSequence ?? unused
    events = EventCounter(next: opening?.nextEvent ?? unused)
    reservedSequence = nextSequence + BufferLimits.reservedSequences
    timekeeper = Timekeeper(boot: clock.boot, lastID: found.lastEpoch, earlier: found.epochs)
    engine = AlertEngine(
      rules: profile.alerts, node: profile.node,
      // What was too low at a shutdown may be charged by now: it must be seen again.
      restored: found.alerts.filter { $0.rule != ShutdownProfile.rule }.map {
        AlertMemory(
          rule: $0.rule, series: $0.series, state: AlertState(rawValue: $0.state) ?? .ok, value: $0.value,
          storedSinceMilliseconds: $0.sinceMilliseconds)
      })
    setLanes(profile.sensors.compactMap(makeLane), kept: [], [])
    encoder.learn(decimals: table.stored.map(\.decimals))
    learnedSeries = table.count
    engine.learn(table.series)
    restoreSilences(found.notes[Self.silencesNote])
    latest = [Double](repeating: .missing, count: table.count)
    // Complete from the first tick on: alerts of before the start are weighed even if no sensor has a value any more.
    values = latest
    // What happens before the first tick has a time too.
    pending.epochs = timekeeper.observe(clock, sequence: nextSequence)
  }

  // MARK: The tick

  /// Takes one tick that was due at `due` (CLOCK_BOOTTIME nanoseconds); `skipped` ticks before it were lost to lateness or sleep. One that
  /// is `extra` comes between two others and leaves the pace of the sensors alone.
  func tick(due: Int64, skipped: UInt64, isExtra: Bool = false) {
    let now = environment.clock.bootNanoseconds()
    lateness.add(max(now - due, 0))
    pending.epochs += timekeeper.observe(environment.clock, sequence: nextSequence, due: due / 1_000_000)
    sample(now)
    learnSeries()
    tellSensorEvents()
    store(due / 1_000_000)
    evaluate(due / 1_000_000)
    deliver()
    if !isExtra { tickIndex += 1 }
    nextSequence += 1
    expireSilences(due / 1_000_000)
    takeNotices()
    actOnDevice(now)
    commitIfDue(now)
    report(now, skipped: skipped)
    beginSamples()
  }

  private func learnSeries() {
    guard table.count > learnedSeries else { return }
    let new = Array(table.stored[learnedSeries...])
    learnedSeries = table.count
    pending.series += new
    encoder.learn(decimals: new.map(\.decimals))
    engine.learn(table.series)
  }

  /// Tells the uplink of new series; false when it has no room, so that values it could not name are not sent either.
  private func tellSeries(_ delivery: any TickDelivery) -> Bool {
    guard toldSeries < table.count else { return true }
    guard delivery.put(.series(Array(table.stored[toldSeries...]))) else { return false }
    toldSeries = table.count
    return true
  }

  private func store(_ milliseconds: Int64) {
    guard let epoch = timekeeper.current else { return }
    if pending.ticks.isEmpty { encoder.beginGroup() }
    pending.ticks.append(
      encoder.encode(sequence: nextSequence, epoch: epoch.id, milliseconds: milliseconds, values: values))
    if nextSequence + BufferLimits.reservedSequences / 2 > reservedSequence {
      reservedSequence = nextSequence + BufferLimits.reservedSequences
      pending.reservedSequence = reservedSequence
    }
  }

  private func deliver() {
    guard let delivery = environment.delivery, let epoch = timekeeper.current, let at = pending.ticks.last?.milliseconds,
      tellSeries(delivery)
    else { return }
    // Refused for want of room: the uplink sees the hole in the numbers and owes the tick.
    _ = delivery.put(
      .tick(
        LiveTick(
          sequence: nextSequence, wallMilliseconds: at + epoch.offsetMilliseconds, synced: epoch.synced, values: values)))
  }

  private func evaluate(_ milliseconds: Int64) {
    let changes = engine.evaluate(values: values, milliseconds: milliseconds) { answer(of: $0) }
    if !changes.isEmpty { announce(changes) }
  }

  // MARK: Storing

  /// Hands over what is pending, every `commit_every`, or at once when something important happened.
  private func commitIfDue(_ now: Int64) {
    let due = now - lastCommitNanoseconds >= Int64(profile.buffer.commitEveryMilliseconds) * 1_000_000 - halfTick
    if due || !pending.events.isEmpty || pending.ticks.count >= BufferLimits.ticksPerGroup { commit(now) }
  }

  private var halfTick: Int64 { Int64(profile.tickMilliseconds) * 500_000 }

  func commit(_ now: Int64) {
    if let delivery = environment.delivery { pending.deliveries = delivery.status.positions }
    guard !pending.isEmpty else { return }
    if environment.storage.put(pending) {
      pending = BufferTransaction()
      lastCommitNanoseconds = now
    } else {
      // Events are bounded by this; ticks are weighed less often than at each tick, for that takes the longer the more there are.
      pending.append(BufferTransaction())
      guard tickIndex.isMultiple(of: 64), let dropped = pending.dropOldest(toWeight: profile.buffer.pendingBytes) else { return }
      handle(.dropped(dropped))
    }
  }

  /// The last commit: the numbers that were not used are given back, so that a clean restart goes on without a hole.
  func finish(_ now: Int64) {
    pending.reservedSequence = nextSequence
    pending.reservedEvent = events.next
    commit(now)
  }

  private func takeNotices() {
    for notice in environment.storage.takeNotices() { handle(notice) }
    if tickIndex.isMultiple(of: 64) { tellRefusedSeries() }
  }

  // MARK: Reload

  /// Replaces the profile by one that was checked: sensors whose part did not change keep their state.
  func apply(_ new: Profile) {
    let (old, oldPaces) = (lanes, paces)
    profile = new
    let wanted = new.sensors.compactMap { sensor in old.first(where: { $0.lane.profile == sensor }) ?? makeLane(sensor) }
    setLanes(wanted, kept: old, oldPaces)
    for slot in old where !lanes.contains(where: { $0.lane === slot.lane }) {
      slot.lane.stop()
      for id in slot.ids where id >= 0 { latest[id] = .missing }
    }
    announce(engine.replace(rules: new.alerts))
    applyToDevice(new)
  }
}
