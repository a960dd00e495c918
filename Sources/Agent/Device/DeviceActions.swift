import Alerts
import Buffer
import Platform
import Profile
import Sensors
import Telemetry

/// What the agent acts with on the device; replaced in tests.
struct DeviceEdges {
  var watchdogs: any WatchdogEdge
  var guards: any OutputGuards
  var power: any PowerEdge

  init(watchdogs: any WatchdogEdge, guards: any OutputGuards, power: any PowerEdge) {
    self.watchdogs = watchdogs
    self.guards = guards
    self.power = power
  }

  /// Those of a host.
  init(host: Host) {
    self.init(watchdogs: HostWatchdogs(host: host), guards: OutputGuardPrograms(host: host), power: SystemPower(host: host))
  }
}

/// What the agent does to the device, behind each tick.
extension Supervisor {
  /// The note under which the buffer keeps of which boot the watchdog's reset was told.
  static let watchdogNote = "watchdog"
  /// The same of the boot that was ended for want of charge.
  static let shutdownNote = "shutdown"

  func actOnDevice(_ now: Int64) {
    if let fired {
      outputs.note(firing: Set(engine.memory.filter(\.state.isFiring).map(\.rule)), fired: fired)
      self.fired = nil
    }
    outputs.afterTick(now: now)
    tellOutputs()
    if let condition = profile.shutdown {
      let low = Set(engine.memory.filter { $0.rule == ShutdownProfile.rule && $0.state.isFiring }.map(\.series))
      if let unless = condition.unless {
        let values = measured(where: unless.matches)
        if !values.isEmpty { shutdown.note(unless: values.contains(where: unless.when.holds), now: now) }
      }
      let steps = shutdown.afterTick(
        now: now, isFiring: !low.isEmpty, isMeasured: !low.isEmpty && !measured { low.contains($0.key) }.isEmpty,
        committed: environment.storage.status.committed)
      for step in steps { take(step) }
    }
    watchdog.afterTick(now: now, tickMilliseconds: profile.tickMilliseconds)
    tellWatchdogReset()
  }

  func applyToDevice(_ new: Profile) {
    fired = fired ?? []
    outputs.configure(new)
    watchdog.configure(new.watchdog)
    shutdown.configure(new.shutdown)
  }

  /// `output NAME on|off|auto [MILLISECONDS]` of the control socket, for whoever may open it.
  func switchOutput(_ request: String) -> [UInt8] {
    let words = request.split(separator: " ").map(String.init)
    var problem: String? = "it wants a name, on, off or auto, and a time in milliseconds if it shall end"
    if (3...4).contains(words.count), let wish = OutputControl.Wish(rawValue: words[2]) {
      let milliseconds = words.count == 4 ? Int(words[3]) : nil
      if words.count == 3 || milliseconds.map((1...AgentLimits.longestOutputMilliseconds).contains) == true {
        problem = outputs.command(words[1], wish, milliseconds: milliseconds, now: environment.clock.bootNanoseconds())
      }
    }
    var json = JSONWriter()
    json.beginObject()
    json.member("error", problem)
    json.endObject()
    return json.bytes
  }

  private func tellOutputs() {
    let figures = outputs.views.map { AgentStatistics.OutputFigures(name: $0.name, isOn: $0.isOn) }
    environment.context.statistics.update { $0.outputs = figures }
  }

  private func take(_ step: DeviceShutdown.Step) {
    switch step {
    case .announced:
      environment.log.error("shutdown", "the device is switched off")
      emit(kind: "shutdown", severity: .critical, message: "the device is switched off")
      // On the disk before anything else: the group that is pending, with this event.
      shutdown.waitFor(nextSequence - 1)
    case .cancelled:
      environment.log.warning("shutdown", "called off: its alert fires no more")
      emit(kind: "shutdown", severity: .info, message: "switching off was called off")
    case .accepted:
      pending.notes[Self.shutdownNote] = environment.clock.boot
    case .failed(let reason):
      environment.log.error("shutdown", "the device cannot be switched off: \(reason)")
      emit(kind: "shutdown", severity: .critical, message: "the device cannot be switched off: \(reason)")
    }
  }

  /// The kernel goes on saying why the device was started until it is started again: it is told once.
  private func tellWatchdogReset() {
    guard let boot = watchdog.unreportedBoot else { return }
    watchdog.unreportedBoot = nil
    guard boot.contains(.cardReset), toldReset != environment.clock.boot else { return }
    toldReset = environment.clock.boot
    pending.notes[Self.watchdogNote] = toldReset
    environment.log.warning("watchdog", "the last restart of this device was the watchdog's")
    emit(kind: "watchdog", severity: .warning, message: "the watchdog reset this device") { json in
      json.member("device", watchdog.path)
      json.member("status", Int(boot.rawValue))
    }
  }
}
