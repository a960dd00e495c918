import Telemetry

/// What the dns sensor tells.
enum DNSMetrics {
  private static func metric(
    _ name: String, _ unit: Unit = .none, kind: MetricKind = .gauge, decimals: Int = 0, labels: [String] = ["resolver"],
    help: String
  ) -> Metric {
    Metric("dns.\(name)", unit: unit, kind: kind, decimals: decimals, labels: labels, help: help)
  }

  static let up = metric(
    "up", help: "1 when the newest answer was that the name is there, or that there is no such name; else 0.")
  static let time = metric("response_milliseconds", .milliseconds, decimals: 3, help: "How long the newest answer took.")
  static let answers = metric(
    "answers_total", kind: .counter, labels: ["outcome", "resolver"],
    help:
      "Questions by outcome: a response code, timeout, mismatch (other or malformed answers), closed, unreachable, failed."
  )
  static let hits = metric("cache_hits_total", kind: .counter, help: "Questions of clients answered from the cache.")
  static let misses = metric("cache_misses_total", kind: .counter, help: "Questions of clients that were not in the cache.")
  static let entries = metric("cache_entries", help: "Entries in the cache, where the resolver tells.")
  static let capacity = metric("cache_capacity", help: "Entries that fit into the cache of dnsmasq.")
  static let insertions = metric("cache_insertions_total", kind: .counter, help: "Entries put into the cache of dnsmasq.")
  static let evictions = metric(
    "cache_evictions_total", kind: .counter, help: "Entries put out of the cache of dnsmasq before their time: it is too small.")
  static let forwarded = metric(
    "forwarded_total", kind: .counter, labels: ["resolver", "server"], help: "Questions that dnsmasq sent on to a name server.")
  static let forwardFailures = metric(
    "forward_failures_total", kind: .counter, labels: ["resolver", "server"],
    help: "Questions of them that were refused, or failed there.")
  static let recursions = metric(
    "recursion_milliseconds", .milliseconds, decimals: 3, help: "How long unbound's own search for an answer takes on average.")

  /// The labels of resolvers that are told of by their programs, not by their addresses.
  static let unbound = "unbound"
  static let resolved = "systemd-resolved"

  /// What is left of them with these resolvers; nil: with those that are configured, whichever those are.
  static func bounds(_ resolvers: [String]?) -> [MetricBound] {
    let outcomes = MetricBound.label("outcome", of: [answers], is: ResolverAnswer.outcomes)
    guard let resolvers else { return [outcomes] }
    // These two tell of their caches without being asked for names.
    let tellers = [unbound, resolved]
    return [
      outcomes,
      .named(
        "resolver", of: [up, time, answers, capacity, insertions, evictions, forwarded, forwardFailures], in: "resolvers",
        resolvers),
      .named("resolver", of: [hits, misses], in: "resolvers", resolvers.isEmpty ? [] : resolvers + tellers),
      .named("resolver", of: [entries], in: "resolvers", resolvers.isEmpty ? [] : tellers),
      .named("resolver", of: [recursions], in: "resolvers", resolvers.isEmpty ? [] : [unbound]),
    ]
  }

  static let all = [
    up, time, answers, hits, misses, entries, capacity, insertions, evictions, forwarded, forwardFailures, recursions,
  ]
}
