import Platform
import Telemetry

extension NFTables {
  /// NFT_OBJECT_COUNTER and NFT_OBJECT_QUOTA.
  private static let counterKind: UInt32 = 1
  private static let quotaKind: UInt32 = 2

  /// The counters with a name.
  func readCounters(into report: inout FirewallReport) throws(SensorError) {
    let kind = NetlinkRequest.attribute(3, Self.counterKind.bigEndian)
    try ask(.objects, "counters", attributes: kind) { (content) throws(SensorError) in
      _ = takeObject(content, into: &report)
    }
  }

  /// All that has a name, for the digest: limits, quotas, helpers and time-outs of connections, and counters. They have no order among
  /// themselves.
  func readObjects(into report: inout FirewallReport) throws(SensorError) {
    try askNewer(.objects, "objects") { (content) throws(SensorError) in
      guard let (family, table) = owner(content) else { return }
      let index = report.table(family, table)
      report.tables[index].named &+= takeObject(content, into: &report)
    }
  }

  /// Keeps a counter, and gives the digest of what an object is, without what it counted.
  private func takeObject(_ content: NetlinkBytes, into report: inout FirewallReport) -> UInt64 {
    guard let (family, table) = owner(content) else { return 0 }
    var count = FirewallReport.Count(family: family, table: table, chain: "", name: "", packets: 0, bytes: 0)
    var kind: UInt32 = 0
    var data = NetlinkBytes([])
    for (type, value) in content.attributes(from: 4) {
      switch type {
      case 2: count.name = value.text
      case 3: kind = value.big32
      case 4: data = value
      default: break
      }
    }
    var digest = RulesDigest()
    digest.add(count.name)
    digest.add(UInt64(kind))
    if kind == Self.counterKind {
      (count.packets, count.bytes) = Self.counter(data)
      FirewallReport.add(count, to: &report.counters)
    } else {
      for (type, value) in data.attributes() {
        if kind == Self.quotaKind { Self.add(quota: type, value, to: &digest) } else { Self.add(type, value, to: &digest) }
      }
    }
    return digest.whole
  }

  /// NFTA_FLOWTABLE_NAME, HOOK and FLAGS.
  func readFlowtables(into report: inout FirewallReport) throws(SensorError) {
    try askNewer(.flowtables, "flowtables") { (content) throws(SensorError) in
      guard let (family, table) = owner(content) else { return }
      var digest = RulesDigest()
      for (type, value) in content.attributes(from: 4) {
        switch type {
        case 2, 7: Self.add(type, value, to: &digest)
        case 3:
          for (part, value) in value.attributes() {
            // NFTA_FLOWTABLE_HOOK_DEVS: the kernel's list of them may be in another order than the file's.
            if part == 3 {
              digest.add(value.attributes().reduce(0) { $0 &+ Self.digest(of: $1.value) })
            } else {
              Self.add(part, value, to: &digest)
            }
          }
        default: break
        }
      }
      let index = report.table(family, table)
      report.tables[index].named &+= digest.whole
    }
  }

  /// What older kernels do not know: objects are of 4.10, flowtables of 4.16. A message that they do not have is EINVAL to them.
  private func askNewer(
    _ message: Message, _ name: String, _ body: (NetlinkBytes) throws(SensorError) -> Void
  ) throws(SensorError) {
    do throws(SensorError) {
      try ask(message, name, body)
    } catch {
      switch error {
      case .absent, .io(_, 22): return
      default: throw error
      }
    }
  }

  // MARK: Digests

  static func add(_ type: Int, _ value: NetlinkBytes, to digest: inout RulesDigest) {
    digest.add(UInt64(type))
    digest.add(value)
  }

  /// NFTA_QUOTA_BYTES and FLAGS, without NFT_QUOTA_F_DEPLETED; not NFTA_QUOTA_CONSUMED.
  static func add(quota type: Int, _ value: NetlinkBytes, to digest: inout RulesDigest) {
    switch type {
    case 1: add(type, value, to: &digest)
    case 2: digest.add(UInt64(value.big32 & ~2))
    default: break
    }
  }

  private static func digest(of value: NetlinkBytes) -> UInt64 {
    var digest = RulesDigest()
    digest.add(value)
    return digest.whole
  }
}
