import Buffer

/// How the buffer is.
struct StorageStatus: Sendable {
  enum State: String, Sendable {
    /// The file is being opened.
    case opening
    /// What is committed is on the disk.
    case ok
    /// The disk refuses: ticks are kept in memory, within bounds.
    case memoryOnly = "memory-only"
  }

  var state = State.opening
  /// Why ticks are kept in memory.
  var problem: String?
  /// The last tick on the disk.
  var committed: UInt64 = 0
  /// The first and last tick on the disk.
  var extent: BufferExtent?
  /// Bytes of the database and its log.
  var bytes: UInt64 = 0
  /// Ticks waiting for the disk.
  var pendingTicks = 0
}

/// What the storage tells the agent once.
enum StorageNotice: Sendable {
  /// Ticks were deleted for age or size.
  case evicted(Eviction)
  /// Rows that cannot be decoded were left out of a block; so many of its ticks no uplink had delivered.
  case unsealable(ClosedRange<UInt64>, damaged: UInt64, undelivered: UInt64)
  /// What the file said of delivery is damaged: all it holds is delivered again.
  case deliveryLost
  /// Ticks were dropped from memory because the disk refused for too long.
  case dropped(ClosedRange<UInt64>)
  /// A damaged or foreign file was moved away and a fresh one made.
  case setAside(path: String, reason: String)
  /// A file could only be opened after the start: how far its uplinks were, and its last tick.
  case inherited([String: DeliveryPosition], lastSequence: UInt64)
  /// The same file holds higher numbers than the run's own: it goes on from these.
  case outnumbered(sequence: UInt64, event: UInt64)
  /// The disk refuses.
  case trouble(String)
  /// The disk takes ticks again.
  case recovered
}

/// Where ticks are kept: the storage thread, or a test's own.
protocol TickStorage: AnyObject, Sendable {
  /// Takes a transaction; false when there is no room for it now, and it must be offered again later.
  func put(_ transaction: BufferTransaction) -> Bool
  /// How the buffer is.
  var status: StorageStatus { get }
  /// What happened since the last call.
  func takeNotices() -> [StorageNotice]
}
