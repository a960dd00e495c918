import Telemetry

/// Takes commands in, judges them and follows them to their end: `init → executing → successful | failed`. No I/O: what is to be sent, to
/// be done and to be told is taken from it.
struct CommandDesk {
  /// How a command came in.
  struct Arrival {
    /// Whether the broker kept it as the topic's retained message.
    var isRetained = false
    /// Whether it may have been kept for the node while that was away: then only a right clock tells how old it is.
    var mayBeOld = false
  }

  private struct Open {
    let request: CommandRequest
    /// CLOCK_BOOTTIME milliseconds of its arrival, while it waits for the clock; nil once it was begun.
    var waitingSince: Int64?
  }

  /// What the profile allows.
  var allowed: Set<CommandName>
  private(set) var journal: CommandJournal
  /// What the uplink does by itself.
  private(set) var errands: [CommandRequest] = []
  private var open: [Open] = []
  private var outgoing = CommandStatusQueue()
  private var notices: [CommandNotice] = []
  private var tokens = Double(UplinkLimits.Commands.perMinute)
  private var countedAt: Int64?

  /// Goes on from what an earlier run remembered. What that run did not finish has failed.
  init(allowed: Set<CommandName>, remembered: String, at moment: CommandMoment) {
    self.allowed = allowed
    journal = CommandJournal(remembered)
    for entry in journal.entries where !entry.isDone {
      let reason = "the agent ended before it was done"
      journal.finish(entry.id)
      outgoing.put(
        entry.id, .failed, command: entry.command, wall: moment.wallMilliseconds, issued: entry.issuedMilliseconds, reason: reason
      )
      notices.append(
        .record(
          CommandRecord(id: entry.id, command: entry.command, arguments: Array("{}".utf8), isSuccessful: false, reason: reason)))
    }
    if !notices.isEmpty { notices.append(.remember(journal.text)) }
  }

  // MARK: What comes in

  /// Takes the payload of `cmd/<id>`.
  mutating func receive(_ payload: [UInt8], id: String, _ arrival: Arrival, at moment: CommandMoment) {
    // An empty payload is how a retained command is taken back.
    guard !allowed.isEmpty, !payload.isEmpty else { return }
    guard CommandRequest.isID(id) else {
      // No topic can be trusted to be answerable.
      guard takeToken(moment) else { return }
      let shown = String(id.prefix(UplinkLimits.Commands.idBytes))
      return record(id: shown, nil, "the id is not one: up to 64 letters, digits, '-', '_' and '.'")
    }
    let request: CommandRequest
    do throws(CommandFault) { request = try CommandRequest(id: id, payload: payload) } catch {
      guard takeToken(moment) else { return }
      outgoing.put(id, .failed, command: error.command, wall: moment.wallMilliseconds, issued: nil, reason: error.reason)
      if !arrival.isRetained { record(id: id, error.command, error.reason) }
      return
    }
    if journal.knows(request) { return repeated(request, arrival, moment) }
    guard takeToken(moment) else {
      return tell(request, .failed, moment, reason: "more than \(UplinkLimits.Commands.perMinute) commands in a minute")
    }
    take(request, arrival, moment)
  }

  /// The newest status of the id stands as it is; whoever sent the command again is told beside it.
  private mutating func repeated(_ request: CommandRequest, _ arrival: Arrival, _ moment: CommandMoment) {
    // The broker's own repeats are nobody's mistake.
    guard !arrival.isRetained, !arrival.mayBeOld, journal.entry(request.id)?.isDone == true, takeToken(moment) else { return }
    let reason = "it was taken before: another command needs another id or a later 't'"
    outgoing.put(
      request.id, .failed, command: request.name.rawValue, wall: moment.wallMilliseconds, issued: request.issuedMilliseconds,
      reason: reason, isRetained: false)
    record(request, isSuccessful: false, reason)
  }

  private mutating func take(_ request: CommandRequest, _ arrival: Arrival, _ moment: CommandMoment) {
    guard allowed.contains(request.name) else {
      return refuse(request, moment, "the profile does not allow it: add it to uplink.commands")
    }
    if request.expiry == .never, arrival.isRetained {
      return refuse(request, moment, "a retained command must expire")
    }
    if let fault = Self.fault(of: request, moment) { return refuse(request, moment, fault) }
    guard open.count < UplinkLimits.Commands.atOnce else {
      return refuse(request, moment, "\(UplinkLimits.Commands.atOnce) commands are under way")
    }
    guard journal.add(request, isDone: false, at: moment) else {
      return tell(request, .failed, moment, reason: "too many commands of late could still come again: try later")
    }
    notices.append(.remember(journal.text))
    tell(request, .initial, moment)
    let isFresh = moment.isSynced || request.expiry == .never || !(arrival.isRetained || arrival.mayBeOld)
    open.append(Open(request: request, waitingSince: isFresh ? nil : moment.bootMilliseconds))
    if isFresh { begin(request) }
  }

  /// What speaks against a command by the wall clock. A clock that is not synchronised is usually late: it can say that a command is over
  /// but not that it is not.
  private static func fault(of request: CommandRequest, _ moment: CommandMoment) -> String? {
    guard case .at(let end) = request.expiry else { return nil }
    if moment.wallMilliseconds > end { return "it expired at \(WallTime.text(end))" }
    let ahead = request.issuedMilliseconds - moment.wallMilliseconds
    guard moment.isSynced, ahead > UplinkLimits.Commands.skewSeconds * 1_000 else { return nil }
    return "it was given in the future: \(WallTime.text(request.issuedMilliseconds))"
  }

  /// Looks after commands that wait for the clock.
  ///
  /// - Returns: milliseconds after which to look again; nil when none waits.
  mutating func lookAfter(_ moment: CommandMoment) -> Int64? {
    for waiting in open {
      guard let since = waiting.waitingSince, let place = open.firstIndex(where: { $0.request.id == waiting.request.id }) else {
        continue
      }
      if !allowed.contains(waiting.request.name) {
        end(waiting.request.id, .failed, moment, reason: "the profile does not allow it any more")
      } else if let fault = Self.fault(of: waiting.request, moment) {
        end(waiting.request.id, .failed, moment, reason: fault)
      } else if moment.isSynced {
        open[place].waitingSince = nil
        begin(waiting.request)
      } else if moment.bootMilliseconds - since > waiting.request.lifetime ?? 0 {
        end(waiting.request.id, .failed, moment, reason: "it expired before the node's clock was synchronised")
      }
    }
    return isWaiting ? 1_000 : nil
  }

  /// Whether a command waits for the clock.
  var isWaiting: Bool { open.contains { $0.waitingSince != nil } }

  // MARK: The way of a command

  private mutating func begin(_ request: CommandRequest) {
    switch request.name {
    case .resend, .exportBundle: errands.append(request)
    default: notices.append(.run(request))
    }
  }

  /// Follows a command that was begun.
  mutating func answer(_ answer: CommandAnswer, at moment: CommandMoment) {
    guard let request = open.first(where: { $0.request.id == answer.id })?.request else { return }
    switch answer.outcome {
    case .executing: tell(request, .executing, moment)
    case .successful(let result): end(answer.id, .successful, moment, result: result)
    case .failed(let reason): end(answer.id, .failed, moment, reason: reason)
    }
  }

  private mutating func end(
    _ id: String, _ state: CommandStatus.State, _ moment: CommandMoment, reason: String? = nil, result: [UInt8]? = nil
  ) {
    guard let place = open.firstIndex(where: { $0.request.id == id }) else { return }
    let request = open.remove(at: place).request
    tell(request, state, moment, reason: reason, result: result)
    journal.finish(id)
    record(request, isSuccessful: state == .successful, reason)
    notices.append(.remember(journal.text))
  }

  /// Remembers a refusal, too: the same command must not run once the profile allows it.
  private mutating func refuse(_ request: CommandRequest, _ moment: CommandMoment, _ reason: String) {
    tell(request, .failed, moment, reason: reason)
    record(request, isSuccessful: false, reason)
    if journal.add(request, isDone: true, at: moment) { notices.append(.remember(journal.text)) }
  }

  private mutating func tell(
    _ request: CommandRequest, _ state: CommandStatus.State, _ moment: CommandMoment, reason: String? = nil,
    result: [UInt8]? = nil
  ) {
    outgoing.put(
      request.id, state, command: request.name.rawValue, wall: moment.wallMilliseconds, issued: request.issuedMilliseconds,
      reason: reason, result: result)
  }

  private mutating func record(_ request: CommandRequest, isSuccessful: Bool, _ reason: String?) {
    var writer = JSONWriter()
    writer.value(request.arguments)
    notices.append(
      .record(
        CommandRecord(
          id: request.id, command: request.name.rawValue, arguments: writer.bytes, isSuccessful: isSuccessful, reason: reason)))
  }

  private mutating func record(id: String, _ command: String?, _ reason: String) {
    notices.append(
      .record(CommandRecord(id: id, command: command, arguments: Array("{}".utf8), isSuccessful: false, reason: reason)))
  }

  private mutating func takeToken(_ moment: CommandMoment) -> Bool {
    let most = Double(UplinkLimits.Commands.perMinute)
    if let last = countedAt { tokens = min(most, tokens + Double(max(moment.bootMilliseconds - last, 0)) * most / 60_000) }
    countedAt = moment.bootMilliseconds
    guard tokens >= 1 else { return false }
    tokens -= 1
    return true
  }

  // MARK: What goes out

  /// What the uplink has to do by itself, oldest first.
  mutating func takeErrand() -> CommandRequest? { errands.isEmpty ? nil : errands.removeFirst() }

  /// The next status to send.
  mutating func takeStatus() -> CommandStatus? { outgoing.take() }

  /// A status did not arrive.
  mutating func lose(_ status: CommandStatus) { outgoing.lose(status) }

  /// Hands notices to the agent until it takes no more.
  mutating func hand(to put: (CommandNotice) -> Bool) {
    var count = 0
    while count < notices.count, put(notices[count]) { count += 1 }
    notices.removeFirst(count)
    // An agent that takes nothing is told less; a command to run is never left out, and there are few.
    while notices.count > UplinkLimits.Commands.notices,
      let surplus = notices.firstIndex(where: { if case .run = $0 { false } else { true } })
    {
      notices.remove(at: surplus)
    }
  }
}
