import Glibc

/// Where time comes from. Replaced by a hand-driven clock in tests.
public protocol Clock: Sendable {
  /// CLOCK_BOOTTIME, nanoseconds: never steps, counts suspended time too.
  func bootNanoseconds() -> Int64
  /// CLOCK_REALTIME, milliseconds since 1970: may step at any time.
  func wallMilliseconds() -> Int64
  /// Whether the kernel holds the wall clock for synchronised.
  func isSynchronized() -> Bool
  /// The kernel's boot id.
  var boot: String { get }
}

/// The running kernel's clocks.
public struct SystemClock: Clock {
  /// `/proc/sys/kernel/random/boot_id`, or `unknown`.
  public let boot: String
  private let calls: any HostCalls

  /// The running kernel's clocks.
  public init() {
    let host = Host()
    boot = host.line("/proc/sys/kernel/random/boot_id") ?? "unknown"
    calls = host.calls
  }

  /// By clock_gettime(2), without entering the kernel.
  public func bootNanoseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_BOOTTIME, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }

  /// CLOCK_REALTIME, milliseconds since 1970.
  static var wallMilliseconds: Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
  }

  /// By clock_gettime(2).
  public func wallMilliseconds() -> Int64 { Self.wallMilliseconds }

  /// By adjtimex(2).
  public func isSynchronized() -> Bool {
    (try? calls.clockState().synchronized) ?? false
  }
}

extension SystemClock {
  /// CLOCK_THREAD_CPUTIME_ID: the processor time that the calling thread has taken, nanoseconds.
  public static var threadNanoseconds: Int64 {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }

  /// CLOCK_BOOTTIME in milliseconds, for deadlines of the edge itself.
  public static var bootMilliseconds: Int64 {
    var time = timespec()
    clock_gettime(CLOCK_BOOTTIME, &time)
    return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
  }
}
