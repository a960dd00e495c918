/// The bounds of the buffer.
public enum BufferLimits {
  /// Ticks of one group; a row's distance from its key row fits one byte.
  public static let ticksPerGroup = 250
  /// How long a call waits for another connection's lock, milliseconds.
  public static let busyMilliseconds: Int32 = 2_000
  /// Bytes of the write-ahead log before it is copied back into the database, and which it keeps after that.
  public static let logBytes = 1 << 20
  /// Sequence numbers reserved ahead of use by one commit: as many ticks may be published while the disk refuses, a day at 1 Hz.
  public static let reservedSequences: UInt64 = 100_000
  /// Event ids reserved ahead of use by one commit.
  public static let reservedEvents: UInt64 = 10_000
  /// Ticks deleted in one transaction when making room.
  public static let evictedTicksPerStep = 2_000
  /// Transactions of making room after one commit, so that a commit stays short.
  public static let evictionStepsPerCommit = 8
  /// Events kept; older ones go first.
  public static let events = 10_000
  /// Ranges of owed sequence numbers of one uplink; the two nearest are joined beyond that.
  public static let owedRanges = 4_096
  /// Set-aside damaged databases kept beside the buffer.
  public static let setAsideFiles = 2
}
