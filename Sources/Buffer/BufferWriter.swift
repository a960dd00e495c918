import Telemetry

/// The one writer of a buffer file. Belongs to one thread; every call may block on the disk.
public final class BufferWriter {
  /// What a writer found when it opened the file.
  public struct Opening: Sendable {
    /// Series by id.
    public var series: [StoredSeries] = []
    /// The highest epoch id in use; 0 when none.
    public var lastEpoch = 0
    /// The first sequence number that may be given out.
    public var nextSequence: UInt64 = 1
    /// The first event id that may be given out.
    public var nextEvent: UInt64 = 1
    /// The last tick committed; nil when there is none.
    public var lastSequence: UInt64?
    /// How far each uplink was.
    public var deliveries: [String: DeliveryPosition] = [:]
    /// Whether what the file said of delivery was damaged: all it holds counts as undelivered.
    public var isDeliveryLost = false
    /// The rules' states.
    public var alerts: [StoredAlert] = []
    /// Short texts that an earlier run left, by name.
    public var notes: [String: String] = [:]
    /// The node that wrote the file before; nil for a new file.
    public var node: String?
    /// All epochs, oldest first.
    public var epochs: [Epoch] = []
    /// How many boots the buffer has seen.
    public var boots = 0
    /// Where a damaged file was moved to.
    public var setAside: String?
    /// Undelivered ticks evicted without a `gap` event having been committed: the agent died in between, and has to tell now.
    public var unreported: [Eviction] = []

    /// What a new, empty buffer says.
    public init() {}
  }

  /// The file.
  public let path: String
  /// What was in it.
  public private(set) var opening = Opening()

  let database: Database
  private let identity: [UInt64]?
  private let insertTick: Statement
  private let insertEvent: Statement
  private let putEpoch: Statement
  private let putSeries: Statement
  private let putMeta: Statement
  private let putDelivery: Statement
  private let clearOwed: Statement
  private let putOwed: Statement
  private let putAlert: Statement
  private(set) var lastDeliveries: [String: DeliveryPosition] = [:]
  private(set) var policy: RetentionPolicy
  var trial = ClockTrial()

  /// Opens the file, or makes it; directories are not made.
  public init(path: String, node: String, policy: RetentionPolicy) throws(BufferError) {
    self.path = path
    database = try Database(path: path, mode: .writer)
    self.policy = policy
    try Schema.prepare(database, logBytes: policy.logBytes)
    identity = FileHeader.identity(path)
    insertTick = try database.prepare(
      "INSERT INTO tick(seq, epoch, at, back, [values]) VALUES(?1, ?2, ?3, ?4, ?5) "
        + "ON CONFLICT(seq) DO UPDATE SET seq = seq WHERE at = ?3 AND back = ?4 AND [values] = ?5")
    insertEvent = try database.prepare(
      "INSERT OR IGNORE INTO event(id, epoch, at, kind, severity, message, detail) VALUES(?, ?, ?, ?, ?, ?, ?)")
    putEpoch = try database.prepare(
      "INSERT OR REPLACE INTO epoch(id, boot, first, from_ms, offset_ms, synced, crc) VALUES(?, ?, ?, ?, ?, ?, ?)")
    putSeries = try database.prepare(
      "INSERT INTO series(id, key, name, labels, unit, kind, decimals, crc) VALUES(?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT(id) DO NOTHING"
    )
    putMeta = try database.prepare("INSERT OR REPLACE INTO meta(key, value) VALUES(?, ?)")
    putDelivery = try database.prepare("INSERT OR REPLACE INTO delivery(sink, next, event, crc) VALUES(?, ?, ?, ?)")
    clearOwed = try database.prepare("DELETE FROM owed WHERE sink = ? AND first = ?")
    putOwed = try database.prepare("INSERT OR REPLACE INTO owed(sink, first, last, crc) VALUES(?, ?, ?, ?)")
    putAlert = try database.prepare("INSERT OR REPLACE INTO alert(rule, series, state, value, since) VALUES(?, ?, ?, ?, ?)")
    opening = try StoredState.read(database)
    lastDeliveries = opening.deliveries
    // What is left of it would be taken for owed, or refused, at each start.
    if opening.isDeliveryLost {
      try database.transaction { () throws(BufferError) in try database.execute("DELETE FROM delivery; DELETE FROM owed") }
    }
    if opening.node != node { try put("node", node) }
  }

  /// Writes a transaction and waits until it is on the disk. When it throws, nothing of it was written.
  public func commit(_ transaction: BufferTransaction) throws(BufferError) {
    guard !transaction.isEmpty else { return }
    try database.transaction { () throws(BufferError) in
      for series in transaction.series { try write(series) }
      for epoch in transaction.epochs { try write(epoch) }
      for tick in transaction.ticks {
        insertTick.bind(1, tick.sequence)
        insertTick.bind(2, tick.epoch)
        insertTick.bind(3, tick.milliseconds)
        insertTick.bind(4, tick.back)
        insertTick.bind(5, tick.rowBytes)
        try insertTick.run()
        guard database.changes == 1 else {
          throw BufferError(
            .busy, "commit to", path: path, message: "another tick \(tick.sequence) is there: does a second agent run?")
        }
      }
      for event in transaction.events { try write(event) }
      if transaction.events.contains(where: { $0.kind == "gap" }) { try UnreportedGap.clear(database) }
      for (sink, position) in transaction.deliveries { try write(position, of: sink) }
      if let alerts = transaction.alerts { try write(alerts) }
      for (name, text) in transaction.notes { try put(StoredState.notePrefix + name, text) }
      if let reserved = transaction.reservedSequence { try put("reserved_sequence", Int64(clamping: reserved)) }
      if let reserved = transaction.reservedEvent { try put("reserved_event", Int64(clamping: reserved)) }
    }
    for (sink, position) in transaction.deliveries { lastDeliveries[sink] = position.stored }
  }

  /// Copies the write-ahead log into the database and empties it: before a clean stop.
  public func checkpoint() throws(BufferError) {
    // A reader in the way is not worth the two seconds that a stop may take.
    database.wait(milliseconds: BufferLimits.checkpointMilliseconds)
    defer { database.wait(milliseconds: BufferLimits.busyMilliseconds) }
    _ = try database.integer("PRAGMA wal_checkpoint(TRUNCATE)")
  }

  /// Takes over a policy that was reloaded.
  func adopt(_ new: RetentionPolicy) throws(BufferError) {
    if new.logBytes != policy.logBytes { try Schema.limitLog(database, bytes: new.logBytes) }
    policy = new
  }

  /// That the file is still the one that was opened: SQLite goes on writing into a file that somebody deleted or replaced.
  public func checkFile() throws(BufferError) {
    guard FileHeader.identity(path) != identity else { return }
    throw BufferError(.cannotOpen, "go on with", path: path, message: "the file was deleted or replaced while it was in use")
  }

  /// Returns the caches of this connection to the heap.
  public func releaseMemory() { database.releaseMemory() }

  private func put(_ key: String, _ value: Int64) throws(BufferError) {
    putMeta.bind(1, key)
    putMeta.bind(2, value)
    try putMeta.run()
  }

  private func put(_ key: String, _ value: String) throws(BufferError) {
    putMeta.bind(1, key)
    putMeta.bind(2, value)
    try putMeta.run()
  }

  private func write(_ series: StoredSeries) throws(BufferError) {
    putSeries.bind(1, series.id)
    putSeries.bind(2, series.key)
    putSeries.bind(3, series.name)
    putSeries.bind(4, LabelText.encode(series.labels))
    putSeries.bind(5, series.unit)
    putSeries.bind(6, series.kind)
    putSeries.bind(7, series.decimals)
    putSeries.bind(8, series.checksum)
    try putSeries.run()
  }

  private func write(_ epoch: Epoch) throws(BufferError) {
    putEpoch.bind(1, epoch.id)
    putEpoch.bind(2, epoch.boot)
    putEpoch.bind(3, epoch.firstSequence)
    putEpoch.bind(4, epoch.fromMilliseconds)
    putEpoch.bind(5, epoch.offsetMilliseconds)
    putEpoch.bind(6, epoch.synced)
    putEpoch.bind(7, epoch.checksum)
    try putEpoch.run()
  }

  private func write(_ event: StoredEvent) throws(BufferError) {
    insertEvent.bind(1, event.id)
    insertEvent.bind(2, event.epoch)
    insertEvent.bind(3, event.milliseconds)
    insertEvent.bind(4, event.kind)
    insertEvent.bind(5, event.severity.rawValue)
    insertEvent.bind(6, event.message)
    insertEvent.bind(7, event.detail)
    try insertEvent.run()
  }

  private func write(_ position: DeliveryPosition, of sink: String) throws(BufferError) {
    if lastDeliveries[sink] == position.stored { return }
    putDelivery.bind(1, sink)
    putDelivery.bind(2, position.next)
    putDelivery.bind(3, position.event)
    putDelivery.bind(4, position.checksum(of: sink))
    try putDelivery.run()
    // Only what changed: while a backlog drains, the first of many ranges shrinks at each commit.
    let before = Set(lastDeliveries[sink]?.owed(atMost: BufferLimits.owedRanges) ?? [])
    let after = Set(position.owed(atMost: BufferLimits.owedRanges))
    for range in before.subtracting(after) {
      clearOwed.bind(1, sink)
      clearOwed.bind(2, range.lowerBound)
      try clearOwed.run()
    }
    for range in after.subtracting(before) {
      putOwed.bind(1, sink)
      putOwed.bind(2, range.lowerBound)
      putOwed.bind(3, range.upperBound)
      putOwed.bind(4, DeliveryPosition.checksum(of: sink, owed: range))
      try putOwed.run()
    }
  }

  private func write(_ alerts: [StoredAlert]) throws(BufferError) {
    try database.execute("DELETE FROM alert", operation: "write alerts to")
    for alert in alerts {
      putAlert.bind(1, alert.rule)
      putAlert.bind(2, alert.series)
      putAlert.bind(3, alert.state)
      putAlert.bind(4, alert.value)
      putAlert.bind(5, alert.sinceMilliseconds)
      try putAlert.run()
    }
  }
}
