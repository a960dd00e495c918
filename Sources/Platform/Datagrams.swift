import CLinux
import Glibc
import Synchronization
public import Telemetry

/// A socket that others send datagrams to.
public protocol Datagrams: AnyObject, Sendable {
  /// For poll(2); negative where nothing is waited for.
  var descriptor: Int32 { get }
  /// Takes the next datagram that waits; nil when none does. One that is longer than `limit` bytes is empty, and gone.
  func receive(limit: Int) -> [UInt8]?
  /// Takes the next datagram that waits and leaves it unread; false when none does.
  func discard() -> Bool
}

/// A Unix datagram socket, which never blocks. The kernel bounds what waits in it (net.unix.max_dgram_qlen).
public final class UnixDatagrams: Datagrams {
  /// For poll(2).
  public let descriptor: Int32
  private let path: String

  /// Binds a socket at a path, for those that `mode` lets write; a socket that nobody serves any more is replaced.
  ///
  /// - Throws: `device` when something else is there or someone serves it, `io`.
  public init(path: String, mode: UInt32) throws(SensorError) {
    descriptor = try Self.bound(path, mode)
    self.path = path
  }

  private static func bound(_ path: String, _ mode: UInt32) throws(SensorError) -> Int32 {
    var name = sockaddr_un()
    let bytes = Array(path.utf8)
    // sun_path of unix(7) holds 108 bytes, the last of them 0.
    guard bytes.count < MemoryLayout.size(ofValue: name.sun_path) else { throw .io(path: path, errno: ENAMETOOLONG) }
    name.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: bytes) }
    let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
    guard descriptor >= 0 else { throw .io(path: path, errno: errno) }
    func call(_ body: (Int32, UnsafePointer<sockaddr>?, socklen_t) -> Int32) -> Int32 {
      withUnsafeBytes(of: &name) { raw in
        body(descriptor, raw.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t(raw.count)) == 0 ? 0 : errno
      }
    }
    // Nobody may write before the mode is right.
    fchmod(descriptor, 0o600)
    var result = call(bind)
    if result == EADDRINUSE {
      // A socket whose program died refuses; anything else there is not ours to remove.
      guard FileStatus(path)?.isSocket == true, call(connect) == ECONNREFUSED else {
        close(descriptor)
        throw .device(path, what: "something else is there, or another program serves it")
      }
      unlink(path)
      result = call(bind)
    }
    guard result == 0, chmod(path, mode) == 0 else {
      close(descriptor)
      throw .io(path: path, errno: result == 0 ? errno : result)
    }
    return descriptor
  }

  deinit {
    // In this order: when it is closed another may bind at the path.
    unlink(path)
    close(descriptor)
  }

  /// By recv(2).
  public func receive(limit: Int) -> [UInt8]? {
    var count = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: limit) { buffer, length in
      count = take(buffer.baseAddress, limit)
      length = count > limit ? 0 : max(count, 0)
    }
    return count < 0 ? nil : bytes
  }

  /// By recv(2) into nothing.
  public func discard() -> Bool { take(nil, 0) >= 0 }

  /// The length of the next datagram, which may be more than `limit`; negative when none waits.
  private func take(_ buffer: UnsafeMutablePointer<UInt8>?, _ limit: Int) -> Int {
    while true {
      let count = recv(descriptor, buffer, limit, Int32(MSG_TRUNC))
      if count < 0, errno == EINTR { continue }
      return count
    }
  }
}

extension LinuxCalls {
  /// By a Unix socket.
  public func datagrams(at path: String, mode: UInt32) throws(SensorError) -> any Datagrams {
    try UnixDatagrams(path: path, mode: mode)
  }
}

extension RecordedCalls {
  /// From the file `datagrams`: what is sent before each sample, one datagram a paragraph.
  public func datagrams(at path: String, mode: UInt32) throws(SensorError) -> any Datagrams {
    RecordedDatagrams(self)
  }
}

/// Datagrams that a file holds; at its end it tells that none is left, and begins anew.
private final class RecordedDatagrams: Datagrams {
  let descriptor: Int32 = -1
  private let calls: RecordedCalls
  private let left = Mutex<[[UInt8]]?>(nil)

  init(_ calls: RecordedCalls) { self.calls = calls }

  func receive(limit: Int) -> [UInt8]? {
    left.withLock { left in
      var rest = left ?? paragraphs()
      guard !rest.isEmpty else {
        left = nil
        return nil
      }
      let first = rest.removeFirst()
      left = rest
      return first.count <= limit ? first : []
    }
  }

  func discard() -> Bool { receive(limit: 0) != nil }

  private func paragraphs() -> [[UInt8]] {
    let lines = try? calls.recorded("/datagrams").read { (text) throws(SensorError) in
      var paragraphs: [[UInt8]] = [[]]
      while !text.isAtEnd {
        let line = Array(text.restOfLine().utf8)
        text.skipLine()
        if line.isEmpty { paragraphs.append([]) } else { paragraphs[paragraphs.count - 1] += line + [0x0A] }
      }
      return paragraphs.filter { !$0.isEmpty }
    }
    return lines ?? []
  }
}
