/// Where ticks lie, by sequence number and by monotonic time.
enum TickBounds {
  static func extent(_ database: Database) throws(BufferError) -> ClosedRange<UInt64>? {
    // Two queries: one that asks for both reads the whole table.
    guard let first = try database.integer("SELECT min(seq) FROM tick"),
      let last = try database.integer("SELECT max(seq) FROM tick"), first <= last
    else { return nil }
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
    return try statement.step() ? statement.sequence(0) : 0
  }

  /// The first sequence number of a range, all of one epoch, at or after a monotonic time; one past the range when all are before.
  static func first(
    in range: ClosedRange<UInt64>, atLeast milliseconds: Int64, _ database: Database
  ) throws(BufferError) -> UInt64 {
    let statement = try database.prepare("SELECT seq, at FROM tick WHERE seq >= ? ORDER BY seq LIMIT 1")
    var low = range.lowerBound
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

  /// The monotonic times of the first and last tick of a range; nil when it holds none.
  static func times(of range: ClosedRange<UInt64>, _ database: Database) throws(BufferError) -> (first: Int64, last: Int64)? {
    let ascending = try database.prepare("SELECT at FROM tick WHERE seq BETWEEN ? AND ? ORDER BY seq LIMIT 1")
    let descending = try database.prepare("SELECT at FROM tick WHERE seq BETWEEN ? AND ? ORDER BY seq DESC LIMIT 1")
    for statement in [ascending, descending] {
      statement.bind(1, range.lowerBound)
      statement.bind(2, range.upperBound)
    }
    guard try ascending.step(), try descending.step() else { return nil }
    return (ascending.integer(0), descending.integer(0))
  }
}
