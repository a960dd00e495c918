/// The bounds of the Linux edge.
public enum PlatformLimits {
  /// Bytes read of one host file unless its reader asks for more.
  public static let hostFileBytes = 256 * 1024
  /// Bytes held at a time of a file that is read line by line: its longest line.
  static let largeFileBuffer = 64 * 1024
  /// Bytes that come out of one packed file.
  static let unpackedBytes = 256 * 1024 * 1024
  /// Steps of SQLite's machine for the answer of one query: some seconds.
  static let databaseSteps: Int32 = 20_000_000
  /// Entries read of one directory.
  public static let directoryEntries = 65_536
  /// Names taken of one directory for a pattern.
  static let patternMatches = 64

  /// Bytes taken of one file of a process; a command line may be longer, and is cut.
  public static let processFileBytes = 8192

  /// Messages of one I2C transfer; the kernel takes 42 (I2C_RDWR_IOCTL_MAX_MSGS).
  public static let i2cMessages = 8
  /// Bytes of one I2C transfer, read and written.
  public static let i2cTransferBytes = 512
  /// How long a user waits for a bus that others have.
  public static let i2cWaitMilliseconds = 500
  /// How long a user may keep a bus between transfers before it is taken away: several conversions of the slowest chips.
  public static let i2cHoldMilliseconds = 2_000
  /// How long a transfer and its repeats may take together.
  public static let i2cTransferMilliseconds = 1_000
  /// What the adapter is told: a stuck transfer ends after this. Chips may stretch the clock for 100 ms.
  public static let i2cAdapterMilliseconds = 300
  /// How often the adapter itself repeats a lost arbitration.
  public static let i2cAdapterRetries = 1
  /// How often a transfer is tried that loses the bus to another controller.
  public static let i2cArbitrationAttempts = 4
  /// How often a transfer is tried that is not acknowledged.
  public static let i2cAcknowledgeAttempts = 2
  /// The pause between two looks at a bus that is taken, and between two tries.
  public static let i2cPollMilliseconds = 2
  /// The longest hang a recorded bus may tell.
  public static let i2cRecordedHangMilliseconds = 60_000
  /// Buses listed of one machine.
  public static let i2cBuses = 256

  /// GPIO lines of one request: GPIO_V2_LINES_MAX of the kernel.
  public static let gpioLines = 64
  /// Lines listed of one GPIO chip.
  public static let gpioChipLines = 4096
  /// GPIO edges taken at once; the kernel queues at most 1024 a request.
  public static let gpioEdges = 2048

  /// How long the whole answer to a netlink request is waited for, milliseconds.
  static let netlinkMilliseconds: Int64 = 2_000
  /// The longest datagram that is taken; the kernel makes those of a list no longer.
  static let netlinkDatagramBytes = 32 * 1024
  /// Bytes of one answer: some 80,000 sockets.
  static let netlinkAnswerBytes = 32 << 20

  /// How long an answer on D-Bus is waited for, with the connection before it, milliseconds.
  static let dbusMilliseconds: Int64 = 2_000
  /// How long after the beginning of a sample another call may be begun, milliseconds; with one call more, less than a sensor's deadline.
  static let dbusSampleMilliseconds: Int64 = 2_000
  /// Bytes of one D-Bus message; the specification allows 128 MiB. The list of 5,000 units takes a quarter of it.
  static let dbusMessageBytes = 4 << 20
  /// Messages passed over while one is waited for: signals, and answers to what nobody waits for any more.
  static let dbusStrayMessages = 64
  /// Arrays, structures and variants inside one another; the specification allows 64.
  static let dbusDepth = 32
  /// Bytes of one line of the greeting.
  static let dbusLineBytes = 512
  /// Characters kept of a text that becomes a label.
  static let dbusLabelCharacters = 128
  /// Characters kept of what a service says about its error.
  static let dbusErrorCharacters = 160

  /// How long a program that was killed is waited for, milliseconds.
  static let subprocessKillMilliseconds: Int64 = 1_000
  /// Programs that were killed and hang in the kernel, past which none is started.
  static let hangingSubprocesses = 4
  /// Between two looks whether a program ended, where the kernel does not tell, milliseconds.
  static let subprocessPollMilliseconds: Int64 = 20
  /// Bytes kept of what a program of the system writes.
  static let programOutputBytes = 1 << 20
  /// Bytes of a drive's health log: NVM Express Base Specification 2.0, 5.16.1.3.
  static let nvmeLogBytes = 512
  /// Bytes that a processor's tracepoints may fill between two looks: some 1,400 requests, issued and completed.
  static let traceRingBytes = 256 * 1024
  /// Processors whose requests are recorded.
  static let tracedProcessors = 64
  /// Bytes that a probe of storage reads or writes.
  static let probeBytes = 4096
  /// The longest packet to or from a child, bytes.
  public static let packetBytes = 64 * 1024
  /// Bytes of the head of an HTTP answer.
  static let httpHeadBytes = 16 * 1024
  /// Bytes kept of its body unless its reader asks for more.
  public static let httpBodyBytes = 64 * 1024
  /// Bytes of the line before a chunk of it.
  static let httpChunkLineBytes = 80
  /// Bytes of one answer that is read over a Unix socket, with what frames it.
  static let localHTTPBytes = 16 << 20
  /// Milliseconds that the end of a killed program is waited for.
  static let reapTries = 200
}
