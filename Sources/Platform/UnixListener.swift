import CLinux
import Glibc

/// A Unix stream socket that listens, never blocks, and hands out connected descriptors.
public final class UnixListener {
  /// For `EventLoop.watch`.
  public let descriptor: Int32
  private let path: String

  /// Why there is no socket: what and why.
  public struct Failure: Error, CustomStringConvertible {
    /// One line for people.
    public let description: String
  }

  /// Listens at `path` for the owner and the group (mode 0660); a stale socket there is replaced.
  public init(path: String) throws(Failure) {
    self.path = path
    var name = sockaddr_un()
    let bytes = Array(path.utf8)
    guard bytes.count < MemoryLayout.size(ofValue: name.sun_path) else {
      throw Failure(description: "the socket's path is longer than 107 bytes: \(path)")
    }
    name.sun_family = sa_family_t(AF_UNIX)
    // sockaddr_un holds the path in a tuple: copied as bytes.
    withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: bytes) }
    descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
    guard descriptor >= 0 else { throw Failure(description: "cannot make a socket: \(String(cString: strerror(errno)))") }
    unlink(path)
    let before = umask(0o117)
    let bound = withUnsafePointer(to: &name) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    umask(before)
    guard bound == 0, listen(descriptor, 8) == 0 else {
      let code = errno
      close(descriptor)
      throw Failure(description: "cannot listen at \(path): \(String(cString: strerror(code)))")
    }
  }

  /// Takes the socket away.
  public func remove() {
    close(descriptor)
    unlink(path)
  }

  /// The next client's descriptor, non-blocking; nil when none waits.
  public func accept() -> Int32? {
    let accepted = godwit_accept(descriptor)
    return accepted >= 0 ? accepted : nil
  }

  /// What a read or write on a client's descriptor came to.
  public enum Progress: Sendable {
    case bytes(Int)
    case later
    case gone
  }

  /// Reads what is there, at most `limit` bytes, behind `bytes`.
  public static func read(_ descriptor: Int32, into bytes: inout [UInt8], limit: Int) -> Progress {
    var chunk = [UInt8](repeating: 0, count: limit)
    let count = Glibc.read(descriptor, &chunk, chunk.count)
    if count < 0, errno == EAGAIN || errno == EINTR { return .later }
    guard count > 0 else { return .gone }
    bytes += chunk[0..<count]
    return .bytes(count)
  }

  /// Writes what fits of `bytes` from `offset` on.
  public static func write(_ descriptor: Int32, _ bytes: [UInt8], from offset: Int) -> Progress {
    let count = bytes.withUnsafeBytes { buffer in
      send(descriptor, buffer.baseAddress?.advanced(by: offset), buffer.count - offset, Int32(MSG_NOSIGNAL))
    }
    if count < 0, errno == EAGAIN || errno == EINTR { return .later }
    return count > 0 ? .bytes(count) : .gone
  }

  /// Ends a client's connection.
  public static func end(_ descriptor: Int32) { _ = close(descriptor) }
}
