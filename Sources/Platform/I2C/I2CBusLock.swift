import CLinux
import Glibc
import Synchronization

/// Who may use a bus: one user at a time in this process, and by flock(2) on `path` one process at a time.
///
/// All waits are bounded. A holder that hangs between transfers loses the bus after `holdMilliseconds` to whoever waits; one that hangs inside
/// a transfer keeps it, because the kernel's adapter is held too: the others are turned away and do not hang with it.
final class I2CBusLock: Sendable {
  private struct State {
    var holder: UInt64?
    var heldSince: Int64 = 0
    var isTransferring = false
    var lastHolder: UInt64 = 0
  }

  private let state = Mutex(State())
  private let descriptor: Int32
  private let holdMilliseconds: Int64

  init(path: String, holdMilliseconds: Int = PlatformLimits.i2cHoldMilliseconds) {
    descriptor = open(path, O_RDONLY | O_CLOEXEC)
    self.holdMilliseconds = Int64(holdMilliseconds)
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Waits for the bus.
  ///
  /// - Returns: what proves the hold; nil when the bus did not become free in time.
  func take(waitMilliseconds: Int) -> UInt64? {
    let deadline = SystemClock.bootMilliseconds + Int64(waitMilliseconds)
    var holder: UInt64?
    while true {
      holder = holder ?? enter()
      if let holder, hasFileLock() { return holder }
      if SystemClock.bootMilliseconds >= deadline {
        if let holder { leave(holder) }
        return nil
      }
      Thread.sleep(milliseconds: PlatformLimits.i2cPollMilliseconds)
    }
  }

  /// Marks that a transfer begins; false when the bus was taken from this holder meanwhile.
  func beginTransfer(_ holder: UInt64) -> Bool {
    state.withLock { state in
      guard state.holder == holder else { return false }
      state.isTransferring = true
      return true
    }
  }

  /// Marks that it is over.
  func endTransfer(_ holder: UInt64) {
    state.withLock { if $0.holder == holder { $0.isTransferring = false } }
  }

  /// Lets the next one in.
  func leave(_ holder: UInt64) {
    state.withLock { state in
      guard state.holder == holder else { return }
      state.holder = nil
      state.isTransferring = false
      if descriptor >= 0 { flock(descriptor, LOCK_UN) }
    }
  }

  private func enter() -> UInt64? {
    let now = SystemClock.bootMilliseconds
    return state.withLock { state in
      if state.holder != nil {
        guard !state.isTransferring, now - state.heldSince > holdMilliseconds else { return nil }
      }
      state.lastHolder += 1
      state.holder = state.lastHolder
      state.heldSince = now
      return state.lastHolder
    }
  }

  private func hasFileLock() -> Bool {
    // A bus that cannot be opened cannot be shared either: the transfer itself will say why.
    descriptor < 0 || flock(descriptor, LOCK_EX | LOCK_NB) == 0
  }
}

extension I2CBusLock {
  private struct Known: Sendable {
    weak var lock: I2CBusLock?
  }

  private static let known = Mutex<[String: Known]>([:])

  /// The lock that all users of the bus at `path` share. Forgotten with its last user.
  static func shared(path: String) -> I2CBusLock {
    known.withLock { known in
      if let lock = known[path]?.lock { return lock }
      known = known.filter { $0.value.lock != nil }
      let lock = I2CBusLock(path: path)
      known[path] = Known(lock: lock)
      return lock
    }
  }
}
