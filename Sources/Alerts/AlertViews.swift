import Telemetry

extension AlertEngine {
  /// What to keep over a restart: every state that is not `ok`, also of series that have not been seen again yet.
  public var memory: [AlertMemory] {
    let known = instances.filter { $0.state != .ok }.map { instance in
      AlertMemory(
        rule: rules[instance.rule].name, series: series[instance.series].key, state: instance.state, value: instance.value,
        sinceMilliseconds: instance.since, storedSinceMilliseconds: instance.storedSince)
    }
    return known + awaitedMemory
  }

  /// Everything that is not `ok`, the gravest state first, in the order of rules within one.
  public var active: [AlertStatus] {
    rules.indices.flatMap { statuses(of: $0) }.enumerated()
      .sorted { ($1.element.state, $0.offset) < ($0.element.state, $1.offset) }
      .map(\.element)
  }

  /// Everything that is firing or clearing, in the same order.
  public var firing: [AlertStatus] { active.filter { $0.state.isFiring } }

  /// The state of a rule over its series; nil when there is no such rule.
  public func summary(rule name: String) -> AlertSummary? {
    guard let index = rules.firstIndex(where: { $0.name == name }) else { return nil }
    let statuses = statuses(of: index).enumerated()
      .sorted { ($1.element.state, $0.offset) < ($0.element.state, $1.offset) }
      .map(\.element)
    return AlertSummary(
      rule: rules[index], state: statuses.first?.state ?? .ok, firing: statuses.count { $0.state.isFiring },
      pending: statuses.count { $0.state == .pending }, series: Array(statuses.prefix(AlertLimits.seriesPerSummary)),
      gone: Array(gone.filter { $0.rule.name == name }.prefix(AlertLimits.seriesPerSummary)))
  }

  /// What ended within `AlertLimits.goneToldMilliseconds` because its series is gone, the latest first.
  public var gone: [AlertEnding] {
    instances.compactMap { instance in
      guard instance.isGone, let since = instance.goneSince, lastMilliseconds - since < AlertLimits.goneToldMilliseconds
      else { return nil }
      return AlertEnding(
        rule: rules[instance.rule], series: series[instance.series].key, value: instance.value, milliseconds: since)
    }.sorted { $0.milliseconds > $1.milliseconds }
  }

  private var awaitedMemory: [AlertMemory] {
    awaiting.values.sorted { ($0.rule, $0.series) < ($1.rule, $1.series) }
  }

  private func statuses(of rule: Int) -> [AlertStatus] {
    let known = instances.filter { $0.rule == rule && $0.state != .ok }.map { instance in
      AlertStatus(
        rule: rules[rule], series: series[instance.series].key, state: instance.state, value: instance.value,
        sinceMilliseconds: instance.since, message: message(instance, state: instance.state.rawValue))
    }
    // The unit and labels of a series that was not seen yet are not known, so its message cannot be rendered.
    let awaited = awaitedMemory.filter { $0.rule == rules[rule].name }.map { memory in
      AlertStatus(
        rule: rules[rule], series: memory.series, state: memory.state, value: memory.value, sinceMilliseconds: nil,
        message: "\(memory.series) was \(AlertMessage.number(memory.value)) before the restart")
    }
    return known + awaited
  }
}
