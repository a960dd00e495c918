/// The bounds of the Linux edge.
public enum PlatformLimits {
  /// Bytes read of one host file unless its reader asks for more.
  public static let hostFileBytes = 256 * 1024
  /// Entries read of one directory.
  public static let directoryEntries = 65_536
}
