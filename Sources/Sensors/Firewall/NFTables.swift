import Platform
import Telemetry

/// Reads nf_tables from the kernel (include/uapi/linux/netfilter/nf_tables.h), which nft and iptables-nft write to.
///
/// Not by `nft -j list ruleset`: the kernel says by one number whether anything changed, and then only counters are read. Each message is a
/// family (1 byte), version and resource (3 bytes), then attributes; numbers are in network order.
struct NFTables {
  /// NFNL_SUBSYS_NFTABLES in the high byte, NFT_MSG_GET… in the low one.
  enum Message: UInt16 {
    case tables = 0xA01
    case chains = 0xA04
    case rules = 0xA07
    case sets = 0xA0A
    case elements = 0xA0D
    case generation = 0xA10
    case objects = 0xA13
    case flowtables = 0xA17
  }

  private static let families = [1: "inet", 2: "ip", 3: "arp", 5: "netdev", 7: "bridge", 10: "ip6"]

  let calls: any HostCalls
  let withSets: Bool
  /// Patterns of `family/table`.
  let excluded: [Glob]

  func ask(
    _ message: Message, _ name: String, isDump: Bool = true, family: UInt8 = 0, attributes: [UInt8] = [],
    _ body: (NetlinkBytes) throws(SensorError) -> Void
  ) throws(SensorError) {
    let request = NetlinkRequest(
      "nft.\(name)", family: .netfilter, type: message.rawValue, isDump: isDump, body: [family, 0, 0, 0] + attributes)
    try calls.netlink(request, body)
  }

  /// Changes with every change of the rules: NFTA_GEN_ID.
  func generation() throws(SensorError) -> UInt32 {
    var number: UInt32?
    try ask(.generation, "generation", isDump: false) { (content) throws(SensorError) in
      for (type, value) in content.attributes(from: 4) where type == 1 { number = value.big32 }
    }
    guard let number else { throw .malformed(path: "netlink nft.generation", what: "no number in the answer") }
    return number
  }

  /// The family and the table, named by the attribute `type`, that a message is about; nil when the settings leave it out.
  func owner(_ content: NetlinkBytes, _ type: Int = 1) -> (family: String, table: String)? {
    let family = Self.families[Int(content.byte() ?? 0)] ?? "other"
    for (found, value) in content.attributes(from: 4) where found == type {
      let table = value.text
      return leavesOut(family, table) ? nil : (family, table)
    }
    return nil
  }

  func leavesOut(_ family: String, _ table: String) -> Bool {
    !excluded.isEmpty && Glob.any(excluded, match: "\(family)/\(table)")
  }

  /// All: tables, chains, rules, sets, named objects and flowtables with their digests, and the counters.
  func all() throws(SensorError) -> FirewallReport {
    var report = FirewallReport()
    try ask(.tables, "tables") { (content) throws(SensorError) in
      guard let (family, table) = owner(content) else { return }
      let index = report.table(family, table)
      // NFTA_TABLE_FLAGS: dormant, for one.
      for (type, value) in content.attributes(from: 4) where type == 2 { report.tables[index].digest.add(value) }
    }
    let contents = try setContents(&report)
    try readChains(into: &report, withDigest: true)
    try readRules(into: &report, contents)
    try readObjects(into: &report)
    try readFlowtables(into: &report)
    // A table without them has the digest of its rules alone.
    for index in report.tables.indices where report.tables[index].named != 0 {
      report.tables[index].digest.add(report.tables[index].named)
    }
    return report
  }

  /// The counters anew, while the rules are still the same.
  func refresh(_ report: inout FirewallReport) throws(SensorError) {
    var fresh = FirewallReport()
    if !report.policies.isEmpty { try readChains(into: &fresh, withDigest: false) }
    if !report.rules.isEmpty || report.policies.contains(where: \.isOfLastRule) { try readRules(into: &fresh, nil) }
    if !report.counters.isEmpty { try readCounters(into: &fresh) }
    (report.policies, report.rules, report.counters) = (fresh.policies, fresh.rules, fresh.counters)
  }

  // MARK: Chains

  private func readChains(into report: inout FirewallReport, withDigest: Bool) throws(SensorError) {
    try ask(.chains, "chains") { (content) throws(SensorError) in
      guard let (family, table) = owner(content) else { return }
      var count = FirewallReport.Count(family: family, table: table, chain: "", name: "", packets: 0, bytes: 0)
      count.isCounted = false
      var isBase = false
      var digest = RulesDigest()
      for (type, value) in content.attributes(from: 4) {
        switch type {
        case 3:
          count.chain = value.text
          digest.add(Self.plain(count.chain))
        // NFTA_CHAIN_HOOK, POLICY, TYPE, FLAGS
        case 4:
          isBase = true
          digest.add(value)
        case 5:
          count.drops = value.big32 == 0
          digest.add(value)
        case 7, 10: digest.add(value)
        case 8:
          (count.packets, count.bytes) = Self.counter(value)
          count.isCounted = true
        default: break
        }
      }
      if isBase { FirewallReport.add(count, to: &report.policies) }
      guard withDigest else { return }
      let index = report.table(family, table)
      report.tables[index].chains += 1
      report.tables[index].digest.add(digest.whole)
    }
  }

  /// NFTA_COUNTER_BYTES and NFTA_COUNTER_PACKETS.
  static func counter(_ value: NetlinkBytes) -> (packets: UInt64, bytes: UInt64) {
    var (packets, bytes): (UInt64, UInt64) = (0, 0)
    for (type, value) in value.attributes() {
      if type == 1 { bytes = value.unsigned64().map { UInt64(bigEndian: $0) } ?? 0 }
      if type == 2 { packets = value.unsigned64().map { UInt64(bigEndian: $0) } ?? 0 }
    }
    return (packets, bytes)
  }

  /// The kernel numbers chains and sets without a name as they come: `__chain7`, `__set0`. The number says nothing of the rules.
  static func plain(_ name: String) -> String {
    guard name.hasPrefix("__") else { return name }
    return String(name.prefix { !$0.isNumber })
  }
}

extension NetlinkBytes {
  /// Four bytes in network order; 0 where there are none.
  var big32: UInt32 { unsigned32().map { UInt32(bigEndian: $0) } ?? 0 }
}
