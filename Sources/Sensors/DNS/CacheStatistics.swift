import Platform
import Telemetry

/// What resolvers tell of their caches.
enum CacheStatistics {
  /// dnsmasq(8), CACHE: TXT records in the class CHAOS, each a number. These questions are hits themselves, so they are asked for last.
  private static let numbers: [(name: String, metric: Metric)] = [
    ("misses.bind", DNSMetrics.misses), ("insertions.bind", DNSMetrics.insertions), ("evictions.bind", DNSMetrics.evictions),
    ("hits.bind", DNSMetrics.hits),
  ]

  /// Asks a dnsmasq; false when it is none. What it does not answer is left out, and so are forwarders beyond those of `known`, once it is full.
  static func setDnsmasq(
    _ resolver: Resolver, named name: String, _ probe: ResolverProbe, until deadline: Int64, _ known: inout Set<[Label]>,
    in readings: inout Readings
  ) -> Bool {
    func texts(_ question: String) -> [String] {
      let answer = probe.ask(resolver, question, .TXT, isChaos: true, until: deadline)
      return answer.outcome == ResolverAnswer.noError ? answer.texts : []
    }
    // Others refuse this question, or answer it with what is no number.
    guard let capacity = texts("cachesize.bind").first.flatMap({ UInt32($0) }) else { return false }
    let label = Label("resolver", name)
    readings.set(readings.slot(DNSMetrics.capacity, [label]), Double(capacity))
    for text in texts("servers.bind").prefix(DNSLimits.forwarders) {
      // `192.0.2.1#53 120 4`: where to, how often, failures.
      let words = text.split(separator: " ")
      guard words.count == 3, let server = Resolver(String(words[0])), let sent = UInt32(words[1]), let failed = UInt32(words[2])
      else { continue }
      let labels = [label, Label("server", server.name)]
      guard known.contains(labels) || known.count < DNSLimits.knownForwarders else { continue }
      known.insert(labels)
      readings.set(readings.slot(DNSMetrics.forwarded, labels), Double(sent))
      readings.set(readings.slot(DNSMetrics.forwardFailures, labels), Double(failed))
    }
    for (question, metric) in numbers {
      guard let number = texts(question).first.flatMap({ UInt32($0) }) else { continue }
      readings.set(readings.slot(metric, [label]), Double(number))
    }
    return true
  }

  /// systemd-resolved: org.freedesktop.resolve1(5), CacheStatistics is a structure of entries, hits and misses. Its varlink method of the same
  /// purpose is for root alone.
  static func setResolved(_ bus: any DBus, in readings: inout Readings) {
    let manager = DBusObject("org.freedesktop.resolve1", "/org/freedesktop/resolve1", "org.freedesktop.resolve1.Manager")
    readings.attempt { (readings) throws(SensorError) in
      let value = try bus.property("CacheStatistics", of: manager)
      let label = [Label("resolver", DNSMetrics.resolved)]
      for (place, metric) in [DNSMetrics.entries, DNSMetrics.hits, DNSMetrics.misses].enumerated() {
        readings.set(readings.slot(metric, label), value.item(place)?.unsigned.map { Double($0) })
      }
    }
  }

  /// What `unbound-control stats_noreset` asks for, at the Unix socket that `control-interface:` names; nothing where there is none.
  static func setUnbound(_ path: String, _ host: Host, in readings: inout Readings) {
    guard !path.isEmpty, host.exists(path) else { return }
    do throws(SensorError) {
      let answer = try host.calls.ask(
        ServiceRequest(
          "unbound.stats", to: .socket(path), Array("UBCT1 stats_noreset\n".utf8), limit: DNSLimits.unboundBytes,
          timeoutMilliseconds: DNSLimits.unboundMilliseconds))
      guard try ByteScanner.scan(bytes: answer, { (text) throws(SensorError) in setUnbound(&text, in: &readings) }) else {
        throw .malformed(path: path, what: "no statistics in the answer")
      }
    } catch {
      switch error {
      // The socket of an unbound that is gone.
      case .absent: return
      // EACCES, EPERM
      case .io(_, 13), .io(_, 1):
        readings.note(.device("unbound", what: "\(path): not allowed; put the agent's user into its group (docs/sensors/dns.md)"))
      default: readings.note(error)
      }
    }
  }

  /// unbound-control(8), STATISTIC COUNTERS: a line `name=value` each. False when there is none of those that are told.
  static func setUnbound(_ text: inout ByteScanner, in readings: inout Readings) -> Bool {
    let label = [Label("resolver", DNSMetrics.unbound)]
    var isTold = false
    while !text.isAtEnd {
      let name = text.text(until: UInt8(ascii: "="))
      if text.skip(byte: UInt8(ascii: "=")), let value = text.decimal(), value < 1e15 {
        let metric: Metric? =
          switch name {
          case "total.num.cachehits": DNSMetrics.hits
          case "total.num.cachemiss": DNSMetrics.misses
          case "total.recursion.time.avg": DNSMetrics.recursions
          // With `extended-statistics: yes` only.
          case "msg.cache.count": DNSMetrics.entries
          default: nil
          }
        if let metric, value >= 0 {
          readings.set(readings.slot(metric, label), metric == DNSMetrics.recursions ? value * 1_000 : value)
          isTold = true
        }
      }
      text.skipLine()
    }
    return isTold
  }
}
