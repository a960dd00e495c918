import Telemetry

/// Where values come from: a command, a file, a socket. Takes those that the profile wants, and holds them until they are stale.
struct CustomSource {
  private let labels: [Label]
  private let prefix: String
  private let stated: [String: Metric]
  private let acceptsAny: Bool
  private let mostSeries: Int
  private let staleNanoseconds: Int64
  private var known: [String: Slot] = [:]
  private var any: [String: Metric] = [:]
  private var held: [(slot: Slot, value: Double)] = []
  private var takenNanoseconds: Int64?
  private var refused = 0
  private var own: (age: Slot, up: Slot, refused: Slot)?
  /// Why the last reading was not taken.
  var fault: CustomFault?

  /// `settings` has the keys of `CustomMetrics.sourceSpecs`; `prefix` stands between `custom.` and a metric's name.
  /// `more` are metrics that the source has besides, by what it calls them.
  init(
    kind: String, source: String, prefix: String, settings: Settings, staleMilliseconds: Int, more: [String: Metric] = [:]
  ) {
    labels = [Label("kind", kind), Label("source", source)]
    self.prefix = prefix
    var stated = more
    for (from, metric) in CustomMetrics.stated(settings.items("metrics"), prefix: prefix) { stated[from] = metric }
    self.stated = stated
    acceptsAny = settings.text("accept") == "any"
    mostSeries = settings.integer("max_series")
    staleNanoseconds = Int64(staleMilliseconds) * 1_000_000
  }

  /// Counts what was refused before it became a value.
  mutating func refuse(_ count: Int) { refused += count }

  /// Replaces the values by new ones, taken at `nanoseconds`. `taken` are the series that other sources have: each has one owner.
  mutating func take(
    _ samples: [CustomSample], at nanoseconds: Int64, besides taken: inout Set<Slot>, into readings: inout Readings
  ) {
    held.removeAll(keepingCapacity: true)
    takenNanoseconds = nanoseconds
    fault = nil
    for sample in samples {
      guard let metric = metric(of: sample), let slot = slot(metric, sample, &readings), taken.insert(slot).inserted,
        let value = Self.value(sample, in: metric)
      else {
        if !sample.isExtra { refused += 1 }
        continue
      }
      held.append((slot, value))
    }
  }

  /// Reports the values that are not stale, and how the source does.
  mutating func report(into readings: inout Readings) {
    let own =
      own
      ?? (
        readings.slot(CustomMetrics.age, labels), readings.slot(CustomMetrics.up, labels),
        readings.slot(CustomMetrics.refused, labels)
      )
    self.own = own
    readings.set(own.refused, Double(refused))
    if let fault { readings.note(.device(labels[1].value, what: fault.description)) }
    if takenNanoseconds != nil || fault != nil { readings.set(own.up, fault == nil ? 1 : 0) }
    guard let takenNanoseconds else { return }
    let age = max(0, readings.nanoseconds - takenNanoseconds)
    readings.set(own.age, Double(age) / 1e9)
    guard age <= staleNanoseconds else { return }
    for (slot, value) in held { readings.set(slot, value) }
  }

  private mutating func metric(of sample: CustomSample) -> Metric? {
    let name = CustomText.name(sample.name.utf8)
    if let metric = stated[sample.name] ?? stated[name] ?? any[name] { return metric }
    guard acceptsAny, !sample.isExtra, let first = name.utf8.first, known.count < mostSeries, any.count < mostSeries,
      sample.labels.allSatisfy({ $0.key.utf8.count <= CustomLimits.nameBytes })
    else { return nil }
    // A number alone is no name.
    let key = (0x30...0x39).contains(first) ? "n\(name)" : name
    let metric = Metric(
      "custom.\(prefix)\(key)", unit: sample.unit?.unit ?? .none, kind: sample.kind ?? .gauge, decimals: 6,
      labels: sample.labels.map(\.key).sorted(),
      help: "")
    guard ![CustomMetrics.age, CustomMetrics.up, CustomMetrics.refused].contains(where: { $0.name == metric.name }),
      !stated.values.contains(where: { $0.name == metric.name })
    else { return nil }
    any[name] = metric
    return metric
  }

  /// A label that the source leaves out is empty there, as in OpenMetrics; one that is not stated, or is cut, would mix series.
  private mutating func slot(_ metric: Metric, _ sample: CustomSample, _ readings: inout Readings) -> Slot? {
    guard
      sample.labels.allSatisfy({ metric.labels.contains($0.key) && $0.value.utf8.count <= Limits.labelValueBytes })
    else { return nil }
    let labels = metric.labels.map { key in Label(key, sample.labels.first { $0.key == key }?.value ?? "") }
    let key = Series.key(name: metric.name, labels: labels)
    if let slot = known[key] { return slot }
    guard known.count < mostSeries else { return nil }
    let slot = readings.slot(metric, labels)
    guard slot.index >= 0 else { return nil }
    known[key] = slot
    return slot
  }

  private static func value(_ sample: CustomSample, in metric: Metric) -> Double? {
    guard sample.value.isFinite else { return nil }
    if let kind = sample.kind, kind != metric.kind { return nil }
    guard let unit = sample.unit else { return sample.value }
    guard let value = unit.value(sample.value, in: metric.unit), value.isFinite else { return nil }
    return value
  }
}
