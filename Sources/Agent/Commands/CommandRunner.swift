import Alerts
import Buffer
import Platform
import Profile
import Telemetry
import Uplink

/// What became of a reload.
enum ReloadOutcome {
  /// What changed, a line each; none when nothing did.
  case applied([String])
  /// Why the old profile stays.
  case refused([String])
}

/// Runs commands that came over MQTT, on the agent's loop. Nothing in it starts a program or takes a path from outside.
final class CommandRunner {
  /// A command that is done by a later tick.
  private enum Waiting {
    /// Until the disk has this tick; given up at a time of CLOCK_BOOTTIME, nanoseconds.
    case flush(UInt64, deadline: Int64)
    /// Until this tick was taken.
    case sample(UInt64)
    /// Until the line follows; given up at such a time.
    case output(String, OutputControl.Wish, deadline: Int64)
  }

  /// The note under which the buffer keeps which commands were taken.
  static let note = "commands"

  private let supervisor: Supervisor
  private let reload: () -> ReloadOutcome
  /// Takes a tick now if the next one is far off.
  private let hasten: () -> Void
  private var waiting: [(id: String, until: Waiting)] = []
  /// What the uplink had no room for.
  private var unsent: [CommandAnswer] = []

  init(_ supervisor: Supervisor, reload: @escaping () -> ReloadOutcome, hasten: @escaping () -> Void) {
    self.supervisor = supervisor
    self.reload = reload
    self.hasten = hasten
  }

  private var now: Int64 { supervisor.environment.clock.bootNanoseconds() }

  /// Does what the uplink says.
  func take(_ notices: [CommandNotice]) {
    guard !notices.isEmpty else { return }
    for case .remember(let text) in notices { supervisor.pending.notes[Self.note] = text }
    for case .record(let record) in notices { emit(record) }
    // At once: a power cut must not make a command run twice.
    supervisor.commit(now)
    for case .run(let request) in notices { run(request) }
  }

  private func run(_ request: CommandRequest) {
    answer(request.id, .executing)
    switch request.name {
    case .flush: flush(request.id)
    case .sample:
      supervisor.samplesAll = true
      waiting.append((request.id, .sample(supervisor.nextSequence)))
      hasten()
    case .reload: reload(request.id)
    case .silence: silence(request.id, request.arguments)
    case .setOutput: setOutput(request.id, request.arguments)
    case .resend, .exportBundle: answer(request.id, .failed("it is the uplink's to do"))
    }
  }

  private func emit(_ record: CommandRecord) {
    let what = "\(record.command ?? "command") (\(record.id))"
    let message = record.isSuccessful ? "\(what) done" : "\(what) failed: \(record.reason ?? "no reason")"
    supervisor.environment.log.write(record.isSuccessful ? .info : .warning, "command", message)
    supervisor.emit(kind: "command", severity: record.isSuccessful ? .info : .warning, message: message) { json in
      json.member("id", record.id)
      json.member("command", record.command)
      json.key("args")
      json.raw(record.arguments)
      json.member("outcome", record.isSuccessful ? "successful" : "failed")
      if let reason = record.reason { json.member("reason", reason) }
    }
  }

  // MARK: The commands

  private func flush(_ id: String) {
    let last = supervisor.nextSequence - 1
    supervisor.commit(now)
    waiting.append((id, .flush(last, deadline: now + AgentLimits.flushSeconds * 1_000_000_000)))
  }

  private func reload(_ id: String) {
    switch reload() {
    case .refused(let reasons): answer(id, .failed(reasons.prefix(AgentLimits.shownProblems).joined(separator: "; ")))
    case .applied(let lines):
      answer(
        id,
        .successful(
          Self.object { json in
            json.key("changes")
            json.beginArray()
            for line in lines.prefix(AgentLimits.shownProblems) { json.string(line) }
            json.endArray()
          }))
    }
  }

  private func silence(_ id: String, _ arguments: JSONValue) {
    guard let rule = arguments["rule"]?.text, let text = arguments["duration"]?.text else {
      return answer(id, .failed("it wants 'rule', a name or '*', and 'duration', such as 30m; 0s takes a silence back"))
    }
    guard let milliseconds = Quantity.milliseconds(text), (0...AgentLimits.longestSilenceMilliseconds).contains(milliseconds)
    else {
      let most = Quantity.duration(AgentLimits.longestSilenceMilliseconds)
      return answer(id, .failed("'duration' is none, or longer than \(most)"))
    }
    if let problem = supervisor.silence(String(rule.prefix(AgentLimits.shownNameCharacters)), milliseconds: milliseconds) {
      return answer(id, .failed(problem))
    }
    answer(id, .successful(Self.object { $0.member("rule", rule) }))
  }

  private func setOutput(_ id: String, _ arguments: JSONValue) {
    guard let name = arguments["line"]?.text, let wish = arguments["state"]?.text.flatMap(OutputControl.Wish.init) else {
      return answer(id, .failed("it wants 'line', the name of an output, and 'state': on, off or auto; 'for' if it shall end"))
    }
    var milliseconds: Int?
    if let text = arguments["for"]?.text {
      guard let given = Quantity.milliseconds(text), (1...AgentLimits.longestOutputMilliseconds).contains(given) else {
        return answer(
          id, .failed("'for' is no duration, or longer than \(Quantity.duration(AgentLimits.longestOutputMilliseconds))"))
      }
      milliseconds = given
    }
    let shown = String(name.prefix(AgentLimits.shownNameCharacters))
    if let problem = supervisor.outputs.command(shown, wish, milliseconds: milliseconds, now: now) {
      return answer(id, .failed(problem))
    }
    // What the guard answers is heard at the tick behind.
    let deadline = now + AgentLimits.outputCommandNanoseconds + 2 * Int64(supervisor.profile.tickMilliseconds) * 1_000_000
    waiting.append((id, .output(shown, wish, deadline: deadline)))
    hasten()
  }

  /// Whether the line of a command does what it was told; nil while that is not known.
  private func follows(_ name: String, _ wish: OutputControl.Wish, deadline: Int64) -> CommandAnswer.Outcome? {
    guard let view = supervisor.outputs.views.first(where: { $0.name == name }) else { return .failed("the output is gone") }
    if let problem = view.problem { return .failed(problem) }
    if let isOn = view.isOn, wish == .auto ? isOn == view.wanted : isOn == (wish == .on) {
      return .successful(
        Self.object { json in
          json.member("line", name)
          json.member("state", isOn ? "on" : "off")
        })
    }
    return now > deadline ? .failed("the line did not follow in time") : nil
  }

  // MARK: What takes a while

  /// Looks after commands that wait, after each tick.
  func afterTick() {
    if !unsent.isEmpty {
      let again = unsent
      unsent = []
      for answer in again { send(answer) }
    }
    guard !waiting.isEmpty else { return }
    let committed = supervisor.environment.storage.status.committed
    waiting.removeAll { entry in
      switch entry.until {
      case .sample(let sequence):
        guard supervisor.nextSequence > sequence else { return false }
        answer(entry.id, .successful(Self.object { $0.member("seq", sequence) }))
      case .output(let name, let wish, let deadline):
        guard let outcome = follows(name, wish, deadline: deadline) else { return false }
        answer(entry.id, outcome)
      case .flush(let last, let deadline):
        if committed >= last {
          answer(entry.id, .successful(Self.object { $0.member("committed", committed) }))
        } else if now > deadline {
          answer(entry.id, .failed("the disk did not take it within \(AgentLimits.flushSeconds) s"))
        } else {
          return false
        }
      }
      return true
    }
  }

  private static func object(_ members: (inout JSONWriter) -> Void) -> [UInt8] {
    var writer = JSONWriter()
    writer.beginObject()
    members(&writer)
    writer.endObject()
    return writer.bytes
  }

  private func answer(_ id: String, _ outcome: CommandAnswer.Outcome) { send(CommandAnswer(id: id, outcome)) }

  /// What does not fit waits for the next tick, in order: a few answers for each of the few commands that are under way at once.
  private func send(_ answer: CommandAnswer) {
    guard unsent.isEmpty, supervisor.environment.delivery?.put(.command(answer)) == true else { return unsent.append(answer) }
  }
}
