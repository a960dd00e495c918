import Telemetry

extension Tier {
  /// Sealings that one block holds at most. A minute block of 16 holds four and a half hours at 1 Hz, an hour block of 256 three days; raw
  /// blocks are bounded by their rows.
  var sealsPerBlock: Int {
    switch self {
    case .raw: .max
    case .minute: 16
    case .hour: 256
    }
  }
}

extension BufferWriter {
  /// Merges small blocks, four of one size into one of the next, so that each row is written again only as often as the logarithm of its
  /// block's length says. Raw blocks of up to about 200 series are sealed whole and never small. Part of the transaction that seals.
  func mergeBlocks() throws(BufferError) {
    for tier in Tier.allCases {
      while let sources = try mergeable(tier) { try merge(sources) }
    }
  }

  /// Merges neighbouring raw blocks into ones of up to `BufferLimits.ticksPerCompactedBlock` rows, one transaction each; of a short buffer an
  /// eighth, so that no block is most of what there is to evict.
  ///
  /// - Returns: how many blocks went into larger ones.
  func compactBlocks() throws(BufferError) -> Int {
    var merged = 0
    var from: UInt64 = 0
    let held = try database.integer("SELECT total(rows) FROM block") ?? 0
    let most = min(BufferLimits.ticksPerCompactedBlock, Int(held / 8))
    while let sources = try run(from: from, rows: most) {
      var isMerged = false
      try database.transaction { () throws(BufferError) in isMerged = try merge(sources) }
      if isMerged {
        merged += sources.count
        from = sources[sources.count - 1].last + 1
      }
    }
    return merged
  }

  /// The newest blocks of one size, when there are enough of them.
  private func mergeable(_ tier: Tier) throws(BufferError) -> [BlockRecord]? {
    let newest = try database.blocks(tier, order: "first DESC", limit: BufferLimits.mergedBlocks)
    guard newest.count == BufferLimits.mergedBlocks, let seals = newest.first?.seals, seals > 0, seals < tier.sealsPerBlock,
      newest.allSatisfy({ $0.seals == seals && $0.sequences != nil })
    else { return nil }
    let sources = Array(newest.reversed())
    if tier == .raw, try !fits(sources, rows: BufferLimits.ticksPerMergedBlock) { return nil }
    return sources
  }

  /// The first neighbours, at or after a sequence number, that make one larger block.
  private func run(from: UInt64, rows most: Int) throws(BufferError) -> [BlockRecord]? {
    var run: [BlockRecord] = []
    // The records first: asking more about a block while they are read would hold its page twice.
    for block in try database.blocks(.raw, where: "first >= \(from)") {
      let isWhole = block.seals > 0 && block.sequences != nil
      if isWhole, try fits(run + [block], rows: most) {
        run.append(block)
        continue
      }
      if run.count > 1 { return run }
      run = isWhole ? [block] : []
    }
    return run.count > 1 ? run : nil
  }

  /// Whether raw blocks may become one: rows, values, bytes and the time from the first to the last row are bounded, since a block is read,
  /// written and evicted as a whole.
  private func fits(_ sources: [BlockRecord], rows most: Int) throws(BufferError) -> Bool {
    let rows = sources.reduce(0) { $0 + min(max($1.rows, 0), BufferLimits.rowsPerBlock) }
    guard let first = sources.first, let last = sources.last, rows <= most else { return false }
    let series = Int(try database.integer("SELECT max(id) FROM series") ?? 0) + 1
    guard rows * series <= BufferLimits.valuesPerMergedBlock else { return false }
    let bytes = try database.integer("SELECT total(length(data)) FROM block WHERE first BETWEEN \(first.first) AND \(last.first)")
    guard bytes ?? .max <= policy.largestMergedBytes,
      let begin = try database.integer("SELECT \(first.milliseconds) + offset_ms FROM epoch WHERE id = \(first.epoch)"),
      let end = try database.integer("SELECT \(last.untilMilliseconds) + offset_ms FROM epoch WHERE id = \(last.untilEpoch)")
    else { return false }
    // A clock that was set back between them says nothing of how long that was.
    return (0...Int64(policy.longestMergedMilliseconds)).contains(end.subtractingSaturated(begin))
  }

  /// Puts blocks together, column by column: of one series the values of all blocks are in memory, of the others only what is encoded. A
  /// source with any damage is left as it is.
  ///
  /// - Returns: whether they were merged.
  @discardableResult
  private func merge(_ sources: [BlockRecord]) throws(BufferError) -> Bool {
    let tier = sources[0].tier
    var parts: [MergedPart] = []
    for source in sources {
      guard let part = try MergedPart(source, database) else { return try leave(source) }
      parts.append(part)
    }
    let rows = JoinedTimes(parts.map(\.block.directory.times), tier)
    if let place = rows.firstDisorder { return try leave(sources[place]) }
    var merged = BlockEncoder(tier, rows.times)
    var encoder = ColumnEncoder()
    var decoder = ColumnDecoder()
    while let series = parts.compactMap(\.nextSeries).min() {
      let damaged: Int?
      if tier == .raw {
        damaged = try addValues(of: series, from: &parts, rows, to: &merged, &encoder, &decoder)
      } else {
        damaged = try addRollups(of: series, from: &parts, rows, to: &merged, &encoder, &decoder)
      }
      if let damaged { return try leave(sources[damaged]) }
    }
    let last = sources[sources.count - 1].last
    let record = BlockRecord(tier, sources[0].first...last, seals: sources.reduce(0) { $0 &+ $1.seals }, rows.times)
    guard let record else { return false }
    parts = []
    try database.execute(
      "DELETE FROM \(tier.table) WHERE first BETWEEN \(sources[0].first) AND \(last)", operation: "merge blocks of")
    try record.insert(merged.finish(), into: database)
    return true
  }

  /// Adds one series' values; returns which part is damaged.
  private func addValues(
    of series: Int, from parts: inout [MergedPart], _ rows: JoinedTimes, to merged: inout BlockEncoder,
    _ encoder: inout ColumnEncoder, _ decoder: inout ColumnDecoder
  ) throws(BufferError) -> Int? {
    var values: [Double] = []
    values.reserveCapacity(rows.times.count)
    var digits = 0
    for index in parts.indices {
      guard let entry = parts[index].take(series) else {
        values.append(contentsOf: repeatElement(.missing, count: parts[index].block.directory.head.rows))
        continue
      }
      guard let part = try parts[index].block.values(entry, &decoder) else { return index }
      digits = entry.form.digits
      values += part
    }
    merged.add(series, values[...], digits: digits, &encoder)
    return nil
  }

  /// Adds one series' rollups; returns which part is damaged.
  private func addRollups(
    of series: Int, from parts: inout [MergedPart], _ rows: JoinedTimes, to merged: inout BlockEncoder,
    _ encoder: inout ColumnEncoder, _ decoder: inout ColumnDecoder
  ) throws(BufferError) -> Int? {
    var column = RollupColumn(rows: Array(repeating: Rollup(), count: rows.times.count))
    var digits = 0
    for index in parts.indices {
      guard let entry = parts[index].take(series) else { continue }
      guard let part = try parts[index].block.rollups(entry, &decoder) else { return index }
      digits = entry.form.digits
      let scale = Double.powersOfTen[digits]
      for (row, rollup) in part.rows.enumerated() { column.rows[rows.places[index] + row].add(rollup, scale: scale) }
    }
    merged.add(series, column, digits: digits, &encoder)
    return nil
  }

  /// A damaged block stays as it is: it is reported to who reads it, and must not stop the others for ever.
  private func leave(_ source: BlockRecord) throws(BufferError) -> Bool {
    try database.execute(
      "UPDATE \(source.tier.table) SET seals = 0 WHERE first = \(source.first)", operation: "merge blocks of")
    return false
  }
}

/// A block that is merged, and how many of its columns were already.
private struct MergedPart {
  var block: StoredBlock
  private var next = 0

  init?(_ record: BlockRecord, _ database: Database) throws(BufferError) {
    guard let block = try StoredBlock(record, database) else { return nil }
    self.block = block
  }

  var nextSeries: Int? { next < block.directory.entries.count ? block.directory.entries[next].series : nil }

  /// The next column, when it is that of a series.
  mutating func take(_ series: Int) -> BlockEntry? {
    guard nextSeries == series else { return nil }
    next += 1
    return block.directory.entries[next - 1]
  }
}

/// The rows of consecutive blocks as one: where a rollup block's first bucket is the last one of the block before, both become one row.
private struct JoinedTimes {
  private(set) var times = BlockTimes()
  /// Where each block's first row has come to lie.
  private(set) var places: [Int] = []
  /// The first block whose sequence numbers do not ascend after those before.
  private(set) var firstDisorder: Int?

  init(_ parts: [BlockTimes], _ tier: Tier) {
    for (index, part) in parts.enumerated() {
      let isSame =
        tier != .raw && times.count > 0 && times.epochs.last == part.epochs.first
        && times.milliseconds.last == part.milliseconds.first
      places.append(times.count - (isSame ? 1 : 0))
      times.epochs += part.epochs.dropFirst(isSame ? 1 : 0)
      times.milliseconds += part.milliseconds.dropFirst(isSame ? 1 : 0)
      for sequence in part.sequences {
        if sequence <= times.sequences.last ?? 0, firstDisorder == nil { firstDisorder = index }
        times.sequences.append(sequence)
      }
    }
  }
}
