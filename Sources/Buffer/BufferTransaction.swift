/// Everything that one commit writes. Kept and added to while the disk refuses.
public struct BufferTransaction: Sendable {
  /// Series named since the last commit, by ascending id.
  public var series: [StoredSeries] = []
  /// Epochs that are new or were corrected.
  public var epochs: [Epoch] = []
  /// Ticks by ascending sequence number; each group begins with a key row.
  public var ticks: [EncodedTick] = []
  /// Events by ascending id.
  public var events: [StoredEvent] = []
  /// How far each uplink is, by its name.
  public var deliveries: [String: DeliveryPosition] = [:]
  /// The state of all rules; nil when it did not change.
  public var alerts: [StoredAlert]?
  /// No sequence number below this will be given out after a restart.
  public var reservedSequence: UInt64?
  /// The same for events.
  public var reservedEvent: UInt64?

  /// Nothing to write.
  public init() {}

  /// Whether there is nothing to write.
  public var isEmpty: Bool {
    series.isEmpty && epochs.isEmpty && ticks.isEmpty && events.isEmpty && deliveries.isEmpty && alerts == nil
      && reservedSequence == nil && reservedEvent == nil
  }

  /// What its ticks and events weigh in memory, bytes.
  public var weight: Int {
    ticks.reduce(0) { $0 + $1.weight } + events.reduce(0) { $0 + $1.message.utf8.count + $1.detail.utf8.count + 96 }
  }

  /// Adds a later transaction: both are then written as one.
  public mutating func append(_ later: BufferTransaction) {
    series += later.series
    for epoch in later.epochs {
      if let known = epochs.firstIndex(where: { $0.id == epoch.id }) { epochs[known] = epoch } else { epochs.append(epoch) }
    }
    ticks += later.ticks
    events += later.events
    deliveries.merge(later.deliveries) { $1 }
    alerts = later.alerts ?? alerts
    reservedSequence = later.reservedSequence ?? reservedSequence
    reservedEvent = later.reservedEvent ?? reservedEvent
  }

  /// Drops the oldest groups of ticks until the weight is at most `limit`; returns the sequence numbers that went.
  public mutating func dropOldest(toWeight limit: Int) -> ClosedRange<UInt64>? {
    var weight = weight
    guard weight > limit, let first = ticks.first?.sequence else { return nil }
    var count = 0
    // A group without its key row cannot be read: whole groups go.
    while count < ticks.count, weight > limit || ticks[count].back > 0 {
      weight -= ticks[count].weight
      count += 1
    }
    guard count > 0 else { return nil }
    let last = ticks[count - 1].sequence
    ticks.removeFirst(count)
    return first...last
  }
}
