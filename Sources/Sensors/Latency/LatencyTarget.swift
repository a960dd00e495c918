import Platform
import Telemetry

/// An item of `targets:` in the sensor's settings.
struct LatencyTarget: Sendable {
  enum Kind: String, CaseIterable, Sendable { case icmp, tcp, tls, http, dns, mqtt }
  enum Family: String, CaseIterable, Sendable { case any, ipv4, ipv6 }

  static let specs = targetSpecs + LatencyCredentials.specs

  private static let targetSpecs = [
    SettingSpec(required: "name", .text, help: "What the target is called in metrics: the label `target`."),
    SettingSpec(
      required: "kind", .choice(Kind.allCases.map(\.rawValue)),
      help:
        "`icmp`: echo. `tcp`: connecting. `tls`: handshake and certificate. `http`: GET of a URL. `dns`: a query. `mqtt`: PINGREQ to a broker."
    ),
    SettingSpec(
      "host", .text, default: nil, help: "A name, or an IPv4 or IPv6 address. All kinds but `http` and `dns` need it."),
    SettingSpec(
      "port", .integer(1...65_535), default: nil,
      help: "`tcp` needs it. Without it `tls` takes 443, `dns` 53, `mqtt` 1883 or with `tls: true` 8883."),
    SettingSpec(
      "url", .text, default: nil, help: "Of `http`: `http://HOST[:PORT]/PATH` or `https://…`. Redirects are not followed."),
    SettingSpec("expect_status", .integer(100...599), default: nil, help: "Of `http`. Without it 200 to 299 are right."),
    SettingSpec(
      "expect_text", .text, default: nil, help: "Of `http`: what must stand in the answer's body, within its first 64 KiB."),
    SettingSpec("query", .text, default: nil, help: "Of `dns`: the name that is asked for, without search domains."),
    SettingSpec(
      "record", .choice(DNSRecordType.allCases.map(\.rawValue)), default: "A", help: "Of `dns`: the type of record."),
    SettingSpec(
      "resolver", .text, default: nil, help: "Of `dns`: the address of the server. Without it the first of /etc/resolv.conf."),
    SettingSpec("tls", .bool, default: "false", help: "Of `mqtt`: whether the broker is spoken to by TLS."),
    SettingSpec(
      "ca_file", .text, default: nil, help: "Whose certificates are trusted, PEM. Without it those of the system."),
    SettingSpec(
      "server_name", .text, default: nil, help: "The name that the certificate must have. Without it the host's."),
    SettingSpec(
      "family", .choice(Family.allCases.map(\.rawValue)), default: "any",
      help: "Which address of a name is taken; `any` prefers IPv4."),
    SettingSpec("every", .duration(1_000...3_600_000), default: "10s", help: "Between two probes, or groups of `count`."),
    SettingSpec(
      "count", .integer(1...60), default: "1", help: "Probes in each `every`, evenly spread and at least 1s apart."),
    SettingSpec(
      "timeout", .duration(100...10_000), default: "2s",
      help: "How long an answer is waited for; a name's address is waited for as long beforehand."),
    SettingSpec(
      "trace", .bool, default: "false",
      help: "Also measures the routers on the path by UDP packets of rising TTL, one each 2s; for 4 targets at most."),
  ]

  let name: String
  let kind: Kind
  let host: String
  let port: UInt16
  let url: WebAddress?
  let expectedStatus: Int?
  let expectedText: [UInt8]
  let query: String
  let record: DNSRecordType
  let resolver: NetworkAddress?
  let isSecure: Bool
  let caFile: String?
  let serverName: String
  let credentials: LatencyCredentials
  let family: Family
  let intervalNanoseconds: Int64
  let timeoutNanoseconds: Int64
  let isTraced: Bool

  /// The target at a position of `targets`; what is wrong with it goes to `faults`, and it is only good if nothing does.
  init(_ settings: Settings, at item: Int, _ faults: inout [SettingFault]) {
    let name = settings.text("name")
    func wrong(_ key: String?, _ what: String, _ remedy: String) {
      faults.append(SettingFault("targets", item: item, key, what: "the target '\(name)' \(what)", remedy: remedy))
    }
    // Words that are not listed were refused one by one.
    let kind = Kind(rawValue: settings.text("kind")) ?? .icmp
    let record = DNSRecordType(rawValue: settings.text("record")) ?? .A
    self.name = name
    self.kind = kind
    self.record = record
    url = kind == .http ? WebAddress(settings.text("url")) : nil
    host = url?.host ?? settings.text("host")
    if kind == .http {
      if url == nil {
        wrong("url", "has no URL that can be asked", "write 'url: http://HOST/PATH', without a user, blanks as %20")
      }
    } else if kind != .dns {
      if host.isEmpty {
        wrong("host", "has no host", "write 'host:' with its name or address")
      } else if NetworkAddress(host) == nil, DNSMessage.query(id: 0, name: host, type: .A) == nil {
        wrong("host", "has a host that is no name and no address", "write 'host: broker.example.org' or 'host: 192.0.2.1'")
      } else if NetworkAddress(host) == nil, host.utf8.contains(where: { ":/[]@".utf8.contains($0) }) {
        // The name of a DNS query may hold any of these; that of a host holds none (RFC 1123, section 2.1).
        wrong(
          "host", "has more in its host than a name or an address",
          "write 'host: broker.example.org' or 'host: 2001:db8::1' alone\(kind == .icmp ? "" : "; a port goes to 'port:'")")
      }
    }
    isSecure = url?.isSecure ?? (kind == .tls || kind == .mqtt && settings.bool("tls"))
    let port = Self.port(settings, kind, url: url, isSecure: isSecure)
    if port == nil, kind == .tcp { wrong("port", "has no port", "write 'port:' beside 'kind: tcp'") }
    self.port = port ?? 0
    expectedStatus = settings.isSet("expect_status") ? settings.integer("expect_status") : nil
    expectedText = Array(settings.text("expect_text").utf8)
    query = settings.text("query")
    if kind == .dns, DNSMessage.query(id: 0, name: query, type: record) == nil {
      wrong("query", "asks for no domain name", "write 'query: example.org'")
    }
    resolver = NetworkAddress(settings.text("resolver"))
    if settings.isSet("resolver"), resolver == nil {
      wrong("resolver", "has a resolver that is no address", "write 'resolver: 192.0.2.53'")
    }
    caFile = settings.isSet("ca_file") ? settings.text("ca_file") : nil
    if let caFile, !caFile.hasPrefix("/") { wrong("ca_file", "has a ca_file that is no absolute path", "begin it with '/'") }
    serverName = settings.isSet("server_name") ? settings.text("server_name") : host
    credentials = LatencyCredentials(settings, isMQTT: kind == .mqtt, isSecure: isSecure, wrong)
    family = Family(rawValue: settings.text("family")) ?? .any
    intervalNanoseconds = Int64(settings.milliseconds("every")) * 1_000_000 / Int64(max(settings.integer("count"), 1))
    if intervalNanoseconds < LatencyLimits.spacingNanoseconds {
      wrong(
        settings.integer("count") > 1 ? "count" : "every", "would be probed more than once a second",
        "raise 'every' or lower 'count'")
    }
    timeoutNanoseconds = Int64(settings.milliseconds("timeout")) * 1_000_000
    isTraced = settings.bool("trace")
    if isTraced, kind == .dns { wrong("trace", "has no host to trace the path to", "remove 'trace'") }
  }

  /// What is given, or usual for the kind; nil where there is none.
  private static func port(_ settings: Settings, _ kind: Kind, url: WebAddress?, isSecure: Bool) -> UInt16? {
    if settings.isSet("port"), kind != .http { return UInt16(clamping: settings.integer("port")) }
    switch kind {
    case .icmp: return 0
    case .tcp: return nil
    case .tls: return 443
    case .http: return url?.port
    case .dns: return 53
    case .mqtt: return isSecure ? 8883 : 1883
    }
  }
}
