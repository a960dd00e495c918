/// The bounds of a chip's description.
public enum ChipLimits {
  /// Addresses of devices; the others are reserved (I2C-bus specification UM10204, table 4).
  public static let addresses: ClosedRange<Int> = 0x08...0x77
  /// Options of a chip.
  public static let options = 16
  /// Choices of an option.
  public static let choices = 32
  /// Steps of a reading, and of the start.
  public static let steps = 64
  /// Bytes written in one transfer.
  public static let writeBytes = 32
  /// Bytes read in one transfer.
  public static let readBytes = 128
  /// All waits of a reading together, milliseconds; those of the start likewise.
  public static let waitMilliseconds = 1_000
  /// Values of a chip.
  public static let values = 64
  /// Points of a table.
  public static let tablePoints = 256
  /// Bytes of a text.
  public static let textBytes = 256
}
