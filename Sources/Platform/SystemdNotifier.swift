import CLinux
import Glibc

/// Tells systemd how the service is: sd_notify(3), a datagram to `$NOTIFY_SOCKET`. Does nothing without one.
public struct SystemdNotifier: Sendable {
  private let address: [UInt8]
  /// Microseconds within which systemd wants to hear `WATCHDOG=1`; nil when it does not.
  public let watchdogMicroseconds: Int64?

  /// Reads `$NOTIFY_SOCKET`, `$WATCHDOG_USEC` and `$WATCHDOG_PID` from an environment.
  public init(environment: [String: String]) {
    address = Array((environment["NOTIFY_SOCKET"] ?? "").utf8)
    let forMe = environment["WATCHDOG_PID"].map { $0 == "\(getpid())" } ?? true
    watchdogMicroseconds = forMe ? environment["WATCHDOG_USEC"].flatMap { Int64($0) } : nil
  }

  /// Sends lines such as `READY=1`. A leading `@` of the address is the abstract name space: a zero byte.
  public func send(_ message: String) {
    var name = sockaddr_un()
    let capacity = MemoryLayout.size(ofValue: name.sun_path)
    guard !address.isEmpty, address.count < capacity else { return }
    name.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &name.sun_path) { path in
      path.copyBytes(from: address)
      if address[0] == UInt8(ascii: "@") { path[0] = 0 }
    }
    let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    let length = socklen_t(MemoryLayout<sa_family_t>.size + address.count)
    let bytes = Array(message.utf8)
    withUnsafePointer(to: &name) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
        _ = sendto(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL), generic, length)
      }
    }
  }
}
