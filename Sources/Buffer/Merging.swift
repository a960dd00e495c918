import Telemetry

extension Tier {
  /// Sealings that one block holds at most. Raw blocks are made whole; a minute block of 16 holds four and a half hours at 1 Hz, an
  /// hour block of 256 three days.
  var sealsPerBlock: Int {
    switch self {
    case .raw: 1
    case .minute: 16
    case .hour: 256
    }
  }
}

extension BufferWriter {
  /// Merges small rollup blocks, four of one size into one of the next, so that each row is written again only as often as the logarithm
  /// of its block's length says. Part of the transaction that seals.
  func mergeRollups() throws(BufferError) {
    for tier in [Tier.minute, .hour] {
      while let sources = try mergeable(tier) { try merge(sources) }
    }
  }

  /// The newest blocks of one size, when there are enough of them.
  private func mergeable(_ tier: Tier) throws(BufferError) -> [BlockRecord]? {
    let newest = try database.blocks(tier, order: "first DESC", limit: BufferLimits.mergedBlocks)
    guard newest.count == BufferLimits.mergedBlocks, let seals = newest.first?.seals, seals > 0, seals < tier.sealsPerBlock,
      newest.allSatisfy({ $0.seals == seals && $0.sequences != nil })
    else { return nil }
    return newest.reversed()
  }

  private func merge(_ sources: [BlockRecord]) throws(BufferError) {
    let tier = sources[0].tier
    var blocks: [StoredBlock] = []
    for source in sources {
      guard let block = try StoredBlock(source, database) else { return try leave(source) }
      blocks.append(block)
    }
    let rows = JoinedTimes(blocks.map(\.directory.times))
    var merged = BlockEncoder(tier, rows.times)
    var encoder = ColumnEncoder()
    var decoder = ColumnDecoder()
    let ids = Set(blocks.flatMap { $0.directory.entries.map(\.series) }).sorted()
    for id in ids {
      var column = RollupColumn(rows: Array(repeating: Rollup(), count: rows.times.count))
      var digits = 0
      for index in blocks.indices {
        guard let entry = blocks[index].directory.entries.first(where: { $0.series == id }) else { continue }
        guard let part = try blocks[index].rollups(entry, &decoder) else { return try leave(sources[index]) }
        digits = entry.form.digits
        let scale = Double.powersOfTen[digits]
        for (row, rollup) in part.rows.enumerated() { column.rows[rows.places[index] + row].add(rollup, scale: scale) }
      }
      merged.add(id, column, digits: digits, &encoder)
    }
    let last = sources[sources.count - 1].last
    let record = BlockRecord(tier, sources[0].first...last, seals: sources.reduce(0) { $0 + $1.seals }, rows.times)
    guard let record else { return }
    try database.execute(
      "DELETE FROM \(tier.table) WHERE first BETWEEN \(sources[0].first) AND \(last)", operation: "merge blocks of")
    try record.insert(merged.finish(), into: database)
  }

  /// A damaged block stays as it is: it is reported to who reads it, and must not stop the others for ever.
  private func leave(_ source: BlockRecord) throws(BufferError) {
    try database.execute(
      "UPDATE \(source.tier.table) SET seals = \(source.tier.sealsPerBlock) WHERE first = \(source.first)",
      operation: "merge blocks of")
  }
}

/// The rows of consecutive blocks as one: where a block's first bucket is the last one of the block before, both become one row.
private struct JoinedTimes {
  private(set) var times = BlockTimes()
  /// Where each block's first row has come to lie.
  private(set) var places: [Int] = []

  init(_ parts: [BlockTimes]) {
    for part in parts {
      let isSame = times.count > 0 && times.epochs.last == part.epochs.first && times.milliseconds.last == part.milliseconds.first
      places.append(times.count - (isSame ? 1 : 0))
      times.epochs += part.epochs.dropFirst(isSame ? 1 : 0)
      times.milliseconds += part.milliseconds.dropFirst(isSame ? 1 : 0)
    }
  }
}
