/// When an alert fires and clears, and whom it tells. Written under `alerts:` in the profile.
public struct AlertRule: Hashable, Sendable {
  /// How a value is compared with a threshold.
  public enum Comparison: String, Sendable, CaseIterable {
    case greater = ">"
    case greaterOrEqual = ">="
    case less = "<"
    case lessOrEqual = "<="
    case equal = "=="
    case notEqual = "!="
  }

  /// A comparison with a threshold: `> 75`.
  public struct Condition: Hashable, Sendable, CustomStringConvertible {
    /// How it compares.
    public let comparison: Comparison
    /// With what, in the metric's unit.
    public let threshold: Double

    /// Makes a condition.
    public init(_ comparison: Comparison, _ threshold: Double) {
      self.comparison = comparison
      self.threshold = threshold
    }

    /// Whether it holds of a value; never of NaN.
    public func holds(_ value: Double) -> Bool {
      switch comparison {
      case .greater: value > threshold
      case .greaterOrEqual: value >= threshold
      case .less: value < threshold
      case .lessOrEqual: value <= threshold
      case .equal: value == threshold
      case .notEqual: value != threshold && !value.isNaN
      }
    }

    /// `> 75`.
    public var description: String {
      let whole = threshold == threshold.rounded() && threshold.magnitude < 1e15
      return "\(comparison.rawValue) \(whole ? "\(Int64(threshold))" : "\(threshold)")"
    }
  }

  /// A label that a series must have: exact text or a glob pattern.
  public struct LabelMatch: Hashable, Sendable {
    /// The label's key.
    public let key: String
    /// What its value must match; without `*` and `?` it must be equal.
    public let pattern: Glob

    /// Makes a match.
    public init(_ key: String, _ pattern: String) {
      self.key = key
      self.pattern = Glob(pattern)
    }
  }

  /// Who is told of a change of state.
  public enum Notifier: String, Sendable, CaseIterable {
    case mqtt
    case log
  }

  /// The rule's name, unique in a profile: lower case letters, digits and `-`; it is part of a topic.
  public let name: String
  /// The name of the metric.
  public let metric: String
  /// All must match; labels that are not named may have any value.
  public let labels: [LabelMatch]
  /// When it fires.
  public let when: Condition
  /// How long `when` must hold before it fires, milliseconds of tick time.
  public let forMilliseconds: Int
  /// When it clears; nil: as soon as `when` does not hold.
  public let clear: Condition?
  /// How long it must be clear, milliseconds of tick time.
  public let clearForMilliseconds: Int
  /// How much it matters.
  public let severity: Severity
  /// The message with `{rule}`, `{series}`, `{metric}`, `{value}`, `{unit}`, `{threshold}`, `{state}`, `{node}` and
  /// `{label.KEY}`.
  public let message: String
  /// Who is told.
  public let notifiers: [Notifier]

  /// The message of a rule that gives none.
  public static let defaultMessage = "{series} is {value} {unit} ({rule}: {threshold})"

  /// Makes a rule.
  public init(
    name: String, metric: String, labels: [LabelMatch] = [], when: Condition, forMilliseconds: Int = 0, clear: Condition? = nil,
    clearForMilliseconds: Int = 0, severity: Severity = .warning, message: String = AlertRule.defaultMessage,
    notifiers: [Notifier] = [.mqtt, .log]
  ) {
    self.name = name
    self.metric = metric
    self.labels = labels
    self.when = when
    self.forMilliseconds = forMilliseconds
    self.clear = clear
    self.clearForMilliseconds = clearForMilliseconds
    self.severity = severity
    self.message = message
    self.notifiers = notifiers
  }

  /// Whether the rule is about a series.
  public func matches(_ series: Series) -> Bool {
    guard series.metric.name == metric else { return false }
    return labels.allSatisfy { match in series.label(match.key).map(match.pattern.matches) ?? false }
  }
}
