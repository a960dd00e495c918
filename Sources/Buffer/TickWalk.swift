/// Walks the ticks of a range of sequence numbers at the caller's pace: between two of them no transaction is open, and a sealed block is
/// decoded once for all its ticks. Memory: one batch of rows or one block.
public final class TickWalk {
  /// What is walked through.
  public let range: ClosedRange<UInt64>
  /// Every tick below this was given, or is not there.
  public private(set) var next: UInt64
  private let cursor: TickCursor

  /// Walks through a range of a reader's ticks.
  public init(_ range: ClosedRange<UInt64>, of reader: BufferReader) {
    self.range = range
    next = range.lowerBound
    cursor = TickCursor(range, of: reader)
  }

  /// Columns that are lacking in the block from which the last tick came.
  public var damagedColumns: Int { cursor.damagedColumns }

  /// The next tick; nil when there is no more.
  public func take() throws(BufferError) -> StoredTick? {
    guard try cursor.advance(), let tick = cursor.tick else { return nil }
    next = tick.sequence &+ 1
    return tick
  }
}
