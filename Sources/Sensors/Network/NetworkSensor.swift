import Platform
public import Telemetry

/// Traffic, errors and state of every interface; TCP and UDP in total.
public struct NetworkSensor: Sensor {
  private static let activeOpens = Metric(
    "network.tcp_active_opens_per_second", unit: .perSecond, decimals: 1, help: "TCP connections opened from here.")
  private static let passiveOpens = Metric(
    "network.tcp_passive_opens_per_second", unit: .perSecond, decimals: 1, help: "TCP connections accepted.")
  private static let established = Metric(
    "network.tcp_established", unit: .none, help: "TCP connections in ESTABLISHED or CLOSE_WAIT, IPv4 and IPv6.")
  private static let inSegments = Metric(
    "network.tcp_in_segments_per_second", unit: .perSecond, decimals: 1, help: "TCP segments received.")
  private static let outSegments = Metric(
    "network.tcp_out_segments_per_second", unit: .perSecond, decimals: 1, help: "TCP segments sent, without those repeated.")
  private static let retransmits = Metric(
    "network.tcp_retransmits_per_second", unit: .perSecond, decimals: 2, help: "TCP segments sent again.")
  private static let inDatagrams = Metric(
    "network.udp_in_datagrams_per_second", unit: .perSecond, decimals: 1, help: "UDP datagrams delivered, IPv4.")
  private static let noPort = Metric(
    "network.udp_no_port_per_second", unit: .perSecond, decimals: 2, help: "UDP datagrams to a port where nobody listens, IPv4.")
  private static let outDatagrams = Metric(
    "network.udp_out_datagrams_per_second", unit: .perSecond, decimals: 1, help: "UDP datagrams sent, IPv4.")
  private static let receiveBufferErrors = Metric(
    "network.udp_receive_buffer_errors_per_second", unit: .perSecond, decimals: 2,
    help: "UDP datagrams lost because the receiver did not read in time, IPv4.")
  private static let socketsUsed = Metric("network.sockets_used", unit: .none, help: "Sockets of all kinds.")
  private static let orphans = Metric("network.tcp_orphans", unit: .none, help: "TCP sockets that no process holds any more.")
  private static let timeWait = Metric("network.tcp_time_wait", unit: .none, help: "TCP sockets in TIME_WAIT.")
  private static let tcpMemory = Metric("network.tcp_memory_bytes", unit: .bytes, help: "Memory in TCP buffers.")
  private static let udpMemory = Metric("network.udp_memory_bytes", unit: .bytes, help: "Memory in UDP buffers.")
  private static let sockets = Metric(
    "network.tcp_sockets", unit: .none, labels: ["state"],
    help: "TCP sockets by state, IPv4 and IPv6, counted every socket_states_every and repeated in between.")

  /// The rates of `/proc/net/snmp`; `established` is a level.
  private static let rates: [(column: ProtocolCounters.Column, metric: Metric)] = [
    (.activeOpens, activeOpens), (.passiveOpens, passiveOpens), (.inSegments, inSegments), (.outSegments, outSegments),
    (.retransmitted, retransmits), (.inDatagrams, inDatagrams), (.noPort, noPort), (.outDatagrams, outDatagrams),
    (.receiveBufferErrors, receiveBufferErrors),
  ]

  /// Bytes read of /proc/net/tcp and tcp6 each: some 7000 sockets, as many milliseconds.
  private static let socketTableBytes = 1 << 20

  /// The catalogue entry.
  public static let kind = SensorKind(
    name: "network", summary: "Traffic, errors, speed and state of each interface; TCP and UDP in total.",
    sources: [
      "/proc/net/dev (proc_pid_net(5))",
      "/sys/class/net/*/{operstate,carrier,carrier_changes,speed} (Documentation/ABI/testing/sysfs-class-net)",
      "/proc/net/snmp (RFC 4022, RFC 4113)", "/proc/net/sockstat",
      "/proc/net/tcp, /proc/net/tcp6 (Documentation/networking/proc_net_tcp.rst)",
    ],
    settings: [
      SettingSpec(
        "include_interfaces", .patterns, default: "",
        help: "When given, these interfaces are reported, whatever exclude_interfaces says, and no others."),
      SettingSpec(
        "exclude_interfaces", .patterns, default: "lo,veth*,docker*,br-*,virbr*,cni*,cali*,flannel*,ifb*,dummy*",
        help:
          "Interfaces left out; by default loopback and what containers make, whose traffic a real interface counts too."
      ),
      SettingSpec(
        "socket_states_every", .duration(0...86_400_000), default: "5m",
        help: "How often the TCP sockets are counted by state, which costs about a microsecond a socket; 0 turns it off."),
    ],
    metrics: NetworkInterface.metrics + rates.map(\.metric) + [
      established, socketsUsed, orphans, timeWait, tcpMemory, udpMemory, sockets,
    ],
    bounds: { settings in
      [
        .filtered(
          "interface", of: NetworkInterface.metrics, by: settings, include: "include_interfaces", exclude: "exclude_interfaces"),
        settings.milliseconds("socket_states_every") > 0
          ? .label("state", of: [sockets], is: TCPStates.names)
          : .off([sockets], why: "'socket_states_every' is 0", remedy: "write 'socket_states_every: 5m'"),
      ]
    })

  private struct Slots {
    let established, socketsUsed, orphans, timeWait, tcpMemory, udpMemory: Slot
    let rates, states: [Slot]
  }

  private let host: Host
  private let filter: NameFilter
  private let stateNanoseconds: Int64
  private let pageBytes: Double
  private let dev, snmp, sockstat: HostFile
  private let slots: Slots
  private var interfaces = InstanceTable<NetworkInterface>()
  private var protocols = ProtocolCounters()
  private var rates = [Rate](repeating: Rate(.word), count: NetworkSensor.rates.count)
  private var states: [Int]?
  /// Why they are not known, for as long.
  private var statesProblem: SensorError?
  private var statesReadAt = Int64.min

  /// Finds `/proc/net/dev`; interfaces are found as it lists them.
  public init(context: SensorContext, settings: Settings, readings: inout Readings) throws(SensorError) {
    host = context.host
    filter = NameFilter(include: settings.list("include_interfaces"), exclude: settings.list("exclude_interfaces"))
    stateNanoseconds = Int64(settings.milliseconds("socket_states_every")) * 1_000_000
    pageBytes = Double(host.calls.pageBytes)
    dev = host.file("/proc/net/dev", limit: 1 << 20)
    snmp = host.file("/proc/net/snmp")
    sockstat = host.file("/proc/net/sockstat")
    let withStates = stateNanoseconds > 0
    slots = Slots(
      established: readings.slot(Self.established), socketsUsed: readings.slot(Self.socketsUsed),
      orphans: readings.slot(Self.orphans), timeWait: readings.slot(Self.timeWait), tcpMemory: readings.slot(Self.tcpMemory),
      udpMemory: readings.slot(Self.udpMemory), rates: Self.rates.map { readings.slot($0.metric) },
      states: withStates ? TCPStates.names.map { readings.slot(Self.sockets, [Label("state", $0)]) } : [])
    guard host.exists("/proc/net/dev") else { throw .absent("/proc/net/dev") }
  }

  /// Reads the interfaces, then the protocols.
  public mutating func sample(into readings: inout Readings) throws(SensorError) {
    let (dev, snmp, sockstat) = (dev, snmp, sockstat)
    try dev.read { (text) throws(SensorError) in try parseInterfaces(&text, into: &readings) }
    readings.attempt { (readings) throws(SensorError) in
      try snmp.read { (text) throws(SensorError) in parseProtocols(&text, into: &readings) }
    }
    readings.attempt { (readings) throws(SensorError) in
      try sockstat.read { (text) throws(SensorError) in parseSockets(&text, into: &readings) }
    }
    guard stateNanoseconds > 0 else { return }
    if statesReadAt == .min || readings.nanoseconds - statesReadAt >= stateNanoseconds {
      statesReadAt = readings.nanoseconds
      countStates()
    }
    if let statesProblem { readings.note(statesProblem) }
    guard let states else { return }
    for index in states.indices { readings.set(slots.states[index], Double(states[index])) }
  }

  /// Two heading lines, then a line an interface: `  eth0: ` and eight numbers received, eight sent.
  private mutating func parseInterfaces(_ text: inout ByteScanner, into readings: inout Readings) throws(SensorError) {
    text.skipLine()
    text.skipLine()
    interfaces.begin()
    while !text.isAtEnd {
      text.skipBlanks()
      if text.isAtLineEnd {
        text.skipLine()
        continue
      }
      let hash = text.keyHash()
      var line = text
      _ = text.skip { $0 == 0x3A || $0 == 0x0A }
      guard text.skip(byte: 0x3A), let counters = Self.counters(&text) else {
        throw .malformed(path: dev.path, what: "an interface line needs a colon and sixteen numbers")
      }
      text.skipLine()
      if !interfaces.see(hash, { $0.sample(counters, into: &readings) }) {
        let name = line.text(until: 0x3A)
        interfaces.add(hash, filter.admits(name) ? NetworkInterface(name, host: host, readings: &readings) : nil)
        _ = interfaces.see(hash) { $0.sample(counters, into: &readings) }
      }
    }
    interfaces.forgetUnseen()
  }

  /// The first four of the eight numbers of each direction: bytes, packets, errors, drops.
  private static func counters(_ text: inout ByteScanner) -> SIMD8<UInt64>? {
    var counters = SIMD8<UInt64>()
    for column in 0..<16 {
      guard let value = text.unsigned() else { return nil }
      if column % 8 < 4 { counters[column / 8 * 4 + column % 8] = value }
    }
    return counters
  }

  private mutating func parseProtocols(_ text: inout ByteScanner, into readings: inout Readings) {
    protocols.parse(&text)
    readings.set(slots.established, protocols[.established].map { Double($0) })
    for index in Self.rates.indices {
      guard let count = protocols[Self.rates[index].column] else { continue }
      readings.set(slots.rates[index], rates[index].perSecond(count, at: readings.nanoseconds))
    }
  }

  private func parseSockets(_ text: inout ByteScanner, into readings: inout Readings) {
    let found = SocketStatistics.parse(&text)
    readings.set(slots.socketsUsed, found.used.map { Double($0) })
    readings.set(slots.orphans, found.tcpOrphans.map { Double($0) })
    readings.set(slots.timeWait, found.tcpTimeWait.map { Double($0) })
    readings.set(slots.tcpMemory, found.tcpPages.map { Double($0) * pageBytes })
    readings.set(slots.udpMemory, found.udpPages.map { Double($0) * pageBytes })
  }

  /// The tables are read through files of their own each time: their buffers can be large and would stay.
  private mutating func countStates() {
    var counts = [Int](repeating: 0, count: TCPStates.names.count)
    (states, statesProblem) = (nil, nil)
    do {
      for path in ["/proc/net/tcp", "/proc/net/tcp6"] where host.exists(path) {
        try host.file(path, limit: Self.socketTableBytes).read { (text) throws(SensorError) in
          try TCPStates.count(&text, path: path, into: &counts)
        }
        states = counts
      }
    } catch {
      (states, statesProblem) = (nil, error)
    }
  }
}
