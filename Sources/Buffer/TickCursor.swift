/// Walks the ticks of a range of sequence numbers, fetched in batches: between two of them no transaction is open, so a slow taker
/// neither holds the writer's log nor sees stale names.
final class TickCursor {
  private let reader: BufferReader
  private let range: ClosedRange<UInt64>
  private var batch = TickBatch()
  private var position = 0
  private var isFirst = true
  private var decoder = TickDecoder(decimals: [])
  private var expected: UInt64 = 0
  /// The tick it stands on; nil before the first and after the last.
  private(set) var tick: StoredTick?
  /// Rows that could not be decoded so far.
  private(set) var damaged = 0

  init(_ range: ClosedRange<UInt64>, of reader: BufferReader) {
    self.range = range
    self.reader = reader
  }

  /// Goes to the next tick that can be decoded; false when there is none.
  func advance() throws(BufferError) -> Bool {
    while true {
      while position < batch.rows.count {
        let row = batch.rows[position]
        position += 1
        let failure = decode(row)
        if row.sequence < range.lowerBound { continue }
        guard failure == nil, let epoch = epoch(row.epoch) else {
          damaged += 1
          continue
        }
        tick = StoredTick(sequence: row.sequence, epoch: epoch, milliseconds: row.milliseconds, values: decoder.values)
        return true
      }
      guard try fetch() else {
        tick = nil
        return false
      }
    }
  }

  private func decode(_ row: TickBatch.Row) -> TickCodecError? {
    // A row lost from the middle of its group takes the rest of the group along.
    guard row.back == 0 || row.sequence == expected else { return .baseMissing }
    let failure = batch.bytes.withUnsafeBytes { decoder.decode(raw: UnsafeRawBufferPointer(rebasing: $0[row.bytes])) }
    if failure == nil { expected = row.sequence &+ 1 }
    return failure
  }

  /// Reads the next batch; false at the end of the range.
  private func fetch() throws(BufferError) -> Bool {
    let from = isFirst ? range.lowerBound : (batch.rows.last?.sequence ?? .max)
    guard isFirst || from < range.upperBound else { return false }
    try reader.fetch(&batch, from: isFirst ? from : from + 1, through: range.upperBound, fromKey: isFirst)
    isFirst = false
    position = 0
    if decoder.known < reader.series.count { decoder.learn(decimals: reader.series[decoder.known...].map(\.decimals)) }
    return !batch.rows.isEmpty
  }

  /// The epoch of an id. The tick before saves the search while a run of ticks stays in one epoch and nothing was corrected.
  private func epoch(_ id: Int) -> Epoch? {
    if let last = reader.epochs.last, last.id == id { return last }
    if position > 1, let known = tick?.epoch, known.id == id { return known }
    return reader.epochs.last { $0.id == id }
  }
}

/// Some rows of the tick log, copied.
struct TickBatch {
  struct Row {
    var sequence: UInt64
    var epoch: Int
    var milliseconds: Int64
    var back: Int64
    /// Where its values lie in the batch's bytes.
    var bytes: Range<Int>
  }

  var rows: [Row] = []
  var bytes: [UInt8] = []

  mutating func removeAll() {
    rows.removeAll(keepingCapacity: true)
    bytes.removeAll(keepingCapacity: true)
  }
}
