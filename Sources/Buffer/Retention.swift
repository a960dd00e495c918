/// What the buffer may keep.
public struct RetentionPolicy: Hashable, Sendable {
  /// Age in milliseconds beyond which ticks go.
  public var retainMilliseconds: Int
  /// Bytes of the database and its log together.
  public var maximumBytes: Int

  /// Keeps ticks for `retainMilliseconds` and within `maximumBytes`, whichever is less.
  public init(retainMilliseconds: Int, maximumBytes: Int) {
    self.retainMilliseconds = retainMilliseconds
    self.maximumBytes = maximumBytes
  }

  /// Bytes the write-ahead log may keep.
  var logBytes: Int { min(max(maximumBytes / 8, 1 << 17), BufferLimits.logBytes) }

  /// Bytes of pages in use: the log, free pages (a sixteenth) and one commit need their room too.
  var usableBytes: Int { (maximumBytes - logBytes) / 10 * 9 }
}

/// What was deleted to make room.
public struct Eviction: Hashable, Sendable {
  /// The first and last sequence number that went.
  public var range: ClosedRange<UInt64>
  /// How many ticks that were.
  public var ticks: UInt64
  /// How many of them each uplink had not delivered.
  public var undelivered: [String: UInt64]
}

extension BufferWriter {
  /// Deletes what is too old or too much, oldest first, and returns the space to the file system. Bounded work: what is left
  /// over is done after the next commit.
  ///
  /// - Parameters:
  ///   - now: Unix milliseconds; nil while the wall clock is not to be trusted.
  ///   - boot: the running boot's id, and `bootNow` its CLOCK_BOOTTIME milliseconds: ages within it need no wall clock.
  public func makeRoom(
    _ policy: RetentionPolicy, now: Int64?, boot: String, bootNow: Int64
  ) throws(BufferError) -> [Eviction] {
    var evictions: [Eviction] = []
    for _ in 0..<BufferLimits.evictionStepsPerCommit {
      guard let first = try database.integer("SELECT min(seq) FROM tick") else { break }
      var limit = try firstYoung(policy, now: now, boot: boot, bootNow: bootNow)
      if try usedBytes() > policy.usableBytes {
        limit = max(limit, UInt64(clamping: first) + UInt64(BufferLimits.evictedTicksPerStep))
      }
      guard let eviction = try evict(from: UInt64(clamping: first), below: limit) else { break }
      evictions.append(eviction)
    }
    try trim()
    return evictions
  }

  /// Bytes of pages in use.
  public func usedBytes() throws(BufferError) -> Int {
    let pages = try database.integer("PRAGMA page_count") ?? 0
    let free = try database.integer("PRAGMA freelist_count") ?? 0
    return Int(pages - free) * Int(try database.integer("PRAGMA page_size") ?? 4096)
  }

  /// The ticks in the file.
  public func extent() throws(BufferError) -> ClosedRange<UInt64>? {
    guard let first = try database.integer("SELECT min(seq) FROM tick"),
      let last = try database.integer("SELECT max(seq) FROM tick")
    else { return nil }
    return UInt64(clamping: first)...UInt64(clamping: last)
  }

  /// The first of the oldest ticks that is young enough to stay; at most `evictedTicksPerStep` are looked at.
  private func firstYoung(
    _ policy: RetentionPolicy, now: Int64?, boot: String, bootNow: Int64
  ) throws(BufferError) -> UInt64 {
    let retain = Int64(policy.retainMilliseconds)
    let oldest = try database.prepare(
      """
      SELECT t.seq, t.at, e.boot, e.offset_ms, e.synced FROM tick t LEFT JOIN epoch e ON e.id = t.epoch
      ORDER BY t.seq LIMIT \(BufferLimits.evictedTicksPerStep)
      """)
    var limit: UInt64 = 0
    while try oldest.step() {
      let isOld: Bool
      if oldest.text(2) == boot {
        isOld = oldest.integer(1) < bootNow - retain
      } else if oldest.integer(4) != 0, let now {
        isOld = oldest.integer(1) + oldest.integer(3) < now - retain
      } else {
        // An unsynchronised clock of an earlier boot says nothing of age: such ticks go by size only.
        isOld = false
      }
      if !isOld { return oldest.sequence(0) }
      limit = oldest.sequence(0) + 1
    }
    return limit
  }

  /// Deletes whole groups: a group without its key row could not be read.
  private func evict(from first: UInt64, below limit: UInt64) throws(BufferError) -> Eviction? {
    let key = try database.prepare("SELECT seq FROM tick WHERE seq <= ? AND back = 0 ORDER BY seq DESC LIMIT 1")
    key.bind(1, limit)
    guard try key.step(), key.sequence(0) > first else { return nil }
    let last = key.sequence(0) - 1
    var eviction = Eviction(range: first...last, ticks: try count(first...last), undelivered: [:])
    for (sink, position) in lastDeliveries {
      var lost: UInt64 = 0
      for range in position.undelivered(of: first...last) { lost += try count(range) }
      if lost > 0 { eviction.undelivered[sink] = lost }
    }
    try database.execute("DELETE FROM tick WHERE seq BETWEEN \(first) AND \(last)", operation: "make room in")
    return eviction
  }

  private func count(_ range: ClosedRange<UInt64>) throws(BufferError) -> UInt64 {
    UInt64(
      clamping: try database.integer("SELECT count(*) FROM tick WHERE seq BETWEEN \(range.lowerBound) AND \(range.upperBound)")
        ?? 0)
  }

  /// Gives free pages back once they are a sixteenth of the file; fewer are soon used again.
  private func trim() throws(BufferError) {
    try database.execute(
      "DELETE FROM event WHERE id <= (SELECT max(id) FROM event) - \(BufferLimits.events)", operation: "delete old events of")
    let free = try database.integer("PRAGMA freelist_count") ?? 0
    let pages = try database.integer("PRAGMA page_count") ?? 0
    if free > max(64, pages / 16) { try database.execute("PRAGMA incremental_vacuum(\(free))", operation: "return space of") }
  }
}
