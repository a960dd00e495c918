/// The bounds of the Linux edge.
public enum PlatformLimits {
  /// Bytes read of one host file unless its reader asks for more.
  public static let hostFileBytes = 256 * 1024
  /// Entries read of one directory.
  public static let directoryEntries = 65_536
  /// GPIO lines of one request: GPIO_V2_LINES_MAX of the kernel.
  public static let gpioLines = 64
  /// Lines listed of one GPIO chip.
  public static let gpioChipLines = 4096
  /// GPIO edges taken at once; the kernel queues at most 1024 a request.
  public static let gpioEdges = 2048
}
