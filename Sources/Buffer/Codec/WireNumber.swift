import Telemetry

/// The codec's ways with numbers, for messages that are made and read outside of the buffer.
public enum WireNumber {
  /// The integer which, divided by 10^`decimals` (0…9), gives exactly these bits; nil for NaN, infinities, −0, other fractions, and
  /// from 2⁵³ on.
  public static func scaled(_ value: Double, decimals: Int) -> Int64? {
    TickFormat.scaled(value, Double.powersOfTen[min(max(decimals, 0), 9)])
  }

  /// The value of a scaled integer.
  public static func value(_ scaled: Int64, decimals: Int) -> Double {
    Double(scaled) / Double.powersOfTen[min(max(decimals, 0), 9)]
  }

  /// Appends seven bits a byte, low first; the top bit says that more follow (LEB128).
  @inlinable @inline(__always)
  public static func append(varint value: UInt64, to bytes: inout [UInt8]) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  /// 0, −1, 1, −2 … as 0, 1, 2, 3 …: small differences become small numbers.
  @inlinable @inline(__always)
  public static func zigzag(_ value: Int64) -> UInt64 { UInt64(bitPattern: (value << 1) ^ (value >> 63)) }

  /// The number that `zigzag` made this of.
  @inlinable @inline(__always)
  public static func unzigzag(_ value: UInt64) -> Int64 { Int64(bitPattern: value >> 1) ^ -Int64(value & 1) }

  /// CRC-32, as zlib's, of bytes that follow others whose CRC is `before`.
  public static func checksum(_ bytes: some Collection<UInt8>, after before: UInt32 = 0) -> UInt32 {
    let direct = bytes.withContiguousStorageIfAvailable { Checksum.of(UnsafeRawBufferPointer($0), after: before) }
    return direct ?? checksum(Array(bytes), after: before)
  }
}
