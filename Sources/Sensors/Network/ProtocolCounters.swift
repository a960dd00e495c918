import Platform
import Telemetry

/// `/proc/net/snmp`: for each protocol a line of column names, then one of values. Kernels add columns, so they are found by
/// name.
///
/// ```
/// Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens …
/// Tcp: 1 200 120000 -1 12 …
/// ```
struct ProtocolCounters {
  /// What is taken of it (RFC 4022 and RFC 4113 name the columns).
  enum Column: Int, CaseIterable {
    case activeOpens, passiveOpens, established, inSegments, outSegments, retransmitted
    case inDatagrams, noPort, outDatagrams, receiveBufferErrors

    fileprivate static let firstOfUDP = Column.inDatagrams.rawValue

    fileprivate var name: String {
      switch self {
      case .activeOpens: "ActiveOpens"
      case .passiveOpens: "PassiveOpens"
      case .established: "CurrEstab"
      case .inSegments: "InSegs"
      case .outSegments: "OutSegs"
      case .retransmitted: "RetransSegs"
      case .inDatagrams: "InDatagrams"
      case .noPort: "NoPorts"
      case .outDatagrams: "OutDatagrams"
      case .receiveBufferErrors: "RcvbufErrors"
      }
    }
  }

  private static let hashes = Column.allCases.map { keyHash($0.name) }

  private var values = [UInt64?](repeating: nil, count: Column.allCases.count)
  /// By position in the last line of names: which column, or −1.
  private var plan: [Int] = []

  init() {
    plan.reserveCapacity(32)
  }

  /// What the last parse found.
  subscript(column: Column) -> UInt64? { values[column.rawValue] }

  /// Takes the TCP and UDP lines; columns that are not there are nil.
  mutating func parse(_ text: inout ByteScanner) {
    for index in values.indices { values[index] = nil }
    plan.removeAll(keepingCapacity: true)
    while !text.isAtEnd {
      if text.skip("Tcp:") {
        parseLine(&text, 0..<Column.firstOfUDP)
      } else if text.skip("Udp:") {
        parseLine(&text, Column.firstOfUDP..<Column.allCases.count)
      }
      text.skipLine()
    }
  }

  private mutating func parseLine(_ text: inout ByteScanner, _ columns: Range<Int>) {
    text.skipBlanks()
    guard let first = text.next else { return }
    if first >= 0x41 {
      plan.removeAll(keepingCapacity: true)
      while !text.isAtLineEnd {
        let hash = text.keyHash()
        plan.append(columns.first { Self.hashes[$0] == hash } ?? -1)
        _ = text.skip { $0 == 0x20 || $0 == 0x0A }
        text.skipBlanks()
      }
      return
    }
    for column in plan {
      // MaxConn is −1 where there is no limit.
      guard let value = text.signed() else { break }
      if column >= 0 { values[column] = UInt64(exactly: value) }
    }
    plan.removeAll(keepingCapacity: true)
  }
}

/// `/proc/net/sockstat`: what the sockets of all families hold.
struct SocketStatistics: Equatable {
  /// Sockets of every kind.
  var used: UInt64?
  /// TCP sockets no process holds any more.
  var tcpOrphans: UInt64?
  /// TCP sockets in TIME_WAIT.
  var tcpTimeWait: UInt64?
  /// Pages of TCP buffers.
  var tcpPages: UInt64?
  /// Pages of UDP buffers.
  var udpPages: UInt64?

  private static let orphan = keyHash("orphan")
  private static let timeWait = keyHash("tw")
  private static let memory = keyHash("mem")
  private static let usedKey = keyHash("used")

  /// Takes the lines `sockets:`, `TCP:` and `UDP:` (the counts in use there are of IPv4 only and left out).
  static func parse(_ text: inout ByteScanner) -> SocketStatistics {
    var found = SocketStatistics()
    while !text.isAtEnd {
      let ofTCP = text.skip("TCP:")
      let ofUDP = !ofTCP && text.skip("UDP:")
      if ofTCP || ofUDP || text.skip("sockets:") {
        while !text.isAtLineEnd {
          text.skipBlanks()
          let key = text.keyHash()
          _ = text.skip { $0 == 0x20 || $0 == 0x0A }
          guard let value = text.unsigned() else { break }
          if key == memory {
            if ofTCP { found.tcpPages = value } else { found.udpPages = value }
          } else if key == orphan {
            found.tcpOrphans = value
          } else if key == timeWait {
            found.tcpTimeWait = value
          } else if key == usedKey {
            found.used = value
          }
        }
      }
      text.skipLine()
    }
    return found
  }
}

/// `/proc/net/tcp` and `/proc/net/tcp6`: one line a socket, its state in hexadecimal in the fourth column
/// (include/net/tcp_states.h).
enum TCPStates {
  /// By number, from 1.
  static let names = [
    "established", "syn_sent", "syn_recv", "fin_wait1", "fin_wait2", "time_wait", "close", "close_wait", "last_ack", "listen",
    "closing",
  ]

  /// Adds the sockets of a file to the counts by state.
  ///
  /// - Throws: `malformed` with `path` at a line that has no state.
  static func count(_ text: inout ByteScanner, path: String, into counts: inout [Int]) throws(SensorError) {
    text.skipLine()
    while !text.isAtEnd {
      for _ in 0..<3 {
        text.skipBlanks()
        _ = text.skip { $0 == 0x20 || $0 == 0x0A }
      }
      text.skipBlanks()
      guard let state = text.hexadecimal() else {
        throw .malformed(path: path, what: "a line without a state in its fourth column")
      }
      // 12 is a request that has not become a socket; the file shows it as syn_recv, but be safe.
      if state >= 1, state <= UInt64(counts.count) { counts[Int(state) - 1] += 1 }
      text.skipLine()
    }
  }
}
