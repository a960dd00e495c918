import Platform
import Telemetry

/// The rules of a firewall, whoever told of them.
struct FirewallReport: Sendable {
  /// A table with what it holds.
  struct Table: Sendable {
    var family, name: String
    var chains = 0
    var rules = 0
    var digest = RulesDigest()
    /// The sum of the digests of objects and flowtables, which have no order.
    var named: UInt64 = 0
  }

  /// Packets and bytes of a rule, a named counter, or a base chain that got to its policy.
  struct Count: Sendable {
    var family, table, chain, name: String
    var packets, bytes: UInt64
    /// Of a base chain: whether its policy is to drop, and whether packets that come to it are counted.
    var drops = false
    var isCounted = true
    /// Of a base chain: they were counted by its last rule.
    var isOfLastRule = false

    func isOf(_ other: Count) -> Bool {
      name == other.name && chain == other.chain && table == other.table && family == other.family
    }

    /// The next rule of a base chain that the kernel does not count by itself: what comes to a last one that asks for nothing is what no
    /// other decided.
    mutating func follow(_ rule: Count, isLast: Bool) {
      guard !isCounted || isOfLastRule else { return }
      (isCounted, isOfLastRule) = (isLast, isLast)
      (packets, bytes) = isLast ? (rule.packets, rule.bytes) : (0, 0)
    }
  }

  var tables: [Table] = []
  var policies: [Count] = []
  var counters: [Count] = []
  var rules: [Count] = []
  /// What was not read.
  var problem: SensorError?

  /// The place of a table; it is made where it is new.
  mutating func table(_ family: String, _ name: String) -> Int {
    // Most that is read belongs to the table that was read last.
    if let index = tables.lastIndex(where: { $0.name == name && $0.family == family }) { return index }
    tables.append(Table(family: family, name: name))
    return tables.count - 1
  }

  /// The place of the base chain that a rule is in; nil in other chains. Rules come chain by chain: mostly it is that of the rule before.
  func policy(of rule: Count, after former: Int?) -> Int? {
    func holds(_ policy: Count) -> Bool {
      policy.chain == rule.chain && policy.table == rule.table && policy.family == rule.family
    }
    if let former, holds(policies[former]) { return former }
    return policies.firstIndex(where: holds)
  }

  /// Adds to what is of the same name, so that rules with one comment are told together; past the limit new ones are left out.
  static func add(_ count: Count, to counts: inout [Count]) {
    if let index = counts.firstIndex(where: { $0.isOf(count) }) {
      counts[index].packets &+= count.packets
      counts[index].bytes &+= count.bytes
    } else if counts.count < FirewallLimits.counts {
      counts.append(count)
    }
  }
}

/// A number that stands for rules: FNV-1a of 64 bits, of which 48 are told, for a sample holds no larger number exactly.
struct RulesDigest: Sendable {
  private var hash: UInt64 = 0xcbf2_9ce4_8422_2325

  var number: Double { Double((hash ^ hash >> 48) & 0xFFFF_FFFF_FFFF) }
  /// For sums of what has no order.
  var whole: UInt64 { hash }

  mutating func add(byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }

  mutating func add(_ text: String) {
    for byte in text.utf8 { add(byte: byte) }
    add(byte: 0)
  }

  mutating func add(_ number: UInt64) {
    for shift in 0..<8 { add(byte: UInt8(truncatingIfNeeded: number >> (8 * UInt64(shift)))) }
  }

  mutating func add(_ bytes: NetlinkBytes) {
    add(UInt64(bytes.count))
    for offset in 0..<bytes.count { add(byte: bytes.byte(at: offset) ?? 0) }
  }
}
