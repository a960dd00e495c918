import Foundation
import Platform
import Telemetry
import Testing

@testable import Sensors

/// The firewall sensor in a network of its own, beside nft and iptables.
@Suite(.serialized) struct FirewallTests {
  private static let rules = """
    flush ruleset
    table inet filter {
      counter web {
      }
      set blocked { type ipv4_addr; flags timeout; }
      set admins { type ipv4_addr; elements = { 192.0.2.1, 192.0.2.2 } }
      chain own {
        udp dport 4000 counter comment "own traffic"
      }
      chain input {
        type filter hook input priority filter; policy drop;
        iif "lo" udp dport { 5000, 5001 } counter name web counter accept comment "local services"
        ct state vmap { established : accept, related : accept, invalid : drop }
        tcp dport 22 ip saddr @admins counter accept comment "ssh"
        limit rate 5/second counter comment "slow"
        udp dport 4000 jump own
        tcp dport 23 jump {
          counter drop
        }
      }
    }
    table ip nat {
      chain postrouting {
        type nat hook postrouting priority srcnat; policy accept;
        oifname "eth0" counter masquerade comment "to the world"
      }
    }
    """

  private struct Ruleset: Decodable {
    struct Item: Decodable {
      let rule: Rule?
      let chain: Chain?
      let counter: Counter?
    }
    struct Rule: Decodable {
      let comment: String?
      let expr: [Expression]
    }
    struct Expression: Decodable {
      let counter: Counter?
      // A statement may be anything; a named counter is a text.
      init(from decoder: any Decoder) throws {
        let values = try? decoder.container(keyedBy: Key.self)
        counter = try? values?.decode(Counter.self, forKey: .counter)
      }
      private enum Key: CodingKey { case counter }
    }
    struct Chain: Decodable { let policy: String? }
    struct Counter: Decodable {
      let name: String?
      let packets, bytes: Double
    }
    let nftables: [Item]
  }

  @Test func countsWhatNFTCounts() throws {
    try FirewallBench.inOwnNetwork { folder in
      guard try FirewallBench.load(Self.rules, folder) else { return }
      let sensor = try ServicePeers.Sampled("firewall", "every: 30s")
      try sensor.sample()
      try FirewallBench.send([5000, 5000, 5001, 4000, 4000, 6000])
      let digest = try #require(sensor["firewall.rules_digest"])
      try sensor.sample()
      #expect(sensor["firewall.rules_digest"] == digest, "counters are no part of it")
      let text = try #require(try ServicePeers.output("nft", ["-j", "list", "ruleset"]))
      let theirs = try JSONDecoder().decode(Ruleset.self, from: Data(text.utf8)).nftables
      let rules = theirs.compactMap(\.rule)
      // nft prints the chain without a name, and its one rule, inside the rule that jumps there.
      #expect(sensor["firewall.rules"] == Double(rules.count + 1) && rules.count == 8)
      #expect(sensor["firewall.chains"] == Double(theirs.filter { $0.chain != nil }.count + 1))
      var compared = 0
      for rule in rules {
        guard let comment = rule.comment, let counter = rule.expr.compactMap(\.counter).first else { continue }
        let index = sensor.readings.series.firstIndex {
          $0.metric == FirewallMetrics.rulePackets && $0.label("rule") == comment
        }
        let series = sensor.readings.series[try #require(index)]
        let bytes = series.key.replacingOccurrences(of: "rule_packets", with: "rule_bytes")
        #expect(sensor[series.key] == counter.packets && sensor[bytes] == counter.bytes, "\(comment)")
        compared += 1
      }
      #expect(compared == 5)
      let local = "{chain=\"input\",family=\"inet\",rule=\"local services\",table=\"filter\"}"
      #expect(sensor["firewall.rule_packets\(local)"] == 3 && sensor["firewall.rule_bytes\(local)"] == 3 * 128)
      let web = try #require(theirs.compactMap(\.counter).first { $0.name == "web" })
      let label = "{counter=\"web\",family=\"inet\",table=\"filter\"}"
      #expect(sensor["firewall.counter_packets\(label)"] == web.packets && sensor["firewall.counter_bytes\(label)"] == web.bytes)
      #expect(sensor["firewall.policy_drop{chain=\"input\",family=\"inet\",table=\"filter\"}"] == 1)
      #expect(sensor["firewall.policy_drop{chain=\"postrouting\",family=\"ip\",table=\"nat\"}"] == 0)
    }
  }

  /// What changes the rules, and what does not, beginning with the rules above each time.
  @Test func theDigestChangesWithTheRulesAlone() throws {
    try FirewallBench.inOwnNetwork { folder in
      guard try FirewallBench.load(Self.rules, folder) else { return }
      let sensor = try ServicePeers.Sampled("firewall", "every: 30s")
      let strict = try ServicePeers.Sampled("firewall", "set_elements: true")
      func digests() throws -> [Double?] {
        try sensor.sample()
        try strict.sample()
        return [sensor["firewall.rules_digest"], strict["firewall.rules_digest"]]
      }
      let first = try digests()
      let changes: [(what: String, isRule: Bool, isElement: Bool, arguments: [String])] = [
        ("nothing", false, false, ["list", "ruleset"]),
        ("a timed element", false, false, ["add", "element", "inet", "filter", "blocked", "{ 192.0.2.9 timeout 1h }"]),
        ("an element", false, true, ["add", "element", "inet", "filter", "admins", "{ 192.0.2.9 }"]),
        ("a rule", true, true, ["add", "rule", "inet", "filter", "own", "drop"]),
        ("a policy", true, true, ["add", "chain", "inet", "filter", "input", "{ policy accept; }"]),
        ("a chain", true, true, ["add", "chain", "inet", "filter", "more"]),
        ("a table", true, true, ["add", "table", "ip6", "more"]),
        ("all", true, true, ["flush", "ruleset"]), ("counters", false, false, ["reset", "counters"]),
      ]
      for change in changes {
        _ = try ServicePeers.output("nft", change.arguments)
        let now = try digests()
        #expect((now[0] != first[0]) == change.isRule, "\(change.what)")
        #expect((now[1] != first[1]) == change.isElement, "\(change.what), with elements")
        // Loaded anew, all handles and all numbers of what has no name are others.
        _ = try FirewallBench.load(Self.rules, folder)
        #expect(try digests() == first, "\(change.what), taken back")
      }
      for (from, to) in [
        ("5001", "5002"), ("invalid : drop", "invalid : accept"), ("5/second", "6/second"), ("counter drop", "counter accept"),
        ("\"slow\"", "\"slower\""), ("jump own", "goto own"),
      ] {
        _ = try FirewallBench.load(Self.rules.replacingOccurrences(of: from, with: to), folder)
        #expect(try digests()[0] != first[0], "\(from) became \(to)")
      }
      #expect(sensor["firewall.unchanged_seconds"] == 0)
      #expect(try #require(sensor["firewall.rule_changes"]) == 16, "5 there and back, then 6 one after another")
    }
  }

  /// A map without a name, from which a rule takes a named counter, is a part of the rule; so is a set behind 600 others.
  @Test func theDigestSeesWhatMapsAndManySetsHold() throws {
    try FirewallBench.inOwnNetwork { folder in
      let many = (1...600).map { "udp dport { 1, \($0 + 1) } drop" }.joined(separator: "\n")
      let rules = """
        flush ruleset
        table inet filter {
          counter a {
          }
          counter b {
          }
          chain input {
            type filter hook input priority filter
            counter name udp dport map { 5000 : "a", 5001 : "b" }
            \(many)
            udp dport { 7000, 7001 } drop
          }
        }
        """
      guard try FirewallBench.load(rules, folder) else { return }
      let sensor = try ServicePeers.Sampled("firewall", "every: 30s")
      func digest() throws -> Double? {
        try sensor.sample()
        return sensor["firewall.rules_digest"]
      }
      let first = try digest()
      for (from, to) in [("5001 :", "5002 :"), (": \"b\"", ": \"a\""), ("7001", "7002")] {
        #expect(try FirewallBench.load(rules.replacingOccurrences(of: from, with: to), folder))
        #expect(try digest() != first, "\(from) became \(to)")
        #expect(try FirewallBench.load(rules, folder))
        #expect(try digest() == first, "\(from) is back")
      }
      #expect(sensor.readings.problem == nil)
    }
  }

  /// 1,200 rules: after the sample that read them all, every third one reads their counters.
  @Test func countersOfManyRulesAreReadLessOften() throws {
    try FirewallBench.inOwnNetwork { folder in
      let many = (1...1_199).map { "ip daddr 10.0.\($0 / 256).\($0 % 256) drop" }.joined(separator: "\n")
      let rules = """
        table ip many {
          chain input {
            type filter hook input priority filter
            udp dport 5000 counter comment "own"
            \(many)
          }
        }
        """
      guard try FirewallBench.load(rules, folder) else { return }
      let sensor = try ServicePeers.Sampled("firewall", "every: 30s")
      var counts: [Double?] = []
      for _ in 0..<6 {
        try sensor.sample()
        counts.append(sensor["firewall.rule_packets{chain=\"input\",family=\"ip\",rule=\"own\",table=\"many\"}"])
        try FirewallBench.send([5000])
      }
      #expect(counts == [0, 1, 1, 1, 4, 4])
      #expect(sensor["firewall.rules"] == 1_200)
    }
  }

  @Test func rulesOfTheNewIPTablesAreCounted() throws {
    try FirewallBench.inOwnNetwork { _ in
      let comment = ["-m", "comment", "--comment", "dns \"for us\""]
      guard
        try ServicePeers.output("iptables-nft", ["-A", "INPUT", "-p", "udp", "--dport", "5000"] + comment + ["-j", "ACCEPT"])
          != nil
      else { return }
      let sensor = try ServicePeers.Sampled("firewall", "every: 30s")
      try FirewallBench.send([5000, 5000])
      try sensor.sample()
      let saved = try #require(try ServicePeers.output("iptables-nft-save", ["-c"]))
      #expect(saved.contains("[2:256] -A INPUT"), "\(saved)")
      let label = "{chain=\"INPUT\",family=\"ip\",rule=\"dns \\\"for us\\\"\",table=\"filter\"}"
      #expect(sensor["firewall.rule_packets\(label)"] == 2 && sensor["firewall.rule_bytes\(label)"] == 256)
    }
  }

  /// `/proc/net` shows the network of a process's first thread, so the older iptables is read from what it prints.
  @Test func rulesOfTheOlderIPTablesAreRead() throws {
    try FirewallBench.inOwnNetwork { _ in
      let comment = ["-m", "comment", "--comment", "dns \"for us\""]
      guard try ServicePeers.output("iptables-legacy", ["-A", "INPUT", "-p", "udp", "--dport", "5000"] + comment) != nil else {
        return
      }
      _ = try ServicePeers.output("iptables-legacy", ["-P", "FORWARD", "DROP"])
      try FirewallBench.send([5000, 5000, 5000])
      let saved = try #require(try ServicePeers.output("iptables-legacy-save", ["-c"]))
      guard !saved.isEmpty else {
        print("skipped: this kernel has no older iptables")
        return
      }
      var report = FirewallReport()
      ByteScanner.scan(saved) { IPTablesSave.add(&$0, "legacy-ip", to: &report) }
      let rule = try #require(report.rules.first)
      #expect(rule.name == "dns \"for us\"" && rule.chain == "INPUT" && rule.packets == 3 && rule.bytes == 3 * 128)
      #expect(report.tables.first { $0.name == "filter" }?.rules == 1)
      #expect(report.policies.first { $0.chain == "FORWARD" && $0.table == "filter" }?.drops == true)
    }
  }
}
