/// A place in a sensor's `Readings`: cheap to keep, so a sample is an array store, not a look-up.
public struct Slot: Hashable, Sendable {
  /// Position in `Readings.series` and `Readings.values`.
  public let index: Int

  @usableFromInline
  init(index: Int) { self.index = index }
}

/// One sensor's series and their newest values. Filled by `Sensor.sample`, emptied by `begin` before each.
public struct Readings: Sendable {
  /// Every series the sensor ever named, in order of first use. Hot-plug appends; nothing is removed.
  public private(set) var series: [Series] = []
  /// The values of this sample by slot; `Double.missing` where none was taken.
  public private(set) var values: [Double] = []
  /// When this sample was begun: nanoseconds of CLOCK_BOOTTIME. Rates divide by differences of it.
  public private(set) var nanoseconds: Int64 = 0
  /// The problems of this sample that cost single values only, as many as are named.
  public private(set) var problems: [SensorError] = []
  /// How many problems this sample had.
  public private(set) var problemCount = 0
  /// How many things this sample left alone, as disks that sleep: their values are missing, and they are not gone.
  public private(set) var passedOver = 0
  /// Series refused because `Limits.seriesPerSensor` was reached.
  public private(set) var refusedSeries = 0

  private var decimals: [Int] = []
  private var slots: [String: Slot] = [:]

  /// Empty readings.
  public init() {}

  /// Starts a new sample: all values become missing.
  public mutating func begin(nanoseconds: Int64) {
    self.nanoseconds = nanoseconds
    if problemCount > 0 { problems.removeAll(keepingCapacity: true) }
    problemCount = 0
    passedOver = 0
    for index in values.indices { values[index] = .missing }
  }

  /// The slot of a series, made on first use. Past the limit all further series share a slot that is never reported.
  public mutating func slot(_ metric: Metric, _ labels: [Label] = []) -> Slot {
    let isLong = labels.contains { $0.value.utf8.count > Limits.labelValueBytes }
    let wanted = Series(metric, isLong ? labels.map(Readings.cut) : labels)
    if let known = slots[wanted.key] { return known }
    guard series.count < Limits.seriesPerSensor else {
      refusedSeries += 1
      return Slot(index: -1)
    }
    let slot = Slot(index: series.count)
    slots[wanted.key] = slot
    series.append(wanted)
    values.append(.missing)
    decimals.append(metric.decimals)
    return slot
  }

  /// A mount path may take 4096 bytes, and goes out with each tick.
  private static func cut(_ label: Label) -> Label {
    var value = ""
    for character in label.value {
      guard value.utf8.count + character.utf8.count <= Limits.labelValueBytes else { break }
      value.append(character)
    }
    return Label(label.key, value)
  }

  /// Stores a value, rounded to the metric's decimals. A repeated slot in one sample keeps the last value.
  public mutating func set(_ slot: Slot, _ value: Double) {
    guard slot.index >= 0 else { return }
    values[slot.index] = value.rounded(decimals: decimals[slot.index])
  }

  /// Stores a value if there is one.
  public mutating func set(_ slot: Slot, _ value: Double?) {
    if let value { set(slot, value) }
  }

  /// Notes a problem that cost some values but not the whole sample.
  public mutating func note(_ error: SensorError) {
    if problems.count < Limits.problemsPerSample { problems.append(error) }
    problemCount += 1
  }

  /// Says that this sample left something alone of which nothing is known. That is no problem.
  public mutating func passOver() { passedOver += 1 }

  /// The first problem; nil without any.
  public var problem: SensorError? { problems.first }

  /// The problems in one line, and how many there are besides; nil without any.
  public var problemText: String? {
    guard let first = problems.first else { return nil }
    var text = "\(first)"
    var named = 1
    for problem in problems.dropFirst() {
      let next = "\(problem)"
      guard text.utf8.count + next.utf8.count < Limits.problemBytes else { break }
      text += "; " + next
      named += 1
    }
    return named < problemCount ? "\(text) (and \(problemCount - named) more)" : text
  }
}
