import Buffer
import Glibc
import Platform
import Synchronization

/// Writes the buffer, on a thread of its own: an fsync on a memory card may take seconds, and the tick must not wait for it.
final class StorageThread: TickStorage {
  /// What the buffer is made with.
  struct Settings: Sendable {
    var path: String
    var node: String
    var policy: RetentionPolicy
    /// Bytes of ticks kept in memory while the disk refuses.
    var pendingBytes: Int
  }

  private struct Shared {
    var status = StorageStatus()
    var notices: [StorageNotice] = []
    var opening: BufferWriter.Opening?
    /// Whether the agent went on without waiting any longer for the file.
    var isTooLate = false
    var settings: Settings
    var onSave: (@Sendable ([String: UInt64]) -> Void)?
  }

  private let mailbox = Mailbox<BufferTransaction>(capacity: AgentLimits.storageMailbox)
  private let shared: Mutex<Shared>
  private let clock: any Clock
  private let isStopping = Atomic<Bool>(false)
  private let hasStopped = Atomic<Bool>(false)
  private let answer = Bell()

  init(_ settings: Settings, clock: any Clock) {
    shared = Mutex(Shared(settings: settings))
    self.clock = clock
  }

  /// Starts the thread and waits until the buffer is open, at most `waitMilliseconds`.
  ///
  /// - Returns: what was in the buffer; nil when it cannot be opened now: the run then numbers by itself, and what it hands over is
  ///   translated when the file comes later.
  func start(waitMilliseconds: Int = AgentLimits.openSeconds * 1000) -> BufferWriter.Opening? {
    let settings = shared.withLock { $0.settings }
    guard Thread.start(name: "storage", { [self] in work(settings) }) else { return nil }
    _ = Poll.wait([(answer.descriptor, .readable)], milliseconds: waitMilliseconds)
    return shared.withLock { shared in
      shared.isTooLate = shared.opening == nil
      return shared.opening
    }
  }

  func put(_ transaction: BufferTransaction) -> Bool { mailbox.put(transaction) }

  var status: StorageStatus { shared.withLock { $0.status } }

  func takeNotices() -> [StorageNotice] {
    shared.withLock { shared in
      guard !shared.notices.isEmpty else { return [] }
      defer { shared.notices = [] }
      return shared.notices
    }
  }

  /// Has `report` called with the marks of the delivery positions on the disk, by sink, after each commit. On the storage thread.
  func onSave(_ report: @escaping @Sendable ([String: UInt64]) -> Void) { shared.withLock { $0.onSave = report } }

  /// Changes retention and memory limit; the path stays.
  func configure(policy: RetentionPolicy, pendingBytes: Int) {
    shared.withLock {
      $0.settings.policy = policy
      $0.settings.pendingBytes = pendingBytes
    }
  }

  /// Commits what is there and closes the file. Waits at most `milliseconds`; false when the disk did not finish in time.
  func stop(waitMilliseconds: Int) -> Bool {
    isStopping.store(true, ordering: .releasing)
    mailbox.bell.ring()
    var waited = 0
    while !hasStopped.load(ordering: .acquiring), waited < waitMilliseconds {
      Thread.sleep(milliseconds: 2)
      waited += 2
    }
    return hasStopped.load(ordering: .acquiring)
  }

  private func work(_ settings: Settings) {
    var store = StorageState(settings: settings, clock: clock)
    let opening = store.open()
    let isTooLate = shared.withLock { shared in
      if !shared.isTooLate { shared.opening = opening }
      return shared.isTooLate
    }
    if isTooLate, opening != nil { store.arriveLate() }
    publish(&store)
    answer.ring()
    while !isStopping.load(ordering: .acquiring) {
      ProcessMemory.releaseStack()
      _ = Poll.wait([(mailbox.bell.descriptor, .readable)], milliseconds: store.pauseMilliseconds)
      store.settings = shared.withLock { $0.settings }
      for transaction in mailbox.takeAll() { store.add(transaction) }
      store.write()
      publish(&store)
      shared.withLock { $0.onSave }?(store.savedMarks)
    }
    for transaction in mailbox.takeAll() { store.add(transaction) }
    store.finish()
    publish(&store)
    hasStopped.store(true, ordering: .releasing)
  }

  private func publish(_ store: inout StorageState) {
    let (status, notices) = (store.status, store.takeNotices())
    shared.withLock {
      $0.status = status
      // Nobody has to read them: the newest few are enough.
      $0.notices = Array(($0.notices + notices).suffix(64))
    }
  }
}
