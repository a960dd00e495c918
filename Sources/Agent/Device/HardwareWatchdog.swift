import Platform
import Profile
import Telemetry

/// Opens watchdogs: the kernel's, or a test's own.
protocol WatchdogEdge: AnyObject {
  /// Opens one, which starts it.
  func open(_ path: String) throws(WatchdogFailure) -> any WatchdogDevice
  /// The timeouts it takes, without touching it.
  func range(_ path: String) -> WatchdogRange
}

/// The watchdogs of a host.
final class HostWatchdogs: WatchdogEdge {
  private let host: Host

  init(host: Host) { self.host = host }

  func open(_ path: String) throws(WatchdogFailure) -> any WatchdogDevice { try LinuxWatchdog(host: host, path: path) }
  func range(_ path: String) -> WatchdogRange { WatchdogRange(host: host, path: path) }
}

/// Feeds the hardware watchdog from the tick itself: when ticks stop, so does the feeding, and the device is reset.
///
/// It is opened behind the first tick, for opening starts it. A stop of the agent, or a reload that takes the section away, stops it
/// where the driver allows that; a crash does not, so whoever restarts the agent has the rest of the timeout for it.
final class HardwareWatchdog {
  /// What the agent does with it.
  enum State: String {
    case fed
    /// It could not be opened, or not with a timeout that ticks can keep.
    case waiting
  }

  private let edge: any WatchdogEdge
  private let log: Log
  private var profile: WatchdogProfile?
  private var device: (any WatchdogDevice)?
  private var fedAt: Int64 = .min
  private var notBefore: Int64 = .min
  private var attempts = 0

  private(set) var problem: String?
  /// The timeout that holds, seconds; what was asked for where the driver does not tell.
  private(set) var timeoutSeconds: Int?
  /// The driver's name for it.
  private(set) var identity: String?
  /// Why the device was last started, once known; taken by whoever tells of it.
  var unreportedBoot: WatchdogFacts.Flags?

  init(edge: any WatchdogEdge, log: Log, profile: WatchdogProfile?) {
    self.edge = edge
    self.log = log
    self.profile = profile
  }

  /// Nil when none is configured.
  var state: State? { profile == nil ? nil : device == nil ? .waiting : .fed }
  var path: String? { profile?.device }

  /// Takes what a reload says.
  func configure(_ new: WatchdogProfile?) {
    guard new != profile else { return }
    if new?.device != profile?.device { letGo() }
    profile = new
    problem = nil
    notBefore = .min
    attempts = 0
    if let device, let new { setTimeout(of: device, new) }
  }

  /// Feeds it if it is time to; to be called behind each tick. Nanoseconds of CLOCK_BOOTTIME, milliseconds of a tick.
  func afterTick(now: Int64, tickMilliseconds: Int) {
    guard let profile else { return }
    if device == nil { open(profile, now, tickMilliseconds) }
    guard let device else { return }
    // A third of the timeout, not oftener than each second: a tick that comes half an interval late still is in time.
    let interval = max(Int64(timeoutSeconds ?? profile.timeoutSeconds) * 1_000_000_000 / 3, 1_000_000_000)
    guard fedAt == .min || now - fedAt >= interval - Int64(tickMilliseconds) * 500_000 else { return }
    do throws(WatchdogFailure) {
      try device.feed()
      fedAt = now
    } catch {
      tell("cannot feed \(profile.device): \(error.call), errno \(error.errno)")
      self.device = nil
      retry(now)
    }
  }

  /// The agent stops.
  func stop() {
    letGo()
    profile = nil
  }

  private func letGo() {
    guard let device, let profile else { return }
    device.close()
    self.device = nil
    (timeoutSeconds, identity, fedAt) = (nil, nil, .min)
    if device.facts.cannotBeStopped == true {
      log.warning("watchdog", "\(profile.device) cannot be stopped (nowayout): the device is reset unless somebody feeds it")
    } else {
      log.info("watchdog", "\(profile.device) is stopped")
    }
  }

  private func open(_ profile: WatchdogProfile, _ now: Int64, _ tickMilliseconds: Int) {
    guard now >= notBefore else { return }
    let range = edge.range(profile.device)
    // Opening would start what ticks cannot keep alive.
    if let longest = range.longest, longest < (3 * tickMilliseconds + 999) / 1000 {
      tell("\(profile.device) is reset after \(longest) s at the latest, and that is less than three ticks: it is not used")
      return retry(now)
    }
    do throws(WatchdogFailure) {
      let opened = try edge.open(profile.device)
      device = opened
      (problem, attempts, fedAt) = (nil, 0, .min)
      identity = opened.facts.identity.isEmpty ? nil : opened.facts.identity
      unreportedBoot = opened.facts.bootStatus
      setTimeout(of: opened, profile, range)
      // Some drivers tell their longest timeout only by refusing a longer one.
      if let timeoutSeconds, timeoutSeconds * 1000 < 3 * tickMilliseconds, opened.facts.cannotBeStopped != true {
        let given = timeoutSeconds
        letGo()
        tell("\(profile.device) takes no timeout above \(given) s, and that is less than three ticks: it is not used")
        return retry(now)
      }
      log.recovered("watchdog", "it is open now")
      let name = identity.map { " (\($0))" } ?? ""
      log.info(
        "watchdog",
        "\(profile.device)\(name) resets this device \(timeoutSeconds ?? profile.timeoutSeconds) s after the last tick")
      if opened.facts.cannotBeStopped == true {
        log.warning("watchdog", "\(profile.device) cannot be stopped any more (nowayout)")
      }
    } catch {
      tell(Self.reason(error, profile.device))
      retry(now)
    }
  }

  private func setTimeout(of device: any WatchdogDevice, _ profile: WatchdogProfile, _ range: WatchdogRange? = nil) {
    timeoutSeconds = device.setTimeout(seconds: profile.timeoutSeconds)
    guard let timeoutSeconds, timeoutSeconds != profile.timeoutSeconds else { return }
    let range = range ?? edge.range(profile.device)
    let bounds = "\(range.shortest.map { "\($0)" } ?? "?") to \(range.longest.map { "\($0)" } ?? "?") s"
    log.warning(
      "watchdog",
      "\(profile.device) takes no timeout of \(profile.timeoutSeconds) s (its driver has \(bounds)): it is \(timeoutSeconds) s")
  }

  /// Once for each cause, however often it is tried.
  private func tell(_ what: String) {
    problem = what
    log.problem("watchdog", what, level: .error)
  }

  private func retry(_ now: Int64) {
    notBefore = now + min(AgentLimits.watchdogRetrySeconds, Int64(1) << min(attempts, 20)) * 1_000_000_000
    attempts += 1
  }

  private static func reason(_ failure: WatchdogFailure, _ path: String) -> String {
    if failure.isBusy {
      return "\(path) is held by another program; if it is systemd, set RuntimeWatchdogSec=off in /etc/systemd/system.conf"
    }
    if failure.isAbsent { return "there is no \(path); its driver's module may have to be loaded" }
    if failure.isBarred { return "no right to open \(path): see etc/udev/60-godwit.rules" }
    return "cannot open \(path): errno \(failure.errno)"
  }
}
