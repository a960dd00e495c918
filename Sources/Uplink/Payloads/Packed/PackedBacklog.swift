public import Buffer
import Telemetry

/// Makes messages of stored ticks: sealed blocks as they lie in the buffer, the rest in the same layout. Constant memory.
public struct PackedBacklog {
  /// What there is to send of an owed range.
  public enum Piece: Sendable {
    /// A message over a range, holding this many ticks.
    case message(ClosedRange<UInt64>, ticks: UInt64, bytes: [UInt8])
    /// The buffer holds nothing of the range any more.
    case gone(ClosedRange<UInt64>, ticks: UInt64)
  }

  /// Values of the messages made so far that were stored and cannot be read.
  public private(set) var damagedValues: UInt64 = 0
  /// Messages that hold a block as it lies in the buffer.
  public private(set) var wholeBlocks: UInt64 = 0
  private let reader: BufferReader
  private var checks = SeriesChecks()

  /// Over an open buffer; another file under its path wants another of these.
  public init(_ reader: BufferReader) { self.reader = reader }

  /// The first message of an owed range.
  ///
  /// - Parameters:
  ///   - mostBytes: of the whole payload. A message of a single tick may be longer.
  ///   - mostTicks: at least 1.
  public mutating func message(
    _ owed: ClosedRange<UInt64>, mostBytes: Int = UplinkLimits.packedMessageBytes, mostTicks: UInt64 = .max
  ) throws(BufferError) -> Piece {
    let mostTicks = Int(clamping: max(mostTicks, 1))
    // What stands around the block is known only once the block is: mostly this is enough, else the second time is.
    var around = UplinkLimits.packedHeadBytes
    while let part = try reader.part(of: owed, mostBytes: max(mostBytes - around, 1), mostTicks: mostTicks) {
      learnSeries()
      let message = encode(part)
      let excess = message.count - mostBytes
      if excess > 0, part.ticks > 1, around < mostBytes {
        around += excess
        continue
      }
      damagedValues += UInt64(part.damagedValues)
      if part.isWhole { wholeBlocks += 1 }
      return .message(owed.lowerBound...part.sequences.upperBound, ticks: UInt64(part.ticks), bytes: message)
    }
    return .gone(owed, ticks: UInt64(owed.count))
  }

  private mutating func learnSeries() {
    for series in reader.series.dropFirst(checks.count) { checks.learn(key: series.key, decimals: series.decimals) }
  }

  private func encode(_ part: BlockPart) -> [UInt8] {
    var writer = PackedWriter(PackedFormat.block, capacity: part.bytes.count + 256)
    writer.varint(part.sequences.lowerBound)
    writer.varint(part.sequences.upperBound - part.sequences.lowerBound)
    writer.varint(UInt64(part.damagedValues))
    // No more series than the block needs: it can be read also by those who lack the newest.
    writer.varint(UInt64(part.width))
    writer.fixed(checks.check(of: part.width) ?? 0)
    var boots: [String] = []
    for epoch in part.epochs where !boots.contains(epoch.boot) { boots.append(epoch.boot) }
    writer.varint(UInt64(boots.count))
    for boot in boots { writer.boot(boot) }
    writer.varint(UInt64(part.epochs.count))
    var before = 0
    for epoch in part.epochs {
      writer.varint(UInt64(epoch.id - before))
      writer.varint(UInt64(boots.firstIndex(of: epoch.boot) ?? 0))
      writer.zigzag(epoch.offsetMilliseconds)
      writer.byte(epoch.synced ? 1 : 0)
      before = epoch.id
    }
    writer.raw(part.bytes)
    writer.fixed(WireNumber.checksum(writer.bytes))
    return writer.bytes
  }
}
