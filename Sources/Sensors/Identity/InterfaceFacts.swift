import Platform
import Telemetry

/// The network interfaces of a machine with their addresses: those with hardware, and those with an address that others can reach.
enum InterfaceFacts {
  /// An address of an interface.
  struct Address: Equatable {
    let interface: Int
    let text: String
    let prefix: Int
  }

  /// RTM_GETADDR (rtnetlink(7)): of all families.
  static let request = NetlinkRequest("addresses", family: .route, type: 22, isDump: true, body: [0, 0, 0, 0, 0, 0, 0, 0])

  /// Addresses that stay: neither link-local nor loopback, and not those of IPv6 that change with time for the sake of privacy.
  static func addresses(_ host: Host) -> [Address] {
    var found: [Address] = []
    // Without the answer, addresses are left out.
    try? host.calls.netlink(request) { (body) throws(SensorError) in
      if let address = address(body), found.count < MachineLimits.devices * MachineLimits.addresses { found.append(address) }
    }
    return found
  }

  /// struct ifaddrmsg of include/uapi/linux/if_addr.h, then attributes:
  ///
  /// ```
  ///  0       1       2      3      4      8
  /// ┌───────┬───────┬──────┬──────┬──────┬────────────
  /// │family │prefix │flags │scope │index │ attributes
  /// └───────┴───────┴──────┴──────┴──────┴────────────
  /// ```
  static func address(_ body: NetlinkBytes) -> Address? {
    guard let prefix = body.byte(at: 1), var flags = body.byte(at: 2).map({ UInt32($0) }), let scope = body.byte(at: 3),
      let index = body.unsigned32(at: 4)
    else { return nil }
    var bytes: [UInt8] = []
    for (type, value) in body.attributes(from: 8) {
      switch type {
      // IFA_ADDRESS is the other end's on a link between two; IFA_LOCAL is ours and comes after it.
      case 1, 2: bytes = (0..<min(value.count, 16)).compactMap { value.byte(at: $0) }
      case 8: flags = value.unsigned32() ?? flags
      default: break
      }
    }
    // IFA_F_TEMPORARY of IPv6 (a secondary address in IPv4), IFA_F_DEPRECATED; RT_SCOPE_LINK and what is narrower.
    let isPassing = flags & 0x20 != 0 || (flags & 0x01 != 0 && bytes.count == 16)
    guard scope < 253, !isPassing, let address = NetworkAddress(bytes: bytes) else { return nil }
    return Address(interface: Int(index), text: address.description, prefix: Int(prefix))
  }

  /// Whether a name is made of a MAC address, as systemd names USB adapters: `enx001122334455` (systemd.net-naming-scheme(7)).
  static func holdsMAC(_ name: String) -> Bool {
    let runs = name.utf8.split(separator: UInt8(ascii: "x"), omittingEmptySubsequences: false).dropFirst()
    return runs.contains { run in
      run.prefix { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) || (0x41...0x46).contains($0) }.count >= 12
    }
  }

  static func write(_ host: Host, _ privacy: FactPrivacy, to json: inout JSONWriter) {
    let all = addresses(host)
    let path = "/sys/class/net"
    json.key("interfaces")
    json.beginArray()
    var count = 0
    for name in (try? host.list(path)) ?? [] where name != "lo" && count < MachineLimits.devices {
      let index = host.number("\(path)/\(name)/ifindex")
      let own = all.filter { $0.interface == index }
      guard host.exists("\(path)/\(name)/device") || !own.isEmpty else { continue }
      count += 1
      json.beginObject()
      let shownName = MachineText.clean(name)
      json.fact("name", holdsMAC(name) ? privacy.shown(shownName) : shownName)
      let mac = host.fact("\(path)/\(name)/address")
      json.fact("mac", mac == "00:00:00:00:00:00" ? nil : privacy.shown(mac))
      // The length of the prefix tells nothing of anybody.
      let shown = own.prefix(MachineLimits.addresses).compactMap { one in privacy.shown(one.text).map { "\($0)/\(one.prefix)" } }
      if !shown.isEmpty { json.member("addresses", shown) }
      json.endObject()
    }
    json.endArray()
  }
}
