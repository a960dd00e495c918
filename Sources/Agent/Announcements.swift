import Alerts
import Buffer
import Platform
import Profile
import Sensors
import Telemetry
import Uplink

/// Gives out event ids; they never repeat on a node.
struct EventCounter {
  private(set) var next: UInt64
  private var reserved: UInt64

  init(next: UInt64) {
    self.next = next
    reserved = next + BufferLimits.reservedEvents
  }

  /// No id below this is given out any more.
  mutating func skip(to id: UInt64) { next = max(next, id) }

  /// The next id, and the new reservation when half of the last one is used up.
  mutating func take() -> (id: UInt64, reservation: UInt64?) {
    defer { next += 1 }
    guard next + BufferLimits.reservedEvents / 2 > reserved else { return (next, nil) }
    reserved = next + BufferLimits.reservedEvents
    return (next, reserved)
  }
}

extension Supervisor {
  /// Tells of something that happened: stored at once, and sent.
  func emit(kind: String, severity: Severity, message: String, detail: (inout JSONWriter) -> Void = { _ in }) {
    let (id, reservation) = events.take()
    if let reservation { pending.reservedEvent = reservation }
    var writer = JSONWriter()
    writer.beginObject()
    detail(&writer)
    writer.endObject()
    let epoch = timekeeper.current
    let event = StoredEvent(
      id: id, epoch: epoch?.id ?? 0, milliseconds: environment.clock.bootNanoseconds() / 1_000_000, kind: kind,
      severity: severity,
      message: message, detail: String(decoding: writer.bytes, as: UTF8.self))
    pending.events.append(event)
    _ = environment.delivery?.put(.event(id: id, json: EventJSON.encode(event, epoch: epoch)))
  }

  /// Tells of what sensors saw happen since the last tick.
  func tellSensorEvents() {
    for event in environment.context.events.take() {
      environment.log.info(event.kind, event.message)
      emit(kind: event.kind, severity: .info, message: event.message) { json in
        for detail in event.details { json.member(detail.key, detail.value) }
      }
    }
  }

  /// Stores and sends what changed in the rules' states.
  func announce(_ changes: [AlertChange]) {
    guard !changes.isEmpty else { return }
    fired = (fired ?? []).union(changes.filter { $0.isAnnounced && !$0.isResolved }.map(\.rule.name))
    for change in changes where change.isAnnounced && silences.end(of: change.rule.name) == nil {
      let word = change.isGone ? "gone, no longer reported" : change.isResolved ? "resolved" : "firing"
      if change.rule.notifiers.contains(.log) {
        // That something is gone is not all well.
        environment.log.write(
          change.isResolved && !change.isGone ? .info : change.rule.severity.logLevel, "alert \(change.rule.name)",
          "\(word): \(change.message)")
      }
      emit(kind: "alert", severity: change.rule.severity, message: "\(change.rule.name) \(word): \(change.message)") { json in
        json.key("rule")
        json.string(change.rule.name)
        json.key("series")
        json.string(change.series.key)
        json.key("state")
        json.string(change.to.rawValue)
        json.key("value")
        json.number(change.value)
        if change.isGone { json.member("reason", "gone") }
      }
    }
    for rule in Set(changes.map(\.rule.name)).sorted() { publishState(of: rule) }
    let (wall, now) = (environment.clock.wallMilliseconds(), now)
    pending.alerts = engine.memory.map {
      StoredAlert(
        rule: $0.rule, series: $0.series, state: $0.state.rawValue, value: $0.value,
        sinceMilliseconds: $0.sinceMilliseconds.map { wall - now + $0 } ?? $0.storedSinceMilliseconds ?? wall)
    }
  }

  /// Sends the retained state of all rules: after a start, and after a reload.
  func publishStates() {
    for rule in profile.alerts { publishState(of: rule.name) }
  }

  func publishState(of rule: String) {
    guard let delivery = environment.delivery else { return }
    guard let summary = engine.summary(rule: rule) else {
      _ = delivery.put(.alertRemoved(rule: rule))
      return
    }
    guard summary.rule.notifiers.contains(.mqtt) else { return }
    _ = delivery.put(
      .alert(rule: rule, json: AlertJSON.encode(summary, silencedUntil: silences.end(of: rule), now: now, wall: wall)))
  }

  private var now: Int64 { environment.clock.bootNanoseconds() / 1_000_000 }
  private var wall: Int64 { environment.clock.wallMilliseconds() }

  /// Says what the storage had to do or could not do.
  func handle(_ notice: StorageNotice) {
    let log = environment.log
    switch notice {
    case .evicted(let eviction):
      log.debug("buffer", "made room: ticks \(eviction.range.lowerBound) to \(eviction.range.upperBound) deleted")
      // An uplink or a payload that was taken out of the profile leaves its position behind; it owes nobody anything.
      let sinks = environment.delivery?.status.positions ?? [:]
      for (sink, ticks) in eviction.undelivered where sinks[sink] != nil {
        gap(eviction.range, ticks, why: "deleted to keep within the buffer's limits before \(sink) had delivered them")
      }
    case .unsealable(let range, let damaged, let undelivered):
      // Which of the range they were is not known: at most so many were still to be delivered.
      if environment.delivery != nil, undelivered > 0 {
        gap(range, min(damaged, undelivered), why: "their rows were damaged before they were delivered")
      } else {
        log.warning("buffer", "\(damaged) damaged rows left out of ticks \(range.lowerBound) to \(range.upperBound)")
      }
    case .deliveryLost:
      log.warning("buffer", "what was delivered is not known, its rows are damaged: all that is kept is delivered again")
      emit(kind: "buffer", severity: .warning, message: "damaged delivery positions: all is delivered again")
    case .dropped(let range):
      gap(range, UInt64(range.count), why: "dropped from memory because the disk refused for too long")
      environment.context.statistics.update { $0.unstoredTicks += UInt64(range.count) }
    case .setAside(let path, let reason):
      log.error("buffer", "the buffer was damaged and set aside as \(path); a fresh one was made (\(reason))")
      emit(kind: "buffer", severity: .critical, message: "damaged buffer set aside, fresh one made") { json in
        json.key("path")
        json.string(path)
        json.key("reason")
        json.string(reason)
      }
    case .inherited(let positions, let last):
      // Refused for want of room: the file keeps it for the next start.
      _ = environment.delivery?.put(.inherited(positions, lastCommitted: last))
    case .outnumbered(let sequence, let event):
      log.warning("buffer", "the buffer holds higher numbers than this run's: it goes on with tick \(sequence)")
      nextSequence = max(nextSequence, sequence)
      events.skip(to: event)
    case .trouble(let problem):
      log.problem("buffer", "\(problem); ticks are kept in memory", level: .error)
      emit(kind: "buffer", severity: .critical, message: "ticks are kept in memory: \(problem)")
    case .recovered:
      log.recovered("buffer", "the disk takes ticks again")
      emit(kind: "buffer", severity: .info, message: "the disk takes ticks again")
    }
  }

  /// What has no place among the series is left out, but not in silence.
  func tellRefusedSeries() {
    if table.refused > 0 {
      environment.log.problem(
        "series", "the buffer knows \(Limits.seriesPerNode) series already: new ones are left out; filter, or begin a new buffer",
        level: .error)
    }
    for slot in lanes where slot.lane.readings.refusedSeries > 0 {
      environment.log.problem(
        "series", "sensor \(slot.figures.name) has more than \(Limits.seriesPerSensor) series: the rest is left out; filter",
        level: .error)
    }
  }

  private func gap(_ range: ClosedRange<UInt64>, _ ticks: UInt64, why: String) {
    environment.log.warning("buffer", "\(ticks) ticks lost: \(why)")
    emit(kind: "gap", severity: .warning, message: "\(ticks) ticks lost: \(why)") { json in
      json.key("first")
      json.integer(range.lowerBound)
      json.key("last")
      json.integer(range.upperBound)
      json.key("ticks")
      json.integer(ticks)
    }
  }
}

extension Severity {
  /// How an alert of this severity is logged.
  fileprivate var logLevel: LogProfile.Level {
    switch self {
    case .info: .info
    case .warning: .warning
    case .critical: .error
    }
  }
}

/// The retained state of a rule:
/// `{"rule":…,"severity":…,"state":…,"t":…,"series":[{"series":…,"state":…,"value":…,"since":…,"message":…}],`
/// `"gone":[{"series":…,"value":…,"t":…}]}`.
enum AlertJSON {
  static func encode(_ summary: AlertSummary, silencedUntil: Int64?, now: Int64, wall: Int64) -> [UInt8] {
    var json = JSONWriter()
    json.beginObject()
    json.key("rule")
    json.string(summary.rule.name)
    json.key("severity")
    json.string(summary.rule.severity.rawValue)
    json.key("state")
    json.string(summary.state.rawValue)
    json.key("t")
    json.string(WallTime.text(wall))
    if let silencedUntil { json.member("silenced_until", WallTime.text(wall - now + silencedUntil)) }
    json.key("series")
    json.beginArray()
    for status in summary.series {
      json.beginObject()
      json.key("series")
      json.string(status.series)
      json.key("state")
      json.string(status.state.rawValue)
      json.key("value")
      json.number(status.value)
      json.key("since")
      if let since = status.sinceMilliseconds { json.string(WallTime.text(wall - now + since)) } else { json.null() }
      json.key("message")
      json.string(status.message)
      json.endObject()
    }
    json.endArray()
    json.key("gone")
    json.beginArray()
    for ending in summary.gone {
      json.beginObject()
      json.member("series", ending.series)
      json.key("value")
      json.number(ending.value)
      json.member("t", WallTime.text(wall - now + ending.milliseconds))
      json.endObject()
    }
    json.endArray()
    json.endObject()
    return json.bytes
  }
}
