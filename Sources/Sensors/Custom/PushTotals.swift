import Telemetry

/// What was pushed: totals, levels and the values of one interval, by series. Bounded in series, and each series in size.
struct PushTotals {
  private struct Entry {
    let metric: PushMetric
    let labels: [Label]
    var value = 0.0
    var timer = TimerTally()
    var members: Set<UInt64> = []
    var isNew = false
    var seenNanoseconds: Int64 = 0
    var slots: [Slot] = []
  }

  private let stated: [String: PushMetric]
  private let acceptsAny: Bool
  private let mostSeries: Int
  private let staleNanoseconds: Int64
  private var any: [String: PushMetric] = [:]
  private var entries: [String: Entry] = [:]
  /// Lines that were not taken.
  private(set) var refused = 0
  /// Datagrams that were not read.
  var dropped = 0
  /// Whether a line was taken since the last report.
  private(set) var isNew = false

  init(_ settings: Settings) {
    var stated: [String: PushMetric] = [:]
    for item in settings.items("metrics") {
      stated[item.isSet("from") ? item.text("from") : item.text("name")] = PushMetric(item)
    }
    self.stated = stated
    acceptsAny = settings.text("accept") == "any"
    mostSeries = settings.integer("max_series")
    staleNanoseconds = Int64(settings.milliseconds("stale_after")) * 1_000_000
  }

  /// Whether nothing could ever be taken.
  var isEmpty: Bool { stated.isEmpty && !acceptsAny }

  /// Takes the lines of a datagram; an empty one was too long.
  mutating func take(_ datagram: [UInt8]) {
    if datagram.isEmpty { refused += 1 }
    for line in datagram.split(separator: 0x0A) {
      let line = line.last == 0x0D ? line.dropLast() : line
      if line.isEmpty { continue }
      guard let line = StatsDLine(line), add(line) else {
        refused += 1
        continue
      }
      isNew = true
    }
  }

  private mutating func add(_ line: StatsDLine) -> Bool {
    guard let metric = metric(of: line), let value = metric.value(line) else { return false }
    guard line.labels.allSatisfy({ metric.labels.contains($0.key) }), let first = metric.metrics.first else { return false }
    let labels = metric.labels.map { key in Label(key, line.labels.first { $0.key == key }?.value ?? "") }
    let key = Series.key(name: first.name, labels: labels)
    let isKnown = entries[key] != nil
    guard isKnown || entries.count < mostSeries else { return false }
    if Self.add(value, of: line, to: &entries[key, default: Entry(metric: metric, labels: labels)]) { return true }
    // What was refused makes no series.
    if !isKnown { entries[key] = nil }
    return false
  }

  private static func add(_ value: Double, of line: StatsDLine, to entry: inout Entry) -> Bool {
    switch line.kind {
    case .counter:
      // A total only grows.
      guard value >= 0, (entry.value + value / line.rate).isFinite else { return false }
      entry.value += value / line.rate
    case .gauge(let isChange):
      let level = isChange ? entry.value + value : value
      guard level.isFinite else { return false }
      entry.value = level
    case .timer, .histogram: guard entry.timer.add(value, weight: 1 / line.rate) else { return false }
    case .set:
      guard entry.members.count < CustomLimits.setMembers || entry.members.contains(line.member) else { return false }
      entry.members.insert(line.member)
    }
    entry.isNew = true
    return true
  }

  private mutating func metric(of line: StatsDLine) -> PushMetric? {
    let name = CustomText.name(line.name.utf8)
    if let metric = stated[line.name] ?? stated[name] ?? any[name] { return metric }
    guard acceptsAny, let first = name.utf8.first, (0x61...0x7A).contains(first), any.count < mostSeries else { return nil }
    let kind: PushMetric.Kind =
      switch line.kind {
      case .counter: .counter
      case .gauge: .gauge
      case .timer, .histogram: .timer
      case .set: .set
      }
    let metric = PushMetric(
      name: name, kind: kind, unit: line.kind == .timer ? .milliseconds : .none, decimals: 6, labels: line.labels.map(\.key),
      help: "")
    let own = PushSensor.own + stated.values.flatMap(\.metrics)
    guard !metric.metrics.contains(where: { made in own.contains { $0.name == made.name } }) else { return nil }
    any[name] = metric
    return metric
  }

  /// Reports all that is not stale, and begins the next interval.
  mutating func report(into readings: inout Readings) {
    isNew = false
    for index in entries.indices { Self.report(&entries.values[index], staleNanoseconds, into: &readings) }
  }

  private static func report(_ entry: inout Entry, _ stale: Int64, into readings: inout Readings) {
    if entry.slots.isEmpty { entry.slots = entry.metric.metrics.map { readings.slot($0, entry.labels) } }
    if entry.isNew { entry.seenNanoseconds = readings.nanoseconds }
    entry.isNew = false
    guard readings.nanoseconds - entry.seenNanoseconds <= stale else { return }
    switch entry.metric.kind {
    case .gauge, .counter: readings.set(entry.slots[0], entry.value)
    case .set:
      readings.set(entry.slots[0], Double(entry.members.count))
      entry.members.removeAll(keepingCapacity: false)
    case .timer:
      readings.set(entry.slots[0], entry.timer.count.rounded())
      readings.set(entry.slots[1], entry.timer.mean)
      readings.set(entry.slots[2], entry.timer.percentile95)
      if entry.timer.mean != nil { readings.set(entry.slots[3], entry.timer.maximum) }
      entry.timer = TimerTally()
    }
  }
}
