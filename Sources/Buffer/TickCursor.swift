import Telemetry

/// Walks the ticks of a range of sequence numbers, fetched in batches: between two of them no transaction is open, so a slow taker
/// neither holds the writer's log nor sees stale names.
final class TickCursor {
  private let reader: BufferReader
  private let range: ClosedRange<UInt64>
  private var batch = TickBatch()
  private var position = 0
  private var block: OpenBlock?
  private var isFirst = true
  /// Where the last fetch began: a block may begin before that.
  private var from: UInt64 = 0
  private var decoder = TickDecoder(decimals: [])
  /// The tick it stands on; nil before the first and after the last.
  private(set) var tick: StoredTick?
  /// What could not be read so far.
  private(set) var damage = ReadDamage()

  /// Damaged columns of the block that the tick comes from.
  var damagedColumns: Int { block?.damagedColumns ?? 0 }

  init(_ range: ClosedRange<UInt64>, of reader: BufferReader) {
    self.range = range
    self.reader = reader
  }

  /// Goes to the next tick that can be decoded; false when there is none.
  func advance() throws(BufferError) -> Bool {
    while true {
      if let found = try nextOfBlock() { return found }
      while position < batch.rows.count {
        let row = batch.rows[position]
        position += 1
        let failure = try decode(row)
        if row.stamp.sequence < range.lowerBound { continue }
        guard failure == nil, let epoch = epoch(Int(row.stamp.epoch)) else {
          damage.ticks += 1
          continue
        }
        tick = StoredTick(
          sequence: row.stamp.sequence, epoch: epoch, milliseconds: row.stamp.milliseconds, values: decoder.values)
        return true
      }
      guard try fetch() else {
        tick = nil
        return false
      }
    }
  }

  private func decode(_ row: TickBatch.Row) throws(BufferError) -> TickCodecError? {
    let failure = batch.bytes.withUnsafeBytes {
      decoder.decode(row.stamp, row: UnsafeRawBufferPointer(rebasing: $0[row.bytes]))
    }
    if case .unknownFormat(let format) = failure { throw TickDecoder.unknown(format, reader.database) }
    return failure
  }

  /// Goes to the next tick of the open block; nil when none is open or it has no more.
  private func nextOfBlock() throws(BufferError) -> Bool? {
    while let row = block?.next() {
      guard range.contains(row.sequence), row.sequence >= from else { continue }
      guard let epoch = epoch(row.epoch) else {
        damage.ticks += 1
        continue
      }
      var values = tick?.values ?? []
      // Emptied before it is filled, so that the tick of before is not copied.
      tick = nil
      block?.fill(&values)
      tick = StoredTick(sequence: row.sequence, epoch: epoch, milliseconds: row.milliseconds, values: values)
      return true
    }
    block = nil
    return nil
  }

  /// Takes the fetched block; a damaged one costs its own ticks.
  private func open(_ record: BlockRecord) throws(BufferError) {
    position = 0
    do throws(BlockDamage) {
      let opened = try OpenBlock(batch.bytes)
      damage.columns += opened.damagedColumns
      block = opened
    } catch {
      if case .unknownVersion(let version) = error { throw StoredBlock.unknown(version, reader.database) }
      damage.ticks += min(
        max(record.rows, 0), record.sequences.map { $0.clamped(to: max(from, range.lowerBound)...range.upperBound).count } ?? 0)
    }
  }

  /// Reads the next batch; false at the end of the range.
  private func fetch() throws(BufferError) -> Bool {
    let last = batch.block?.last ?? batch.rows.last?.stamp.sequence ?? .max
    guard isFirst || last < range.upperBound else { return false }
    from = isFirst ? range.lowerBound : last + 1
    try reader.fetch(&batch, from: from, through: range.upperBound, fromKey: isFirst)
    isFirst = false
    position = 0
    if let record = batch.block {
      guard record.sequences != nil else { throw TickBounds.disorder(reader.database) }
      try open(record)
      return true
    }
    if decoder.known < reader.series.count { decoder.learn(decimals: reader.series[decoder.known...].map(\.decimals)) }
    return !batch.rows.isEmpty
  }

  /// The epoch of an id. The tick before saves the search while a run of ticks stays in one epoch and nothing was corrected.
  private func epoch(_ id: Int) -> Epoch? {
    if let last = reader.epochs.last, last.id == id { return last }
    if position > 1 || block != nil, let known = tick?.epoch, known.id == id { return known }
    return reader.epochs.last { $0.id == id }
  }
}

/// Some rows of the tick log, copied.
struct TickBatch {
  struct Row {
    var stamp: TickStamp
    /// Where its values lie in the batch's bytes.
    var bytes: Range<Int>
  }

  /// A sealed block, whose data are the bytes; then there are no rows.
  var block: BlockRecord?
  var rows: [Row] = []
  var bytes: [UInt8] = []

  mutating func removeAll() {
    block = nil
    rows.removeAll(keepingCapacity: true)
    bytes.removeAll(keepingCapacity: true)
  }
}
