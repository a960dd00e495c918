import CLinux
import Glibc

/// Why something in the network did not answer.
public enum NetworkFailure: Error, Hashable, Sendable, CustomStringConvertible {
  /// The deadline passed.
  case timedOut
  /// Nobody listens there.
  case refused
  /// No way leads there, or a router on it said so.
  case unreachable
  /// The other side closed the connection before its answer was whole.
  case closed
  /// This process may not, and what would let it.
  case barred(String)
  /// TLS failed: in the library's words.
  case tls(String)
  /// The answer is not what its protocol allows, or not what was asked for.
  case wrong(String)
  /// A system call failed.
  case io(call: String, errno: Int32)

  /// What a system call's error means.
  static func of(_ call: String, errno code: Int32) -> NetworkFailure {
    switch code {
    case ECONNREFUSED: .refused
    case ENETUNREACH, EHOSTUNREACH, ENETDOWN, EHOSTDOWN, EADDRNOTAVAIL, ENODEV: .unreachable
    case ETIMEDOUT: .timedOut
    case ECONNRESET, EPIPE: .closed
    default: .io(call: call, errno: code)
    }
  }

  /// A few words for people.
  public var description: String {
    switch self {
    case .timedOut: "no answer in time"
    case .refused: "refused"
    case .unreachable: "unreachable"
    case .closed: "the connection was closed"
    case .barred(let remedy): remedy
    case .tls(let what): "TLS: \(what)"
    case .wrong(let what): what
    case .io(let call, let errno): "\(call): errno \(errno)"
    }
  }
}

extension SystemClock {
  /// CLOCK_MONOTONIC in nanoseconds: never steps, stands still while the machine sleeps, as round trips do.
  public static var monotonicNanoseconds: Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}
