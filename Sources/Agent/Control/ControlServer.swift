import Platform

/// Answers the command line on a Unix socket, on the loop thread, without ever blocking it: one request line in, one answer out.
final class ControlServer {
  private final class Client {
    var request: [UInt8] = []
    var answer: [UInt8] = []
    var sent = 0
    var deadline: Int64 = 0
  }

  private let loop: EventLoop
  private let listener: UnixListener
  private var clients: [Int32: Client] = [:]
  private let answer: (String) -> [UInt8]

  /// Why the socket cannot be served.
  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  /// Listens at `path`; a stale socket there is replaced. `answer` turns a request line into the whole answer.
  init(path: String, loop: EventLoop, answer: @escaping (String) -> [UInt8]) throws(Failure) {
    self.loop = loop
    self.answer = answer
    do throws(UnixListener.Failure) { listener = try UnixListener(path: path) } catch {
      throw Failure(description: "no control socket: \(error.description)")
    }
    do throws(EventLoop.Failure) {
      try loop.watch(listener.descriptor) { [unowned self] _ in accept() }
    } catch {
      listener.remove()
      throw Failure(description: "cannot watch the control socket: errno \(error.errno)")
    }
  }

  /// Closes everything and removes the socket.
  func close() {
    for descriptor in clients.keys { drop(descriptor) }
    loop.unwatch(listener.descriptor)
    listener.remove()
  }

  /// Sends away clients that are too slow; to be called now and then.
  func expire(now: Int64) {
    for (descriptor, client) in clients where client.deadline < now { drop(descriptor) }
  }

  private func accept() {
    while let descriptor = listener.accept() {
      guard clients.count < AgentLimits.controlClients else {
        UnixListener.end(descriptor)
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
    switch UnixListener.read(descriptor, into: &client.request, limit: AgentLimits.controlRequestBytes) {
    case .later: return nil
    case .bytes where client.request.count <= AgentLimits.controlRequestBytes: break
    case .bytes, .gone:
      drop(descriptor)
      return nil
    }
    guard let end = client.request.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
    return String(decoding: client.request[0..<end], as: UTF8.self)
  }

  private func write(_ descriptor: Int32, _ client: Client) {
    while client.sent < client.answer.count {
      switch UnixListener.write(descriptor, client.answer, from: client.sent) {
      case .bytes(let count): client.sent += count
      case .later: return watch(descriptor, writable: true)
      case .gone: return drop(descriptor)
      }
    }
    drop(descriptor)
  }

  private func drop(_ descriptor: Int32) {
    guard clients.removeValue(forKey: descriptor) != nil else { return }
    loop.unwatch(descriptor)
    UnixListener.end(descriptor)
  }
}
