import Platform
public import Telemetry

/// TCP and UDP sockets: how many in which state, how they fare, who listens, who talks.
///
/// In the slow lane: with thousands of sockets the kernel takes milliseconds to tell of them all.
public struct ConnectionsSensor: Sensor {
  /// The catalogue entry.
  public static let kind = SensorKind(
    name: "connections", summary: "TCP and UDP sockets: states, round trips, losses, bytes, listening ports, by process.",
    sources: [
      "sock_diag(7): INET_DIAG_INFO, INET_DIAG_SKMEMINFO (include/uapi/linux/inet_diag.h, include/uapi/linux/tcp.h)",
      "/proc/*/fd, /proc/*/comm with `processes` (proc_pid_fd(5))",
      "/proc/sys/net/ipv4/ip_local_port_range (Documentation/networking/ip-sysctl.rst)",
    ],
    lane: .slow, everySeconds: 30,
    settings: [
      SettingSpec(
        "expected_ports", .texts, default: "",
        help: "Ports that others may reach, `22` or `5353/udp`: each listener elsewhere is unexpected. Empty: none is."),
      SettingSpec("ports", .integer(1...200), default: "32", help: "How many other ports get series; more are 'other'."),
      SettingSpec(
        "local", .bool, default: "false",
        help: "Count connections of the machine with itself, and who listens to it only, in all but the numbers of sockets."),
      SettingSpec(
        "processes", .bool, default: "false",
        help: "Report sockets and bytes by process; those of other users need CAP_SYS_PTRACE and are 'unknown' without."),
      SettingSpec(
        "top", .integer(1...50), default: "5",
        help: "How many names get series for moving most bytes, and how many for having most sockets, at a time."),
      SettingSpec(
        "names", .integer(1...200), default: "32",
        help: "How many names get series while the agent runs; later ones, and those that were never at the top, are 'other'."),
    ],
    metrics: ConnectionMetrics.all, check: ListeningPorts.check, bounds: ConnectionMetrics.bounds)

  /// What all processes of one name have.
  private struct Use {
    var sockets = 0
    var growth = ConnectionTally.Counts()
  }

  /// Whose process may not be looked at.
  private static let unknown = "unknown"

  private let calls: any HostCalls
  private let withLocal, withProcesses: Bool
  private let top, nameLimit: Int
  private var ports: ListeningPorts
  private var owners: SocketOwners
  private var names: Set<String> = []
  /// All that have series: names, `unknown` and `other`.
  private var told: Set<String> = []
  private var counts: [UInt64: ConnectionTally.Counts] = [:]
  private var lookedAt: Int64?

  /// Asks once, to know whether this kernel answers.
  public init(context: SensorContext, settings: Settings, readings: inout Readings) throws(SensorError) {
    calls = context.host.calls
    withLocal = settings.bool("local")
    withProcesses = settings.bool("processes")
    top = settings.integer("top")
    nameLimit = settings.integer("names")
    owners = SocketOwners(host: context.host)
    ports = ListeningPorts(settings, host: context.host)
    try calls.netlink(InternetSocket.request(.tcp, .ipv4, withFigures: false)) { (_) throws(SensorError) in }
  }

  /// Looks at all sockets.
  public mutating func sample(into readings: inout Readings) throws(SensorError) {
    var tally = ConnectionTally(earlier: counts, withLocal: withLocal)
    var held: [(inode: UInt32, growth: ConnectionTally.Counts)] = []
    ports.begin()
    for family in InternetSocket.Family.allCases {
      try ask(.tcp, family) { socket in
        let growth = tally.add(tcp: socket)
        ports.add(socket, .tcp)
        if withProcesses, socket.inode != 0 { held.append((socket.inode, growth)) }
      }
      try ask(.udp, family) { socket in
        tally.add(udp: socket, family)
        ports.add(socket, .udp)
        if withProcesses, socket.inode != 0 { held.append((socket.inode, ConnectionTally.Counts())) }
      }
    }
    let seconds = lookedAt.flatMap { readings.nanoseconds > $0 ? Double(readings.nanoseconds - $0) / 1e9 : nil }
    lookedAt = readings.nanoseconds
    counts = tally.counts
    report(&tally, seconds, into: &readings)
    ports.report(into: &readings)
    if withProcesses { report(held, seconds, hasBytes: tally.hasBytes, into: &readings) }
  }

  /// A kernel without IPv6 or without one of the modules has none of these.
  private func ask(
    _ transport: InternetSocket.Transport, _ family: InternetSocket.Family, _ body: (InternetSocket) -> Void
  ) throws(SensorError) {
    do throws(SensorError) {
      try calls.netlink(InternetSocket.request(transport, family, withFigures: true)) { (content) throws(SensorError) in
        guard let socket = InternetSocket(content) else {
          throw .malformed(path: "netlink sock_diag.\(transport.name).\(family.name)", what: "a socket is cut")
        }
        body(socket)
      }
    } catch {
      if case .absent = error, transport != .tcp || family != .ipv4 { return }
      throw error
    }
  }

  private func report(_ tally: inout ConnectionTally, _ seconds: Double?, into readings: inout Readings) {
    func set(_ metric: Metric, _ value: Double?) {
      guard let value else { return }
      readings.set(readings.slot(metric), value)
    }
    for (state, count) in zip(TCPStates.names, tally.states) {
      readings.set(readings.slot(ConnectionMetrics.tcpSockets, [Label("state", state)]), Double(count))
    }
    for (family, count) in tally.udp {
      readings.set(readings.slot(ConnectionMetrics.udpSockets, [Label("family", family.name)]), Double(count))
    }
    let roundTrips = tally.roundTrip(percentiles: [50, 95])
    set(ConnectionMetrics.roundTripMedian, roundTrips[0])
    set(ConnectionMetrics.roundTripHigh, roundTrips[1])
    set(ConnectionMetrics.unacknowledged, Double(tally.unacknowledged))
    set(ConnectionMetrics.lost, Double(tally.lost))
    set(ConnectionMetrics.receiveQueue, Double(tally.receiveQueue))
    set(ConnectionMetrics.sendQueue, Double(tally.sendQueue))
    set(ConnectionMetrics.acceptQueue, tally.acceptQueue)
    guard let seconds else { return }
    set(ConnectionMetrics.retransmits, Double(tally.growth.retransmits) / seconds)
    set(ConnectionMetrics.drops, Double(tally.growth.drops) / seconds)
    guard tally.hasBytes else { return }
    set(ConnectionMetrics.received, Double(tally.growth.received) / seconds)
    set(ConnectionMetrics.sent, Double(tally.growth.sent) / seconds)
  }

  private mutating func report(
    _ held: [(inode: UInt32, growth: ConnectionTally.Counts)], _ seconds: Double?, hasBytes: Bool, into readings: inout Readings
  ) {
    owners.learn(Set(held.map(\.inode)))
    var uses: [String: Use] = [:]
    for (inode, growth) in held {
      let name = owners[inode] ?? Self.unknown
      uses[name, default: Use()].sockets += 1
      uses[name]?.growth.add(growth)
    }
    name(uses)
    var shown: [String: Use] = [:]
    for (name, use) in uses {
      let key = name == Self.unknown || names.contains(name) ? name : "other"
      shown[key, default: Use()].sockets += use.sockets
      shown[key]?.growth.add(use.growth)
    }
    // What has no socket any more has none, rather than no value: an alert on it would not end.
    for name in told where shown[name] == nil { shown[name] = Use() }
    told.formUnion(shown.keys)
    for (name, use) in shown {
      let label = [Label("process", name)]
      readings.set(readings.slot(ConnectionMetrics.processSockets, label), Double(use.sockets))
      guard let seconds, hasBytes else { continue }
      readings.set(readings.slot(ConnectionMetrics.processReceived, label), Double(use.growth.received) / seconds)
      readings.set(readings.slot(ConnectionMetrics.processSent, label), Double(use.growth.sent) / seconds)
    }
  }

  /// Gives series to the names at the top of all, those that move most bytes first, while there are names left.
  private mutating func name(_ uses: [String: Use]) {
    let all = uses.filter { $0.key != Self.unknown }
    let busiest = all.filter { $0.value.growth.bytes > 0 }.sorted {
      ($1.value.growth.bytes, $0.key) < ($0.value.growth.bytes, $1.key)
    }
    let largest = all.sorted { ($1.value.sockets, $0.key) < ($0.value.sockets, $1.key) }
    for (name, _) in busiest.prefix(top) + largest.prefix(top) where names.count < nameLimit { names.insert(name) }
  }
}
