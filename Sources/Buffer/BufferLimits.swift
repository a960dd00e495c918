/// The bounds of the buffer.
public enum BufferLimits {
  /// Ticks of one group; a row's distance from its key row fits one byte.
  public static let ticksPerGroup = 250
  /// How long a call waits for another connection's lock, milliseconds.
  public static let busyMilliseconds: Int32 = 2_000
  /// The same for the checkpoint of a clean stop.
  public static let checkpointMilliseconds: Int32 = 200
  /// Bytes of the write-ahead log before it is copied back into the database, and which it keeps after that.
  public static let logBytes = 1 << 20
  /// Sequence numbers reserved ahead of use by one commit: as many ticks may be published while the disk refuses, a day at 1 Hz.
  public static let reservedSequences: UInt64 = 100_000
  /// Event ids reserved ahead of use by one commit.
  public static let reservedEvents: UInt64 = 10_000
  /// Bytes of rows after which a group ends before its time, so that it can be evicted in one step.
  public static let groupBytes = 1 << 17
  /// Rows deleted in one transaction when making room.
  public static let evictedTicksPerStep = 2_000
  /// About how many bytes of rows are deleted in one transaction when making room.
  public static let evictedBytesPerStep = 1 << 20
  /// Transactions of making room after one commit, so that a commit stays short.
  public static let evictionStepsPerCommit = 8
  /// Transactions of returning free pages after one commit; each of at most as many pages as the log may hold.
  public static let vacuumStepsPerCommit = 16
  /// Events kept, and one per 4 KiB of the allowed size in a small buffer; older ones go first.
  public static let events = 10_000
  /// Events that wait for a commit while the disk refuses; older ones go first.
  public static let waitingEvents = 1_000
  /// Epochs kept without a tick left that needs them.
  public static let epochs = 1_000
  /// How long a clock that jumped ahead by more than what is kept has to stay there before earlier boots age by it.
  public static let clockTrialMilliseconds: Int64 = 3_600_000
  /// How far it may move meanwhile: no clock is that far off between two looks at it.
  public static let clockTrialDriftMilliseconds: Int64 = 60_000
  /// Rows that a reader fetches at once.
  public static let fetchedTicks = 256
  /// Bytes of rows after which a reader fetches no more at once.
  public static let fetchedBytes = 1 << 18
  /// Sequence numbers, event ids and epoch ids stay below this; larger ones are damage.
  public static let largestNumber: UInt64 = 1 << 62
  /// Ranges of owed sequence numbers of one uplink; the two nearest are joined beyond that.
  public static let owedRanges = 4_096
  /// Ticks after which whole groups of tick rows are sealed into a block: chosen by measuring, see `StorageBench`.
  public static let ticksPerBlock = 1_000
  /// Values after which fewer ticks are sealed at once, so that sealing thousands of series takes bounded memory.
  public static let valuesPerBlock = 1 << 17
  /// Blocks sealed by one call, so that a commit stays short.
  public static let blocksPerCall = 4
  /// Blocks of one size that are merged into one of the next.
  public static let mergedBlocks = 4
  /// Rows of a raw block that was merged while the agent runs: those of thousands of series are sealed in small blocks.
  public static let ticksPerMergedBlock = 2 * ticksPerBlock
  /// Rows of a raw block that was merged by compacting.
  public static let ticksPerCompactedBlock = 4 * ticksPerBlock
  /// Values of a merged raw block: a reader of all series holds them in memory, 8 MiB.
  public static let valuesPerMergedBlock = 1 << 20
  /// Rollup blocks looked at in one round of making room.
  public static let rollupBlocksPerStep = 64
  /// Rows of one block; more is damage.
  public static let rowsPerBlock = 1 << 16
  /// Ticks of one minute or hour; more is damage. Sums of a row of every block that a file can hold stay below 2⁶³.
  public static let ticksPerRollup = 1 << 32
  /// Values that a block read tick by tick may hold in memory; more is damage. Sealing makes at most about 1.3 million: `valuesPerBlock` and
  /// the rest of a group, whose rows take a bit for each series (`groupBytes`). Merging makes fewer.
  public static let valuesPerOpenBlock = 1 << 21
  /// Values of one block that is sent or received, missing ones included: 8 MiB as doubles. A larger one is sent in parts.
  public static let valuesPerPart = 1 << 20
  /// Values taken from tick rows into one part.
  public static let looseValues = 1 << 16
  /// Set-aside damaged databases kept beside the buffer.
  public static let setAsideFiles = 2
}
