extension BufferWriter {
  /// Deletes what is too old or too much, oldest first, and returns the space to the file system. Bounded work: what is left
  /// over is done after the next commit.
  ///
  /// Whole groups go, and never the newest: up to a group more than asked for is kept. Age is known of the running boot, and of
  /// others whose clock was synchronised, once the clock of today has proved itself (`ClockTrial`); what lies before a tick that is too old is
  /// too old as well.
  ///
  /// The undelivered part stays noted in the file until a transaction with a `gap` event is committed: see `Opening.unreported`.
  ///
  /// - Parameters:
  ///   - now: Unix milliseconds; nil while the wall clock is not to be trusted.
  ///   - boot: the running boot's id, and `bootNow` its CLOCK_BOOTTIME milliseconds: ages within it need no wall clock.
  public func makeRoom(
    _ policy: RetentionPolicy, now: Int64?, boot: String, bootNow: Int64
  ) throws(BufferError) -> [Eviction] {
    try adopt(policy)
    let epochs = try StoredState.epochs(database)
    let now = trial.trusted(now, epochs, boot: boot, bootNow: bootNow, retain: policy.retainMilliseconds)
    let young = try firstYoung(policy, epochs, now: now, boot: boot, bootNow: bootNow)
    var evictions: [Eviction] = []
    let expired = try expireRollups(policy, epochs, now: now, boot: boot, bootNow: bootNow)
    for _ in 0..<BufferLimits.evictionStepsPerCommit {
      let excess = try usedBytes() - policy.usableBytes
      let tier = excess > 0 ? try heaviest(policy) : .raw
      if let range = try surplus(before: young, excess: tier == .raw ? excess : 0) {
        evictions.append(try evict(range))
      } else if tier == .raw {
        break
      } else {
        try dropRollups(tier, bytes: excess)
      }
    }
    try forget(policy, evicted: !evictions.isEmpty || expired)
    try trim(policy)
    return evictions
  }

  /// Bytes of pages in use.
  public func usedBytes() throws(BufferError) -> Int {
    let pages = try database.integer("PRAGMA page_count") ?? 0
    let free = try database.integer("PRAGMA freelist_count") ?? 0
    return Int(pages - free) * Int(try database.integer("PRAGMA page_size") ?? 4096)
  }

  /// The ticks in the file.
  public func extent() throws(BufferError) -> ClosedRange<UInt64>? { try TickBounds.extent(database) }

  /// All ticks below this sequence number are too old; 0 when none is.
  private func firstYoung(
    _ policy: RetentionPolicy, _ epochs: [Epoch], now: Int64?, boot: String, bootNow: Int64
  ) throws(BufferError) -> UInt64 {
    guard let extent = try extent() else { return 0 }
    let retain = Int64(clamping: policy.retainMilliseconds)
    for (position, epoch) in epochs.enumerated().reversed() {
      let end = position + 1 < epochs.count ? epochs[position + 1].firstSequence : .max
      let low = max(epoch.firstSequence, extent.lowerBound)
      guard low < end, low <= extent.upperBound else { continue }
      let oldest: Int64
      if epoch.boot == boot {
        oldest = bootNow &- retain
      } else if epoch.synced, let now {
        oldest = (now &- retain) &- epoch.offsetMilliseconds
      } else {
        continue
      }
      // No look at the ticks of an epoch that begins later: a clock that steps all the time makes thousands.
      guard epoch.fromMilliseconds < oldest else { continue }
      // The newest epoch with a tick that is too old decides: order does not depend on the clock.
      let first = try TickBounds.first(
        in: low...min(end - 1, extent.upperBound), epoch: epoch.id, atLeast: oldest, database)
      if first > low { return first }
    }
    return 0
  }

  /// The oldest ticks that have to go, as far as one step reaches: whole blocks, or without any whole groups of rows.
  private func surplus(before young: UInt64, excess: Int) throws(BufferError) -> ClosedRange<UInt64>? {
    let blocks = try database.prepare("SELECT first, last, length(data) FROM block ORDER BY first")
    let wanted = min(excess, BufferLimits.evictedBytesPerStep)
    var range: ClosedRange<UInt64>?
    var bytes = 0
    while try blocks.step() {
      let (first, last) = (blocks.sequence(0), blocks.sequence(1))
      guard first <= last, first > range?.upperBound ?? 0 else { throw TickBounds.disorder(database) }
      guard last < young || bytes < wanted, bytes < BufferLimits.evictedBytesPerStep else { return range }
      range = (range?.lowerBound ?? first)...last
      bytes += Int(blocks.integer(2))
    }
    if let range { return range }
    return try surplusRows(before: young, excess: excess)
  }

  private func surplusRows(before young: UInt64, excess: Int) throws(BufferError) -> ClosedRange<UInt64>? {
    let rows = try database.prepare("SELECT seq, back, length([values]) FROM tick ORDER BY seq")
    let wanted = min(excess, BufferLimits.evictedBytesPerStep)
    var first: UInt64?
    var last: UInt64 = 0
    var range: ClosedRange<UInt64>?
    var bytes = 0
    var bytesBeforeGroup = 0
    var count = 0
    while try rows.step() {
      let sequence = rows.sequence(0)
      guard let first else {
        guard sequence < young || wanted > 0 else { return nil }
        first = sequence
        last = sequence
        bytes = Int(rows.integer(2)) + 16
        continue
      }
      guard sequence > last else { throw TickBounds.disorder(database) }
      count += 1
      // A damaged file may lack key rows.
      let endsGroup = rows.integer(1) == 0 || count > 2 * BufferLimits.evictedTicksPerStep
      if endsGroup {
        guard last < young || bytesBeforeGroup < wanted else { break }
        range = first...last
        bytesBeforeGroup = bytes
        if count >= BufferLimits.evictedTicksPerStep || bytes >= BufferLimits.evictedBytesPerStep { break }
      }
      last = sequence
      bytes += Int(rows.integer(2)) + 16
    }
    return range
  }

  private func evict(_ range: ClosedRange<UInt64>) throws(BufferError) -> Eviction {
    var eviction = Eviction(range: range, ticks: try count(range), undelivered: [:])
    for (sink, position) in lastDeliveries {
      var lost: UInt64 = 0
      for part in position.undelivered(of: range) { lost += try count(part) }
      if lost > 0 { eviction.undelivered[sink] = lost }
    }
    let done = eviction
    try database.transaction { () throws(BufferError) in
      try database.execute(
        """
        DELETE FROM tick WHERE seq BETWEEN \(range.lowerBound) AND \(range.upperBound);
        DELETE FROM block WHERE first BETWEEN \(range.lowerBound) AND \(range.upperBound);
        """, operation: "make room in")
      try UnreportedGap.add(done, to: database)
    }
    return eviction
  }

  private func count(_ range: ClosedRange<UInt64>) throws(BufferError) -> UInt64 {
    try TickBounds.count(range, database)
  }

  /// Deletes old events, and epochs that no tick needs any more once there are very many.
  private func forget(_ policy: RetentionPolicy, evicted: Bool) throws(BufferError) {
    try database.execute(
      "DELETE FROM event WHERE id <= (SELECT max(id) FROM event) - \(policy.events)", operation: "delete old events of")
    guard evicted else { return }
    try database.execute(
      """
      DELETE FROM epoch WHERE id <= (SELECT max(id) FROM epoch) - \(BufferLimits.epochs)
        AND id < (SELECT min(epoch) FROM (
          SELECT * FROM (SELECT epoch FROM tick ORDER BY seq LIMIT 1)
          UNION ALL SELECT * FROM (SELECT epoch FROM block ORDER BY first LIMIT 1)
          UNION ALL SELECT * FROM (SELECT epoch FROM minute ORDER BY first LIMIT 1)
          UNION ALL SELECT * FROM (SELECT epoch FROM hour ORDER BY first LIMIT 1)))
      """, operation: "delete old epochs of")
  }

  /// Gives free pages back once they are a sixteenth of the file; fewer are soon used again.
  private func trim(_ policy: RetentionPolicy) throws(BufferError) {
    var free = try database.integer("PRAGMA freelist_count") ?? 0
    let pages = try database.integer("PRAGMA page_count") ?? 0
    guard free > max(8, pages / 16) else { return }
    // In steps that the log has room for.
    let step = Int64(max(policy.logBytes / Int(try database.integer("PRAGMA page_size") ?? 4_096), 8))
    for _ in 0..<BufferLimits.vacuumStepsPerCommit where free > 0 {
      try database.execute("PRAGMA incremental_vacuum(\(min(step, free)))", operation: "return space of")
      free -= step
    }
    // The file itself shrinks only when the log is copied back; never waits for a reader.
    _ = try database.integer("PRAGMA wal_checkpoint(PASSIVE)")
  }
}
