import CLinux
import Glibc
public import Telemetry

/// A program that this one started and talks with over a socket at the program's standard input. It lives as long as this value at most.
///
/// Its output and errors lead nowhere; of the environment it gets what it is given. Used by one thread.
public final class AttachedProgram {
  /// How it ended, for people.
  public enum End: Hashable, Sendable, CustomStringConvertible {
    /// A signal ended it: its number.
    case signal(Int32)
    /// It ended by itself, with a status.
    case exit(Int32)

    /// `ended by signal 11`.
    public var description: String {
      switch self {
      case .signal(let number): "ended by signal \(number)"
      case .exit(let status): "ended with status \(status)"
      }
    }
  }

  /// Its process id.
  public let pid: Int32
  private let channel: Int32
  private var received: [UInt8] = []
  private var end: End?

  /// Starts it.
  ///
  /// - Throws: `device` when it cannot be started.
  public init(_ path: String, _ arguments: [String], environment: [String] = []) throws(SensorError) {
    var ends: [Int32] = [-1, -1]
    let result = godwit_stream_sockets(&ends)
    guard result == 0 else { throw .io(path: "socketpair", errno: -result) }
    defer { close(ends[1]) }
    do throws(SubprocessFailure) {
      pid = try ChildStart.start(path, arguments, .init(input: ends[1]), environment: environment)
    } catch {
      close(ends[0])
      throw .device(path, what: "\(error)")
    }
    channel = ends[0]
  }

  deinit {
    kill()
    close(channel)
  }

  /// Ends it and all it started, at once. One that hangs in the kernel stays until the kernel lets it go.
  public func kill() {
    guard end == nil else { return }
    Glibc.kill(-pid, SIGKILL)
    Glibc.kill(pid, SIGKILL)
    _ = awaitedEnd()
  }

  /// How it ended, when it is known to be ending: a matter of microseconds, unless it hangs in the kernel; then nil.
  public func awaitedEnd() -> End? {
    for _ in 0..<PlatformLimits.reapTries {
      if let end = reaped() { return end }
      Thread.sleep(milliseconds: 1)
    }
    return nil
  }

  /// Whether a program that was killed, and whose value is gone, ended meanwhile.
  public static func isGone(_ pid: Int32) -> Bool {
    var status: Int32 = 0
    return godwit_reap(pid, &status) != 0
  }

  /// How it ended; nil while it runs.
  public func reaped() -> End? {
    if let end { return end }
    var status: Int32 = 0
    let result = godwit_reap(pid, &status)
    guard result != 0 else { return nil }
    let signal = godwit_ending_signal(status)
    // Were it nobody's child any more, its end is over anyway.
    end = signal != 0 ? .signal(signal) : .exit(result > 0 ? godwit_exit_status(status) : 0)
    return end
  }

  /// Sends a request and waits for the answer, up to and with the line `last`; what follows it is not expected and dropped.
  ///
  /// - Throws: `timedOut` past the deadline, `absent` when it hung up, `malformed` when the answer is longer than `limit` bytes.
  public func ask(
    _ request: [UInt8], last: [UInt8], timeoutMilliseconds: Int, limit: Int
  ) throws(SensorError) -> [UInt8] {
    let deadline = SystemClock.bootMilliseconds + Int64(timeoutMilliseconds)
    try send(request, until: deadline)
    received.removeAll(keepingCapacity: true)
    var piece = [UInt8](repeating: 0, count: 16_384)
    while !endsWith(last) {
      try wait(.readable, until: deadline)
      let count = recv(channel, &piece, piece.count, Int32(MSG_DONTWAIT))
      if count == 0 { throw .absent("its end of the socket is closed") }
      if count < 0 {
        if errno == EAGAIN || errno == EINTR { continue }
        if errno == ECONNRESET { throw .absent("its end of the socket is closed") }
        throw .io(path: "socket", errno: errno)
      }
      received += piece[0..<count]
      guard received.count <= limit else { throw .malformed(path: "socket", what: "the answer is longer than \(limit) bytes") }
    }
    return received
  }

  private func endsWith(_ last: [UInt8]) -> Bool {
    guard received.count >= last.count, received.suffix(last.count).elementsEqual(last) else { return false }
    return received.count == last.count || received[received.count - last.count - 1] == UInt8(ascii: "\n")
  }

  private func send(_ request: [UInt8], until deadline: Int64) throws(SensorError) {
    var sent = 0
    while sent < request.count {
      try wait(.writable, until: deadline)
      let count = Glibc.send(channel, Array(request[sent...]), request.count - sent, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL))
      if count > 0 {
        sent += count
      } else if errno == EPIPE || errno == ECONNRESET {
        throw .absent("its end of the socket is closed")
      } else if errno != EAGAIN && errno != EINTR {
        throw .io(path: "socket", errno: errno)
      }
    }
  }

  private func wait(_ interest: Poll.Ready, until deadline: Int64) throws(SensorError) {
    while true {
      let left = deadline - SystemClock.bootMilliseconds
      guard left > 0 else { throw .timedOut }
      let ready = Poll.wait([(channel, interest)], milliseconds: Int(left))
      if let first = ready.first, !first.isEmpty { return }
    }
  }
}

/// What a program that calls foreign code does to itself first.
public enum Confinement {
  /// It is killed when the thread that started it ends, leaves no core, yields to others, is the first to go when memory runs out, and
  /// holds no descriptor besides the standard three.
  public static func confine() { _ = godwit_confine_self() }
}
