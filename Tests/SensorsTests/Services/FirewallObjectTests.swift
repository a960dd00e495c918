import Foundation
import Telemetry
import Testing

@testable import Sensors

/// What has a name in the rules, and what came to a policy, beside nft in a network of its own.
@Suite(.serialized) struct FirewallObjectTests {
  /// What has a name is part of the rules, what it counted is not; a quota that is used up neither.
  @Test func theDigestSeesObjectsAndIntervals() throws {
    try FirewallBench.inOwnNetwork { folder in
      let rules = """
        flush ruleset
        table inet filter {
          counter web { packets 1 bytes 2 }
          limit slow { rate 5/second burst 7 packets; }
          quota month { over 500 bytes used 3 bytes; }
          ct helper phone { type "sip" protocol udp; l3proto ip; }
          set ranges { type ipv4_addr; flags interval; elements = { 192.0.2.0/25, 198.51.100.1-198.51.100.9 } }
          set pairs { type ipv4_addr . inet_service; flags interval; elements = { 192.0.2.0/24 . 80-90 } }
          set many { type ipv4_addr; size 100; }
          set limited { type ipv4_addr; flags dynamic; timeout 1h; }
          chain input {
            type filter hook input priority filter; policy drop;
            udp dport 4000-4009 quota name "month" counter name "web"
            quota over 400 bytes
            udp dport { 6000-6009, 6100 } limit name "slow" accept
            update @limited { ip saddr limit rate 3/minute } drop
          }
        }
        """
      guard try FirewallBench.load(rules, folder) else { return }
      let sensor = try ServicePeers.Sampled("firewall", "set_elements: true")
      func digest() throws -> Double? {
        try sensor.sample()
        return sensor["firewall.rules_digest"]
      }
      let first = try digest()
      try FirewallBench.send([4000, 4001, 4002, 4003, 4004, 4005])
      _ = try ServicePeers.output("nft", ["reset", "counters"])
      #expect(try digest() == first, "counts are no part of it")
      let quotas = try #require(try ServicePeers.output("nft", ["list", "quotas"]))
      #expect(quotas.contains("used 500 bytes"), "it is used up")
      for (from, to) in [
        ("counter web", "counter other"), ("rate 5/second", "rate 6/second"), ("burst 7", "burst 8"), ("over 500", "over 501"),
        ("over 500", "until 500"), ("quota over 400", "quota until 400"), ("\"sip\"", "\"ftp\""), ("l3proto ip", "l3proto ip6"),
        ("192.0.2.0/25", "192.0.2.0/26"),
        ("100.1-198", "100.2-198"), ("80-90", "80-91"), ("192.0.2.0/24", "192.0.2.0/23"), ("size 100", "size 101"),
        ("flags interval; elements = { 192.0.2.0/25", "flags interval, constant; elements = { 192.0.2.0/25"),
        ("timeout 1h", "timeout 2h"), ("6000-6009", "6000-6008"), ("4000-4009", "4000-4010"), ("3/minute", "4/minute"),
      ] {
        var changed = rules.replacingOccurrences(of: from, with: to)
        if from == "counter web" { changed = changed.replacingOccurrences(of: "name \"web\"", with: "name \"other\"") }
        if to.hasPrefix("\"ftp") { changed = changed.replacingOccurrences(of: "protocol udp", with: "protocol tcp") }
        guard try FirewallBench.load(changed, folder) else { return }
        let text = try #require(try ServicePeers.output("nft", ["list", "ruleset"]))
        #expect(text.contains("table"), "\(to) was not loaded")
        #expect(try digest() != first, "\(from) became \(to)")
        #expect(try FirewallBench.load(rules, folder))
        #expect(try digest() == first, "\(from) is back")
      }
      let label = "{counter=\"web\",family=\"inet\",table=\"filter\"}"
      #expect(sensor["firewall.counter_packets\(label)"] == 1)
    }
  }

  /// What nft says that the last rule of a chain counted.
  private static func lastCounter(_ json: String) throws -> (packets: Double, bytes: Double)? {
    let all = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any]
    let rules = (all?["nftables"] as? [[String: Any]] ?? []).compactMap { $0["rule"] as? [String: Any] }
    let counters = (rules.last?["expr"] as? [[String: Any]] ?? []).compactMap { $0["counter"] as? [String: Any] }
    guard let packets = counters.first?["packets"] as? NSNumber, let bytes = counters.first?["bytes"] as? NSNumber else {
      return nil
    }
    return (packets.doubleValue, bytes.doubleValue)
  }

  /// nft has no counter of a policy: a last rule without a condition is one.
  @Test func whatNoRuleDecidesIsCountedByALastRule() throws {
    try FirewallBench.inOwnNetwork { folder in
      func rules(_ last: String) -> String {
        """
        flush ruleset
        table inet filter {
          chain input {
            type filter hook input priority filter; policy drop;
            udp dport 5000 drop
            \(last)
          }
          chain output {
            type filter hook output priority filter; policy accept;
            counter accept
            udp dport 5000 accept
          }
        }
        """
      }
      let sensor = try ServicePeers.Sampled("firewall", "every: 30s")
      let label = "{chain=\"input\",family=\"inet\",table=\"filter\"}"
      for (last, isCounted) in [
        ("counter", true), ("log counter", true), ("counter drop", true), ("counter reject", true),
        ("counter comment \"the rest\"", true), ("udp dport 6000 counter drop", false), ("drop", false),
        ("counter name \"none\"", false),
      ] {
        let text = rules(last).replacingOccurrences(
          of: "chain input", with: last.contains("name") ? "counter none { }\n  chain input" : "chain input")
        guard try FirewallBench.load(text, folder) else { return }
        try sensor.sample()
        #expect(sensor["firewall.policy_packets\(label)"] == (isCounted ? 0 : nil), "\(last), at first")
        try FirewallBench.send([5000, 6000, 6001])
        try sensor.sample()
        let theirs = try Self.lastCounter(
          try #require(try ServicePeers.output("nft", ["-j", "list", "chain", "inet", "filter", "input"])))
        #expect(sensor["firewall.policy_packets\(label)"] == (isCounted ? theirs?.packets : nil), "\(last)")
        #expect(sensor["firewall.policy_bytes\(label)"] == (isCounted ? theirs?.bytes : nil), "\(last)")
        #expect(!isCounted || (theirs?.packets ?? 0) >= 2, "\(last)")
        #expect(sensor["firewall.policy_drop\(label)"] == 1)
      }
      let out = "{chain=\"output\",family=\"inet\",table=\"filter\"}"
      #expect(sensor["firewall.policy_packets\(out)"] == nil, "the last rule there has a condition")
    }
  }
}
