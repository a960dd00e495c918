import Platform
import Profile
import Telemetry

/// Decides at each tick what each output is to be, and tells the guard, which holds the lines.
final class OutputControl {
  /// What a command said of an output.
  enum Wish: String, CaseIterable {
    case on, off
    /// What drives it otherwise does so again.
    case auto
  }

  /// An output, as status and statistics show it.
  struct View: Equatable {
    var name: String
    /// What the guard has set; nil while it is not known.
    var isOn: Bool?
    var wanted: Bool
    /// `alert`, `heartbeat`, `command`, or `rest` when nothing switches it.
    var driver: String
    var problem: String?
  }

  private struct Output {
    let profile: OutputProfile
    /// The rules that switch it on.
    var rules: Set<String> = []
    var wanted: Bool
    var driver = "rest"
    /// Milliseconds of CLOCK_BOOTTIME; nil: without end.
    var commanded: (isOn: Bool, until: Int64?)?
    /// When the last alert that matters fired.
    var firedAt: Int64 = .min
    var isOn: Bool?
    var problem: String?

    init(_ profile: OutputProfile) {
      self.profile = profile
      wanted = profile.safe
    }
  }

  private let guards: any OutputGuards
  private let log: Log
  private var outputs: [Output] = []
  private var limitMilliseconds = 0
  private var link: (any OutputLink)?
  /// A guard that was let go, until it was seen to end.
  private var leaving: (any OutputLink)?
  private var isTold = false
  private var notBefore: Int64 = .min
  private var attempts = 0
  private var startedAt: Int64 = 0
  private var answeredAt: Int64 = 0
  private var isLost = false
  private var firing: Set<String> = []
  private var fired: Set<String> = []

  init(guards: any OutputGuards, log: Log, profile: Profile) {
    self.guards = guards
    self.log = log
    configure(profile)
  }

  var views: [View] {
    outputs.map { View(name: $0.profile.name, isOn: $0.isOn, wanted: $0.wanted, driver: $0.driver, problem: $0.problem) }
  }

  /// Takes what a profile says. An output that stays goes on with what commands and alerts made of it.
  func configure(_ profile: Profile) {
    let old = outputs
    outputs = profile.outputs.map { wanted in
      var output = old.first { $0.profile == wanted } ?? Output(wanted)
      let patterns = wanted.onAlert.map(Glob.init)
      output.rules = Set(profile.alerts.map(\.name).filter { Glob.any(patterns, match: $0) })
      return output
    }
    // A tick may come late; three in a row that do not come are a hang.
    limitMilliseconds = 3 * profile.tickMilliseconds + AgentLimits.guardSlackMilliseconds
    isTold = false
    if outputs.isEmpty { stop() }
  }

  /// Takes the rules that fire now, and those that began to since the last tick.
  func note(firing: Set<String>, fired: Set<String>) {
    self.firing = firing
    self.fired.formUnion(fired)
  }

  /// A command for an output.
  ///
  /// - Returns: why it cannot be; nil when it holds from the next tick on.
  func command(_ name: String, _ wish: Wish, milliseconds: Int?, now: Int64) -> String? {
    guard let index = outputs.firstIndex(where: { $0.profile.name == name }) else {
      return "no output named '\(name)' is configured"
    }
    guard outputs[index].profile.takesCommands else {
      return "the output '\(name)' takes no commands: it has no 'commands: true'"
    }
    outputs[index].commanded = wish == .auto ? nil : (wish == .on, milliseconds.map { now / 1_000_000 + Int64($0) })
    return nil
  }

  /// Decides and tells. Nanoseconds of CLOCK_BOOTTIME.
  func afterTick(now: Int64) {
    if leaving?.hasEnded == true { leaving = nil }
    guard !outputs.isEmpty else { return }
    for index in outputs.indices { decide(index, now / 1_000_000) }
    fired = []
    hear(now)
    keepGuard(now)
    guard let link else { return }
    if !isTold {
      let lines = outputs.map { GuardedLine($0.profile) }
      isTold = link.send(OutputMessage.lines(lines, limitMilliseconds: limitMilliseconds).packet)
    }
    if isTold { _ = link.send(OutputMessage.set(outputs.map(\.wanted)).packet) }
  }

  /// Lets the guard end, which sets all lines safe.
  func stop() {
    link?.end()
    leaving = link ?? leaving
    link = nil
    isTold = false
  }

  private func decide(_ index: Int, _ now: Int64) {
    let profile = outputs[index].profile
    if !outputs[index].rules.isDisjoint(with: fired) { outputs[index].firedAt = now }
    if let until = outputs[index].commanded?.until, now >= until { outputs[index].commanded = nil }
    if let heartbeat = profile.heartbeatMilliseconds {
      (outputs[index].wanted, outputs[index].driver) = (now / Int64(heartbeat) % 2 == 1, "heartbeat")
    } else if let commanded = outputs[index].commanded {
      (outputs[index].wanted, outputs[index].driver) = (commanded.isOn, "command")
    } else if profile.onAlert.isEmpty {
      (outputs[index].wanted, outputs[index].driver) = (profile.safe, "rest")
    } else {
      let isFiring = !outputs[index].rules.isDisjoint(with: firing)
      let isOver = profile.forMilliseconds > 0 && now - max(outputs[index].firedAt, 0) >= Int64(profile.forMilliseconds)
      (outputs[index].wanted, outputs[index].driver) = isFiring && !isOver ? (true, "alert") : (false, "rest")
    }
  }

  /// Takes what the guard answered.
  private func hear(_ now: Int64) {
    guard let link else { return }
    while let packet = link.receive() {
      guard let report = OutputReport(packet), report.states.count == outputs.count, isTold else { continue }
      answeredAt = now
      if isLost { log.recovered("outputs", "the guard of the outputs answers") }
      isLost = false
      for index in outputs.indices {
        outputs[index].isOn = report.states[index]
        let problem = report.problems[index]
        if let problem, problem != outputs[index].problem {
          log.problem("output \(outputs[index].profile.name)", problem, level: .error)
        } else if problem == nil, outputs[index].problem != nil {
          log.recovered("output \(outputs[index].profile.name)", "is driven again")
        }
        outputs[index].problem = problem
      }
    }
    if isTold, now - answeredAt > Int64(limitMilliseconds) * 1_000_000 {
      lose("the guard of the outputs does not answer: a line may hang")
    }
  }

  /// Starts the guard, and another one when it died.
  private func keepGuard(_ now: Int64) {
    if let link, link.hasEnded {
      link.end()
      self.link = nil
      isTold = false
      // One that stayed for a while was a good one: the next wait is short again.
      if now - startedAt > AgentLimits.guardRetryMilliseconds * 1_000_000 { attempts = 0 }
      lose("the guard of the outputs ended; another one is started")
      retry(now)
    }
    // The one before must have let go of its lines.
    guard link == nil, leaving == nil, now >= notBefore else { return }
    do throws(SubprocessFailure) {
      link = try guards.start()
      isTold = false
      (startedAt, answeredAt) = (now, now)
    } catch {
      lose("cannot start the guard of the outputs: \(error)")
      retry(now)
    }
  }

  private func lose(_ problem: String) {
    isLost = true
    log.problem("outputs", problem, level: .error)
    for index in outputs.indices { (outputs[index].isOn, outputs[index].problem) = (nil, problem) }
  }

  private func retry(_ now: Int64) {
    notBefore = now + min(Int64(1_000) << min(attempts, 20), AgentLimits.guardRetryMilliseconds) * 1_000_000
    attempts += 1
  }
}

extension GuardedLine {
  init(_ output: OutputProfile) {
    self.init(name: output.name, chip: output.chip, line: output.line, isActiveLow: output.isActiveLow, safe: output.safe)
  }
}
