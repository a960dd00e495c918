import Platform

/// The values that a person looks for first, from whatever a report holds.
struct KeyValues {
  /// A group of values that share one form.
  private struct Group {
    let title: String
    let metric: String
    /// The value that fills the bar; nil: no bar.
    let full: Double?
    /// A second metric of the same instance, shown beside: received and sent.
    var partner: String?
  }

  /// One line of the screen.
  struct Row {
    let title: String
    let instance: String
    let share: Double?
    let text: String
  }

  /// Instances of one group; a machine with sixty mounts must not push all else off the screen.
  static let instancesPerGroup = 6

  private static let groups = [
    Group(title: "cpu", metric: "cpu.usage_percent", full: 100), Group(title: "load", metric: "cpu.load1", full: nil),
    Group(title: "memory", metric: "memory.usage_percent", full: 100),
    Group(title: "swap", metric: "memory.swap_usage_percent", full: 100),
    Group(title: "temperature", metric: "thermal.temperature_celsius", full: 100),
    Group(title: "disk", metric: "disk.usage_percent", full: 100),
    Group(
      title: "disk i/o", metric: "disk.read_bytes_per_second", full: nil, partner: "disk.write_bytes_per_second"),
    Group(
      title: "network", metric: "network.receive_bytes_per_second", full: nil, partner: "network.transmit_bytes_per_second"),
  ]

  /// Rows in a fixed order of groups, their instances as people count.
  static func rows(values: [String: Double], units: [String: String]) -> [Row] {
    var byMetric: [String: [(key: String, value: Double)]] = [:]
    for (key, value) in values { byMetric[SeriesKey(key).name, default: []].append((key, value)) }
    return groups.flatMap { group in
      let found = byMetric[group.metric] ?? []
      // Those left out must not be the ones that matter: the greatest stay.
      let kept = found.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(instancesPerGroup)
      var rows = kept.sorted { naturallyPrecedes($0.key, $1.key) }.map { row(group, $0, values, units) }
      if found.count > instancesPerGroup {
        rows.append(Row(title: group.title, instance: "…", share: nil, text: "and \(found.count - instancesPerGroup) more"))
      }
      return rows
    }
  }

  private static func row(
    _ group: Group, _ found: (key: String, value: Double), _ values: [String: Double], _ units: [String: String]
  ) -> Row {
    let unit = units[group.metric] ?? ""
    var text = Reading.text(found.value, unit: unit)
    if let partner = group.partner {
      let other = values[partner + found.key.dropFirst(group.metric.count)]
      text = "↓ \(text)  ↑ \(other.map { Reading.text($0, unit: unit) } ?? "–")"
    }
    return Row(
      title: group.title, instance: SeriesKey(found.key).instances.joined(separator: " "),
      share: group.full.map { found.value / $0 },
      text: text)
  }
}
