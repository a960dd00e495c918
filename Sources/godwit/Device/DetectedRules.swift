import Telemetry

/// The alerts of a detected profile: those of the board and its add-ons, and generic ones for what they do not speak of.
struct DetectedRules {
  /// Keys and values of a rule, `name` first.
  typealias Entries = [(key: String, value: String)]

  private(set) var active: [Entries] = []
  /// Rules of what may be there, with the reason why they stand in comments.
  private(set) var uncertain: [(reason: String, rules: [Entries])] = []

  /// `entries`: what kinds of sensors get that have no values yet.
  init(_ found: Detection, _ entries: DetectedEntries) {
    let values = found.values.map(\.series)
    let limits = (found.recognition.board?.zones ?? []).flatMap { Self.limits($0, values) }
    let watched = (found.recognition.board?.rules ?? []).filter { rule in values.contains(where: rule.watches) }
    var added = watched.map(\.entries)
    for finding in found.recognition.hats {
      let own = finding.hat.rules.filter { rule in
        values.contains(where: rule.watches) || !finding.isCertain
          || Self.kind(of: rule.rule?.metric, found).map { entries.admit(rule.entries, of: $0, found.folders) } ?? false
      }
      let gpio = Self.kind(of: "gpio.active", found)
      let alarms = finding.hat.inputs.compactMap(\.rule).filter { rule in
        !finding.isCertain || gpio.map { entries.admit(rule, of: $0, found.folders) } ?? false
      }
      let rules = own.map(\.entries) + (gpio == nil ? [] : alarms)
      if finding.isCertain {
        added += rules
      } else if !rules.isEmpty {
        uncertain.append(("perhaps \(finding.hat.name)", rules))
      }
    }
    var generic = Self.candidates
    if !limits.isEmpty { generic.removeAll { $0.metric == "thermal.temperature_celsius" } }
    var names: Set<String> = []
    active = (limits + added + generic.compactMap { $0.rule(values) }).filter {
      names.insert($0[0].value).inserted
    }
  }

  /// The kind of sensor that measures what a rule watches.
  private static func kind(of metric: String?, _ found: Detection) -> SensorKind? {
    found.parts.first { part in part.kind.metrics.contains { $0.name == metric } }?.kind
  }

  private static func text(_ celsius: Double) -> String {
    Quantity.fixed(celsius, decimals: celsius == celsius.rounded() ? 0 : 1)
  }

  /// The rules that a zone's limits make, where the device has the zone. They clear 5 °C lower.
  private static func limits(_ zone: ThermalZone, _ series: [Series]) -> [Entries] {
    let isThere = series.contains {
      $0.metric.name == "thermal.temperature_celsius" && Glob(zone.zone).matches($0.label("zone") ?? "")
    }
    guard isThere else { return [] }
    func rule(_ name: String, _ celsius: Double, lasting: String, _ severity: Severity) -> Entries {
      [
        ("name", "\(zone.name)-\(name)"),
        ("when", "thermal.temperature_celsius{zone=\"\(zone.zone)\"} > \(Self.text(celsius))"), ("for", lasting),
        ("clear", "< \(Self.text(celsius - 5))"), ("severity", severity.rawValue),
      ]
    }
    return [
      zone.warnCelsius.map { rule("hot", $0, lasting: "30s", .warning) },
      zone.throttleCelsius.map { rule("throttled", $0, lasting: "10s", .critical) },
    ].compactMap { $0 }
  }
}

extension DetectedRules {
  /// A rule that is worth having where its metric exists, whatever the board is.
  struct Candidate {
    let name: String
    let metric: String
    /// The first pattern that some series' label matches is taken; none: all series.
    var label: (key: String, patterns: [String])?
    let when: String
    let rest: Entries

    /// The rule, or nil when the device has no such metric.
    func rule(_ values: [Series]) -> Entries? {
      let series = values.filter { $0.metric.name == metric }
      guard !series.isEmpty else { return nil }
      var selector = ""
      if let label {
        let matching = label.patterns.first { pattern in
          series.contains { Glob(pattern).matches($0.label(label.key) ?? "") }
        }
        guard let matching else { return nil }
        selector = "{\(label.key)=\"\(matching)\"}"
      }
      return [("name", name), ("when", "\(metric)\(selector) \(when)")] + rest
    }
  }

  /// In the order in which they are written.
  static let candidates = [
    Candidate(
      name: "cpu-busy", metric: "cpu.usage_percent", when: "> 95",
      rest: [("for", "5m"), ("clear", "< 80"), ("severity", "info")]),
    Candidate(
      name: "cpu-hot", metric: "thermal.temperature_celsius",
      label: ("zone", ["cpu-thermal*", "cpu*thermal*", "cpu*", "soc*", "x86_pkg_temp*", "*"]), when: "> 80",
      rest: [("for", "30s"), ("clear", "< 75"), ("severity", "warning")]),
    Candidate(
      name: "memory-low", metric: "memory.usage_percent", when: "> 95",
      rest: [("for", "1m"), ("clear", "< 90"), ("severity", "warning")]),
    Candidate(
      name: "disk-full", metric: "disk.usage_percent", when: "> 90",
      rest: [("for", "1m"), ("clear", "< 88"), ("severity", "warning")]),
    Candidate(
      name: "disk-inodes", metric: "disk.inodes_usage_percent", when: "> 90",
      rest: [("for", "1m"), ("clear", "< 88"), ("severity", "warning")]),
    Candidate(
      name: "clock-unsynced", metric: "system.clock_synchronized", when: "== 0", rest: [("for", "15m"), ("severity", "info")]),
    Candidate(name: "reboot-required", metric: "system.reboot_required", when: "== 1", rest: [("severity", "info")]),
  ]
}
