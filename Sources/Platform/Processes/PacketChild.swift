import CLinux
import Glibc

/// A program of ours that is told things in packets, and tells some. Its standard input is the socket; it sees its end when this
/// process ends, however that happens.
///
/// Signals to it are blocked, those for the agent's whole service too: it ends itself.
public final class PacketChild {
  /// Its process id.
  public let process: Int32
  private var socket: Int32
  private var isReaped = false

  /// Starts a program; its errors go where this process's go.
  public init(path: String, arguments: [String]) throws(SubprocessFailure) {
    var ends: [Int32] = [-1, -1]
    let result = godwit_packet_sockets(&ends)
    guard result == 0 else { throw .io(call: "socketpair", errno: -result) }
    defer { close(ends[1]) }
    do throws(SubprocessFailure) {
      process = try ChildStart.start(path, arguments, .init(input: ends[1], error: STDERR_FILENO), blocksSignals: true)
    } catch {
      close(ends[0])
      throw error
    }
    socket = ends[0]
  }

  deinit { end() }

  /// Sends a packet, without waiting; false when there is no room, or nobody.
  public func send(_ packet: [UInt8]) -> Bool {
    Glibc.send(socket, packet, packet.count, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)) == packet.count
  }

  /// The next packet that it sent; nil when none waits.
  public func receive() -> [UInt8]? {
    var packet = [UInt8](repeating: 0, count: PlatformLimits.packetBytes)
    let count = recv(socket, &packet, packet.count, Int32(MSG_DONTWAIT))
    return count > 0 ? Array(packet[0..<count]) : nil
  }

  /// Whether it ended; asks the kernel without waiting.
  public var hasEnded: Bool {
    if isReaped { return true }
    var status: Int32 = 0
    isReaped = godwit_reap(process, &status) != 0
    return isReaped
  }

  /// Lets it see the end of the socket.
  public func end() {
    if socket >= 0 { close(socket) }
    socket = -1
  }
}

/// The other side: the program that was started so.
public enum PacketParent {
  /// What came.
  public enum Arrival: Sendable {
    case packet([UInt8])
    /// Nothing in time.
    case silence
    /// The process that started this one is gone, or wants no more.
    case end
  }

  /// Waits at most so long for the next packet; negative: until one comes.
  public static func receive(milliseconds: Int) -> Arrival { receive(from: STDIN_FILENO, milliseconds: milliseconds) }

  static func receive(from socket: Int32, milliseconds: Int) -> Arrival {
    let ready = Poll.wait([(socket, .readable)], milliseconds: milliseconds)
    guard ready.first?.isEmpty == false else { return .silence }
    var packet = [UInt8](repeating: 0, count: PlatformLimits.packetBytes)
    let count = recv(socket, &packet, packet.count, Int32(MSG_DONTWAIT))
    if count < 0, errno == EAGAIN || errno == EINTR { return .silence }
    return count > 0 ? .packet(Array(packet[0..<count])) : .end
  }

  /// Sends a packet if there is room for it.
  public static func send(_ packet: [UInt8]) {
    _ = Glibc.send(
      STDIN_FILENO, packet, packet.count, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL))
  }
}
