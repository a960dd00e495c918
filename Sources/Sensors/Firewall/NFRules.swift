import Platform
import Telemetry

extension NFTables {
  /// Expressions that let each packet pass on to the next one, or end its way.
  private static let unconditional = ["counter", "log", "last", "immediate", "reject"]

  func readRules(into report: inout FirewallReport, _ contents: [String: Int]?) throws(SensorError) {
    var count = 0
    var policy: Int?
    try ask(.rules, "rules") { (content) throws(SensorError) in
      count += 1
      guard count <= FirewallLimits.rules else {
        throw .device("nf_tables", what: "more than \(FirewallLimits.rules) rules are not read")
      }
      guard let (family, table) = owner(content) else { return }
      var found = FirewallReport.Count(family: family, table: table, chain: "", name: "", packets: 0, bytes: 0)
      var expressions = NetlinkBytes([])
      for (type, value) in content.attributes(from: 4) {
        if type == 2 { found.chain = value.text }
        if type == 4 { expressions = value }
        if type == 7 { found.name = Self.comment(value) }
      }
      var digest = RulesDigest()
      if contents != nil {
        digest.add(Self.plain(found.chain))
        digest.add(found.name)
      }
      var (isCounted, isForAll) = (false, true)
      for (_, element) in expressions.attributes() {
        let (name, data) = Self.expression(element)
        if name == "counter" {
          let (packets, bytes) = Self.counter(data)
          found.packets &+= packets
          found.bytes &+= bytes
          isCounted = true
        }
        if !Self.unconditional.contains(name) { isForAll = false }
        if found.name.isEmpty, name == "match" { found.name = Self.extensionComment(data) }
        if let contents { Self.add((name, data), contents, "\(family) \(table) ", to: &digest) }
      }
      if isCounted, !found.name.isEmpty { FirewallReport.add(found, to: &report.rules) }
      policy = report.policy(of: found, after: policy)
      if let policy { report.policies[policy].follow(found, isLast: isCounted && isForAll) }
      guard contents != nil else { return }
      let index = report.table(family, table)
      report.tables[index].rules += 1
      report.tables[index].digest.add(digest.whole)
    }
  }

  /// NFTNL_UDATA_RULE_COMMENT: type 0, its length, the text with a NUL.
  static func comment(_ data: NetlinkBytes) -> String {
    var offset = 0
    while let type = data.byte(at: offset), let length = data.byte(at: offset + 1),
      let value = data.part(from: offset + 2, count: Int(length))
    {
      if type == 0 { return value.text }
      offset += 2 + Int(length)
    }
    return ""
  }

  /// iptables-nft keeps a comment in the extension of that name: NFTA_MATCH_NAME, NFTA_MATCH_INFO.
  private static func extensionComment(_ data: NetlinkBytes) -> String {
    var isComment = false
    for (type, value) in data.attributes() {
      if type == 1 { isComment = value.text == "comment" }
      if type == 3, isComment { return value.text }
    }
    return ""
  }

  /// NFTA_EXPR_NAME and NFTA_EXPR_DATA.
  static func expression(_ element: NetlinkBytes) -> (name: String, data: NetlinkBytes) {
    var name = ""
    var data = NetlinkBytes([])
    for (type, value) in element.attributes() { if type == 1 { name = value.text } else if type == 2 { data = value } }
    return (name, data)
  }

  /// What an expression does, without what it counted.
  static func add(
    _ expression: (name: String, data: NetlinkBytes), _ contents: [String: Int] = [:], _ owner: String = "",
    to digest: inout RulesDigest
  ) {
    let (name, data) = expression
    digest.add(name)
    if name == "counter" || name == "last" { return }
    for (type, value) in data.attributes() {
      switch (name, type) {
      case ("quota", _): add(quota: type, value, to: &digest)
      // NFTA_LOOKUP_SET, NFTA_OBJREF_SET_NAME, NFTA_DYNSET_SET_NAME
      case ("lookup", 1), ("objref", 4), ("dynset", 1):
        let set = value.text
        if let content = contents[owner + set], set.hasPrefix("__") {
          digest.add(UInt64(bitPattern: Int64(content)))
        } else {
          digest.add(plain(set))
        }
      case ("immediate", 2): add(verdict: value, to: &digest)
      default: add(type, value, to: &digest)
      }
    }
  }

  /// NFTA_DATA_VERDICT with NFTA_VERDICT_CODE and NFTA_VERDICT_CHAIN, or NFTA_DATA_VALUE.
  static func add(verdict data: NetlinkBytes, to digest: inout RulesDigest) {
    for (type, value) in data.attributes() {
      guard type == 2 else {
        digest.add(value)
        continue
      }
      for (part, value) in value.attributes() { if part == 2 { digest.add(plain(value.text)) } else { digest.add(value) } }
    }
  }
}
