import CLinux
import Glibc

/// Ctrl-C and `kill`, asked for instead of obeyed at once: a program that has something half made can put it away first.
public enum Interruption {
  /// The exit status of a program that was ended by Ctrl-C, as a shell tells it.
  public static let exitStatus: Int32 = 130

  /// Holds SIGINT, SIGTERM and SIGHUP back from now on. Of a program of one thread.
  public static func hold() {
    var signals = set
    pthread_sigmask(SIG_BLOCK, &signals, nil)
  }

  /// Whether one of them waits.
  public static var isPending: Bool {
    var waiting = sigset_t()
    guard sigpending(&waiting) == 0 else { return false }
    return [SIGINT, SIGTERM, SIGHUP].contains { sigismember(&waiting, $0) == 1 }
  }

  private static var set: sigset_t {
    var set = sigset_t()
    sigemptyset(&set)
    for signal in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&set, signal) }
    return set
  }
}
