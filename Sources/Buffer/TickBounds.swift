/// Where ticks lie, by sequence number and by monotonic time: in blocks first, in rows after them.
enum TickBounds {
  static func extent(_ database: Database) throws(BufferError) -> ClosedRange<UInt64>? {
    // Single queries: one that asks for both ends reads the whole table.
    var first = try database.integer("SELECT min(seq) FROM tick")
    var last = try database.integer("SELECT max(seq) FROM tick")
    if database.hasBlocks, let block = try database.lastBlock() {
      first = try database.integer("SELECT min(first) FROM block")
      last = max(last ?? 0, Int64(clamping: block.last))
    }
    guard let first, let last, first <= last else { return nil }
    return UInt64(clamping: first)...UInt64(clamping: last)
  }

  /// A tree whose numbers do not ascend is damaged; going on could go round for ever.
  static func disorder(_ database: Database) -> BufferError {
    BufferError(.corrupt, "read", path: database.path, message: "the ticks are not in order")
  }

  static func count(_ range: ClosedRange<UInt64>, _ database: Database) throws(BufferError) -> UInt64 {
    let statement = try database.prepare("SELECT count(*) FROM tick WHERE seq BETWEEN ? AND ?")
    statement.bind(1, range.lowerBound)
    statement.bind(2, range.upperBound)
    var count = try statement.step() ? statement.sequence(0) : 0
    for block in try database.blocks(overlapping: range) {
      guard let held = block.sequences else { continue }
      let part = held.clamped(to: range)
      if part == held {
        count += UInt64(clamping: min(block.rows, BufferLimits.rowsPerBlock))
      } else if let times = try StoredBlock(block, only: 0, database)?.directory.times {
        count += UInt64(times.sequences.count { part.contains(UInt64(clamping: $0)) })
      } else {
        // Damaged: all that may have been there.
        count += min(UInt64(clamping: min(block.rows, BufferLimits.rowsPerBlock)), UInt64(part.count))
      }
    }
    return count
  }

  /// The first sequence number of a range, all of one epoch, at or after a monotonic time; one past the range when all are before.
  static func first(
    in range: ClosedRange<UInt64>, epoch: Int, atLeast milliseconds: Int64, _ database: Database
  ) throws(BufferError) -> UInt64 {
    var low = range.lowerBound
    var found: UInt64?
    var before: BlockRecord?
    try database.eachBlock(.raw, where: Database.overlapping(range)) { (block) throws(BufferError) in
      low = max(low, min(block.last, range.upperBound) + 1)
      if block.isInOrder, block.untilEpoch == epoch, block.untilMilliseconds < milliseconds {
        before = block
        return true
      }
      // The last one that its record puts before the time is asked itself: nothing else guards that record.
      if let last = before { found = try first(in: range, of: last, epoch: epoch, atLeast: milliseconds, database) }
      before = nil
      if found == nil {
        // Damaged: all of it may be meant.
        let begin = max(block.first, range.lowerBound)
        found = try first(in: range, of: block, epoch: epoch, atLeast: milliseconds, database, else: begin)
      }
      return found == nil
    }
    if found == nil, let last = before { found = try first(in: range, of: last, epoch: epoch, atLeast: milliseconds, database) }
    if let found { return found }
    if let row = try database.integer("SELECT min(seq) FROM tick") {
      low = min(max(UInt64(clamping: row), range.lowerBound), range.upperBound + 1)
    }
    let statement = try database.prepare("SELECT seq, at FROM tick WHERE seq >= ? ORDER BY seq LIMIT 1")
    var high = range.upperBound + 1
    while low < high {
      let middle = low + (high - low) / 2
      statement.bind(1, middle)
      let found = try statement.step() && statement.sequence(0) <= range.upperBound
      let (sequence, at) = found ? (statement.sequence(0), statement.integer(1)) : (0, 0)
      statement.reset()
      if found, at < milliseconds { low = max(sequence, middle) + 1 } else { high = middle }
    }
    return low
  }

  private static func first(
    in range: ClosedRange<UInt64>, of block: BlockRecord, epoch: Int, atLeast milliseconds: Int64, _ database: Database,
    else damaged: UInt64? = nil
  ) throws(BufferError) -> UInt64? {
    guard let times = try StoredBlock(block, only: 0, database)?.directory.times else { return damaged }
    for row in 0..<times.count where times.milliseconds[row] >= milliseconds {
      let sequence = UInt64(clamping: times.sequences[row])
      if range.contains(sequence), times.epochs[row] == Int64(epoch) { return sequence }
    }
    return nil
  }

  /// The monotonic times of the first and last tick of a range; nil when it holds none.
  static func times(of range: ClosedRange<UInt64>, _ database: Database) throws(BufferError) -> (first: Int64, last: Int64)? {
    let ascending = try database.prepare("SELECT at FROM tick WHERE seq BETWEEN ? AND ? ORDER BY seq LIMIT 1")
    let descending = try database.prepare("SELECT at FROM tick WHERE seq BETWEEN ? AND ? ORDER BY seq DESC LIMIT 1")
    for statement in [ascending, descending] {
      statement.bind(1, range.lowerBound)
      statement.bind(2, range.upperBound)
    }
    var first = try ascending.step() ? ascending.integer(0) : nil
    var last = try descending.step() ? descending.integer(0) : nil
    let blocks = try database.blocks(.raw, where: Database.beginning(in: range))
    for block in blocks {
      guard let found = try times(of: range, in: block, database) else { continue }
      first = found.first
      break
    }
    for block in blocks.reversed() where last == nil { last = try times(of: range, in: block, database)?.last }
    guard let first, let last else { return nil }
    return (first, last)
  }

  private static func times(
    of range: ClosedRange<UInt64>, in block: BlockRecord, _ database: Database
  ) throws(BufferError) -> (first: Int64, last: Int64)? {
    if block.isInOrder, range.contains(block.first), range.contains(block.last) {
      return (block.milliseconds, block.untilMilliseconds)
    }
    guard let times = try StoredBlock(block, only: 0, database)?.directory.times else {
      return (block.milliseconds, block.untilMilliseconds)
    }
    let rows = (0..<times.count).filter { range.contains(UInt64(clamping: times.sequences[$0])) }
    guard let first = rows.first, let last = rows.last else { return nil }
    return (times.milliseconds[first], times.milliseconds[last])
  }
}
