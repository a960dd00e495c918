import Platform
import Telemetry

/// The ports at which the machine can be reached, and which of them should not be there.
struct ListeningPorts {
  struct Port: Hashable, Comparable {
    let number: UInt16
    let transport: InternetSocket.Transport

    var text: String { "\(number)/\(transport.name)" }

    static func < (left: Port, right: Port) -> Bool {
      (left.number, left.transport.rawValue) < (right.number, right.transport.rawValue)
    }
  }

  private let expected: Set<Port>
  /// Whether `expected_ports` says anything: without it nothing is unexpected.
  private let hasExpectation: Bool
  private let withLocal: Bool
  private let limit: Int
  /// From here on the kernel picks ports for clients.
  private let firstOfClients: UInt16
  private var named: Set<Port> = []
  private var hasOthers = false
  private var found: [Port: Int] = [:]

  init(_ settings: Settings, host: Host) {
    expected = Set(settings.list("expected_ports").compactMap(Self.port))
    hasExpectation = !expected.isEmpty
    withLocal = settings.bool("local")
    limit = settings.integer("ports")
    let range = try? host.file("/proc/sys/net/ipv4/ip_local_port_range").integer()
    firstOfClients = UInt16(clamping: (range ?? nil) ?? 32_768)
  }

  /// What is wrong with the ports of a profile.
  static func check(_ settings: Settings) -> [SettingFault] {
    var faults: [SettingFault] = []
    for (index, text) in settings.list("expected_ports").enumerated() where port(text) == nil {
      faults.append(
        SettingFault(
          "expected_ports", item: index, what: "'\(text)' in 'expected_ports' is no port",
          remedy: "write numbers such as 22 or 5353/udp"))
    }
    return faults
  }

  private static func port(_ text: String) -> Port? {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard let first = parts.first, let number = UInt16(first), number > 0 else { return nil }
    if parts.count == 1 || parts.count == 2 && parts[1] == "tcp" { return Port(number: number, transport: .tcp) }
    return parts.count == 2 && parts[1] == "udp" ? Port(number: number, transport: .udp) : nil
  }

  /// Starts a look.
  mutating func begin() { found.removeAll(keepingCapacity: true) }

  /// Takes a socket that may listen. A UDP socket without a peer at a port that the kernel picked is a client between two datagrams.
  mutating func add(_ socket: InternetSocket, _ transport: InternetSocket.Transport) {
    guard withLocal || !socket.isLocal, socket.port > 0 else { return }
    let port = Port(number: socket.port, transport: transport)
    switch transport {
    case .tcp: guard socket.state == InternetSocket.State.listen else { return }
    case .udp:
      guard socket.state == InternetSocket.State.close, socket.port < firstOfClients || expected.contains(port) else { return }
    }
    found[port, default: 0] += 1
  }

  /// Sets what was found. Expected ports always have a value, unexpected ones fall to 0 when they are gone.
  mutating func report(into readings: inout Readings) {
    for port in expected {
      readings.set(readings.slot(ConnectionMetrics.listening, Self.label(port.text)), Double(found[port] ?? 0))
    }
    var others = 0
    let unexpected = found.keys.filter { !expected.contains($0) }.sorted()
    for port in unexpected {
      guard named.contains(port) || named.count < limit else {
        others += found[port] ?? 0
        continue
      }
      named.insert(port)
    }
    for port in named { set(Self.label(port.text), found[port] ?? 0, &readings) }
    if others > 0 { hasOthers = true }
    if hasOthers { set(Self.label("other"), others, &readings) }
    if hasExpectation { readings.set(readings.slot(ConnectionMetrics.unexpectedListeners), Double(unexpected.count)) }
  }

  private func set(_ label: [Label], _ count: Int, _ readings: inout Readings) {
    readings.set(readings.slot(ConnectionMetrics.listening, label), Double(count))
    if hasExpectation { readings.set(readings.slot(ConnectionMetrics.unexpectedListener, label), count > 0 ? 1 : 0) }
  }

  private static func label(_ port: String) -> [Label] { [Label("port", port)] }
}
