import Telemetry

/// The metrics of TCP and UDP sockets.
enum ConnectionMetrics {
  private static func metric(
    _ name: String, _ unit: Unit, decimals: Int = 0, labels: [String] = [], _ help: String
  ) -> Metric {
    Metric("connections.\(name)", unit: unit, decimals: decimals, labels: labels, help: help)
  }

  static let tcpSockets = metric("tcp_sockets", .none, labels: ["state"], "TCP sockets by state, IPv4 and IPv6.")
  static let udpSockets = metric("udp_sockets", .none, labels: ["family"], "UDP sockets of IPv4 and of IPv6.")
  static let roundTripMedian = metric(
    "round_trip_p50_milliseconds", .milliseconds, decimals: 3,
    "Round-trip time, smoothed by TCP: half of the established connections have less.")
  static let roundTripHigh = metric("round_trip_p95_milliseconds", .milliseconds, decimals: 3, "The same of 95% of them.")
  static let unacknowledged = metric("unacknowledged_segments", .none, "TCP segments sent and not acknowledged yet.")
  static let lost = metric("lost_segments", .none, "Those of them that TCP holds for lost.")
  static let retransmits = metric("retransmits_per_second", .perSecond, decimals: 2, "TCP segments sent again.")
  static let received = metric(
    "receive_bytes_per_second", .bytesPerSecond,
    "Payload received by TCP; connections that ended in between count as far as last seen.")
  static let sent = metric(
    "transmit_bytes_per_second", .bytesPerSecond, "Payload sent by TCP and acknowledged, counted in the same way.")
  static let receiveQueue = metric("receive_queue_bytes", .bytes, "Bytes received by TCP that programs have not read yet.")
  static let sendQueue = metric("transmit_queue_bytes", .bytes, "Bytes in TCP that are not acknowledged or not sent yet.")
  static let acceptQueue = metric(
    "accept_queue_usage_percent", .percent, decimals: 1,
    "How full the fullest queue of connections is that a program has not accepted yet."
  )
  static let drops = metric("udp_drops_per_second", .perSecond, decimals: 2, "Datagrams that UDP sockets had no room for.")
  static let listening = metric(
    "listening", .none, labels: ["port"], "Sockets that others can reach at a port, `22/tcp`; 0 where nobody listens any more.")
  static let unexpectedListeners = metric(
    "unexpected_listeners", .none, "Ports with listeners that expected_ports does not name.")
  static let unexpectedListener = metric(
    "unexpected_listener", .none, labels: ["port"],
    "1 while somebody listens at a port that expected_ports does not name, else 0.")
  static let processSockets = metric(
    "process_sockets", .none, labels: ["process"], "TCP and UDP sockets of processes of one name.")
  static let processReceived = metric(
    "process_receive_bytes_per_second", .bytesPerSecond, labels: ["process"], "Payload they received by TCP.")
  static let processSent = metric(
    "process_transmit_bytes_per_second", .bytesPerSecond, labels: ["process"], "Payload they sent by TCP.")

  /// What settings leave of them.
  static func bounds(_ settings: Settings) -> [MetricBound] {
    var bounds: [MetricBound] = [
      .label("state", of: [tcpSockets], is: TCPStates.names),
      .label("family", of: [udpSockets], is: InternetSocket.Family.allCases.map(\.name)),
      .label(
        "port", of: [listening, unexpectedListener], is: ["*/tcp", "*/udp", "other"],
        remedy: "write a port with its transport: '22/tcp'"),
    ]
    if settings.list("expected_ports").isEmpty {
      bounds.append(
        .off(
          [unexpectedListeners, unexpectedListener], why: "'expected_ports' names none", remedy: "name those that may listen"))
    }
    if !settings.bool("processes") {
      bounds.append(
        .off([processSockets, processReceived, processSent], why: "'processes' is false", remedy: "write 'processes: true'"))
    }
    return bounds
  }

  static let all = [
    tcpSockets, udpSockets, roundTripMedian, roundTripHigh, unacknowledged, lost, retransmits, received, sent, receiveQueue,
    sendQueue, acceptQueue, drops, listening, unexpectedListeners, unexpectedListener, processSockets, processReceived,
    processSent,
  ]
}
