import Telemetry

extension AlertsDecoder {
  /// Why a rule could never fire under the settings of a sensor.
  private struct Hindrance {
    let bound: MetricBound
    /// The label of the rule that no series has; nil: the metric is not measured.
    let label: AlertExpression.LabelPart?
    /// How many of the rule's labels come before it: the sensor that is meant hinders late.
    let rank: Int
  }

  /// Refuses labels that no series can have, and metrics that settings switch off.
  func checkBounds(_ expression: AlertExpression, _ reader: SectionReader, _ key: String) {
    var found: Hindrance?
    let name = expression.metric.text
    for sensor in sensors where sensor.isEnabled {
      let settings = sensor.profile.settings
      guard sensor.kind.metrics(under: settings).contains(where: { $0.name == name }) else { continue }
      // What is wrong with its settings was told, and may be why; and one sensor that can measure it is enough.
      guard sensor.section.isRight, let hindrance = hindrance(expression, sensor.kind.bounds(settings)) else { return }
      if hindrance.rank > found?.rank ?? -1 { found = hindrance }
    }
    if let found { report(found, expression, reader, key) }
  }

  private func hindrance(_ expression: AlertExpression, _ all: [MetricBound]) -> Hindrance? {
    let bounds = all.filter { $0.metrics.contains(expression.metric.text) }
    for (rank, label) in expression.labels.enumerated() {
      let pattern = Glob(label.pattern.text)
      for bound in bounds where !bound.isOff && !bound.admits(label.key.text, pattern) {
        return Hindrance(bound: bound, label: label, rank: rank)
      }
    }
    return bounds.first(where: \.isOff).map { Hindrance(bound: $0, label: nil, rank: expression.labels.count) }
  }

  private func report(_ hindrance: Hindrance, _ expression: AlertExpression, _ reader: SectionReader, _ key: String) {
    let (bound, name) = (hindrance.bound, expression.metric.text)
    guard let label = hindrance.label else {
      problems.add(
        place(reader, key, expression.metric.offset), "'\(name)' is not measured", why: bound.why, remedy: bound.remedy)
      return
    }
    let pattern = label.pattern.text
    var remedy = bound.remedy
    if case .only(_, let values) = bound.limit, bound.why.isEmpty {
      if let near = Self.nearest(to: pattern, among: values) {
        remedy = "did you mean '\(near)'?"
      } else if remedy.isEmpty {
        remedy = "it can be \(values.joined(separator: ", "))"
      }
    }
    problems.add(
      place(reader, key, label.pattern.offset), "no series of '\(name)' has \(label.key.text)=\"\(pattern)\"",
      why: bound.why.isEmpty ? "the rule could never fire" : bound.why, remedy: remedy)
  }

  /// A value that was left unfinished, or the nearest word.
  private static func nearest(to pattern: String, among values: [String]) -> String? {
    let words = values.filter { !$0.utf8.contains(UInt8(ascii: "*")) }
    return words.first { pattern.utf8.count > 1 && $0.hasPrefix(pattern) } ?? Suggestion.nearest(to: pattern, among: words)
  }
}
