import Telemetry

/// Reads `alerts:` against the metrics of the catalogue and the sensors that are enabled.
struct AlertsDecoder {
  let sensors: [SensorsDecoder.Sensor]
  let problems: ProblemList
  /// Each metric with the sensors that measure it: GPUs of several makers share one family.
  private let metrics: [String: (metric: Metric, kinds: [String])]

  init(sensors: [SensorsDecoder.Sensor], problems: ProblemList) {
    self.sensors = sensors
    self.problems = problems
    var metrics: [String: (metric: Metric, kinds: [String])] = [:]
    for sensor in sensors {
      for metric in sensor.kind.metrics(under: sensor.profile.settings) {
        metrics[metric.name, default: (metric, [])].kinds.append(sensor.kind.name)
      }
    }
    self.metrics = metrics
  }

  /// The rules that are enabled, in order.
  func decode(_ node: YAMLNode?) -> [AlertRule] {
    guard let node, !node.isNull else { return [] }
    guard case .list(let items) = node.content else {
      problems.add(node.place, "'alerts' is \(node.kind)", remedy: "write it as a list: each rule begins with '- name:'")
      return []
    }
    if items.count > ProfileLimits.alerts {
      problems.add(
        node.place, "there are \(items.count) alerts", remedy: "use at most \(ProfileLimits.alerts), with patterns for labels")
    }
    var rules: [AlertRule] = []
    var isComputed: [String: Bool] = [:]
    for item in items.prefix(ProfileLimits.alerts) {
      guard case .map = item.content else {
        problems.add(item.place, "an alert is \(item.kind)", remedy: "write it as a map: '- name: NAME', and below it 'when:'")
        continue
      }
      guard let rule = rule(item, known: items) else { continue }
      rules.append(rule)
      // The same name in one file was told when the files were merged; here only variables can make one.
      let computed = Self.hasComputedName(item)
      if let other = isComputed.updateValue(computed, forKey: rule.name), other || computed, !rule.name.isEmpty {
        problems.add(item.place, "the alert '\(rule.name)' is there twice", remedy: "give it another name")
      }
    }
    return rules
  }

  private static func hasComputedName(_ node: YAMLNode) -> Bool {
    guard case .map(let entries) = node.content else { return false }
    return entries.first { $0.key == "name" }?.value.scalar?.variables.isEmpty == false
  }

  private func rule(_ node: YAMLNode, known: [YAMLNode]) -> AlertRule? {
    let reader = SectionReader(
      node, at: node.place, path: "alert", specs: ProfileSchema.alert.specs,
      hints: [
        "if": "write 'when'", "metric": "write 'when: METRIC > VALUE'", "threshold": "write it into 'when: METRIC > VALUE'",
        "expr": "write 'when'", "duration": "write 'for'", "labels": "write them into 'when: METRIC{KEY=\"PATTERN\"} > VALUE'",
      ], problems: problems)
    let settings = reader.settings
    let name = name(reader)
    guard reader.entries["when"] != nil else {
      reportMissingWhen(reader, name: name, isEnabled: settings.bool("enabled"), known: known)
      return nil
    }
    guard let expression = expression(reader, "when", AlertExpression.init(_:)) else { return nil }
    let metric = metric(expression, reader, "when", isEnabled: settings.bool("enabled"))
    guard let when = condition(expression, metric, reader, "when") else { return nil }
    var clear: AlertRule.Condition?
    if let expression = self.expression(reader, "clear", AlertExpression.init(condition:)) {
      clear = condition(expression, metric, reader, "clear")
    }
    if let clear { checkHysteresis(when, clear, reader) }
    checkMessage(reader, metric)
    guard settings.bool("enabled") else { return nil }
    return AlertRule(
      name: name, metric: expression.metric.text,
      labels: expression.labels.map { AlertRule.LabelMatch($0.key.text, $0.pattern.text) }, when: when,
      forMilliseconds: settings.milliseconds("for"), clear: clear, clearForMilliseconds: settings.milliseconds("clear_for"),
      severity: Severity(rawValue: settings.text("severity")) ?? .warning, message: settings.text("message"),
      notifiers: settings.list("notify").compactMap { AlertRule.Notifier(rawValue: $0) })
  }

  /// A rule without `when` only makes sense where it switches off one of another file, and that one was merged into it.
  private func reportMissingWhen(_ reader: SectionReader, name: String, isEnabled: Bool, known: [YAMLNode]) {
    if isEnabled {
      problems.add(reader.place, "the alert '\(name)' has no 'when'", remedy: "write 'when: METRIC > VALUE'")
      return
    }
    guard !problems.isFull else { return }
    let names = known.prefix(ProfileLimits.alerts).compactMap { node -> String? in
      guard case .map(let entries) = node.content else { return nil }
      return entries.first { $0.key == "name" }?.value.scalar?.text
    }.filter { $0 != name }
    problems.add(
      reader.place, "there is no alert '\(name)' to switch off",
      remedy: Suggestion.remedy(for: name, among: names, otherwise: "remove this one"))
  }

  private func name(_ reader: SectionReader) -> String {
    guard reader.entries["name"] != nil else {
      problems.add(reader.place, "an alert has no 'name'", remedy: "write 'name: NAME', unique in the profile")
      return ""
    }
    guard let name = reader.text("name") else { return "" }
    let isName = name.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }
    if !isName || name.utf8.count > ProfileLimits.nameBytes {
      problems.add(
        reader.place(of: "name"), "'\(name)' is no alert name", why: "it is a level of an MQTT topic",
        remedy: "use lower-case letters, digits and '-', at most \(ProfileLimits.nameBytes)")
    }
    return name
  }

  // MARK: - Conditions

  func place(_ reader: SectionReader, _ key: String, _ offset: Int) -> Place {
    guard let node = reader.entries[key]?.value, let scalar = node.scalar else { return reader.place }
    return scalar.place(of: offset, from: node.place)
  }

  func expression(
    _ reader: SectionReader, _ key: String, _ make: (String) throws(AlertExpression.Fault) -> AlertExpression
  ) -> AlertExpression? {
    guard case .text(let text) = reader.given[key] else { return nil }
    do throws(AlertExpression.Fault) {
      return try make(text)
    } catch {
      problems.add(place(reader, key, error.offset), "\(key): \(error.what)", why: error.why, remedy: error.remedy)
      return nil
    }
  }

  /// The metric of a condition, the value of `key`; nil when there is none of the name.
  func metric(_ expression: AlertExpression, _ reader: SectionReader, _ key: String, isEnabled: Bool) -> Metric? {
    let name = expression.metric.text
    guard let (metric, kinds) = metrics[name] else {
      problems.add(
        place(reader, key, expression.metric.offset), "unknown metric '\(name)'",
        remedy: Suggestion.remedy(
          for: name, among: sensors.flatMap { $0.kind.metrics(under: $0.profile.settings).map(\.name) },
          otherwise: "'godwit sensors' lists all metrics"))
      return nil
    }
    if isEnabled {
      sensors.contains { $0.isEnabled && kinds.contains($0.kind.name) }
        ? checkBounds(expression, reader, key) : reportDisabled(name, kinds, place(reader, key, expression.metric.offset))
    }
    var seen: Set<String> = []
    for label in expression.labels {
      let place = place(reader, key, label.key.offset)
      if !metric.labels.contains(label.key.text) {
        let otherwise =
          metric.labels.isEmpty
          ? "it has no labels; remove the braces" : "its labels are \(metric.labels.joined(separator: ", "))"
        problems.add(
          place, "'\(name)' has no label '\(label.key.text)'",
          remedy: Suggestion.remedy(for: label.key.text, among: metric.labels, otherwise: otherwise))
      } else if !seen.insert(label.key.text).inserted {
        problems.add(
          place, "the label '\(label.key.text)' is there twice", remedy: "remove one of the two; '*' and '?' make patterns")
      }
    }
    return metric
  }

  private func reportDisabled(_ name: String, _ kinds: [String], _ place: Place) {
    problems.add(
      place,
      kinds.count == 1
        ? "the sensor '\(kinds[0])' that measures '\(name)' is not enabled" : "no sensor that measures '\(name)' is enabled",
      why: "the rule could never fire",
      remedy: "add \(kinds.map { "'\($0):'" }.joined(separator: " or ")) below 'sensors:', or remove the rule")
  }

  /// Nil when there is no such comparison; of an unknown metric the value is not looked at.
  func condition(_ expression: AlertExpression, _ metric: Metric?, _ reader: SectionReader, _ key: String) -> AlertRule
    .Condition?
  {
    guard let comparison = AlertRule.Comparison(rawValue: expression.comparison.text) else { return nil }
    guard let metric else { return AlertRule.Condition(comparison, 0) }
    do throws(SettingError) {
      return AlertRule.Condition(comparison, try Threshold.parse(expression.threshold.text, of: metric))
    } catch {
      problems.add(
        place(reader, key, expression.threshold.offset), "\(key): \(error.what)",
        why: SectionReader.origin(reader.entries[key]?.value.scalar), remedy: error.remedy)
      return nil
    }
  }

  /// A value for which a rule both fires and clears would make it flap.
  private func checkHysteresis(_ when: AlertRule.Condition, _ clear: AlertRule.Condition, _ reader: SectionReader) {
    let (high, low) = (when.threshold, clear.threshold)
    let fault: Bool
    switch (when.comparison, clear.comparison) {
    case (.greater, .greater), (.greater, .greaterOrEqual), (.greaterOrEqual, .greater), (.greaterOrEqual, .greaterOrEqual),
      (.less, .less), (.less, .lessOrEqual), (.lessOrEqual, .less), (.lessOrEqual, .lessOrEqual):
      fault = true
    case (.greater, .less), (.greater, .lessOrEqual), (.greaterOrEqual, .less): fault = low > high
    case (.greaterOrEqual, .lessOrEqual): fault = low >= high
    case (.less, .greater), (.less, .greaterOrEqual), (.lessOrEqual, .greater): fault = low < high
    case (.lessOrEqual, .greaterOrEqual): fault = low <= high
    default: fault = false
    }
    guard fault else { return }
    let isUpward = [.greater, .greaterOrEqual].contains(when.comparison)
    problems.add(
      reader.place(of: "clear"), "clear: '\(clear)' also holds of values that fire",
      why: "the rule fires at '\(when)' and would flap",
      remedy: isUpward ? "write '<' and a lower value" : "write '>' and a higher value, in quotes")
  }

  // MARK: - Messages

  private static let placeholders = ["rule", "series", "metric", "value", "unit", "threshold", "state", "node"]

  private func checkMessage(_ reader: SectionReader, _ metric: Metric?) {
    guard case .text(let text) = reader.given["message"] else { return }
    if text.utf8.count > ProfileLimits.alertMessageBytes {
      problems.add(
        reader.place(of: "message"), "message: it has \(text.utf8.count) bytes",
        remedy: "use at most \(ProfileLimits.alertMessageBytes)")
    }
    let source = Array(text.unicodeScalars)
    var index = 0
    while let open = source[index...].firstIndex(of: "{") {
      let place = place(reader, "message", open)
      guard let close = source[open...].firstIndex(of: "}") else {
        problems.add(place, "message: '{' is not closed", remedy: "write a placeholder such as {value}")
        return
      }
      var view = String.UnicodeScalarView()
      view.append(contentsOf: source[(open + 1)..<close])
      checkPlaceholder(String(view), metric, place)
      index = close + 1
    }
  }

  private func checkPlaceholder(_ name: String, _ metric: Metric?, _ place: Place) {
    guard name.hasPrefix("label.") else {
      guard !Self.placeholders.contains(name) else { return }
      problems.add(
        place, "message: unknown placeholder '{\(name)}'",
        remedy: Suggestion.remedy(
          for: name, among: Self.placeholders, otherwise: "use one of \(Self.placeholders.joined(separator: ", ")) or label.KEY"))
      return
    }
    let key = String(name.dropFirst("label.".count))
    guard let metric, !metric.labels.contains(key) else { return }
    problems.add(
      place, "message: '\(metric.name)' has no label '\(key)'",
      remedy: Suggestion.remedy(
        for: key, among: metric.labels,
        otherwise: metric.labels.isEmpty
          ? "it has none; remove the placeholder" : "its labels are \(metric.labels.joined(separator: ", "))"))
  }
}
