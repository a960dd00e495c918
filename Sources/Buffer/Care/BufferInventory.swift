import Telemetry

/// What a buffer file holds and what that takes.
public struct BufferInventory: Hashable, Sendable {
  /// What one tier holds.
  public struct Part: Hashable, Sendable {
    /// The tier.
    public var tier: Tier
    /// Sealed blocks.
    public var blocks = 0
    /// Rows: ticks, minutes or hours.
    public var rows = 0
    /// Values of all series.
    public var values = 0
    /// Bytes of their data.
    public var bytes = 0
    /// Blocks whose head or directory cannot be read.
    public var damagedBlocks = 0
    /// Unix milliseconds of the first and last row; nil when empty.
    public var wall: ClosedRange<Int64>?

    /// Bytes for each value; nil when there is none.
    public var bytesPerValue: Double? { values == 0 ? nil : Double(bytes) / Double(values) }
  }

  /// Sealed tiers, the finest first.
  public var parts: [Part] = []
  /// Ticks not sealed yet.
  public var unsealed = Part(tier: .raw)
  /// Bytes of the database file's pages, those that are free, and the write-ahead log.
  public var pageBytes = 0
  /// Bytes of pages that hold nothing.
  public var freeBytes = 0
  /// Bytes of the write-ahead log.
  public var logBytes = 0
  /// Series known.
  public var series = 0
  /// Events kept.
  public var events = 0
  /// Ticks that each uplink has not delivered.
  public var pending: [String: UInt64] = [:]
}

extension BufferReader {
  /// Counts what the buffer holds. Reads the directories of all blocks and the ticks that are not sealed.
  public func inventory() throws(BufferError) -> BufferInventory {
    var found = BufferInventory()
    var newest: UInt64?
    try database.snapshot { () throws(BufferError) in
      try refresh()
      for tier in Tier.allCases where database.hasBlocks { found.parts.append(try part(tier)) }
      found.unsealed.rows = Int(try database.integer("SELECT count(*) FROM tick") ?? 0)
      found.unsealed.bytes = Int(try database.integer("SELECT total(length([values]) + 16) FROM tick") ?? 0)
      newest = try database.integer("SELECT min(seq) FROM tick").map { UInt64(clamping: $0) }
      let page = Int(try database.integer("PRAGMA page_size") ?? 0)
      found.pageBytes = Int(try database.integer("PRAGMA page_count") ?? 0) * page
      found.freeBytes = Int(try database.integer("PRAGMA freelist_count") ?? 0) * page
      found.events = Int(try database.integer("SELECT count(*) FROM event") ?? 0)
      let held = try extent()
      for (sink, position) in try StoredState.deliveries(database) ?? [:] {
        guard let held else { continue }
        var owed: UInt64 = 0
        for range in position.undelivered(of: held) { owed += try count(range) }
        found.pending[sink] = owed
      }
    }
    found.series = series.count
    found.logBytes = FileHeader.bytes(path + "-wal") ?? 0
    if let newest {
      _ = try ticks(newest...(.max)) { tick in
        found.unsealed.values += tick.values.count { !$0.isMissing }
        found.unsealed.include(tick.wallMilliseconds)
        return true
      }
    }
    return found
  }

  private func part(_ tier: Tier) throws(BufferError) -> BufferInventory.Part {
    var part = BufferInventory.Part(tier: tier)
    let offsets = Dictionary(epochs.map { ($0.id, $0.offsetMilliseconds) }) { $1 }
    part.bytes = Int(try database.integer("SELECT total(length(data)) FROM \(tier.table)") ?? 0)
    for record in try database.blocks(tier) {
      part.blocks += 1
      if let offset = offsets[record.epoch] { part.include(record.milliseconds &+ offset) }
      if let offset = offsets[record.untilEpoch] { part.include(record.untilMilliseconds &+ offset) }
      guard let directory = try StoredBlock(record, database)?.directory else {
        part.damagedBlocks += 1
        continue
      }
      part.rows += directory.head.rows
      part.values += directory.entries.reduce(0) { $0 + $1.form.count }
    }
    return part
  }
}

extension BufferInventory.Part {
  fileprivate mutating func include(_ wallMilliseconds: Int64) {
    let known = wall ?? wallMilliseconds...wallMilliseconds
    wall = min(known.lowerBound, wallMilliseconds)...max(known.upperBound, wallMilliseconds)
  }
}
