import Buffer
import Glibc
import Platform
import Profile
import Sensors
import Telemetry
import Uplink

/// The wiring of a running agent: the loop with its timer, signals and control socket around the supervisor.
final class AgentProcess {
  private let profilePath: String
  private let clock = SystemClock()
  private let environment = ProfileEnvironment.current().variables
  private let log: Log
  private let notifier: SystemdNotifier
  private let loop: EventLoop
  private let timer: TickTimer
  private let watchdogTimer: TickTimer
  private let signals: SignalQueue
  private let lock: FileLock?
  private let storage: StorageThread
  private let uplink: UplinkGroup?
  private let supervisor: Supervisor
  private let facts: FactsWatch
  private var control: ControlServer?
  private var commands: CommandRunner?
  private var pace = UplinkPace()
  private var nextDue: Int64 = 0
  private var lastWatchdog: Int64 = 0
  private var isReady = false

  init(profile: Profile, profilePath: String, host: Host) throws(AgentFailure) {
    self.profilePath = profilePath
    log = Log(profile.log, clock: clock, environment: environment)
    notifier = SystemdNotifier(environment: environment)
    // Before any thread starts, so that all of them inherit the mask.
    guard let signals = SignalQueue([SIGTERM, SIGINT, SIGHUP]), let timer = TickTimer(),
      let watchdogTimer = TickTimer()
    else {
      throw AgentFailure(description: "the kernel gives no signal or timer descriptor")
    }
    self.signals = signals
    self.timer = timer
    self.watchdogTimer = watchdogTimer
    do throws(EventLoop.Failure) { loop = try EventLoop() } catch {
      throw AgentFailure(description: "the kernel gives no event loop: \(error.call), errno \(error.errno)")
    }
    lock = try AgentProcess.takeLock(profile.buffer.path, log)
    storage = StorageThread(StorageThread.Settings(profile), clock: clock)
    let opening = storage.start()
    let statistics = AgentStatistics()
    let context = SensorContext(host: host, statistics: statistics)
    facts = FactsWatch(context)
    // So that they are there when the node first says who it is.
    _ = facts.tick(now: clock.bootNanoseconds(), profile)
    let uplink = profile.uplink.map { _ in UplinkGroup(count: UplinkSettings.all(profile, host).count) }
    self.uplink = uplink
    supervisor = Supervisor(
      profile: profile,
      environment: Supervisor.Environment(
        clock: clock, context: context, storage: storage, delivery: uplink, log: log,
        maker: AgentProcess.maker, device: DeviceEdges(host: host)),
      opening: opening)
    let boots = (opening?.boots ?? 0) + (opening?.epochs.contains { $0.boot == clock.boot } == true ? 0 : 1)
    statistics.update { $0.boots = UInt64(boots) }
    try startUplink(opening)
    openControl()
  }

  /// Runs until SIGTERM or SIGINT.
  func run() throws(AgentFailure) {
    do throws(EventLoop.Failure) {
      try loop.watch(timer.descriptor) { [unowned self] _ in onTimer() }
      try loop.watch(watchdogTimer.descriptor) { [unowned self] _ in onWatchdogTimer() }
      try loop.watch(signals.descriptor) { [unowned self] _ in onSignal() }
      try watchCommands()
    } catch {
      throw AgentFailure(description: "cannot watch timer and signals: errno \(error.errno)")
    }
    armTimer()
    armWatchdog()
    supervisor.emit(kind: "started", severity: .info, message: "godwitd \(Agent.version) started") { json in
      json.key("version")
      json.string(Agent.version)
    }
    let (profile, sensors) = (supervisor.profile, supervisor.lanes.count)
    let what = "\(sensors) \(sensors == 1 ? "sensor" : "sensors"), a tick every \(Quantity.duration(profile.tickMilliseconds))"
    log.info("agent", "godwitd \(Agent.version) runs as node \(profile.node): \(what)")
    if supervisor.profile.tickMilliseconds > AgentLimits.longTickMilliseconds { becomeReady() }
    loop.run()
    shutDown()
  }

  // MARK: Events

  private func onTimer() {
    let expirations = timer.expirations()
    guard expirations > 0 else { return }
    let interval = Int64(supervisor.profile.tickMilliseconds) * 1_000_000
    let due = nextDue + Int64(expirations - 1) * interval
    nextDue = due + interval
    supervisor.tick(due: due, skipped: expirations - 1)
    control?.expire(now: SystemClock.bootMilliseconds)
    commands?.afterTick()
    pace.note(now: clock.bootNanoseconds()) { uplink?.statuses ?? [] }
    let lackedKey = facts.lacksKey
    let isNews = facts.tick(now: clock.bootNanoseconds(), supervisor.profile)
    if facts.lacksKey, !lackedKey {
      let source = supervisor.profile.identity?.keyFile ?? "/etc/machine-id"
      log.warning("identity", "\(source) gives no key for digests: private facts are left out of info; see 'godwit identity'")
    }
    if isNews, isReady { publishInfo() }
    becomeReady()
    if supervisor.tickIndex == AgentLimits.settledTicks { ProcessMemory.trim() }
    feedWatchdog(due)
  }

  /// Tells systemd and the broker who is here: after the first tick, or at once when that is far off.
  private func becomeReady() {
    guard !isReady else { return }
    isReady = true
    notifier.send("READY=1\nSTATUS=node \(supervisor.profile.node)")
    publishIdentity()
  }

  /// Ticks may be rarer than systemd wants to hear from us: then a timer of its own feeds the watchdog, as long as no tick is overdue.
  private func armWatchdog() {
    guard let interval = notifier.watchdogMicroseconds.map({ $0 * 500 }), interval > 0 else { return }
    let isNeeded = Int64(supervisor.profile.tickMilliseconds) * 1_000_000 > interval
    watchdogTimer.arm(first: clock.bootNanoseconds() + interval, interval: isNeeded ? interval : 0)
  }

  private func onWatchdogTimer() {
    guard watchdogTimer.expirations() > 0, clock.bootNanoseconds() < nextDue + AgentLimits.overdueNanoseconds else { return }
    feedWatchdog(clock.bootNanoseconds())
  }

  /// systemd hears from us only while ticks are really taken, twice as often as it wants to.
  private func feedWatchdog(_ now: Int64) {
    guard let interval = notifier.watchdogMicroseconds, now - lastWatchdog >= interval * 500 else { return }
    lastWatchdog = now
    notifier.send("WATCHDOG=1")
  }

  private func onSignal() {
    while let signal = signals.next() {
      if signal == SIGHUP { _ = reload() } else { loop.stop() }
    }
  }

  /// The first tick is at the next whole multiple of the interval since boot; all others follow it without drift.
  private func armTimer() {
    let interval = Int64(supervisor.profile.tickMilliseconds) * 1_000_000
    nextDue = (clock.bootNanoseconds() / interval + 1) * interval
    timer.arm(first: nextDue, interval: interval)
  }

  // MARK: Reload

  private func reload() -> ReloadOutcome {
    notifier.send("RELOADING=1\nMONOTONIC_USEC=\(monotonicMicroseconds())")
    defer { notifier.send("READY=1") }
    let new: Profile
    do throws(ProfileProblems) {
      new = try Profile.load(path: profilePath, catalogue: SensorCatalogue.kinds, environment: .current())
    } catch {
      let count = error.problems.count
      log.error("reload", "the new profile is refused, the old one stays: \(count) \(count == 1 ? "problem" : "problems")")
      for problem in error.problems { log.error("reload", "\(problem)") }
      return .refused(error.problems.map { "\($0)" })
    }
    let old = supervisor.profile
    let difference = ProfileDifference(from: old, to: new)
    guard difference.needsRestart.isEmpty, (old.uplink == nil) == (new.uplink == nil) else {
      let what = difference.needsRestart + ((old.uplink == nil) == (new.uplink == nil) ? [] : ["uplink (its being there)"])
      let reason = "restart to change \(what.joined(separator: ", "))"
      log.error("reload", "the new profile is refused, the old one stays: \(reason)")
      return .refused([reason])
    }
    guard !difference.isEmpty else {
      log.info("reload", "the profile did not change")
      return .applied([])
    }
    for line in difference.lines { log.info("reload", line) }
    log.configure(new.log)
    storage.configure(policy: RetentionPolicy(new.buffer), pendingBytes: new.buffer.pendingBytes)
    supervisor.apply(new)
    // What did not change for a connection leaves it alone.
    let host = supervisor.environment.context.host
    let settings = UplinkSettings.all(new, host)
    if settings != UplinkSettings.all(old, host) { uplink?.configure(settings) }
    warn(of: settings)
    if difference.tickChanged {
      armTimer()
      armWatchdog()
    }
    _ = facts.tick(now: clock.bootNanoseconds(), new)
    publishIdentity()
    supervisor.emit(kind: "reloaded", severity: .info, message: "profile reloaded: \(difference.lines.joined(separator: "; "))")
    return .applied(difference.lines)
  }

  private func monotonicMicroseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000
  }

  // MARK: Parts

  private func startUplink(_ opening: BufferWriter.Opening?) throws(AgentFailure) {
    guard let uplink else { return }
    let settings = UplinkSettings.all(supervisor.profile, supervisor.environment.context.host)
    warn(of: settings)
    let started = uplink.start(
      settings: settings, clock: clock, buffer: supervisor.profile.buffer.path, positions: opening?.deliveries ?? [:],
      lastCommitted: opening?.lastSequence, firstOfRun: supervisor.nextSequence, firstEvent: supervisor.events.next,
      remembered: opening?.notes[CommandRunner.note] ?? "")
    if !started { throw AgentFailure(description: "the kernel gives no thread for the uplink") }
    uplink.saves { [storage] positions in
      var transaction = BufferTransaction()
      transaction.deliveries = positions
      return storage.put(transaction)
    }
    storage.onSave { [uplink] marks in uplink.saved(marks) }
  }

  /// Commands come from the uplink's thread; they run here.
  private func watchCommands() throws(EventLoop.Failure) {
    guard let uplink, uplink.notices.bell.descriptor >= 0 else { return }
    let runner = CommandRunner(
      supervisor, reload: { [unowned self] in reload() }, hasten: { [unowned self] in takeTickNow() })
    commands = runner
    try loop.watch(uplink.notices.bell.descriptor) { _ in runner.take(uplink.notices.takeAll()) }
  }

  /// Takes a tick between two others, unless the next one is near.
  private func takeTickNow() {
    let now = clock.bootNanoseconds()
    guard nextDue - now > AgentLimits.hastenNanoseconds else { return }
    supervisor.tick(due: now, skipped: 0, isExtra: true)
    commands?.afterTick()
  }

  /// Says what is less safe than it looks, at each start and reload; the supervisor says it at each connection.
  private func warn(of settings: [UplinkSettings]) {
    for warning in Set(settings.compactMap(\.warning)) { log.warning("uplink", warning) }
  }

  private func publishIdentity() {
    publishInfo()
    if uplink != nil { supervisor.publishStates() }
  }

  private func publishInfo() {
    let json = IdentityJSON.encode(supervisor.profile, clock: clock, started: supervisor.started, system: facts.facts)
    _ = uplink?.put(.info(json))
  }

  private func openControl() {
    let path = supervisor.profile.control.socketPath
    do throws(ControlServer.Failure) {
      control = try ControlServer(path: path, loop: loop) { [unowned self] request in answer(request) }
    } catch {
      // Monitoring goes on without it; the command line then reads the buffer file.
      log.error("control", error.description)
    }
  }

  private func answer(_ request: String) -> [UInt8] {
    switch request {
    case "status": return supervisor.statusReport().json()
    case "uplink":
      return UplinkReport(
        node: supervisor.profile.node, uplink?.statuses ?? [], pace, now: clock.bootNanoseconds(),
        wall: clock.wallMilliseconds()
      ).json()
    case let request where request.hasPrefix("output "): return supervisor.switchOutput(request)
    default: return Array("{\"error\":\"unknown request\"}".utf8)
    }
  }

  /// Stops in order: no more ticks, the last commit, goodbye to the broker, the file closed. Under two seconds in all.
  private func shutDown() {
    notifier.send("STOPPING=1")
    for slot in supervisor.lanes { slot.lane.stop() }
    supervisor.emit(kind: "stopped", severity: .info, message: "godwitd stopped")
    supervisor.commit(clock.bootNanoseconds())
    uplink?.stop(waitMilliseconds: 800)
    supervisor.finish(clock.bootNanoseconds())
    control?.close()
    supervisor.outputs.stop()
    supervisor.watchdog.stop()
    if !storage.stop(waitMilliseconds: 1_000) {
      log.error("buffer", "the disk did not take the last commit within a second")
    }
    log.info("agent", "stopped")
  }
}
