/// The ends of what a buffer holds.
public struct BufferExtent: Hashable, Sendable {
  /// The first and last sequence number.
  public var sequences: ClosedRange<UInt64>
  /// Unix milliseconds of the first tick; nil when its epoch is lost.
  public var firstWallMilliseconds: Int64?
  /// Unix milliseconds of the last tick; nil when its epoch is lost.
  public var lastWallMilliseconds: Int64?
}

extension BufferWriter {
  /// The ends of what the file holds; nil when there are no ticks.
  public func wallExtent() throws(BufferError) -> BufferExtent? {
    guard let sequences = try extent() else { return nil }
    return BufferExtent(
      sequences: sequences, firstWallMilliseconds: try database.wallMilliseconds(of: sequences.lowerBound),
      lastWallMilliseconds: try database.wallMilliseconds(of: sequences.upperBound))
  }
}

extension Database {
  /// Unix milliseconds of a tick; nil when there is none of this number or its epoch is lost.
  func wallMilliseconds(of sequence: UInt64) throws(BufferError) -> Int64? {
    if let found = try integer("SELECT t.at + e.offset_ms FROM tick t JOIN epoch e ON e.id = t.epoch WHERE t.seq = \(sequence)") {
      return found
    }
    guard let block = try blocks(overlapping: sequence...sequence).first else { return nil }
    var (epoch, at) = (Int64(block.epoch), block.milliseconds)
    if sequence == block.last {
      (epoch, at) = (Int64(block.untilEpoch), block.untilMilliseconds)
    } else if sequence != block.first {
      guard let times = try StoredBlock(block, only: 0, self)?.directory.times,
        let row = times.sequences.firstIndex(of: Int64(clamping: sequence))
      else { return nil }
      (epoch, at) = (times.epochs[row], times.milliseconds[row])
    }
    return try integer("SELECT \(at) + offset_ms FROM epoch WHERE id = \(epoch)")
  }
}
