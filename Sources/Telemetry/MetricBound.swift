/// What a sensor's settings leave of some of its metrics: a rule on the rest could never fire.
public struct MetricBound: Sendable {
  /// What is left.
  public enum Limit: Sendable {
    /// Nothing.
    case off
    /// Series whose label, the first, matches one of these patterns.
    case only(String, [String])
    /// Series whose label, the first, matches none of these patterns.
    case never(String, [String])
  }

  /// The names of the metrics.
  public let metrics: [String]
  /// What is left of them.
  public let limit: Limit
  /// Why; empty when the limit says it.
  public let why: String
  /// What to write instead; empty when the limit says it.
  public let remedy: String
  /// The pattern of what the label of a second instance of one name has behind it; empty: nothing.
  private let ending: String

  private init(_ metrics: [Metric], _ limit: Limit, why: String, remedy: String, ending: String = "") {
    self.metrics = metrics.map(\.name)
    (self.limit, self.why, self.remedy, self.ending) = (limit, why, remedy, ending)
  }

  /// Metrics that are not measured.
  public static func off(_ metrics: [Metric], why: String, remedy: String) -> MetricBound {
    MetricBound(metrics, .off, why: why, remedy: remedy)
  }

  /// Metrics with a label that has only these values, or values that match these patterns.
  public static func label(_ key: String, of metrics: [Metric], is values: [String], remedy: String = "") -> MetricBound {
    MetricBound(metrics, .only(key, values), why: "", remedy: remedy)
  }

  /// Metrics of what the profile names in a list; none are measured where it names nothing.
  public static func named(_ key: String, of metrics: [Metric], in list: String, _ names: [String]) -> MetricBound {
    guard !names.isEmpty else { return .off(metrics, why: "'\(list)' names nothing for it", remedy: "name it in '\(list)'") }
    return .label(key, of: metrics, is: names)
  }

  /// Metrics of instances that pass a filter: those that `include` has if it has any, else all but those that `exclude` has. `ending` is the
  /// pattern of what a second instance of one name has behind it in the label, of which the filter knows nothing.
  public static func filtered(
    _ key: String, of metrics: [Metric], by settings: Settings, include: String? = nil, exclude: String, ending: String = ""
  ) -> MetricBound {
    let included = include.map(settings.list) ?? []
    if let include, !included.isEmpty {
      return MetricBound(
        metrics, .only(key, included), why: "'\(include)' lets through only \(included.joined(separator: ", "))",
        remedy: "change '\(include)', or the rule", ending: ending)
    }
    return MetricBound(
      metrics, .never(key, settings.list(exclude)), why: "'\(exclude)' leaves it out", remedy: "change '\(exclude)', or the rule",
      ending: ending)
  }

  /// Whether nothing is left.
  public var isOff: Bool {
    if case .off = limit { return true }
    return false
  }

  /// Whether series of which a label matches `pattern` can be left; labels that are not bounded can have any value.
  public func admits(_ key: String, _ pattern: Glob) -> Bool {
    switch limit {
    case .off: false
    case .only(let label, let values):
      label != key || values.contains { Glob($0).overlaps(pattern) || isSecond(of: $0, pattern) }
    case .never(let label, let values):
      label != key || isSecond(of: "*", pattern) || !values.contains { Glob($0).covers(pattern) }
    }
  }

  private func isSecond(of name: String, _ pattern: Glob) -> Bool { !ending.isEmpty && Glob(name + ending).overlaps(pattern) }
}
