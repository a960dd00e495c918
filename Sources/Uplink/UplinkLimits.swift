/// The bounds of delivery.
public enum UplinkLimits {
  /// Things the agent may hand over before the uplink has taken them: ticks beyond that are owed instead.
  public static let mailbox = 256
  /// Further places in the mailbox that ticks do not take: for alerts, events and settings.
  public static let mailboxReserve = 256
  /// Bytes to which a backlog message shrinks on a link that cannot carry more in `stallSeconds`.
  public static let smallestMessageBytes = 2 * 1024
  /// Seconds before the backlog is tried again when the buffer cannot be read or the broker is over its quota.
  public static let drainPauseSeconds = 5
  /// Bytes of one backlog message, about.
  public static let backlogMessageBytes = 64 * 1024
  /// Ticks of one backlog message.
  public static let backlogMessageTicks = 1_000
  /// Events held in memory for sending; older ones are read from the buffer.
  public static let eventsInMemory = 256
  /// Rules whose state is kept for sending.
  public static let alerts = 1_000
  /// Seconds a broker may take to accept a connection.
  public static let connectSeconds = 15
  /// Seconds without an acknowledgement after which a connection is rebuilt.
  public static let stallSeconds = 30
  /// Seconds a connection must last before the back-off starts anew: a broker that accepts and drops does not reset it.
  public static let stableSeconds = 30
  /// Bytes of a password file.
  public static let passwordBytes = 4_096
  /// Live messages of `packed` from one key to the next: who joins or lost one can read again after as many ticks.
  public static let packedKeyTicks = 30
  /// Bytes of one backlog message of `packed`: a sealed block of 400 series still goes as it is.
  public static let packedMessageBytes = 256 * 1024
  /// Bytes that are left for what stands around the block in such a message.
  public static let packedHeadBytes = 96
  /// Series of one chunk of the catalogue.
  public static let seriesPerChunk = 200
  /// Bytes of one chunk of the catalogue that a reader takes.
  public static let catalogueBytes = 1 << 20
}
