import Telemetry

/// What one look at all sockets adds up to.
struct ConnectionTally {
  /// The most sockets whose bytes are compared with those of the last look.
  static let compared = 65_536

  /// What a socket has counted since it was made.
  struct Counts: Equatable {
    var received: UInt64 = 0
    var sent: UInt64 = 0
    var retransmits: UInt64 = 0
    var drops: UInt64 = 0

    /// The growth; a counter that fell gives none.
    func since(_ earlier: Counts) -> Counts {
      func growth(_ now: UInt64, _ before: UInt64) -> UInt64 { now >= before ? now - before : 0 }
      return Counts(
        received: growth(received, earlier.received), sent: growth(sent, earlier.sent),
        retransmits: growth(retransmits, earlier.retransmits), drops: growth(drops, earlier.drops))
    }

    mutating func add(_ more: Counts) {
      received = Self.sum(received, more.received)
      sent = Self.sum(sent, more.sent)
      retransmits = Self.sum(retransmits, more.retransmits)
      drops = Self.sum(drops, more.drops)
    }

    /// In both directions.
    var bytes: UInt64 { Self.sum(received, sent) }

    private static func sum(_ left: UInt64, _ right: UInt64) -> UInt64 {
      let (sum, tooLarge) = left.addingReportingOverflow(right)
      return tooLarge ? .max : sum
    }
  }

  /// By number, from 1, as `TCPStates.names`.
  private(set) var states = [Int](repeating: 0, count: TCPStates.names.count)
  private(set) var udp: [InternetSocket.Family: Int] = [:]
  private(set) var unacknowledged: UInt64 = 0
  private(set) var lost: UInt64 = 0
  private(set) var receiveQueue: UInt64 = 0
  private(set) var sendQueue: UInt64 = 0
  /// How full the fullest queue of connections that nobody accepted is, percent; nil when nobody listens.
  private(set) var acceptQueue: Double?
  /// Of all that were there at the last look, or began since.
  private(set) var growth = Counts()
  /// Whether bytes were told: by TCP of Linux 4.1 and later.
  private(set) var hasBytes = false
  private(set) var counts: [UInt64: Counts] = [:]
  private var roundTrips: [UInt32] = []

  private let earlier: [UInt64: Counts]
  private let withLocal: Bool

  /// - Parameters:
  ///   - earlier: `counts` of the last look.
  ///   - withLocal: whether connections of the machine with itself count in round trips, bytes and losses.
  init(earlier: [UInt64: Counts], withLocal: Bool) {
    self.earlier = earlier
    self.withLocal = withLocal
    counts.reserveCapacity(earlier.count)
  }

  /// Adds a TCP socket; its growth since the last look.
  mutating func add(tcp socket: InternetSocket) -> Counts {
    guard socket.state >= 1, Int(socket.state) <= states.count else { return Counts() }
    states[Int(socket.state) - 1] += 1
    if socket.state == InternetSocket.State.listen {
      // For these the queues are connections: waiting, and room for.
      if socket.sendQueue > 0 {
        acceptQueue = max(acceptQueue ?? 0, min(Double(socket.receiveQueue) / Double(socket.sendQueue) * 100, 100))
      }
      return Counts()
    }
    guard withLocal || !socket.isLocal else { return Counts() }
    receiveQueue += UInt64(socket.receiveQueue)
    sendQueue += UInt64(socket.sendQueue)
    guard let figures = socket.figures else { return Counts() }
    unacknowledged += UInt64(figures.unacknowledged)
    lost += UInt64(figures.lost)
    if socket.state == InternetSocket.State.established, figures.roundTripMicroseconds > 0 {
      roundTrips.append(figures.roundTripMicroseconds)
    }
    if figures.bytesReceived != nil { hasBytes = true }
    return grow(
      socket.cookie,
      Counts(
        received: figures.bytesReceived ?? 0, sent: figures.bytesAcknowledged ?? 0, retransmits: UInt64(figures.retransmits)))
  }

  /// Adds a UDP socket.
  mutating func add(udp socket: InternetSocket, _ family: InternetSocket.Family) {
    udp[family, default: 0] += 1
    if let drops = socket.drops { _ = grow(socket.cookie, Counts(drops: UInt64(drops))) }
  }

  private mutating func grow(_ cookie: UInt64, _ now: Counts) -> Counts {
    guard counts.count < Self.compared else { return Counts() }
    counts[cookie] = now
    let change = now.since(earlier[cookie] ?? Counts())
    growth.add(change)
    return change
  }

  /// The round-trip time that a share of the established connections does not exceed, milliseconds; nil without any.
  mutating func roundTrip(percentiles: [Int]) -> [Double?] {
    roundTrips.sort()
    return percentiles.map { percentile in
      guard !roundTrips.isEmpty else { return nil }
      // The nearest rank.
      let rank = (roundTrips.count * percentile + 99) / 100
      return Double(roundTrips[max(rank, 1) - 1]) / 1_000
    }
  }
}
