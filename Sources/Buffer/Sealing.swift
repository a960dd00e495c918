import Telemetry

/// What sealing moved from tick rows to a block.
public struct Sealing: Hashable, Sendable {
  /// The first and last sequence number.
  public var range: ClosedRange<UInt64>
  /// How many ticks.
  public var ticks: Int
  /// Rows that could not be decoded; they are gone.
  public var damaged: Int
}

extension BufferWriter {
  /// Moves the oldest tick rows into blocks and their rollups, in one transaction a block. Bounded work: what is left over is done by the
  /// next calls. Does nothing while less than a block is there.
  ///
  /// Whole groups are sealed, never the newest: the encoder may still be adding to that one.
  ///
  /// - Parameter atLeast: ticks of a block.
  public func seal(atLeast ticks: Int = BufferLimits.ticksPerBlock) throws(BufferError) -> [Sealing] {
    var sealings: [Sealing] = []
    for _ in 0..<BufferLimits.blocksPerCall {
      guard let sealing = try sealOne(max(ticks, 1)) else { break }
      sealings.append(sealing)
    }
    return sealings
  }

  private func sealOne(_ ticks: Int) throws(BufferError) -> Sealing? {
    guard let range = try sealable(ticks) else { return nil }
    var sealing: Sealing?
    try database.transaction { () throws(BufferError) in
      var batch = try SealedTicks(range, database)
      let blocks = batch.times.count > 0 ? try batch.blocks(range, offsets: try offsets()) : []
      // The rows go first, so that the blocks take their pages.
      try database.execute(
        "DELETE FROM tick WHERE seq BETWEEN \(range.lowerBound) AND \(range.upperBound)", operation: "seal ticks in")
      for (record, data) in blocks { try record.insert(data, into: database) }
      try mergeBlocks()
      sealing = Sealing(range: range, ticks: batch.times.count, damaged: batch.damaged)
    }
    return sealing
  }

  /// The oldest whole groups that fill a block; nil when there are not enough.
  private func sealable(_ ticks: Int) throws(BufferError) -> ClosedRange<UInt64>? {
    let series = max(Int(try database.integer("SELECT max(id) FROM series") ?? 0) + 1, 1)
    let wanted = min(ticks, max(BufferLimits.valuesPerBlock / series, 1))
    // Mostly there are not enough, which two look-ups tell.
    guard let low = try database.integer("SELECT min(seq) FROM tick"),
      let high = try database.integer("SELECT max(seq) FROM tick"), high &- low >= wanted
    else { return nil }
    let rows = try database.prepare("SELECT seq, back FROM tick ORDER BY seq LIMIT \(ticks + 2 * BufferLimits.ticksPerGroup)")
    var first: UInt64?
    var last: UInt64 = 0
    var count = 0
    while try rows.step() {
      let sequence = rows.sequence(0)
      guard let first else {
        (first, last, count) = (sequence, sequence, 1)
        continue
      }
      guard sequence > last else { throw TickBounds.disorder(database) }
      if rows.integer(1) == 0, count >= wanted { return first...last }
      last = sequence
      count += 1
    }
    // Groups are shorter than this: key rows are lacking, and the rows cannot be read anyway.
    guard let first, count >= ticks + 2 * BufferLimits.ticksPerGroup else { return nil }
    return first...last
  }

  private func offsets() throws(BufferError) -> [Int64: Int64] {
    // By way of the checksums: rollups keep what a damaged offset makes of them.
    let epochs = try StoredState.epochs(database)
    return Dictionary(epochs.map { (Int64($0.id), $0.offsetMilliseconds) }) { $1 }
  }
}

/// Tick rows on their way into blocks.
private struct SealedTicks {
  private(set) var times = BlockTimes()
  /// Rows that could not be decoded.
  private(set) var damaged = 0
  private let digits: [Int]
  private let database: Database
  private let rows: Statement
  /// Column after column of the series being encoded, each as long as `capacity`.
  private var cells: [Double] = []
  private var loaded = 0..<0
  private let capacity: Int

  init(_ range: ClosedRange<UInt64>, _ database: Database) throws(BufferError) {
    self.database = database
    digits = try StoredState.series(database).map { min(max($0.decimals, 0), 9) }
    let condition = "WHERE seq BETWEEN \(range.lowerBound) AND \(range.upperBound)"
    capacity = Int(try database.integer("SELECT count(*) FROM tick \(condition)") ?? 0)
    rows = try database.prepare("SELECT seq, epoch, at, back, [values] FROM tick \(condition) ORDER BY seq")
    try load(0..<min(width, digits.count))
  }

  /// Series whose values are in memory together: reading the rows twice or four times costs less than their values would take.
  private var width: Int {
    let passes = min(max((digits.count + 95) / 96, 1), 4)
    return (digits.count + passes - 1) / passes
  }

  /// Reads the values of some series.
  private mutating func load(_ series: Range<Int>) throws(BufferError) {
    // What was loaded before goes first: the values of two loads never take memory together.
    cells = []
    cells = [Double](repeating: .missing, count: series.count * capacity)
    (loaded, times, damaged) = (series, BlockTimes(), 0)
    var decoder = TickDecoder(decimals: digits)
    defer { rows.reset() }
    while try rows.step() {
      let stamp = TickStamp(rows)
      let failure = rows.withBlob(4) { decoder.decode(stamp, row: $0) }
      if case .unknownFormat(let format) = failure { throw TickDecoder.unknown(format, database) }
      guard failure == nil, times.count < capacity else {
        damaged += 1
        continue
      }
      let row = times.count
      for id in series.clamped(to: decoder.values.indices) {
        cells[(id - series.lowerBound) * capacity + row] = decoder.values[id]
      }
      times.sequences.append(Int64(clamping: stamp.sequence))
      times.epochs.append(stamp.epoch)
      times.milliseconds.append(stamp.milliseconds)
    }
  }

  /// The raw block and its rollups.
  mutating func blocks(
    _ range: ClosedRange<UInt64>, offsets: [Int64: Int64]
  ) throws(BufferError) -> [(record: BlockRecord, data: [UInt8])] {
    let minutes = Buckets(times, step: Tier.minute.stepMilliseconds, offsets: offsets)
    let hours = Buckets(minutes.times, step: Tier.hour.stepMilliseconds, offsets: offsets)
    var raw = BlockEncoder(.raw, times)
    var minute = BlockEncoder(.minute, minutes.times)
    var hour = BlockEncoder(.hour, hours.times)
    var encoder = ColumnEncoder()
    for series in digits.indices {
      if !loaded.contains(series) { try load(series..<min(series + width, digits.count)) }
      let start = (series - loaded.lowerBound) * capacity
      let values = cells[start..<start + times.count]
      let digits = digits[series]
      let scale = Double.powersOfTen[digits]
      raw.add(series, values, digits: digits, &encoder)
      let rolled =
        encoder.wholeIntegers.map { minutes.rollUp(integers: $0, scale: scale) } ?? minutes.rollUp(values, scale: scale)
      minute.add(series, rolled, digits: digits, &encoder)
      hour.add(series, hours.rollUp(rolled, scale: scale), digits: digits, &encoder)
    }
    cells = []
    var blocks: [(record: BlockRecord, data: [UInt8])] = []
    for (tier, times, encoder) in [(Tier.raw, times, raw), (.minute, minutes.times, minute), (.hour, hours.times, hour)] {
      if let record = BlockRecord(tier, range, seals: 1, times) { blocks.append((record, encoder.finish())) }
    }
    return blocks
  }
}
