import Platform
import Telemetry

/// A name server, and where it listens.
struct Resolver: Hashable, Sendable {
  let address: NetworkAddress
  let port: UInt16
  /// Whether the profile names it, so that it may be asked about itself.
  var isStated = false

  /// `192.0.2.53`, or with another port than that of DNS `192.0.2.53#5353`, as dnsmasq writes it. Nil for anything else.
  init?(_ text: String) {
    let parts = text.split(separator: "#", omittingEmptySubsequences: false)
    guard parts.count <= 2, let first = parts.first, let address = NetworkAddress(String(first)) else { return nil }
    guard let port = parts.count == 2 ? UInt16(parts[1]) : 53, port > 0 else { return nil }
    (self.address, self.port) = (address, port)
  }

  init(_ address: NetworkAddress) { (self.address, port) = (address, 53) }

  /// As it stands in the label.
  var name: String { port == 53 ? "\(address)" : "\(address)#\(port)" }

  /// Whether it runs on this machine.
  var isLocal: Bool { address.isIPv6 ? address.bytes == [UInt8](repeating: 0, count: 15) + [1] : address.bytes[0] == 127 }

  /// Whether it is the stub of systemd-resolved, which stands for others: 127.0.0.53 and 127.0.0.54, systemd-resolved.service(8).
  var isStub: Bool { !address.isIPv6 && port == 53 && (address.bytes == [127, 0, 0, 53] || address.bytes == [127, 0, 0, 54]) }

  /// Those of this machine, read anew each time: networks come and go. Behind the stub of systemd-resolved also the real ones.
  static func configured(_ host: Host) -> [Resolver] {
    var resolvers = listed("/etc/resolv.conf", host)
    if resolvers.contains(where: \.isStub) {
      for resolver in listed("/run/systemd/resolve/resolv.conf", host) where !resolvers.contains(resolver) {
        resolvers.append(resolver)
      }
    }
    return resolvers
  }

  private static func listed(_ path: String, _ host: Host) -> [Resolver] {
    let addresses = try? host.file(path).read { (text) throws(SensorError) in NameLookup.servers(&text) }
    return (addresses ?? []).map { Resolver($0) }
  }
}
