import CLinux
import Glibc
public import Telemetry

/// The asking side of a Unix stream socket: one line there, one answer back, then the other side closes.
public enum LocalSocket {
  /// Connects, writes `request` and reads until the other side closes.
  ///
  /// - Throws: `absent` when nobody listens at the path, `timedOut` when the answer is not whole in time, `malformed` when it is larger
  ///   than `limit` bytes, `io` for the rest.
  public static func ask(
    path: String, _ request: [UInt8], timeoutMilliseconds: Int, limit: Int
  ) throws(SensorError) -> [UInt8] {
    var answer: [UInt8] = []
    try exchange(path: path, request, timeoutMilliseconds: timeoutMilliseconds, limit: limit) { (piece) throws(SensorError) in
      answer += piece
      return true
    }
    return answer
  }

  /// Connects, writes `request` and gives what is answered to `take`, piece by piece and an empty one at the end, until it wants no more.
  ///
  /// - Throws: as `ask`; or what `take` throws.
  static func exchange(
    path: String, _ request: [UInt8], timeoutMilliseconds: Int, limit: Int,
    _ take: ([UInt8]) throws(SensorError) -> Bool
  ) throws(SensorError) {
    let deadline = now() + Int64(timeoutMilliseconds) * 1_000_000
    let descriptor = try connected(to: path)
    defer { close(descriptor) }
    var sent = 0
    while sent < request.count {
      try wait(descriptor, .writable, until: deadline)
      let count = send(descriptor, Array(request[sent...]), request.count - sent, Int32(MSG_NOSIGNAL))
      if count > 0 { sent += count } else if errno != EAGAIN && errno != EINTR { throw .io(path: path, errno: errno) }
    }
    var total = 0
    var piece = [UInt8](repeating: 0, count: 16_384)
    while true {
      try wait(descriptor, .readable, until: deadline)
      let count = recv(descriptor, &piece, piece.count, 0)
      if count < 0 {
        if errno == EAGAIN || errno == EINTR { continue }
        throw .io(path: path, errno: errno)
      }
      total += count
      guard total <= limit else { throw .malformed(path: path, what: "the answer is larger than \(limit) bytes") }
      guard try take(Array(piece[0..<count])), count > 0 else { return }
    }
  }

  /// A connected socket that does not block; the caller closes it.
  static func connected(to path: String) throws(SensorError) -> Int32 {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    // sun_path of unix(7) holds 108 bytes, the last of them 0.
    guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { throw .io(path: path, errno: ENAMETOOLONG) }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    let flags = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
    let descriptor = socket(AF_UNIX, flags, 0)
    guard descriptor >= 0 else { throw .io(path: path, errno: errno) }
    let result = withUnsafeBytes(of: &address) { raw in
      connect(descriptor, raw.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t(raw.count))
    }
    guard result == 0 else {
      let code = errno
      close(descriptor)
      // A Unix socket connects at once, or refuses: nobody bound it, its program died, or its queue is full.
      switch code {
      case ENOENT, ECONNREFUSED, ENOTDIR: throw .absent(path)
      case EAGAIN: throw .timedOut
      default: throw .io(path: path, errno: code)
      }
    }
    return descriptor
  }

  /// Waits for `interest`, until a `deadline` of `now`.
  static func wait(_ descriptor: Int32, _ interest: Poll.Ready, until deadline: Int64) throws(SensorError) {
    while true {
      let left = deadline - now()
      guard left > 0 else { throw .timedOut }
      let ready = Poll.wait([(descriptor, interest)], milliseconds: Int(left / 1_000_000) + 1)
      if let first = ready.first, !first.isEmpty { return }
    }
  }

  /// Nanoseconds of CLOCK_BOOTTIME.
  static func now() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_BOOTTIME, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}
