import CLinux
import Glibc

/// A non-blocking Internet socket whose calls wait until a deadline, in nanoseconds of `SystemClock.monotonicNanoseconds`.
final class NetworkSocket {
  let descriptor: Int32

  init(_ kind: godwit_socket_kind, isIPv6: Bool) throws(NetworkFailure) {
    descriptor = godwit_network_socket(Int32(kind.rawValue), isIPv6 ? 1 : 0)
    if descriptor < 0 { throw .of("socket", errno: -descriptor) }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  func connect(to address: NetworkAddress, port: UInt16, until deadline: Int64) throws(NetworkFailure) {
    var endpoint = address.endpoint(port: port)
    var result = godwit_network_connect(descriptor, &endpoint)
    if result == -EINPROGRESS {
      try wait(.writable, until: deadline)
      result = godwit_network_outcome(descriptor)
    }
    if result < 0 { throw .of("connect", errno: -result) }
  }

  /// Takes what comes next, at most `limit` bytes; none when the other side is done.
  func receive(_ limit: Int, until deadline: Int64) throws(NetworkFailure) -> [UInt8] {
    var piece = [UInt8](repeating: 0, count: limit)
    while true {
      let count = recv(descriptor, &piece, piece.count, 0)
      if count >= 0 { return Array(piece[0..<count]) }
      switch errno {
      case EINTR: continue
      case EAGAIN: try wait(.readable, until: deadline)
      default: throw .of("recv", errno: errno)
      }
    }
  }

  func send(_ bytes: [UInt8], until deadline: Int64) throws(NetworkFailure) {
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      if count >= 0 {
        sent += count
        continue
      }
      switch errno {
      case EINTR: continue
      case EAGAIN: try wait(.writable, until: deadline)
      default: throw .of("send", errno: errno)
      }
    }
  }

  func wait(_ interest: Poll.Ready, until deadline: Int64) throws(NetworkFailure) {
    while true {
      let left = deadline - SystemClock.monotonicNanoseconds
      guard left > 0 else { throw .timedOut }
      let ready = Poll.wait([(descriptor, interest)], milliseconds: Int(left / 1_000_000) + 1)
      if ready.contains(where: { !$0.isEmpty }) { return }
    }
  }
}
