import Platform
import Telemetry

/// What was found on a device, and the profile that follows from it.
struct Detection {
  let parts: [DeviceSampling.Part]
  let model: String?

  /// The board's or machine's name: the device tree's, else what the firmware says (Documentation/ABI/testing/sysfs-firmware-dmi-…).
  static func model(_ host: Host) -> String? {
    let tree = host.line("/proc/device-tree/model").map { String($0.prefix { $0 != "\0" }) }
    let candidates = [tree, host.line("/sys/class/dmi/id/product_name")].compactMap { $0 }
    return candidates.first { !$0.isEmpty }
  }

  /// YAML that passes `godwit check`.
  func profile() -> String {
    var lines = [
      "# A profile for \(model.map(Self.comment) ?? "this machine"), made by 'godwit detect'.",
      "# Check it after each change: godwit check FILE",
    ]
    lines += ["node: auto  # the host name", "tick: 1s", "labels: {}  # of the node: {site: plant-7}", "", "sensors:"]
    lines += parts.map(sensorLine)
    let alerts = Self.candidates.compactMap { $0.rule(values) }
    lines += ["", alerts.isEmpty ? "alerts: []" : "alerts:"] + alerts.flatMap { $0 }
    lines += [
      "", "buffer: {path: /var/lib/godwit/buffer.db, max_size: 256MiB, commit_every: 10s}", "",
      "# uplink: {broker: mqtts://broker.example:8883}",
    ]
    return lines.map { $0 + "\n" }.joined()
  }

  private var values: [(series: Series, value: Double)] { parts.flatMap { $0.problem == nil ? $0.readings.sorted : [] } }

  private func sensorLine(_ part: DeviceSampling.Part) -> String {
    let name = part.kind.name
    if let absence = part.absence { return "  # \(name):  # absent: \(Self.comment(absence))" }
    if let problem = part.problem { return "  # \(name):  # failed: \(Self.comment(problem.description))" }
    let found = part.readings.sorted.map(\.series)
    return "  \(name):  # \(found.count) values\(Self.instances(found))"
  }

  /// `; zone: cpu-thermal; device: pwm-fan`: the instances by the first label of each metric, a few of each.
  private static func instances(_ series: [Series]) -> String {
    var names: [(key: String, values: [String])] = []
    for series in series {
      guard let key = series.metric.labels.first, !["mode", "state", "core", "resource"].contains(key),
        let value = series.label(key)
      else { continue }
      if let known = names.firstIndex(where: { $0.key == key }) {
        if !names[known].values.contains(value) { names[known].values.append(value) }
      } else {
        names.append((key, [value]))
      }
    }
    return names.sorted { $0.key < $1.key }.map { key, values in
      let shown = values.prefix(6).map(comment).joined(separator: ", ")
      return "; \(key): \(shown)\(values.count > 6 ? ", …" : "")"
    }.joined()
  }

  /// Text that stays inside a comment.
  private static func comment(_ text: String) -> String {
    String(
      String.UnicodeScalarView(
        text.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7F && $0.value < 0xD800 }.prefix(200)))
  }

  /// What was found, as one object and a line feed.
  func json() -> [UInt8] {
    var json = JSONWriter(capacity: 4096)
    json.beginObject()
    json.member("model", model)
    json.key("sensors")
    json.beginArray()
    for part in parts {
      json.beginObject()
      json.member("name", part.kind.name)
      json.member("present", part.problem == nil)
      json.member("values", part.problem == nil ? part.readings.sorted.count : 0)
      json.member("problem", part.problem?.description)
      json.endObject()
    }
    json.endArray()
    json.endObject()
    return json.bytes + [UInt8(ascii: "\n")]
  }
}

extension Detection {
  /// A rule that is worth having where its metric exists.
  struct Candidate {
    let name: String
    let metric: String
    /// The first pattern that some series' label matches is taken; none: all series.
    var label: (key: String, patterns: [String])?
    let when: String
    let rest: [String]

    /// The lines of the rule, or nil when the device has no such metric.
    func rule(_ values: [(series: Series, value: Double)]) -> [String]? {
      let series = values.map(\.series).filter { $0.metric.name == metric }
      guard !series.isEmpty else { return nil }
      var selector = ""
      if let label {
        let matching = label.patterns.first { pattern in
          series.contains { Glob(pattern).matches($0.label(label.key) ?? "") }
        }
        guard let matching else { return nil }
        selector = "{\(label.key)=\"\(matching)\"}"
      }
      return ["  - name: \(name)", "    when: '\(metric)\(selector) \(when)'"] + rest.map { "    \($0)" }
    }
  }

  /// In the order in which they are written.
  static let candidates = [
    Candidate(
      name: "cpu-busy", metric: "cpu.usage_percent", when: "> 95", rest: ["for: 5m", "clear: < 80", "severity: info"]),
    Candidate(
      name: "cpu-hot", metric: "thermal.temperature_celsius",
      label: ("zone", ["cpu-thermal*", "cpu*thermal*", "cpu*", "soc*", "x86_pkg_temp*", "*"]), when: "> 80",
      rest: ["for: 30s", "clear: < 75", "severity: warning"]),
    Candidate(
      name: "memory-low", metric: "memory.usage_percent", when: "> 95", rest: ["for: 1m", "clear: < 90", "severity: warning"]),
    Candidate(
      name: "disk-full", metric: "disk.usage_percent", when: "> 90", rest: ["for: 1m", "clear: < 88", "severity: warning"]),
    Candidate(
      name: "disk-inodes", metric: "disk.inodes_usage_percent", when: "> 90",
      rest: ["for: 1m", "clear: < 88", "severity: warning"]),
    Candidate(
      name: "clock-unsynced", metric: "system.clock_synchronized", when: "== 0", rest: ["for: 15m", "severity: info"]),
    Candidate(
      name: "reboot-required", metric: "system.reboot_required", when: "== 1", rest: ["severity: info"]),
  ]
}
