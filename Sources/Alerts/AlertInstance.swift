import Telemetry

/// One rule on one series: the state machine alone. It holds copies of the rule's numbers, so that a tick touches nothing else.
struct AlertInstance: Sendable {
  let rule: Int
  let series: Int
  private let when: AlertRule.Condition
  private let clear: AlertRule.Condition?
  private let forMilliseconds: Int64
  private let clearForMilliseconds: Int64

  private(set) var state: AlertState
  /// The value seen last; `missing` before the first.
  private(set) var value: Double
  /// When it became pending or fired; nil when that was before a restart.
  private(set) var since: Int64?
  /// That moment by the wall clock when it was before a restart.
  private(set) var storedSince: Int64?
  /// Since when the condition of a pending or clearing state has held; nil after a restart, which begins the duration anew.
  private var heldSince: Int64?
  /// What is known of a series that has no value.
  private var absence = Absence()
  /// When its alert ended because its series was gone; nil once the series is reported again.
  private(set) var goneSince: Int64?

  /// Whether it is `ok` because its series is gone.
  var isGone: Bool { state == .ok && goneSince != nil }

  init(rule: Int, series: Int, of definition: AlertRule, restored memory: AlertMemory? = nil) {
    self.rule = rule
    self.series = series
    when = definition.when
    clear = definition.clear
    forMilliseconds = Int64(definition.forMilliseconds)
    clearForMilliseconds = Int64(definition.clearForMilliseconds)
    state = memory?.state ?? .ok
    value = memory?.value ?? .missing
    storedSince = memory?.storedSinceMilliseconds
  }

  /// Goes on from the state under the profile before; with `durations` also from where its durations stood.
  mutating func resume(_ before: AlertInstance, durations: Bool) {
    state = before.state
    value = before.value
    (since, storedSince) = (before.since, before.storedSince)
    heldSince = durations ? before.heldSince : nil
    absence = before.absence
    goneSince = before.goneSince
  }

  /// Takes a value at a tick. Missing values and NaN say nothing of the device: nothing moves then, and a duration ends at the
  /// next value at the earliest.
  ///
  /// - Returns: whether the state changed, or the series was gone until now.
  mutating func step(_ value: Double, at now: Int64) -> Bool {
    guard !value.isNaN else { return false }
    self.value = value
    let (old, wasGone) = (state, isGone)
    goneSince = nil
    switch state {
    case .ok:
      if when.holds(value) { begin(at: now) }
    case .pending:
      if !when.holds(value) {
        end()
      } else if held(for: forMilliseconds, at: now) {
        fire(at: now)
      }
    case .firing:
      if isClear(value) { beginClearing(at: now) }
    case .clearing:
      if !isClear(value) {
        state = .firing
      } else if held(for: clearForMilliseconds, at: now) {
        end()
      }
    }
    return state != old || wasGone
  }

  /// A condition to clear that overlaps `when` must not let an alert flap: it is clear only when `when` does not hold either.
  private func isClear(_ value: Double) -> Bool {
    !when.holds(value) && (clear?.holds(value) ?? true)
  }

  /// Weighs what a tick says of a series that is not `ok`: `answer` has the problems of its sensor's sample, nil without one.
  ///
  /// - Returns: whether the series is gone, which ended the alert.
  mutating func weigh(_ value: Double, answer: Int?, at now: Int64) -> Bool {
    guard value.isMissing else {
      absence = Absence(problemsBefore: answer ?? absence.problemsBefore)
      return false
    }
    guard let answer, absence.counts(answer, at: now, atLeast: clearForMilliseconds) else { return false }
    // Of one that never fired nobody was told, so there is no end to tell.
    if state.isFiring { goneSince = now }
    end()
    absence = Absence()
    return true
  }

  private mutating func begin(at now: Int64) {
    guard forMilliseconds > 0 else { return fire(at: now) }
    state = .pending
    (since, storedSince) = (now, nil)
    heldSince = now
  }

  private mutating func fire(at now: Int64) {
    state = .firing
    (since, storedSince) = (now, nil)
  }

  private mutating func beginClearing(at now: Int64) {
    guard clearForMilliseconds > 0 else { return end() }
    state = .clearing
    heldSince = now
  }

  private mutating func end() {
    state = .ok
    (since, storedSince) = (nil, nil)
  }

  private mutating func held(for duration: Int64, at now: Int64) -> Bool {
    let start = heldSince ?? now
    heldSince = start
    return now - start >= duration
  }
}
