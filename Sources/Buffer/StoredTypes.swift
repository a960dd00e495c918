public import Telemetry

/// A series as the buffer knows it. `id` counts from 0 without holes, so it is the index of the series in a tick's values.
public struct StoredSeries: Hashable, Sendable {
  /// Shared: storage, uplink and payloads each have a list of all series.
  private final class Facts: Sendable {
    let id: Int
    let key, name: String
    let labels: [Label]
    let unit, kind: String
    let decimals: Int

    init(id: Int, key: String, name: String, labels: [Label], unit: String, kind: String, decimals: Int) {
      self.id = id
      self.key = key
      self.name = name
      self.labels = labels
      self.unit = unit
      self.kind = kind
      self.decimals = decimals
    }
  }

  private let facts: Facts

  /// Describes a series of the buffer.
  public init(id: Int, key: String, name: String, labels: [Label], unit: String, kind: String, decimals: Int) {
    facts = Facts(id: id, key: key, name: name, labels: labels, unit: unit, kind: kind, decimals: decimals)
  }

  /// Position in a tick's values.
  public var id: Int { facts.id }
  /// `name{key="value"}`.
  public var key: String { facts.key }
  /// The metric's name.
  public var name: String { facts.name }
  /// The labels, sorted.
  public var labels: [Label] { facts.labels }
  /// The metric's unit, as text: a unit of a later version stays readable.
  public var unit: String { facts.unit }
  /// `gauge` or `counter`.
  public var kind: String { facts.kind }
  /// Digits after the decimal point that its values carry.
  public var decimals: Int { facts.decimals }

  /// Whether all facts are the same.
  public static func == (left: StoredSeries, right: StoredSeries) -> Bool {
    left.facts === right.facts
      || left.id == right.id && left.key == right.key && left.name == right.name && left.labels == right.labels
        && left.unit == right.unit && left.kind == right.kind && left.decimals == right.decimals
  }

  /// By id and key.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(id)
    hasher.combine(key)
  }

  /// Gives a sensor's series its place in the buffer.
  public init(id: Int, _ series: Series) {
    self.init(
      id: id, key: series.key, name: series.metric.name, labels: series.labels, unit: series.metric.unit.rawValue,
      kind: series.metric.kind.rawValue, decimals: series.metric.decimals)
  }
}

/// How the monotonic time of a stretch of ticks becomes wall time.
public struct Epoch: Hashable, Sendable {
  /// Counts up over the life of the buffer.
  public var id: Int
  /// The kernel's boot id.
  public var boot: String
  /// The first tick of the epoch.
  public var firstSequence: UInt64
  /// CLOCK_BOOTTIME milliseconds at which it begins.
  public var fromMilliseconds: Int64
  /// Wall clock minus CLOCK_BOOTTIME, milliseconds.
  public var offsetMilliseconds: Int64
  /// Whether the wall clock was synchronised, or the offset was corrected once it was.
  public var synced: Bool

  /// Describes an epoch.
  public init(
    id: Int, boot: String, firstSequence: UInt64, fromMilliseconds: Int64, offsetMilliseconds: Int64, synced: Bool
  ) {
    self.id = id
    self.boot = boot
    self.firstSequence = firstSequence
    self.fromMilliseconds = fromMilliseconds
    self.offsetMilliseconds = offsetMilliseconds
    self.synced = synced
  }
}

/// A tick packed for its row.
public struct EncodedTick: Hashable, Sendable {
  /// The sequence number, unique for this node.
  public var sequence: UInt64
  /// The epoch's id.
  public var epoch: Int
  /// CLOCK_BOOTTIME milliseconds.
  public var milliseconds: Int64
  /// How many ticks before this one its key row lies; 0 for a key row.
  public var back: Int
  /// The values, as `TickEncoder` packs them.
  public var bytes: [UInt8]

  /// What it weighs in memory.
  public var weight: Int { bytes.count + 72 }
}

/// A tick read from the buffer.
public struct StoredTick: Sendable {
  /// The sequence number.
  public var sequence: UInt64 = 0
  /// The epoch that gives it a boot and wall time.
  public var epoch: Epoch
  /// CLOCK_BOOTTIME milliseconds.
  public var milliseconds: Int64 = 0
  /// One value a series, `Double.missing` where none was taken. Series beyond the end are missing too.
  public var values: [Double] = []

  /// Unix time, milliseconds.
  public var wallMilliseconds: Int64 { milliseconds &+ epoch.offsetMilliseconds }
}

/// What could not be read on a way through ticks.
public struct ReadDamage: Hashable, Sendable {
  /// Ticks that could not be decoded; they are left out.
  public var ticks = 0
  /// Columns of sealed blocks that could not be decoded: the ticks of such a block come without that series.
  public var columns = 0

  /// Nothing is damaged.
  public init() {}

  /// Whether all could be read.
  public var isNone: Bool { ticks == 0 && columns == 0 }

  /// Counts another way's damage, too.
  public mutating func add(_ other: ReadDamage) {
    ticks += other.ticks
    columns += other.columns
  }
}

/// Something that happened: an alert's change, a gap, a start.
public struct StoredEvent: Hashable, Sendable {
  /// Counts up; unique for this node.
  public var id: UInt64
  /// The epoch's id.
  public var epoch: Int
  /// CLOCK_BOOTTIME milliseconds.
  public var milliseconds: Int64
  /// `alert`, `gap`, `started`, `stopped`, `reloaded`, `buffer`, `command`.
  public var kind: String
  /// How grave.
  public var severity: Severity
  /// One line for people.
  public var message: String
  /// More fields as a JSON object, `{}` when there are none.
  public var detail: String

  /// Describes an event.
  public init(
    id: UInt64, epoch: Int, milliseconds: Int64, kind: String, severity: Severity, message: String, detail: String = "{}"
  ) {
    self.id = id
    self.epoch = epoch
    self.milliseconds = milliseconds
    self.kind = kind
    self.severity = severity
    self.message = message
    self.detail = detail
  }
}

/// How far an uplink has delivered.
public struct DeliveryPosition: Hashable, Sendable {
  /// Every tick from here on is undelivered.
  public var next: UInt64
  /// Ranges below `next` that are undelivered, ascending, without overlap.
  public var owed: [ClosedRange<UInt64>]
  /// The last event delivered.
  public var event: UInt64
  /// Below this tick the position knows nothing: it was made while the buffer could not be read. Not stored.
  public var from: UInt64 = 0
  /// Grows with what was delivered, within a run: of two positions the one with the higher mark is the newer. Not stored.
  public var mark: UInt64 = 0

  /// A position; `next: 0` when nothing was delivered yet.
  public init(next: UInt64 = 0, owed: [ClosedRange<UInt64>] = [], event: UInt64 = 0) {
    self.next = next
    self.owed = owed
    self.event = event
  }

  /// Without what is not stored.
  var stored: DeliveryPosition { DeliveryPosition(next: next, owed: owed, event: event) }

  /// With what an earlier position, up to `lastSequence`, says of the ticks that this one knows nothing of.
  public func completed(by earlier: DeliveryPosition, lastSequence: UInt64) -> DeliveryPosition {
    guard from > 1, lastSequence >= 1 else { return self }
    let unknown = earlier.undelivered(of: 1...min(lastSequence, from - 1))
    var whole = DeliveryPosition(next: next, owed: unknown + owed, event: min(event, earlier.event))
    whole.mark = mark
    return whole
  }

  /// The undelivered parts of a range.
  public func undelivered(of range: ClosedRange<UInt64>) -> [ClosedRange<UInt64>] {
    var parts = owed.filter { $0.overlaps(range) }.map { $0.clamped(to: range) }
    if range.upperBound >= next { parts.append(max(next, range.lowerBound)...range.upperBound) }
    return parts
  }

  /// At most so many ranges: those with the fewest delivered ticks between them are joined. Nothing owed is forgotten; what is
  /// joined may be delivered again, which the receiver recognises.
  public func owed(atMost limit: Int) -> [ClosedRange<UInt64>] {
    guard owed.count > max(limit, 1) else { return owed }
    let gaps = (1..<owed.count).sorted {
      owed[$0].lowerBound &- owed[$0 - 1].upperBound < owed[$1].lowerBound &- owed[$1 - 1].upperBound
    }
    let joined = Set(gaps.prefix(owed.count - max(limit, 1)))
    var ranges = [owed[0]]
    for index in 1..<owed.count {
      if joined.contains(index) {
        let last = ranges[ranges.count - 1]
        ranges[ranges.count - 1] = last.lowerBound...max(last.upperBound, owed[index].upperBound)
      } else {
        ranges.append(owed[index])
      }
    }
    return ranges
  }
}

/// A rule's state on one series, kept over a restart.
public struct StoredAlert: Hashable, Sendable {
  /// The rule's name.
  public var rule: String
  /// The series' key.
  public var series: String
  /// The state's word.
  public var state: String
  /// The value that led to it.
  public var value: Double
  /// When it came into this state: Unix milliseconds.
  public var sinceMilliseconds: Int64

  /// Describes a rule's state.
  public init(rule: String, series: String, state: String, value: Double, sinceMilliseconds: Int64) {
    self.rule = rule
    self.series = series
    self.state = state
    self.value = value
    self.sinceMilliseconds = sinceMilliseconds
  }
}
