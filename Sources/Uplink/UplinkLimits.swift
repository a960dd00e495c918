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
  /// Bytes of the first backlog message of a connection, about; each that arrives doubles the next.
  public static let firstMessageBytes = 8 * 1024
  /// Bytes of one backlog message, about.
  public static let backlogMessageBytes = 64 * 1024
  /// Ticks of one backlog message.
  public static let backlogMessageTicks = 1_000
  /// Events held in memory for sending; older ones are read from the buffer.
  public static let eventsInMemory = 256
  /// Rules whose state is kept for sending.
  public static let alerts = 1_000
  /// Series in one discovery message of Home Assistant: with names and labels at their longest it stays below 64 KiB, half of the
  /// smallest message limit of the brokers in docs/brokers.md.
  public static let homeAssistantSeriesPerPart = 80
  /// Commands that become buttons in Home Assistant.
  public static let homeAssistantCommands = 64
  /// Milliseconds over which nodes spread their answer to Home Assistant's birth.
  public static let homeAssistantBirthSpreadMilliseconds = 10_000
  /// Milliseconds that a change of a discovery message waits for others to come along.
  public static let homeAssistantSettleMilliseconds: Int64 = 2_000
  /// Milliseconds between two messages on one discovery topic: Home Assistant drops the rest of one that comes while it still
  /// works on the one before.
  public static let homeAssistantPauseMilliseconds: Int64 = 10_000
  /// Milliseconds after a reload within which a series must give a value, or be taken away; at least five of its intervals.
  public static let homeAssistantGraceMilliseconds: Int64 = 60_000
  /// Bytes of a name that Home Assistant shows.
  public static let homeAssistantNameBytes = 128
  /// Discovery topics of former node names that wait to be emptied.
  public static let homeAssistantFarewells = 2_000
  /// Seconds a broker may take to accept a connection.
  public static let connectSeconds = 15
  /// Seconds without an acknowledgement after which a connection is rebuilt.
  public static let stallSeconds = 30
  /// Seconds a connection must last before the back-off starts anew: a broker that accepts and drops does not reset it.
  public static let stableSeconds = 30
  /// Messages from the broker that wait to be looked at; more are dropped.
  public static let incomingMessages = 256
  /// Bytes of such a message; longer ones are refused.
  public static let incomingBytes = 64 * 1024
  /// Bytes of a message that a listener takes: a birth of 10,000 metrics is the largest.
  public static let listenedBytes = 4 << 20
  /// Seconds on a broker that is not the first choice before those above it are tried again.
  public static let preferredRetrySeconds = 900
  /// Seconds that a drain waits for its position to be on the disk.
  public static let saveSeconds = 5
  /// Bytes of messages in flight beyond which nothing more of a backlog is sent: they lie in memory until they are acknowledged, once here
  /// and once in the library.
  public static let flightBytes = 384 << 10
  /// Milliseconds without an acknowledgement after which live ticks are left to the backlog; four usual round trips where those are longer.
  public static let patienceMilliseconds = 500.0
  /// Topics sent as a number on one connection.
  public static let topicAliases = 16
  /// A lost connection is made anew within the longest wait divided by this: 30 s of 2 min.
  public static let spreadsInLongestWait = 4
  /// Seconds between two looks at the files with credentials.
  public static let credentialSeconds = 60
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

extension UplinkLimits {
  /// The bounds of commands.
  public enum Commands {
    /// Bytes of a command's payload.
    public static let payloadBytes = 4 * 1024
    /// Arrays and objects within each other in a payload.
    public static let payloadDepth = 4
    /// Values in a payload.
    public static let payloadValues = 64
    /// Bytes of an id.
    public static let idBytes = 64
    /// Commands that are under way at once, waiting ones included.
    public static let atOnce = 8
    /// Commands that may come in a row, and then each minute.
    public static let perMinute = 30
    /// Commands that are remembered so that none runs twice.
    public static let remembered = 256
    /// Bytes of the text in which they are.
    public static let rememberedBytes = 64 * 1024
    /// Status messages that wait to be sent.
    public static let statuses = 64
    /// Notices for the agent that wait to be taken.
    public static let notices = 64
    /// Seconds that a command is good for when it does not say.
    public static let lifetimeSeconds: Int64 = 600
    /// Seconds that a command may be good for.
    public static let longestLifetimeSeconds: Int64 = 7 * 86_400
    /// Seconds by which a command's time may lie ahead of a synchronised clock.
    public static let skewSeconds: Int64 = 300
    /// Seconds after which what comes in on a connection is new, not kept by the broker while the node was away.
    public static let settledSeconds: Int64 = 10
    /// Ticks that one `resend` or `export-bundle` may name, holes included: eleven days at one a second.
    public static let ticks: UInt64 = 1_000_000
    /// Stretches of ticks that a range of time may fall into.
    public static let ranges = 64
    /// Bytes of one chunk of a bundle, about.
    public static let chunkBytes = 32 * 1024
    /// Chunks of a bundle that wait for their acknowledgement.
    public static let chunksInFlight = 4
    /// Bytes of a bundle.
    public static let bundleBytes: UInt64 = 256 << 20
  }
}
