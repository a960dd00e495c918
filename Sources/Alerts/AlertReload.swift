public import Telemetry

extension AlertEngine {
  /// Takes the rules of a new profile. An unchanged rule keeps its states and durations. A changed one keeps its states on the
  /// series it still watches; its durations begin anew. What else was firing is resolved.
  ///
  /// - Returns: the resolved changes, at the time of the last tick.
  public mutating func replace(rules new: [AlertRule]) -> [AlertChange] {
    let old = self
    let unchanged = Set(rules).intersection(new)
    var left: [Watched: AlertInstance] = [:]
    for instance in instances where instance.state != .ok || instance.isGone { left[watched(instance)] = instance }

    self = AlertEngine(rules: new, node: node, restored: old.memory)
    lastMilliseconds = old.lastMilliseconds
    learn(old.series)
    for index in instances.indices {
      guard let before = left.removeValue(forKey: watched(instances[index])) else { continue }
      instances[index].resume(before, durations: unchanged.contains(rules[instances[index].rule]))
    }
    // What is left is watched no more: it is resolved here and now, not awaited and not forgotten.
    awaiting = awaiting.filter { left[$0.key] == nil }
    forgotten = old.forgotten + forgotten.filter { left[Watched(rule: $0.rule, series: $0.series)] == nil }
    return old.instances.compactMap { instance in
      guard instance.state.isFiring, left[old.watched(instance)] != nil else { return nil }
      return old.change(instance, from: instance.state, to: .ok)
    }
  }
}
