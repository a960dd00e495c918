import Telemetry

extension AlertsDecoder {
  /// Reads `shutdown:`: its bounds, and the alert that it stands for.
  func decodeShutdown(_ node: YAMLNode?, rules: [String]) -> (profile: ShutdownProfile, rule: AlertRule)? {
    guard let node, !node.isNull, node.scalar?.text != "false" else { return nil }
    let reader = SectionReader(
      node, at: node.place, path: ProfileSchema.shutdown.name, specs: ProfileSchema.shutdown.specs,
      hints: [
        "charge_below": "write 'when: power.charge_percent < VALUE'", "command": "there is none: it is 'systemctl poweroff'",
      ],
      problems: problems)
    guard reader.isMap else { return nil }
    guard reader.entries["when"] != nil else {
      problems.add(
        reader.place, "'shutdown' has no 'when'", why: "nothing is switched off without a condition",
        remedy: "write 'when: METRIC < VALUE'")
      return nil
    }
    if rules.contains(ShutdownProfile.rule) {
      problems.add(
        reader.place, "there is an alert '\(ShutdownProfile.rule)' and a section of that name",
        why: "the section has an alert of its own", remedy: "give the alert another name")
    }
    guard let expression = expression(reader, "when", AlertExpression.init(_:)) else { return nil }
    let metric = metric(expression, reader, "when", isEnabled: true)
    guard let when = condition(expression, metric, reader, "when") else { return nil }
    let rule = AlertRule(
      name: ShutdownProfile.rule, metric: expression.metric.text,
      labels: expression.labels.map { AlertRule.LabelMatch($0.key.text, $0.pattern.text) }, when: when,
      forMilliseconds: reader.settings.milliseconds("for"), severity: .critical,
      message: "{series} is {value} {unit}: the device is to be switched off")
    return (ShutdownProfile(graceMilliseconds: reader.settings.milliseconds("grace"), unless: unless(reader)), rule)
  }

  private func unless(_ reader: SectionReader) -> AlertRule? {
    guard let expression = expression(reader, "unless", AlertExpression.init(_:)) else { return nil }
    let metric = metric(expression, reader, "unless", isEnabled: true)
    guard let when = condition(expression, metric, reader, "unless") else { return nil }
    return AlertRule(
      name: ShutdownProfile.rule, metric: expression.metric.text,
      labels: expression.labels.map { AlertRule.LabelMatch($0.key.text, $0.pattern.text) }, when: when)
  }
}
