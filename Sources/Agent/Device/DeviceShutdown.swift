import Platform
import Profile

/// Switches the device off: the system's own way, or a test's.
protocol PowerEdge: AnyObject {
  /// Begins it, without waiting.
  func begin()
  /// What came of it, once: nil when the system accepted, else why not. Empty while nothing did.
  func takeResult() -> PowerResult?
}

/// What came of an attempt to switch off.
enum PowerResult: Hashable, Sendable {
  case accepted
  case failed(String)
}

/// `systemctl poweroff`, on a thread of its own: services are stopped in order, file systems unmounted. No setting reaches its arguments.
final class SystemPower: PowerEdge {
  private let path: String
  private let results = Mailbox<PowerResult>(capacity: AgentLimits.shutdownAttempts)

  init(host: Host) { path = host.root + "/usr/bin/systemctl" }

  func begin() {
    let started = Thread.start(name: "shutdown") { [path, results] in _ = results.put(Self.run(path)) }
    if !started { _ = results.put(.failed("the kernel gives no thread")) }
  }

  func takeResult() -> PowerResult? { results.takeAll().last }

  private static func run(_ path: String) -> PowerResult {
    do throws(SubprocessFailure) {
      let outcome = try Subprocess.run(
        path, ["--no-ask-password", "poweroff"], timeoutMilliseconds: AgentLimits.shutdownMilliseconds, outputBytes: 1_024)
      guard outcome.end != .exited(0) else { return .accepted }
      let said = String(decoding: outcome.errors, as: UTF8.self).split(separator: "\n").first ?? ""
      switch outcome.end {
      case .exited(let status): return .failed("\(path) ended with \(status): \(said)")
      case .signalled(let signal): return .failed("\(path) was ended by signal \(signal)")
      case .timedOut: return .failed("\(path) took longer than \(AgentLimits.shutdownMilliseconds / 1_000) s")
      }
    } catch {
      return .failed("\(error)")
    }
  }
}

/// Ends the device in order when the alert `shutdown` fires: told and committed first, then asked of the system; once a boot.
final class DeviceShutdown {
  /// What happened, for the supervisor to tell.
  enum Step: Hashable {
    /// It begins; the supervisor says which tick is to be on the disk first.
    case announced
    /// The alert cleared before it was asked of the system.
    case cancelled
    case accepted
    case failed(String)
  }

  enum State: String {
    /// The alert does not fire.
    case armed
    /// It fires, but the agent has not run for long enough.
    case grace
    /// The last commit is awaited.
    case committing
    /// Asked of the system.
    case requested
    /// The system is going down.
    case accepted
    /// It could not be asked; it is tried again, a few times.
    case failed
  }

  private let edge: any PowerEdge
  private let log: Log
  private var profile: ShutdownProfile?
  private let started: Int64
  private(set) var phase = State.armed
  private(set) var problem: String?
  private var attempts = 0
  private var notBefore: Int64 = .min
  private var awaited: UInt64 = .max
  private var deadline: Int64 = .max
  /// When what the condition looks at was measured last and was too low.
  private var measuredAt: Int64?
  /// When `unless` was measured last and held.
  private var sparedAt: Int64?

  /// Nanoseconds of CLOCK_BOOTTIME at the agent's start; `isDone` when this boot was to end already.
  init(edge: any PowerEdge, log: Log, profile: ShutdownProfile?, started: Int64, isDone: Bool) {
    self.edge = edge
    self.log = log
    self.profile = profile
    self.started = started
    if isDone { phase = .accepted }
  }

  /// Nil when none is configured.
  var state: State? { profile == nil ? nil : phase }

  func configure(_ new: ShutdownProfile?) {
    if new?.unless != profile?.unless { sparedAt = nil }
    profile = new
    // What was asked of the system cannot be taken back.
    if new == nil, phase == .committing || phase == .grace { phase = .armed }
  }

  /// The tick that is to be on the disk first.
  func waitFor(_ sequence: UInt64) { awaited = sequence }

  /// What was measured of `unless`.
  func note(unless holds: Bool, now: Int64) { sparedAt = holds ? now : nil }

  /// Whether something happened within the time after which nothing is known any more.
  private func isKnown(_ time: Int64?, _ now: Int64) -> Bool {
    time.map { now - $0 <= AgentLimits.shutdownSilenceNanoseconds } ?? false
  }

  /// Looks after it behind each tick; nanoseconds of CLOCK_BOOTTIME. `isMeasured`: a value that keeps the alert firing came with this tick.
  func afterTick(now: Int64, isFiring: Bool, isMeasured: Bool, committed: UInt64) -> [Step] {
    guard let profile else { return [] }
    if isMeasured { measuredAt = now }
    // An alert stays as it is while its sensor says nothing: that the charge was low once is no reason to switch off for ever.
    let isFiring = isFiring && isKnown(measuredAt, now) && !isKnown(sparedAt, now)
    switch phase {
    case .accepted: return []
    case .armed, .grace, .failed:
      guard isFiring else {
        if phase != .failed { phase = .armed }
        return []
      }
      guard attempts < AgentLimits.shutdownAttempts, now >= notBefore else { return [] }
      guard now - started >= Int64(profile.graceMilliseconds) * 1_000_000 else {
        if phase != .grace {
          log.warning("shutdown", "its alert fires, but the agent has run for less than \(profile.graceMilliseconds / 1_000) s")
        }
        phase = .grace
        return []
      }
      phase = .committing
      deadline = now + AgentLimits.shutdownCommitNanoseconds
      return [.announced]
    case .committing:
      guard isFiring else {
        phase = .armed
        return [.cancelled]
      }
      // A disk that refuses must not keep a battery from being saved.
      guard committed >= awaited || now >= deadline else { return [] }
      phase = .requested
      attempts += 1
      edge.begin()
      return []
    case .requested:
      switch edge.takeResult() {
      case nil: return []
      case .accepted:
        (phase, problem) = (.accepted, nil)
        return [.accepted]
      case .failed(let reason):
        (phase, problem) = (.failed, reason)
        notBefore = now + AgentLimits.shutdownRetryNanoseconds
        return [.failed(reason)]
      }
    }
  }
}
