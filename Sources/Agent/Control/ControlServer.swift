import CLinux
import Glibc
import Platform

/// Answers the command line on a Unix socket, on the loop thread, without ever blocking it: one request line in, one answer out.
final class ControlServer {
  private final class Client {
    var request: [UInt8] = []
    var answer: [UInt8] = []
    var sent = 0
    var deadline: Int64 = 0
  }

  private let path: String
  private let loop: EventLoop
  private let listener: Int32
  private var clients: [Int32: Client] = [:]
  private let answer: (String) -> [UInt8]

  /// Why the socket cannot be served.
  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  /// Listens at `path`; a stale socket there is replaced. `answer` turns a request line into the whole answer.
  init(path: String, loop: EventLoop, answer: @escaping (String) -> [UInt8]) throws(Failure) {
    self.path = path
    self.loop = loop
    self.answer = answer
    listener = try ControlServer.listen(path)
    do throws(EventLoop.Failure) {
      try loop.watch(listener) { [unowned self] _ in accept() }
    } catch {
      throw Failure(description: "cannot watch the control socket: errno \(error.errno)")
    }
  }

  /// Closes everything and removes the socket.
  func close() {
    for descriptor in clients.keys { drop(descriptor) }
    loop.unwatch(listener)
    Glibc.close(listener)
    unlink(path)
  }

  /// Sends away clients that are too slow; to be called now and then.
  func expire(now: Int64) {
    for (descriptor, client) in clients where client.deadline < now { drop(descriptor) }
  }

  private static func listen(_ path: String) throws(Failure) -> Int32 {
    var name = sockaddr_un()
    let bytes = Array(path.utf8)
    guard bytes.count < MemoryLayout.size(ofValue: name.sun_path) else {
      throw Failure(description: "the control socket's path is longer than 107 bytes: \(path)")
    }
    name.sun_family = sa_family_t(AF_UNIX)
    // sockaddr_un holds the path in a tuple: copied as bytes.
    withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: bytes) }
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
    guard descriptor >= 0 else { throw Failure(description: "cannot make the control socket: errno \(errno)") }
    unlink(path)
    let before = umask(0o117)
    let bound = withUnsafePointer(to: &name) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    umask(before)
    guard bound == 0, Glibc.listen(descriptor, 8) == 0 else {
      let code = errno
      Glibc.close(descriptor)
      throw Failure(description: "cannot listen on the control socket \(path): \(String(cString: strerror(code)))")
    }
    return descriptor
  }

  private func accept() {
    while true {
      let descriptor = godwit_accept(listener)
      guard descriptor >= 0 else { return }
      guard clients.count < AgentLimits.controlClients else {
        Glibc.close(descriptor)
        continue
      }
      let client = Client()
      client.deadline = SystemClock.bootMilliseconds + AgentLimits.controlClientSeconds * 1000
      clients[descriptor] = client
      watch(descriptor, writable: false)
    }
  }

  private func watch(_ descriptor: Int32, writable: Bool) {
    do throws(EventLoop.Failure) {
      try loop.watch(descriptor, writable: writable) { [unowned self] _ in serve(descriptor) }
    } catch {
      drop(descriptor)
    }
  }

  private func serve(_ descriptor: Int32) {
    guard let client = clients[descriptor] else { return }
    if client.answer.isEmpty {
      guard let line = readRequest(descriptor, client) else { return }
      client.answer = answer(line)
    }
    write(descriptor, client)
  }

  /// The request line once it is whole; nil while it is not, or when the client is gone or says too much.
  private func readRequest(_ descriptor: Int32, _ client: Client) -> String? {
    var chunk = [UInt8](repeating: 0, count: AgentLimits.controlRequestBytes)
    let count = read(descriptor, &chunk, chunk.count)
    if count < 0, errno == EAGAIN || errno == EINTR { return nil }
    guard count > 0, client.request.count + count <= AgentLimits.controlRequestBytes else {
      drop(descriptor)
      return nil
    }
    client.request += chunk[0..<count]
    guard let end = client.request.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
    return String(decoding: client.request[0..<end], as: UTF8.self)
  }

  private func write(_ descriptor: Int32, _ client: Client) {
    while client.sent < client.answer.count {
      // MSG_NOSIGNAL is not needed: the process ignores SIGPIPE.
      let count = client.answer.withUnsafeBytes { bytes in
        Glibc.write(descriptor, bytes.baseAddress?.advanced(by: client.sent), bytes.count - client.sent)
      }
      if count < 0, errno == EAGAIN { return watch(descriptor, writable: true) }
      guard count > 0 else { return drop(descriptor) }
      client.sent += count
    }
    drop(descriptor)
  }

  private func drop(_ descriptor: Int32) {
    guard clients.removeValue(forKey: descriptor) != nil else { return }
    loop.unwatch(descriptor)
    Glibc.close(descriptor)
  }
}
