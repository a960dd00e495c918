import Telemetry

/// Some ticks in the layout of a sealed block (`BlockLayout`), with what is needed to read them elsewhere.
public struct BlockPart: Sendable {
  /// The first and last tick in it.
  public var sequences: ClosedRange<UInt64>
  /// How many ticks.
  public var ticks: Int
  /// One above the highest series id in it.
  public var width: Int
  /// The epochs of its ticks, by ascending id.
  public var epochs: [Epoch]
  /// Values that were left out because their column is damaged.
  public var damagedValues = 0
  /// Whether it is a block just as it lies in the buffer.
  public var isWhole = false
  /// The block.
  public var bytes: [UInt8]
}

extension BufferReader {
  /// The first ticks of a range as a block: a sealed block that lies in the range as it is, once its checksums were found good; else
  /// made anew from the rows of the range, without damaged columns. Constant memory.
  ///
  /// - Parameters:
  ///   - mostBytes: the part holds as few ticks as it takes, but one always.
  ///   - mostTicks: the same.
  /// - Returns: nil when the buffer holds nothing of the range that can be read.
  public func part(
    of range: ClosedRange<UInt64>, mostBytes: Int, mostTicks: Int
  ) throws(BufferError) -> BlockPart? {
    var from = range.lowerBound
    while let (record, bytes) = try firstBlock(in: from...range.upperBound) {
      guard let held = record.sequences else { throw TickBounds.disorder(database) }
      do throws(BlockDamage) {
        var source = try SealedSource(bytes, epochs: epochs, series: series.count)
        if let part = source.part(of: from...range.upperBound, mostBytes: mostBytes, mostTicks: mostTicks) { return part }
      } catch {
        if case .unknownVersion(let version) = error { throw StoredBlock.unknown(version, database) }
      }
      // Nothing of it can be read: what comes after it can.
      guard held.upperBound < range.upperBound else { return nil }
      from = held.upperBound + 1
    }
    return try looseRows(from...range.upperBound, mostBytes: mostBytes, mostTicks: mostTicks)
  }

  /// Copies the first sealed block that holds any of a range, in one short transaction with the series and epochs that it needs.
  private func firstBlock(in range: ClosedRange<UInt64>) throws(BufferError) -> (BlockRecord, [UInt8])? {
    var found: (BlockRecord, [UInt8])?
    try database.snapshot { () throws(BufferError) in
      try refresh()
      guard let record = try database.blocks(.raw, where: Database.overlapping(range), limit: 1).first else { return }
      let blob = try database.openBlob(record.tier.table, "data", row: record.first)
      var bytes: [UInt8] = []
      try blob.read(0..<blob.count, into: &bytes)
      found = (record, bytes)
    }
    return found
  }

  /// Ticks that are in no block yet.
  private func looseRows(
    _ range: ClosedRange<UInt64>, mostBytes: Int, mostTicks: Int
  ) throws(BufferError) -> BlockPart? {
    var source = LooseSource()
    let mostRows = max(min(mostTicks, BufferLimits.looseValues / max(series.count, 1)), 1)
    _ = try ticks(range) { tick in
      source.append(tick)
      return source.times.count < mostRows
    }
    source.digits = series.map { min(max($0.decimals, 0), 9) }
    return PartFitting(mostBytes: mostBytes, rows: 0..<source.times.count).fit { source.part($0) }
  }
}

extension Epoch {
  /// Whether its id is one that a writer gives.
  fileprivate var isNumbered: Bool { id >= 0 && UInt64(id) < BufferLimits.largestNumber }
}

/// Finds how many rows fit.
struct PartFitting {
  let mostBytes: Int
  let rows: Range<Int>
  /// What all rows are likely to take; 0 when nothing is known.
  var likelyBytes = 0

  /// Makes parts of the first rows until one fits; nil without a row.
  func fit(_ make: (Range<Int>) -> BlockPart?) -> BlockPart? {
    // Parts of like size: one that nearly fits would leave a rest that costs as much to make.
    let parts = max((likelyBytes + mostBytes - 1) / max(mostBytes, 1), 1)
    var count = (rows.count + parts - 1) / parts
    while count > 0, let part = make(rows.lowerBound..<rows.lowerBound + count) {
      if part.bytes.count <= mostBytes || count == 1 { return part }
      count = max(min(count * mostBytes / part.bytes.count, count - 1), 1)
    }
    return nil
  }
}

/// A sealed block of which a part is wanted.
private struct SealedSource {
  private let bytes: [UInt8]
  private let epochs: [Epoch]
  private var decoder: BlockDecoder
  private var columns: ColumnEncoder?
  /// Entries whose columns are good, and those that have to be left out.
  private let good: [BlockEntry]
  private let damaged: [BlockEntry]

  private var times: BlockTimes { decoder.directory.times }
  private var width: Int { (good.last?.series ?? -1) + 1 }

  init(_ bytes: [UInt8], epochs: [Epoch], series: Int) throws(BlockDamage) {
    decoder = try BlockDecoder(bytes)
    guard decoder.directory.head.tier == .raw, decoder.directory.times.isAscending else { throw .damaged }
    self.bytes = bytes
    self.epochs = epochs.filter { $0.isNumbered }
    let isGood = { (entry: BlockEntry) in entry.series < series && Checksum.of(bytes, entry.bytes) == entry.checksum }
    let entries = decoder.directory.entries
    let marks = entries.map(isGood)
    good = zip(entries, marks).filter(\.1).map(\.0)
    damaged = zip(entries, marks).filter { !$0.1 }.map(\.0)
  }

  /// The first ticks of a range; nil when it holds none that can be dated.
  mutating func part(of range: ClosedRange<UInt64>, mostBytes: Int, mostTicks: Int) -> BlockPart? {
    let known = Set(epochs.map { Int64($0.id) })
    let isWanted = { [times] (row: Int) in
      range.contains(UInt64(clamping: times.sequences[row])) && known.contains(times.epochs[row])
    }
    guard let first = (0..<times.count).first(where: isWanted) else { return nil }
    let end = (first..<times.count).first { !isWanted($0) } ?? times.count
    let most = max(min(mostTicks, BufferLimits.valuesPerPart / max(width, 1)), 1)
    let rows = first..<min(end, first + most)
    if rows == 0..<times.count, damaged.isEmpty, bytes.count <= mostBytes, var part = blank(rows) {
      (part.bytes, part.isWhole) = (bytes, true)
      return part
    }
    // Shorter columns pack less well: by a quarter and more on a day of 130 series.
    let likely = bytes.count * rows.count / times.count * 5 / 4
    let fitting = PartFitting(mostBytes: mostBytes, rows: rows, likelyBytes: likely)
    return fitting.fit { encode($0) }
  }

  private func blank(_ rows: Range<Int>) -> BlockPart? {
    let times = times.rows(rows)
    guard let first = times.sequences.first, let last = times.sequences.last else { return nil }
    let ids = Set(times.epochs)
    return BlockPart(
      sequences: UInt64(clamping: first)...UInt64(clamping: last), ticks: rows.count, width: width,
      epochs: epochs.filter { ids.contains(Int64($0.id)) }, bytes: [])
  }

  /// Some rows made anew, one column at a time.
  private mutating func encode(_ rows: Range<Int>) -> BlockPart? {
    guard var part = blank(rows) else { return nil }
    var columns = columns ?? ColumnEncoder()
    var encoder = BlockEncoder(.raw, times.rows(rows))
    var values: [Double] = []
    part.damagedValues = damaged.reduce(0) { $0 + min($1.form.count, rows.count) }
    for entry in good {
      if decoder.read(entry, to: &values) {
        encoder.add(entry.series, values[rows], digits: entry.form.digits, &columns)
      } else {
        part.damagedValues += min(entry.form.count, rows.count)
      }
    }
    self.columns = columns
    part.bytes = encoder.finish()
    return part
  }
}

/// Ticks from rows of which a part is wanted.
private struct LooseSource {
  private(set) var times = BlockTimes()
  private var values: [[Double]] = []
  private var epochs: [Epoch] = []
  var digits: [Int] = []

  mutating func append(_ tick: borrowing StoredTick) {
    guard tick.epoch.isNumbered else { return }
    times.sequences.append(Int64(clamping: tick.sequence))
    times.epochs.append(Int64(tick.epoch.id))
    times.milliseconds.append(tick.milliseconds)
    values.append(tick.values)
    let epoch = tick.epoch
    // An epoch that was corrected meanwhile counts as it is now.
    if let place = epochs.lastIndex(where: { $0.id == epoch.id }) { epochs[place] = epoch } else { epochs.append(epoch) }
  }

  func part(_ rows: Range<Int>) -> BlockPart? {
    let times = times.rows(rows)
    guard let first = times.sequences.first, let last = times.sequences.last else { return nil }
    var encoder = BlockEncoder(.raw, times)
    var columns = ColumnEncoder()
    let width = min(values[rows].reduce(0) { max($0, $1.count) }, digits.count)
    for id in 0..<width {
      let column = values[rows].map { id < $0.count ? $0[id] : .missing }
      encoder.add(id, column[...], digits: digits[id], &columns)
    }
    let ids = Set(times.epochs)
    return BlockPart(
      sequences: UInt64(clamping: first)...UInt64(clamping: last), ticks: rows.count, width: width,
      epochs: epochs.filter { ids.contains(Int64($0.id)) }.sorted { $0.id < $1.id }, bytes: encoder.finish())
  }
}
