public import Buffer
import Telemetry

/// Makes one message of each live tick: key messages with all values, and between them what changed against the message before.
///
/// A message can only be read after the one before it, back to its key. When the broker refuses one, or takes it and does not hand it
/// on, those after it are lost to a reader, too: `requireKey` ends that, and what was sent from the refused one up to the new key is owed.
public struct PackedLiveEncoder: Sendable {
  /// The sequence number of the last key message: everything sent since counts on it.
  public private(set) var keySequence: UInt64?
  private let boot: String
  private let keyEvery: Int
  private var checks = SeriesChecks()
  private var decimals: [Int] = []
  private var values: [Double] = []
  private var scaled: [Int64] = []
  private var base: (sequence: UInt64, wall: Int64, check: UInt32)?
  /// Messages since the last key, itself included.
  private var sinceKey = 0

  /// An encoder that knows no series; its first message is a key.
  ///
  /// - Parameters:
  ///   - boot: the kernel's boot id.
  ///   - keyEvery: every so many messages one is a key.
  public init(boot: String, keyEvery: Int = UplinkLimits.packedKeyTicks) {
    self.boot = boot
    self.keyEvery = max(keyEvery, 1)
  }

  /// Makes series known; ids follow on. The next message is a key.
  public mutating func learn(_ series: [StoredSeries]) {
    guard !series.isEmpty else { return }
    for one in series {
      checks.learn(key: one.key, decimals: one.decimals)
      decimals.append(min(max(one.decimals, 0), 9))
    }
    base = nil
  }

  /// The next message is a key: for a new connection, and when a message did not arrive.
  public mutating func requireKey() { base = nil }

  /// The message of a tick. Values beyond the series known are left out.
  public mutating func encode(_ tick: LiveTick) -> [UInt8] {
    let count = decimals.count
    let flags = tick.synced ? PackedFormat.synced : 0
    var writer: PackedWriter
    if let base, sinceKey < keyEvery, tick.sequence > base.sequence {
      writer = PackedWriter(PackedFormat.delta | flags, capacity: 64 + 2 * count)
      writer.varint(tick.sequence)
      writer.varint(tick.sequence - base.sequence)
      writer.fixed(base.check)
      writer.zigzag(tick.wallMilliseconds &- base.wall)
      sinceKey += 1
    } else {
      writer = PackedWriter(PackedFormat.key | flags, capacity: 64 + 4 * count)
      writer.varint(tick.sequence)
      writer.zigzag(tick.wallMilliseconds)
      writer.boot(boot)
      writer.varint(UInt64(count))
      writer.fixed(checks.check(of: count) ?? 0)
      values = [Double](repeating: .missing, count: count)
      scaled = [Int64](repeating: 0, count: count)
      keySequence = tick.sequence
      sinceKey = 1
    }
    append(tick.values, to: &writer)
    let check = WireNumber.checksum(writer.bytes)
    writer.fixed(check)
    base = (tick.sequence, tick.wallMilliseconds, check)
    return writer.bytes
  }

  private mutating func append(_ new: [Double], to writer: inout PackedWriter) {
    let bitmap = writer.bitmap(values.count)
    for index in values.indices {
      let value = index < new.count ? new[index] : .missing
      guard value.bitPattern != values[index].bitPattern else { continue }
      values[index] = value
      writer.mark(index, at: bitmap)
      if value.isMissing {
        writer.varint(PackedFormat.missingToken)
      } else if let integer = WireNumber.scaled(value, decimals: decimals[index]) {
        // Both stay below 2⁵³ in magnitude.
        writer.varint(PackedFormat.firstDifference + WireNumber.zigzag(integer - scaled[index]))
        scaled[index] = integer
      } else {
        writer.varint(PackedFormat.rawToken)
        writer.bits(value)
      }
    }
  }
}
