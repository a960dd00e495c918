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

  /// CRC-32, as zlib's, of bytes that follow others whose CRC is `before`.
  public static func checksum(_ bytes: some Collection<UInt8>, after before: UInt32 = 0) -> UInt32 {
    let direct = bytes.withContiguousStorageIfAvailable { Checksum.of(UnsafeRawBufferPointer($0), after: before) }
    return direct ?? checksum(Array(bytes), after: before)
  }
}
