public import Telemetry

/// Where a rule stands on one series: `ok → pending → firing → clearing → ok`, in tick time.
///
/// ```
///            when holds                   for over                clear holds              clear's for over
///      ok ───────────────► pending ───────────────► firing ◄────────────────► clearing ───────────────► ok
///         ◄─────────────── when does not hold               clear does not hold
/// ```
/// A duration of zero skips its state. A series that its sensor no longer reports (`Absence`) is `ok` from any state.
public enum AlertState: String, Sendable, CaseIterable, Comparable {
  /// `when` does not hold.
  case ok
  /// `when` holds, not yet for long enough.
  case pending
  /// It fired and is not clear.
  case firing
  /// It is clear, not yet for long enough; it still counts as firing.
  case clearing

  /// Whether people were told and were not told of its end: firing or clearing.
  public var isFiring: Bool { self == .firing || self == .clearing }

  /// From harmless to grave.
  public static func < (left: AlertState, right: AlertState) -> Bool { left.rank < right.rank }

  private var rank: Int {
    switch self {
    case .ok: 0
    case .pending: 1
    case .clearing: 2
    case .firing: 3
    }
  }
}

/// One step of one rule on one series; from `ok` to `ok` when a series that was gone is reported again.
public struct AlertChange: Sendable {
  /// The rule.
  public let rule: AlertRule
  /// The series.
  public let series: Series
  /// The state before.
  public let from: AlertState
  /// The state now.
  public let to: AlertState
  /// The value that caused it, in the metric's unit; the last one known when the rule itself went away.
  public let value: Double
  /// Tick time, monotonic milliseconds.
  public let milliseconds: Int64
  /// The rule's message with its places filled in.
  public let message: String
  /// Whether it ended because its sensor no longer reports the series.
  public let isGone: Bool

  /// Whether people are told: it began to fire, or a firing one is over.
  public var isAnnounced: Bool { to.isFiring != from.isFiring }
  /// Whether a firing alert is over.
  public var isResolved: Bool { to == .ok && from.isFiring }
}

/// What is kept of a rule's state on one series over a restart. Durations are not: they begin anew.
public struct AlertMemory: Hashable, Sendable {
  /// The rule's name.
  public let rule: String
  /// The series' key.
  public let series: String
  /// The state; never `ok`.
  public let state: AlertState
  /// The value seen last, in the metric's unit.
  public let value: Double
  /// Tick time, monotonic milliseconds, when it fired (or began to be pending); nil when that was before a restart.
  public let sinceMilliseconds: Int64?
  /// The wall clock's Unix milliseconds of that moment, as they were stored before a restart.
  public let storedSinceMilliseconds: Int64?

  /// Remembers a state.
  public init(
    rule: String, series: String, state: AlertState, value: Double, sinceMilliseconds: Int64? = nil,
    storedSinceMilliseconds: Int64? = nil
  ) {
    self.rule = rule
    self.series = series
    self.state = state
    self.value = value
    self.sinceMilliseconds = sinceMilliseconds
    self.storedSinceMilliseconds = storedSinceMilliseconds
  }
}

/// A rule's state on one series that is not `ok`, for people.
public struct AlertStatus: Sendable, Equatable {
  /// The rule.
  public let rule: AlertRule
  /// The series' key.
  public let series: String
  /// Pending, firing or clearing.
  public let state: AlertState
  /// The value seen last, in the metric's unit.
  public let value: Double
  /// Tick time, monotonic milliseconds, when it fired (or began to be pending); nil when that was before a restart.
  public let sinceMilliseconds: Int64?
  /// The rule's message with its places filled in.
  public let message: String
}

/// A rule's state over all its series: what the retained topic of the rule says.
public struct AlertSummary: Sendable, Equatable {
  /// The rule.
  public let rule: AlertRule
  /// The gravest state of any series.
  public let state: AlertState
  /// Series that are firing or clearing.
  public let firing: Int
  /// Series that are pending.
  public let pending: Int
  /// Series that are not `ok`, the gravest first; at most `AlertLimits.seriesPerSummary`.
  public let series: [AlertStatus]
  /// What ended because its series is gone; the latest first, at most `AlertLimits.seriesPerSummary`.
  public let gone: [AlertEnding]
}

/// An alert that ended because its sensor no longer reports the series.
public struct AlertEnding: Sendable, Equatable {
  /// The rule.
  public let rule: AlertRule
  /// The series' key.
  public let series: String
  /// The last value, in the metric's unit.
  public let value: Double
  /// Tick time, monotonic milliseconds, of the end.
  public let milliseconds: Int64
}
