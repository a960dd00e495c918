import Platform

/// The values that a person looks for first, from whatever a report holds.
struct KeyValues {
  /// Values of one metric, that share one form.
  private struct Group {
    let title: String
    let metric: String
    /// The value that fills the bar; nil: no bar.
    var full: Double?
    /// A second metric of the same instance, shown beside: received and sent.
    var partner: String?
    /// What 0 and other values are called.
    var words: (none: String, some: String)?
  }

  /// Values of all metrics of a family, which a profile named one by one.
  private struct Family {
    let title: String
    let prefix: String
    /// What tells of the sources, not of what they measure.
    let leftOut: [String]
    /// The labels that name an instance; empty: the metric and all its labels.
    let labels: [String]
  }

  /// One line of the screen.
  struct Row {
    let title: String
    var instance = ""
    var share: Double?
    var text = ""
    /// How many instances are left out in its place.
    var omitted = 0
  }

  /// Instances of one group; a machine with sixty mounts must not push all else off the screen.
  static let instancesPerGroup = 6
  /// Values of a family: a person chose them.
  static let valuesPerFamily = 12

  private static let groups = [
    Group(title: "cpu", metric: "cpu.usage_percent", full: 100), Group(title: "load", metric: "cpu.load1"),
    Group(title: "memory", metric: "memory.usage_percent", full: 100),
    Group(title: "swap", metric: "memory.swap_usage_percent", full: 100),
    Group(title: "temperature", metric: "thermal.temperature_celsius", full: 100),
    Group(title: "gpu", metric: "gpu.usage_percent", full: 100),
    Group(title: "gpu memory", metric: "gpu.memory_usage_percent", full: 100),
    Group(title: "gpu temp.", metric: "gpu.temperature_celsius", full: 100),
    Group(title: "gpu power", metric: "gpu.power_watts"),
    Group(title: "accelerator", metric: "accelerator.usage_percent", full: 100),
    Group(title: "accel. temp.", metric: "accelerator.temperature_celsius", full: 100),
    Group(title: "battery", metric: "power.charge_percent", full: 100),
    Group(title: "disk", metric: "disk.usage_percent", full: 100),
    Group(title: "disk i/o", metric: "disk.read_bytes_per_second", partner: "disk.write_bytes_per_second"),
    Group(title: "network", metric: "network.receive_bytes_per_second", partner: "network.transmit_bytes_per_second"),
    Group(title: "input", metric: "gpio.active", words: ("inactive", "active")),
    Group(title: "pulses", metric: "gpio.pulses_per_second"), Group(title: "speed", metric: "gpio.revolutions_per_minute"),
    Group(title: "per hour", metric: "gpio.units_per_hour"),
  ]

  private static let families = [
    Family(title: "i2c", prefix: "i2c.", leftOut: ["i2c.device_up", "i2c.errors_total"], labels: ["device", "channel"]),
    Family(
      title: "custom", prefix: "custom.",
      leftOut: ["custom.up", "custom.age_seconds", "custom.refused_total", "custom.dropped_total"], labels: []),
  ]

  /// Rows in a fixed order of groups, their instances as people count.
  static func rows(values: [String: Double], units: [String: String]) -> [Row] {
    var byMetric: [String: [(key: String, value: Double)]] = [:]
    for (key, value) in values { byMetric[SeriesKey(key).name, default: []].append((key, value)) }
    let rows = groups.flatMap { group in
      let found = byMetric[group.metric] ?? []
      // Those left out must not be the ones that matter: the greatest stay.
      let kept = found.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(instancesPerGroup)
      let rows = kept.sorted { naturallyPrecedes($0.key, $1.key) }.map { row(group, $0, values, units) }
      return rows + rest(group.title, found.count - kept.count)
    }
    return rows + families.flatMap { self.rows(of: $0, byMetric, units) }
  }

  private static func rows(
    of family: Family, _ byMetric: [String: [(key: String, value: Double)]], _ units: [String: String]
  ) -> [Row] {
    var rows: [(metric: String, row: Row)] = []
    for (metric, found) in byMetric where metric.hasPrefix(family.prefix) && !family.leftOut.contains(metric) {
      for (key, value) in found {
        let labels = SeriesKey(key).labels
        let names = family.labels.compactMap { name in labels.first { $0.key == name }?.value }
        let all = [String(metric.dropFirst(family.prefix.count))] + labels.map(\.value)
        let instance = (names.isEmpty ? all : names).joined(separator: " ")
        rows.append((metric, Row(title: family.title, instance: instance, text: Reading.text(value, unit: units[metric] ?? ""))))
      }
    }
    // One instance may have several metrics.
    let sorted = rows.sorted {
      $0.row.instance == $1.row.instance ? $0.metric < $1.metric : naturallyPrecedes($0.row.instance, $1.row.instance)
    }
    return sorted.prefix(valuesPerFamily).map(\.row) + rest(family.title, rows.count - valuesPerFamily)
  }

  private static func rest(_ title: String, _ count: Int) -> [Row] {
    count > 0 ? [Row(title: title, omitted: count)] : []
  }

  private static func row(
    _ group: Group, _ found: (key: String, value: Double), _ values: [String: Double], _ units: [String: String]
  ) -> Row {
    let unit = units[group.metric] ?? ""
    var text = Reading.text(found.value, unit: unit)
    if let words = group.words { text = found.value == 0 ? words.none : words.some }
    if let partner = group.partner {
      let other = values[partner + found.key.dropFirst(group.metric.count)]
      text = "↓ \(text)  ↑ \(other.map { Reading.text($0, unit: unit) } ?? "–")"
    }
    return Row(
      title: group.title, instance: SeriesKey(found.key).instances.joined(separator: " "),
      share: group.full.map { found.value / $0 }, text: text)
  }
}
