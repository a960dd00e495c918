import CLinux
import Glibc

/// A UDP socket to one other side: the kernel drops what others send. Closed when it is dropped.
public final class DatagramSocket {
  private let socket: NetworkSocket
  private let isIPv6: Bool

  /// A socket to that port.
  public init(to address: NetworkAddress, port: UInt16) throws(NetworkFailure) {
    isIPv6 = address.isIPv6
    socket = try NetworkSocket(GODWIT_DATAGRAM, isIPv6: isIPv6)
    try socket.connect(to: address, port: port, until: 0)
  }

  /// Sends one packet.
  public func send(_ bytes: [UInt8]) throws(NetworkFailure) {
    try socket.send(bytes, until: SystemClock.monotonicNanoseconds + 1_000_000)
  }

  /// Waits for the next packet, of which at most `limit` bytes are kept.
  public func receive(_ limit: Int, until deadline: Int64) throws(NetworkFailure) -> [UInt8] {
    try socket.receive(limit, until: deadline)
  }

  /// An ICMP error that a router or the other side sent back.
  public struct Rejection: Sendable {
    /// Who sent it.
    public let origin: NetworkAddress
    /// Whether the packet was given up on its way because it passed as many routers as it may.
    public let isOnTheWay: Bool
    /// Whether it arrived where nobody listens at its port.
    public let isPortClosed: Bool
  }

  /// Has packets pass at most so many routers, and their errors kept for `rejection`: IP_TTL and IP_RECVERR of ip(7).
  public func limit(hops: Int) throws(NetworkFailure) {
    let result = godwit_network_trace(socket.descriptor, isIPv6 ? 1 : 0, Int32(clamping: hops))
    if result < 0 { throw .of("setsockopt", errno: -result) }
  }

  /// Waits for an ICMP error, or an answer (nil).
  public func rejection(until deadline: Int64) throws(NetworkFailure) -> Rejection? {
    while true {
      var error = godwit_network_error()
      let result = godwit_network_take_error(socket.descriptor, &error)
      if result == 0 {
        // Time exceeded and port unreachable: types of RFC 792 and RFC 4443.
        return Rejection(
          origin: NetworkAddress(error.origin), isOnTheWay: error.type == (isIPv6 ? 3 : 11),
          isPortClosed: isIPv6 ? error.type == 1 && error.code == 4 : error.type == 3 && error.code == 3)
      }
      guard result == -EAGAIN else { throw .of("recvmsg", errno: -result) }
      try socket.wait(.readable, until: deadline)
      // POLLERR comes with the error's place in the queue; a plain datagram is an answer.
      var byte: UInt8 = 0
      if recv(socket.descriptor, &byte, 1, 0) >= 0 { return nil }
    }
  }
}

/// A socket for ICMP echo requests to one address: icmp(7) where this process's group may, else a raw one where it has the right to.
public final class EchoSocket {
  /// Whether answers begin with an IPv4 header, and have the identifier that was sent.
  public let isRaw: Bool
  private let socket: NetworkSocket

  /// Opens it.
  ///
  /// - Throws: `barred` with the remedy when neither is allowed.
  public init(to address: NetworkAddress) throws(NetworkFailure) {
    let opened: (NetworkSocket, Bool)
    do throws(NetworkFailure) {
      opened = (try NetworkSocket(GODWIT_PING, isIPv6: address.isIPv6), false)
    } catch {
      do throws(NetworkFailure) {
        opened = (try NetworkSocket(GODWIT_RAW_PING, isIPv6: address.isIPv6), true)
      } catch {
        switch error {
        case .io(_, EPERM), .io(_, EACCES):
          throw .barred(
            "ICMP is not allowed: put this process's group into the sysctl net.ipv4.ping_group_range, or give it CAP_NET_RAW")
        default: throw error
        }
      }
    }
    (socket, isRaw) = opened
    try socket.connect(to: address, port: 0, until: 0)
  }

  /// Sends one packet.
  public func send(_ bytes: [UInt8]) throws(NetworkFailure) {
    try socket.send(bytes, until: SystemClock.monotonicNanoseconds + 1_000_000)
  }

  /// Waits for the next packet, of which at most `limit` bytes are kept.
  public func receive(_ limit: Int, until deadline: Int64) throws(NetworkFailure) -> [UInt8] {
    try socket.receive(limit, until: deadline)
  }
}
