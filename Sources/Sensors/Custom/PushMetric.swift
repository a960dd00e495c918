import Telemetry

/// What the profile states of a name that is pushed, and the metrics that come of it.
struct PushMetric {
  enum Kind: String, CaseIterable {
    case gauge, counter, timer, set
  }

  let kind: Kind
  let unit: Unit
  let labels: [String]
  /// One, or of a timer the count, the mean, the 95th percentile and the maximum.
  let metrics: [Metric]

  static let specs =
    [
      SettingSpec(required: "name", .key, help: "What it is called behind `custom.`."),
      SettingSpec(
        "type", .choice(Kind.allCases.map(\.rawValue)), default: "gauge",
        help: "`counter` for `c`, `timer` for `ms`, `h` and `d`, `set` for `s`."),
    ] + CustomMetrics.specs.filter { !["name", "kind"].contains($0.key) }

  init(_ settings: Settings) {
    self.init(
      name: settings.text("name"), kind: Kind(rawValue: settings.text("type")) ?? .gauge,
      unit: CustomMetrics.unit(settings.text("unit")), decimals: settings.integer("decimals"),
      labels: settings.list("labels").sorted(), help: settings.text("help"))
  }

  init(name: String, kind: Kind, unit: Unit, decimals: Int, labels: [String], help: String) {
    (self.kind, self.unit, self.labels) = (kind, unit, labels)
    func metric(_ suffix: String, _ unit: Unit, _ what: String, kind: MetricKind = .gauge, decimals: Int) -> Metric {
      Metric("custom.\(name)\(suffix)", unit: unit, kind: kind, decimals: decimals, labels: labels, help: help + what)
    }
    switch kind {
    case .gauge: metrics = [metric("", unit, "", decimals: decimals)]
    case .counter: metrics = [metric("", unit, "", kind: .counter, decimals: decimals)]
    case .set: metrics = [metric("", .none, "", decimals: 0)]
    case .timer:
      metrics = [
        metric("_count", .none, " Their number since the sample before.", decimals: 0),
        metric("_mean", unit, " The mean since the sample before.", decimals: decimals),
        metric("_p95", unit, " 19 of 20 since the sample before were not above it.", decimals: decimals),
        metric("_max", unit, " The largest since the sample before.", decimals: decimals),
      ]
    }
  }

  /// The value of a line in the stated unit; nil when the line is of another kind or quantity.
  func value(_ line: StatsDLine) -> Double? {
    switch (line.kind, kind) {
    case (.counter, .counter), (.gauge, .gauge), (.histogram, .timer), (.set, .set): line.value
    case (.timer, .timer): CustomUnit(unit: .milliseconds).value(line.value, in: unit)
    default: nil
    }
  }
}

/// Values of one interval: their number, mean and maximum, and a bounded choice of them for the percentile.
struct TimerTally {
  private(set) var count = 0.0
  private(set) var maximum = -Double.infinity
  private var sum = 0.0
  private var values: [Double] = []
  private var seen: UInt64 = 0
  private var random: UInt64 = 0x9E37_79B9_7F4A_7C15

  /// Takes a value that stands for `weight` of them; false when the sums would not be finite.
  mutating func add(_ value: Double, weight: Double) -> Bool {
    guard (count + weight).isFinite, (sum + value * weight).isFinite else { return false }
    count += weight
    sum += value * weight
    maximum = max(maximum, value)
    seen += 1
    if values.count < CustomLimits.timerValues {
      values.append(value)
    } else {
      // Vitter's algorithm R: each value is as likely to be among the chosen ones. xorshift64.
      random ^= random << 13
      random ^= random >> 7
      random ^= random << 17
      let place = Int(random % seen)
      if place < values.count { values[place] = value }
    }
    return true
  }

  /// Nil when there is none.
  var mean: Double? { count > 0 ? sum / count : nil }

  /// The smallest value that at least 95 % are not above (nearest rank); nil when there is none.
  var percentile95: Double? {
    guard !values.isEmpty else { return nil }
    return values.sorted()[(values.count * 95 + 99) / 100 - 1]
  }
}
