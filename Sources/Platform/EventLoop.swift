import CLinux
import Glibc

/// The agent's heart: one thread that sleeps in epoll_wait(2) until a timer, a signal or a socket has something.
public final class EventLoop {
  private let epoll: Int32
  private var handlers: [Int32: (UInt32) -> Void] = [:]
  private var events = [epoll_event](repeating: epoll_event(), count: 16)
  private var isRunning = false

  /// Why the kernel refused.
  public struct Failure: Error, Hashable, Sendable {
    /// The call.
    public let call: String
    /// Its error.
    public let errno: Int32
  }

  /// An empty loop.
  public init() throws(Failure) {
    epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
    guard epoll >= 0 else { throw Failure(call: "epoll_create1", errno: errno) }
  }

  deinit { close(epoll) }

  /// Calls `handler` with the epoll bits whenever a descriptor is ready. Writing is watched when `writable` is set.
  public func watch(_ descriptor: Int32, writable: Bool = false, _ handler: @escaping (UInt32) -> Void) throws(Failure) {
    var event = epoll_event()
    event.events = EPOLLIN.rawValue | (writable ? EPOLLOUT.rawValue : 0)
    event.data.fd = descriptor
    let operation = handlers[descriptor] == nil ? EPOLL_CTL_ADD : EPOLL_CTL_MOD
    guard epoll_ctl(epoll, operation, descriptor, &event) == 0 else { throw Failure(call: "epoll_ctl", errno: errno) }
    handlers[descriptor] = handler
  }

  /// Forgets a descriptor. Call it before closing one.
  public func unwatch(_ descriptor: Int32) {
    guard handlers.removeValue(forKey: descriptor) != nil else { return }
    epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, nil)
  }

  /// Serves until `stop` is called.
  public func run() {
    isRunning = true
    while isRunning {
      let count = epoll_wait(epoll, &events, Int32(events.count), -1)
      guard count > 0 else { continue }
      for index in 0..<Int(count) {
        // A handler may have unwatched a later descriptor of this round.
        handlers[events[index].data.fd]?(events[index].events)
      }
    }
  }

  /// Ends `run` after the handlers of this round.
  public func stop() { isRunning = false }
}

/// A periodic timer on CLOCK_BOOTTIME with absolute expiries: it does not drift, and it fires after a suspend.
public final class TickTimer {
  /// For `EventLoop.watch`.
  public let descriptor: Int32

  /// A timer that is not armed; nil when the kernel gives none.
  public init?() {
    descriptor = timerfd_create(CLOCK_BOOTTIME, Int32(TFD_CLOEXEC | TFD_NONBLOCK))
    if descriptor < 0 { return nil }
  }

  deinit { close(descriptor) }

  /// Fires at `first` (CLOCK_BOOTTIME nanoseconds) and every `interval` nanoseconds from then on.
  public func arm(first: Int64, interval: Int64) {
    var setting = itimerspec()
    setting.it_value = timespec(tv_sec: Int(first / 1_000_000_000), tv_nsec: Int(first % 1_000_000_000))
    setting.it_interval = timespec(tv_sec: Int(interval / 1_000_000_000), tv_nsec: Int(interval % 1_000_000_000))
    timerfd_settime(descriptor, Int32(TFD_TIMER_ABSTIME), &setting, nil)
  }

  /// How often it expired since the last call; 0 when it did not.
  public func expirations() -> UInt64 {
    var count: UInt64 = 0
    return read(descriptor, &count, 8) == 8 ? count : 0
  }
}

/// Receives signals as readable events instead of interruptions: signalfd(2).
public final class SignalQueue {
  /// For `EventLoop.watch`.
  public let descriptor: Int32

  /// Blocks the signals in this thread (and those it starts later) and queues them; SIGPIPE is ignored for the whole process,
  /// and SIGCHLD is not.
  public init?(_ signals: [Int32]) {
    signal(SIGPIPE, SIG_IGN)
    // Where whoever started this process ignores it, the status of every child would be lost.
    signal(SIGCHLD, SIG_DFL)
    var set = sigset_t()
    sigemptyset(&set)
    for number in signals { sigaddset(&set, number) }
    pthread_sigmask(SIG_BLOCK, &set, nil)
    descriptor = signalfd(-1, &set, Int32(SFD_CLOEXEC | SFD_NONBLOCK))
    if descriptor < 0 { return nil }
  }

  deinit { close(descriptor) }

  /// The next signal that came in; nil when none waits.
  public func next() -> Int32? {
    var info = signalfd_siginfo()
    let size = MemoryLayout<signalfd_siginfo>.size
    return read(descriptor, &info, size) == size ? Int32(info.ssi_signo) : nil
  }
}
