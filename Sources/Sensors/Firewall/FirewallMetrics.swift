import Telemetry

/// What the firewall sensor tells.
enum FirewallMetrics {
  private static func metric(
    _ name: String, _ unit: Unit = .none, kind: MetricKind = .gauge, labels: [String] = [], help: String
  ) -> Metric {
    Metric("firewall.\(name)", unit: unit, kind: kind, labels: labels, help: help)
  }

  private static let table = ["family", "table"]
  private static let chain = ["chain", "family", "table"]
  private static let counter = ["counter", "family", "table"]
  private static let rule = ["chain", "family", "rule", "table"]

  static let tables = metric("tables", help: "Tables of rules.")
  static let chains = metric("chains", help: "Chains of all tables.")
  static let rules = metric("rules", help: "Rules of all tables.")
  static let digest = metric(
    "rules_digest",
    help:
      "A number that stands for all rules: it is the same as long as they are, after a restart too. Counters are no part of it.")
  static let changes = metric("rule_changes", kind: .counter, help: "Times the rules were found changed since the agent runs.")
  static let unchanged = metric(
    "unchanged_seconds", .seconds, help: "How long ago the rules were found changed; nothing before the first time.")
  static let tableRules = metric("table_rules", labels: table, help: "Rules of one table.")
  static let tableDigest = metric("table_digest", labels: table, help: "The same number for one table.")
  static let policyDrop = metric("policy_drop", labels: chain, help: "1 when a base chain drops what no rule decides; else 0.")
  static let policyPackets = metric(
    "policy_packets", kind: .counter, labels: chain,
    help: "Packets that no rule of a base chain decided, where they are counted: by iptables, not by nft.")
  static let policyBytes = metric("policy_bytes", .bytes, kind: .counter, labels: chain, help: "Bytes of them.")
  static let counterPackets = metric("counter_packets", kind: .counter, labels: counter, help: "Packets of a named counter.")
  static let counterBytes = metric("counter_bytes", .bytes, kind: .counter, labels: counter, help: "Bytes of a named counter.")
  static let rulePackets = metric(
    "rule_packets", kind: .counter, labels: rule,
    help: "Packets of the rules with a comment, which is the label `rule`, that count.")
  static let ruleBytes = metric("rule_bytes", .bytes, kind: .counter, labels: rule, help: "Bytes of them.")

  static let all = [
    tables, chains, rules, digest, changes, unchanged, tableRules, tableDigest, policyDrop, policyPackets, policyBytes,
    counterPackets, counterBytes, rulePackets, ruleBytes,
  ]
}
