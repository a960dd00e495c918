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
  /// Events given up because `BufferLimits.waitingEvents` were waiting.
  public private(set) var droppedEvents = 0
  /// How far each uplink is, by its name.
  public var deliveries: [String: DeliveryPosition] = [:]
  /// The state of all rules; nil when it did not change.
  public var alerts: [StoredAlert]?
  /// Short texts that outlive a restart, by name; each replaces the one before.
  public var notes: [String: String] = [:]
  /// No sequence number below this will be given out after a restart.
  public var reservedSequence: UInt64?
  /// The same for events.
  public var reservedEvent: UInt64?

  /// Nothing to write.
  public init() {}

  /// Whether there is nothing to write.
  public var isEmpty: Bool {
    series.isEmpty && epochs.isEmpty && ticks.isEmpty && events.isEmpty && deliveries.isEmpty && alerts == nil
      && notes.isEmpty && reservedSequence == nil && reservedEvent == nil
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
    deliveries.merge(later.deliveries) { $1.mark >= $0.mark ? $1 : $0 }
    alerts = later.alerts ?? alerts
    notes.merge(later.notes) { $1 }
    reservedSequence = later.reservedSequence.map { max($0, reservedSequence ?? 0) } ?? reservedSequence
    reservedEvent = later.reservedEvent.map { max($0, reservedEvent ?? 0) } ?? reservedEvent
    let surplus = events.count - BufferLimits.waitingEvents
    if surplus > 0 {
      events.removeFirst(surplus)
      droppedEvents += surplus
    }
    droppedEvents += later.droppedEvents
  }

  /// Drops the oldest groups of ticks until the weight is at most `limit` or only the newest group is left: the encoder may still
  /// be adding to that one.
  ///
  /// - Returns: the first and last sequence number that went.
  public mutating func dropOldest(toWeight limit: Int) -> ClosedRange<UInt64>? {
    var weight = weight
    guard weight > limit, let newest = ticks.lastIndex(where: { $0.back == 0 }) else { return nil }
    var count = 0
    // A group without its key row cannot be read: whole groups go.
    while count < newest, weight > limit || ticks[count].back > 0 {
      weight -= ticks[count].weight
      count += 1
    }
    return drop(count)
  }

  /// Drops the ticks at the head whose key row is not among them: before this is committed to a fresh file. When it drops all,
  /// the encoder must begin a group too.
  ///
  /// - Returns: the first and last sequence number that went.
  public mutating func dropHeadless() -> ClosedRange<UInt64>? {
    drop(ticks.firstIndex { $0.back == 0 } ?? ticks.count)
  }

  private mutating func drop(_ count: Int) -> ClosedRange<UInt64>? {
    guard count > 0 else { return nil }
    let range = ticks[0].sequence...ticks[count - 1].sequence
    ticks.removeFirst(count)
    return range
  }
}
