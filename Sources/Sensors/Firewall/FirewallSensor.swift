import Platform
public import Telemetry

/// The rules of the firewall: a number that changes with them, and what their counters count.
///
/// In the slow lane: many rules take their time, and for the older iptables a program is run.
public struct FirewallSensor: Sensor {
  private static let sockets = "/proc/net/netlink"
  private static let rights = "the rules of the firewall: the kernel tells them to CAP_NET_ADMIN alone (docs/sensors/firewall.md)"

  /// The catalogue entry.
  public static let kind = SensorKind(
    name: "firewall",
    summary: "Rules of nftables and iptables: their number, a digest that changes with them, counters, policies.",
    sources: [
      "nf_tables by netlink (include/uapi/linux/netfilter/nf_tables.h): GETGEN, GETTABLE, GETCHAIN, GETRULE, GETSET, GETSETELEM,"
        + " GETOBJ, GETFLOWTABLE",
      "/proc/net/ip_tables_names, /proc/net/ip6_tables_names, iptables-legacy-save -c (iptables-save(8))",
    ],
    lane: .slow, everySeconds: 30,
    settings: [
      SettingSpec("exclude", .patterns, default: "", help: "Tables left out, as `family/table`: `ip/nat`, `legacy-*/*`."),
      SettingSpec(
        "set_elements", .bool, default: "false",
        help: "Whether the elements of named sets count as rules; never those of sets that packets fill, or that have a timeout."),
      SettingSpec(
        "programs_every", .duration(0...86_400_000), default: "5m",
        help: "How often iptables-legacy-save is run, where there are such tables; its answer is repeated in between."),
    ],
    metrics: FirewallMetrics.all)

  private let host: Host
  private let netfilter: NFTables
  private let programNanoseconds: Int64
  private var generation: UInt32?
  private var report = FirewallReport()
  /// Samples that repeat the counters before they are read again.
  private var countdown = 0
  /// One of each family.
  private var legacy = [FirewallReport](repeating: FirewallReport(), count: IPTablesSave.families.count)
  private var ranAt: Int64?
  private var problem: SensorError?
  /// Whose series there are: comments and chains may come and go without end.
  private var told: Set<String> = []
  private var digest: Double?
  private var changes = 0
  private var changedAt: Int64?
  private var isAbsent = true

  /// Looks for a firewall. Asking for nf_tables could load its module: that is done only where the kernel already has netlink for netfilter.
  public init(context: SensorContext, settings: Settings, readings: inout Readings) throws(SensorError) {
    host = context.host
    netfilter = NFTables(
      calls: host.calls, withSets: settings.bool("set_elements"), excluded: settings.list("exclude").map { Glob($0) })
    programNanoseconds = Int64(settings.milliseconds("programs_every")) * 1_000_000
    let hasNetlink = try? host.file(Self.sockets).read { (text) throws(SensorError) -> Bool in
      while !text.isAtEnd {
        // `sk Eth Pid …`: 12 is NETLINK_NETFILTER, and 0 the kernel itself.
        _ = text.word()
        if text.unsigned() == 12, text.unsigned() == 0 { return true }
        text.skipLine()
      }
      return false
    }
    guard hasNetlink == true || IPTablesSave.families.contains(where: { host.exists($0.names) }) else {
      throw .absent("netfilter in \(Self.sockets), \(IPTablesSave.families[0].names)")
    }
  }

  /// Reads the rules when they changed, else their counters.
  public mutating func sample(into readings: inout Readings) throws(SensorError) {
    isAbsent = true
    try sampleNetfilter()
    sampleLegacy(at: readings.nanoseconds)
    guard !isAbsent else { throw problem ?? .absent("nf_tables, \(IPTablesSave.families[0].names)") }
    if let problem = report.problem ?? problem { readings.note(problem) }
    tell(into: &readings)
  }

  private mutating func sampleNetfilter() throws(SensorError) {
    do throws(SensorError) {
      let now = try netfilter.generation()
      isAbsent = false
      if generation == now {
        countdown -= 1
        guard countdown < 0 else { return }
        countdown = report.tables.reduce(0) { $0 + $1.rules } / FirewallLimits.rulesEachSample
        try netfilter.refresh(&report)
        return
      }
      countdown = 0
      let fresh = try netfilter.all()
      // Changed while it was read: half of it would be told as a change. The next sample reads it whole.
      let isWhole = try netfilter.generation() == now
      if isWhole || generation == nil { report = fresh }
      generation = isWhole ? now : nil
    } catch {
      switch error {
      case .absent: (generation, report) = (nil, FirewallReport())
      // EPERM
      case .io(_, 1): throw .absent(Self.rights)
      default: throw error
      }
    }
  }

  private mutating func sampleLegacy(at now: Int64) {
    let isDue = ranAt.map { now - $0 >= programNanoseconds } ?? true
    var areThere = false
    for (index, family) in IPTablesSave.families.enumerated() {
      guard IPTablesSave.areThere(family.names, host) else {
        legacy[index] = FirewallReport()
        continue
      }
      if isDue {
        // For the first of them; the second adds to it.
        if !areThere { problem = nil }
        var fresh = FirewallReport()
        do throws(SensorError) {
          try IPTablesSave.add(family, host, to: &fresh)
          fresh.tables.removeAll { netfilter.leavesOut($0.family, $0.name) }
          fresh.policies.removeAll { netfilter.leavesOut($0.family, $0.table) }
          fresh.rules.removeAll { netfilter.leavesOut($0.family, $0.table) }
          legacy[index] = fresh
        } catch {
          // One that cannot be asked has not lost its rules.
          problem = error
        }
        ranAt = now
      }
      areThere = true
      isAbsent = false
    }
    if !areThere { (ranAt, problem) = (nil, nil) }
  }

  private mutating func tell(into readings: inout Readings) {
    let tables = report.tables + legacy[0].tables + legacy[1].tables
    var (chains, rules) = (0, 0)
    var all = RulesDigest()
    for (index, table) in tables.enumerated() {
      chains += table.chains
      rules += table.rules
      all.add(table.digest.whole)
      all.add(table.name)
      guard index < FirewallLimits.tables, isTold("table", table.family, table.name) else { continue }
      let labels = [Self.label("family", table.family), Self.label("table", table.name)]
      readings.set(readings.slot(FirewallMetrics.tableRules, labels), Double(table.rules))
      readings.set(readings.slot(FirewallMetrics.tableDigest, labels), table.digest.number)
    }
    func set(_ metric: Metric, _ value: Double) { readings.set(readings.slot(metric), value) }
    set(FirewallMetrics.tables, Double(tables.count))
    set(FirewallMetrics.chains, Double(chains))
    set(FirewallMetrics.rules, Double(rules))
    set(FirewallMetrics.digest, all.number)
    if let digest, digest != all.number {
      changes += 1
      changedAt = readings.nanoseconds
    }
    digest = all.number
    set(FirewallMetrics.changes, Double(changes))
    if let changedAt { set(FirewallMetrics.unchanged, Double(readings.nanoseconds - changedAt) / 1e9) }
    tellCounts(into: &readings)
  }

  private mutating func tellCounts(into readings: inout Readings) {
    for count in report.policies + legacy[0].policies + legacy[1].policies
    where isTold("policy", count.family, count.table, count.chain) {
      let labels = [Self.label("chain", count.chain), Self.label("family", count.family), Self.label("table", count.table)]
      readings.set(readings.slot(FirewallMetrics.policyDrop, labels), count.drops ? 1 : 0)
      guard count.isCounted else { continue }
      readings.set(readings.slot(FirewallMetrics.policyPackets, labels), Double(count.packets))
      readings.set(readings.slot(FirewallMetrics.policyBytes, labels), Double(count.bytes))
    }
    for count in report.counters where isTold("counter", count.family, count.table, count.name) {
      let labels = [Self.label("counter", count.name), Self.label("family", count.family), Self.label("table", count.table)]
      readings.set(readings.slot(FirewallMetrics.counterPackets, labels), Double(count.packets))
      readings.set(readings.slot(FirewallMetrics.counterBytes, labels), Double(count.bytes))
    }
    for count in report.rules + legacy[0].rules + legacy[1].rules
    where isTold("rule", count.family, count.table, count.chain, count.name) {
      let labels = [
        Self.label("chain", count.chain), Self.label("family", count.family), Self.label("rule", count.name),
        Self.label("table", count.table),
      ]
      readings.set(readings.slot(FirewallMetrics.rulePackets, labels), Double(count.packets))
      readings.set(readings.slot(FirewallMetrics.ruleBytes, labels), Double(count.bytes))
    }
  }

  /// Names come from whoever made the rules: without control characters.
  private static func label(_ key: String, _ name: String) -> Label {
    if name.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) { return Label(key, name) }
    return Label(key, String(decoding: name.utf8.map { $0 < 0x20 || $0 == 0x7F ? 0x20 : $0 }, as: UTF8.self))
  }

  /// Whether there is room for the series of something, or they are there already.
  private mutating func isTold(_ names: String...) -> Bool {
    let key = names.joined(separator: "\u{0}")
    if told.contains(key) { return true }
    guard told.count < FirewallLimits.told else { return false }
    return told.insert(key).inserted
  }
}
