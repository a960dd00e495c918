public import Telemetry

/// All rules over all series of a node. A value type driven by ticks: it knows no clock, and nobody to tell.
public struct AlertEngine: Sendable {
  let node: String
  var rules: [AlertRule]
  private var rulesByMetric: [String: [Int]]
  var series: [Series] = []
  var instances: [AlertInstance] = []
  private var instanceCounts: [Int]
  /// What was remembered of series that have not been seen since the restart.
  var awaiting: [Watched: AlertMemory] = [:]
  var lastMilliseconds: Int64 = 0

  /// Series not watched because a rule had `AlertLimits.instancesPerRule` already.
  public internal(set) var refusedInstances = 0
  /// What was remembered of rules that are gone, or watch another metric now: their retained states are to be taken back.
  public internal(set) var forgotten: [AlertMemory] = []

  struct Watched: Hashable {
    let rule: String
    let series: String
  }

  func watched(_ instance: AlertInstance) -> Watched {
    Watched(rule: rules[instance.rule].name, series: series[instance.series].key)
  }

  /// Starts with what was remembered. A firing alert stays firing and is not announced again; all durations begin anew.
  public init(rules: [AlertRule], node: String, restored: [AlertMemory]) {
    self.node = node
    self.rules = rules
    rulesByMetric = Dictionary(grouping: rules.indices) { rules[$0].metric }
    instanceCounts = Array(repeating: 0, count: rules.count)
    let metrics = Dictionary(rules.map { ($0.name, $0.metric) }) { first, _ in first }
    for memory in restored where memory.state != .ok {
      // A key is the metric's name, or goes on with its labels.
      if let metric = metrics[memory.rule], metric == memory.series.prefix(while: { $0 != "{" }) {
        guard awaiting.count < AlertLimits.instancesPerRule * rules.count else { continue }
        awaiting[Watched(rule: memory.rule, series: memory.series)] = memory
      } else {
        forgotten.append(memory)
      }
    }
  }

  /// Tells of all series known so far, in the order of tick values. Only those after the ones told before are looked at.
  public mutating func learn(_ series: [Series]) {
    let known = self.series.count
    guard series.count > known else { return }
    self.series = series
    for index in known..<series.count { watch(index) }
  }

  private mutating func watch(_ index: Int) {
    let series = series[index]
    for rule in rulesByMetric[series.metric.name] ?? [] where rules[rule].matches(series) {
      guard instanceCounts[rule] < AlertLimits.instancesPerRule else {
        refusedInstances += 1
        continue
      }
      instanceCounts[rule] += 1
      let memory = awaiting.removeValue(forKey: Watched(rule: rules[rule].name, series: series.key))
      instances.append(
        AlertInstance(rule: rule, series: index, of: rules[rule], restored: memory))
    }
  }

  /// Takes one tick: `values[i]` belongs to the i-th series learned. A value that is `missing` (or NaN) moves nothing, until its
  /// series counts as gone. Costs a comparison or two for each watched series; nothing is allocated while nothing changes.
  ///
  /// - Parameters:
  ///   - milliseconds: tick time, monotonic.
  ///   - answer: with how many problems the sensor of the i-th series took its sample of this tick, `Int.max` when it failed; nil
  ///     when it took none. Asked only of series that are not `ok`.
  /// - Returns: all changes of state, announced or not.
  public mutating func evaluate(
    values: [Double], milliseconds: Int64, answer: (Int) -> Int? = { _ in nil }
  ) -> [AlertChange] {
    var changes: [AlertChange] = []
    lastMilliseconds = milliseconds
    for index in instances.indices {
      let place = instances[index].series
      guard place < values.count else { continue }
      let old = instances[index].state
      var isChanged = instances[index].step(values[place], at: milliseconds)
      if instances[index].state != .ok {
        isChanged = instances[index].weigh(values[place], answer: answer(place), at: milliseconds) || isChanged
      }
      if isChanged { changes.append(change(instances[index], from: old)) }
    }
    return changes
  }

  func change(_ instance: AlertInstance, from old: AlertState, to new: AlertState? = nil) -> AlertChange {
    let new = new ?? instance.state
    let isGone = new == .ok && instance.isGone
    let word = isGone ? "gone" : new == .ok && old.isFiring ? "resolved" : new.rawValue
    return AlertChange(
      rule: rules[instance.rule], series: series[instance.series], from: old, to: new, value: instance.value,
      milliseconds: lastMilliseconds, message: message(instance, state: word), isGone: isGone)
  }

  func message(_ instance: AlertInstance, state: String) -> String {
    AlertMessage(
      rule: rules[instance.rule], series: series[instance.series], value: instance.value, state: state, node: node
    ).text()
  }
}
