/// Ticks of one epoch that lie in a range of wall time.
struct WallStretch {
  var sequences: ClosedRange<UInt64>
  /// Unix milliseconds.
  var firstWall: Int64
  var lastWall: Int64
}

/// Merges the stretches of a range by wall time. A stretch is opened when the merge comes to its first tick and closed after its
/// last, so stretches that do not overlap are read one after the other.
struct WallMerge {
  private let reader: BufferReader
  /// Not yet opened, the next one last.
  private var waiting: [WallStretch]
  private var open: [TickCursor] = []
  private var current: TickCursor?
  private var damageBefore = ReadDamage()

  /// What could not be read so far.
  var damage: ReadDamage { open.reduce(into: damageBefore) { $0.add($1.damage) } }

  init(_ range: ClosedRange<Int64>, of reader: BufferReader) throws(BufferError) {
    self.reader = reader
    waiting = try reader.stretches(wall: range).sorted {
      ($0.firstWall, $0.sequences.lowerBound) > ($1.firstWall, $1.sequences.lowerBound)
    }
  }

  /// The next tick by wall time; nil after the last.
  mutating func next() throws(BufferError) -> StoredTick? {
    if let current { try advance(current) }
    while true {
      var earliest: TickCursor?
      for cursor in open {
        if let tick = cursor.tick, tick.precedes(earliest?.tick) { earliest = cursor }
      }
      if let stretch = waiting.last, earliest.map({ ($0.tick?.wallMilliseconds ?? .max) >= stretch.firstWall }) ?? true {
        waiting.removeLast()
        let cursor = TickCursor(stretch.sequences, of: reader)
        open.append(cursor)
        try advance(cursor)
        continue
      }
      current = earliest
      return earliest?.tick
    }
  }

  /// Goes on in one stretch and forgets it at its end.
  private mutating func advance(_ cursor: TickCursor) throws(BufferError) {
    if try cursor.advance() { return }
    damageBefore.add(cursor.damage)
    open.removeAll { $0 === cursor }
    if current === cursor { current = nil }
  }
}

extension StoredTick {
  /// By wall time, then by sequence number.
  fileprivate func precedes(_ other: StoredTick?) -> Bool {
    guard let other else { return true }
    return (wallMilliseconds, sequence) < (other.wallMilliseconds, other.sequence)
  }
}

extension Int64 {
  /// A sum that stays at the end of the range instead of leaving it.
  func addingSaturated(_ other: Int64) -> Int64 {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? (other > 0 ? .max : .min) : sum
  }

  /// A difference that stays at the end of the range instead of leaving it.
  func subtractingSaturated(_ other: Int64) -> Int64 {
    let (difference, overflow) = subtractingReportingOverflow(other)
    return overflow ? (other > 0 ? .min : .max) : difference
  }
}
