import Platform
import Synchronization
import Telemetry

/// Finds the addresses of names: `/etc/hosts`, then the name servers of `/etc/resolv.conf`. Search domains are not used: names are whole.
///
/// The C library's own lookup has no deadline.
final class NameLookup: Sendable {
  private let host: Host
  private let port: UInt16
  private let kept = Mutex<[String: (address: NetworkAddress, until: Int64)]>([:])

  /// Asks name servers at the port of DNS, or where a test has one.
  init(_ host: Host, port: UInt16 = 53) {
    self.host = host
    self.port = port
  }

  /// The address of a target's host, kept for as long as its record may be unless it is to be asked anew.
  func address(of target: LatencyTarget, isFresh: Bool, until deadline: Int64) throws(NetworkFailure) -> NetworkAddress {
    if let address = NetworkAddress(target.host) { return address }
    let key = "\(target.family.rawValue) \(target.host)"
    let now = SystemClock.monotonicNanoseconds
    if !isFresh, let known = kept.withLock({ $0[key] }), known.until > now { return known.address }
    let families: [DNSRecordType] =
      switch target.family {
      case .any: [.A, .AAAA]
      case .ipv4: [.A]
      case .ipv6: [.AAAA]
      }
    let listed = hosts(named: target.host)
    for type in families {
      if let address = listed.first(where: { $0.isIPv6 == (type == .AAAA) }) { return address }
    }
    let (address, seconds) = try ask(target.host, families, until: deadline)
    let span = LatencyLimits.nameSeconds
    let lasts = min(max(seconds, span.lowerBound), span.upperBound) * 1_000_000_000
    // One name for each target at most: the table stays as small as the profile.
    kept.withLock { $0[key] = (address, now + lasts) }
    return address
  }

  /// The name servers of this machine.
  func servers() -> [NetworkAddress] {
    let servers = try? host.file("/etc/resolv.conf").read { (text) throws(SensorError) in Self.servers(&text) }
    return servers ?? []
  }

  private func hosts(named name: String) -> [NetworkAddress] {
    let file = host.file("/etc/hosts", limit: LatencyLimits.hostsBytes)
    let found = try? file.read { (text) throws(SensorError) in Self.hosts(&text, named: name) }
    return found ?? []
  }

  private func ask(
    _ name: String, _ families: [DNSRecordType], until deadline: Int64
  ) throws(NetworkFailure) -> (NetworkAddress, Int64) {
    let servers = servers()
    guard !servers.isEmpty else { throw .wrong("'\(name)' cannot be resolved: /etc/resolv.conf names no server") }
    var failure = NetworkFailure.timedOut
    for (place, server) in servers.enumerated() {
      let now = SystemClock.monotonicNanoseconds
      let share = now + (deadline - now) / Int64(servers.count - place)
      do throws(NetworkFailure) {
        for type in families {
          let answer = try DNSExchange.ask(server, port: port, name: name, type: type, until: share)
          guard answer.code == 0 || answer.code == 3 else { throw .wrong("the name server answers code \(answer.code)") }
          if let address = answer.addresses.first { return (address, answer.seconds) }
        }
        throw .wrong("there is no such name")
      } catch {
        failure = error
        if case .wrong("there is no such name") = error { break }
      }
    }
    throw .wrong("'\(name)' cannot be resolved: \(failure)")
  }

  /// The servers of a resolv.conf(5).
  static func servers(_ text: inout ByteScanner) -> [NetworkAddress] {
    var servers: [NetworkAddress] = []
    while !text.isAtEnd, servers.count < LatencyLimits.nameServers {
      if text.word() == "nameserver", let address = NetworkAddress(text.word()) { servers.append(address) }
      text.skipLine()
    }
    return servers
  }

  /// The addresses of a name in a hosts(5).
  static func hosts(_ text: inout ByteScanner, named name: String) -> [NetworkAddress] {
    var addresses: [NetworkAddress] = []
    for _ in 0..<LatencyLimits.hostsLines where !text.isAtEnd {
      let line = text.restOfLine().prefix { $0 != "#" }.split { $0 == " " || $0 == "\t" }
      text.skipLine()
      guard let first = line.first, line.dropFirst().contains(where: { $0.lowercased() == name.lowercased() }),
        let address = NetworkAddress(String(first))
      else { continue }
      addresses.append(address)
    }
    return addresses
  }
}
