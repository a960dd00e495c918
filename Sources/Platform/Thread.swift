import CLinux
import Glibc

/// Starts threads for work that may block: it must not hold up the tick, nor a pool that others share.
public enum Thread {
  /// Bytes of stack a thread gets; only touched pages cost memory.
  public static let stackBytes = 512 * 1024

  /// Runs `body` on a new detached thread named `name` (15 bytes are shown). All signals stay with the main thread.
  ///
  /// - Returns: false when the kernel gives no thread.
  public static func start(name: String, _ body: @escaping @Sendable () -> Void) -> Bool {
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setstacksize(&attributes, stackBytes)
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    var all = sigset_t()
    var before = sigset_t()
    sigfillset(&all)
    pthread_sigmask(SIG_SETMASK, &all, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    var thread = pthread_t()
    let start = Unmanaged.passRetained(ThreadStart(name: name, body: body))
    // The C entry takes one raw pointer: the retained box crosses in it and is released on the other side.
    guard pthread_create(&thread, &attributes, threadEntry, start.toOpaque()) == 0 else {
      start.release()
      return false
    }
    return true
  }

  /// From now on the calling thread, and what it starts, never takes the processor from one that runs when it wakes up: SCHED_BATCH of
  /// sched(7). When the kernel refuses, it stays as it was.
  public static func yieldToOthers() { godwit_thread_batch() }

  /// Gives away the processor for a while.
  public static func sleep(milliseconds: Int) {
    var time = timespec(tv_sec: milliseconds / 1000, tv_nsec: (milliseconds % 1000) * 1_000_000)
    var rest = timespec()
    while nanosleep(&time, &rest) != 0, errno == EINTR { time = rest }
  }
}

private final class ThreadStart: Sendable {
  let name: String
  let body: @Sendable () -> Void

  init(name: String, body: @escaping @Sendable () -> Void) {
    self.name = name
    self.body = body
  }
}

private func threadEntry(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  guard let argument else { return nil }
  let start = Unmanaged<ThreadStart>.fromOpaque(argument).takeRetainedValue()
  godwit_thread_name(start.name)
  start.body()
  return nil
}
