import Platform
import Telemetry

/// A TCP or UDP socket as sock_diag(7) tells it: struct inet_diag_msg of include/uapi/linux/inet_diag.h, addresses and ports in network
/// order, and attributes after it.
///
/// ```
///  0      1     2     3       4      6      8      24     40        44     52      56      60      64  68    72
/// ┌──────┬─────┬─────┬───────┬──────┬──────┬──────┬──────┬─────────┬──────┬───────┬───────┬───────┬───┬─────┬──────────┐
/// │family│state│timer│retrans│source│ dest.│source│ dest.│interface│cookie│expires│receive│ send  │uid│inode│attributes│
/// │      │     │     │       │ port │ port │ addr.│ addr.│         │      │       │ queue │ queue │   │     │          │
/// └──────┴─────┴─────┴───────┴──────┴──────┴──────┴──────┴─────────┴──────┴───────┴───────┴───────┴───┴─────┴──────────┘
/// ```
struct InternetSocket {
  /// include/net/tcp_states.h; UDP has `established` and, without a peer, `close`.
  enum State {
    static let established: UInt8 = 1
    static let close: UInt8 = 7
    static let listen: UInt8 = 10
    /// All that are told: 1 to 11.
    static let all: UInt32 = 0xFFE
  }

  enum Transport: UInt8 {
    case tcp = 6
    case udp = 17

    var name: String { self == .tcp ? "tcp" : "udp" }
  }

  enum Family: UInt8, CaseIterable {
    case ipv4 = 2
    case ipv6 = 10

    var name: String { self == .ipv4 ? "ipv4" : "ipv6" }
  }

  /// Parts of struct tcp_info (include/uapi/linux/tcp.h), which grows with the kernel.
  struct TCPFigures: Equatable {
    var unacknowledged, lost: UInt32
    var roundTripMicroseconds: UInt32
    var retransmits: UInt32
    /// Since Linux 4.1.
    var bytesAcknowledged, bytesReceived: UInt64?
  }

  let state: UInt8
  let port: UInt16
  /// Whether it talks to its own machine, or listens to that only.
  let isLocal: Bool
  /// What no other socket has since the machine was started.
  let cookie: UInt64
  let receiveQueue, sendQueue: UInt32
  /// 0 when no process holds it.
  let inode: UInt32
  var figures: TCPFigures?
  /// Datagrams dropped since it was made: SK_MEMINFO_DROPS.
  var drops: UInt32?

  /// Takes the body of a message; nil when it is shorter than its fixed part.
  init?(_ content: NetlinkBytes) {
    guard let family = content.byte().flatMap(Family.init), let state = content.byte(at: 1), let port = content.port(at: 4),
      let cookieLow = content.unsigned32(at: 44), let cookieHigh = content.unsigned32(at: 48),
      let receiveQueue = content.unsigned32(at: 56), let sendQueue = content.unsigned32(at: 60),
      let inode = content.unsigned32(at: 68)
    else { return nil }
    (self.state, self.port, self.receiveQueue, self.sendQueue, self.inode) = (state, port, receiveQueue, sendQueue, inode)
    cookie = UInt64(cookieHigh) << 32 | UInt64(cookieLow)
    isLocal = Self.isLocal(content, family, isListening: state == State.listen || state == State.close)
    for (type, value) in content.attributes(from: 72) {
      // INET_DIAG_INFO and INET_DIAG_SKMEMINFO.
      if type == 2 { figures = TCPFigures(value) }
      if type == 7 { drops = value.unsigned32(at: 32) }
    }
  }

  /// 127.0.0.0/8, ::1 and ::ffff:127.0.0.0/104, or the same address on both sides.
  private static func isLocal(_ content: NetlinkBytes, _ family: Family, isListening: Bool) -> Bool {
    guard let high = content.unsigned64(at: 8), let low = content.unsigned64(at: 16) else { return false }
    switch family {
    case .ipv4:
      if content.byte(at: 8) == 127 { return true }
      return !isListening && content.unsigned32(at: 8) == content.unsigned32(at: 24)
    case .ipv6:
      let last = UInt64(bigEndian: low)
      if high == 0, last == 1 || last >> 24 == 0xFFFF_7F { return true }
      return !isListening && high == content.unsigned64(at: 24) && low == content.unsigned64(at: 32)
    }
  }

  /// All sockets of a transport and family. With `withFigures` TCP tells its figures and UDP its drops.
  static func request(_ transport: Transport, _ family: Family, withFigures: Bool) -> NetlinkRequest {
    // struct inet_diag_req_v2: family, protocol, extensions as bits counted from 1, padding, states, an empty struct inet_diag_sockid.
    let extensions: UInt8 = !withFigures ? 0 : transport == .tcp ? 1 << 1 : 1 << 6
    let body =
      [family.rawValue, transport.rawValue, extensions, 0] + NetlinkRequest.bytes(State.all) + [UInt8](repeating: 0, count: 48)
    // SOCK_DIAG_BY_FAMILY
    return NetlinkRequest(
      "sock_diag.\(transport.name).\(family.name)", family: .socketDiagnostics, type: 20, isDump: true, body: body)
  }
}

extension InternetSocket.TCPFigures {
  init?(_ value: NetlinkBytes) {
    guard let unacknowledged = value.unsigned32(at: 24), let lost = value.unsigned32(at: 32),
      let roundTrip = value.unsigned32(at: 68), let retransmits = value.unsigned32(at: 100)
    else { return nil }
    (self.unacknowledged, self.lost, self.retransmits) = (unacknowledged, lost, retransmits)
    roundTripMicroseconds = roundTrip
    bytesAcknowledged = value.unsigned64(at: 120)
    bytesReceived = value.unsigned64(at: 128)
  }
}
