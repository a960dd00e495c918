import Platform
public import Telemetry

/// The resolvers of this machine: whether each answers, how fast, and how well its cache does.
///
/// In the slow lane: an answer may not come.
public struct DNSSensor: Sensor {
  /// There while systemd-resolved runs.
  private static let resolved = "/run/systemd/resolve"

  /// The catalogue entry.
  public static let kind = SensorKind(
    name: "dns",
    summary: "Time and outcome of a question to each configured resolver; caches of dnsmasq, unbound, systemd-resolved.",
    sources: [
      "/etc/resolv.conf (resolv.conf(5)), /run/systemd/resolve/resolv.conf behind 127.0.0.53", "DNS: RFC 1035",
      "TXT records of the class CHAOS (dnsmasq(8))", "stats_noreset at the control socket of unbound (unbound-control(8))",
      "CacheStatistics of org.freedesktop.resolve1 on D-Bus (org.freedesktop.resolve1(5))",
    ],
    lane: .slow, timesAnswers: true, everySeconds: 60,
    settings: [
      SettingSpec("query", .text, default: ".", help: "The name that is asked for; `.` is the root of all names."),
      SettingSpec(
        "record", .choice(DNSRecordType.allCases.map(\.rawValue)), default: "NS",
        help: "The type of record; every resolver that reaches the Internet has the root's `NS` in its cache."),
      SettingSpec(
        "resolvers", .texts, default: nil,
        help: "Further resolvers, 8 in all: an address, with another port than 53 as `192.0.2.53#5353`."),
      SettingSpec("configured", .bool, default: "true", help: "Whether the resolvers of /etc/resolv.conf are asked."),
      SettingSpec("timeout", .duration(100...3_000), default: "1s", help: "How long an answer is waited for; all together 3s."),
      SettingSpec(
        "unbound_socket", .text, default: "/run/unbound.ctl", help: "The control socket of unbound, where there is one."),
    ],
    metrics: DNSMetrics.all, check: check,
    bounds: { settings in
      DNSMetrics.bounds(settings.bool("configured") ? nil : settings.list("resolvers").compactMap { Resolver($0)?.name })
    })

  /// What is known of one resolver.
  private struct Known {
    let name: String
    let up, time: Slot
    var counts = [Int](repeating: 0, count: ResolverAnswer.outcomes.count)
    /// Samples until it is asked whether it is a dnsmasq; 0 while it is one.
    var cacheCountdown = 0
  }

  private let host: Host
  private let bus: any DBus
  private let probe: ResolverProbe
  private let query: String
  private let record: DNSRecordType
  private let stated: [Resolver]
  private let withConfigured: Bool
  private let timeoutNanoseconds: Int64
  private let unboundSocket: String
  private var known: [Known] = []
  private var forwarders: Set<[Label]> = []
  /// The resolver at which the next sample begins: silent ones must not hide the others for ever.
  private var start = 0

  /// Looks for resolvers; asks none.
  public init(context: SensorContext, settings: Settings, readings: inout Readings) throws(SensorError) {
    host = context.host
    bus = host.systemBus
    probe = ResolverProbe(host: context.host)
    query = settings.text("query")
    record = DNSRecordType(rawValue: settings.text("record")) ?? .NS
    stated = settings.list("resolvers").compactMap { Resolver($0) }.map { resolver in
      var resolver = resolver
      resolver.isStated = true
      return resolver
    }
    withConfigured = settings.bool("configured")
    timeoutNanoseconds = Int64(settings.milliseconds("timeout")) * 1_000_000
    unboundSocket = settings.text("unbound_socket")
    guard !resolvers.isEmpty else { throw .absent("a resolver in /etc/resolv.conf") }
  }

  private static func check(_ settings: Settings) -> [SettingFault] {
    let query = settings.text("query")
    var faults: [SettingFault] = []
    if DNSMessage.query(id: 0, name: query, type: .A) == nil {
      faults.append(SettingFault("query", what: "'\(query)' is no domain name", remedy: "write 'query: example.org'"))
    }
    let resolvers = settings.list("resolvers")
    for (index, text) in resolvers.enumerated() where Resolver(text) == nil {
      faults.append(
        SettingFault(
          "resolvers", item: index, what: "'\(text)' is no resolver",
          remedy: "write an address, '192.0.2.53' or '192.0.2.53#5353'"))
    }
    if resolvers.count > DNSLimits.resolvers {
      faults.append(
        SettingFault(
          "resolvers", what: "there are \(resolvers.count) resolvers", remedy: "use at most \(DNSLimits.resolvers)"))
    }
    return faults
  }

  private var resolvers: [Resolver] {
    var resolvers = stated
    for resolver in withConfigured ? Resolver.configured(host) : []
    where !resolvers.contains(where: { $0.name == resolver.name }) {
      resolvers.append(resolver)
    }
    return Array(resolvers.prefix(DNSLimits.resolvers))
  }

  /// Asks each resolver in turn, then those that tell of their caches.
  public mutating func sample(into readings: inout Readings) throws(SensorError) {
    let resolvers = resolvers
    guard !resolvers.isEmpty else { throw .absent("a resolver in /etc/resolv.conf") }
    let begin = SystemClock.monotonicNanoseconds
    let end = begin + DNSLimits.sampleMilliseconds * 1_000_000
    var isCut = false
    for step in resolvers.indices {
      let place = (start + step) % resolvers.count
      let now = SystemClock.monotonicNanoseconds
      if now >= end {
        start = place
        isCut = true
        break
      }
      sample(resolvers[place], until: min(now + timeoutNanoseconds, end), into: &readings)
    }
    if !isCut { start = 0 }
    if !isCut { CacheStatistics.setUnbound(unboundSocket, host, in: &readings) }
    let isLate = SystemClock.monotonicNanoseconds - begin > DNSLimits.busMilliseconds * 1_000_000
    if !isLate, host.isDirectory(Self.resolved) { CacheStatistics.setResolved(bus, in: &readings) }
    // The sum of all, so that those whose answers came are told too.
    for known in known {
      for (place, count) in known.counts.enumerated() where count > 0 {
        let labels = [Label("outcome", ResolverAnswer.outcomes[place]), Label("resolver", known.name)]
        readings.set(readings.slot(DNSMetrics.answers, labels), Double(count))
      }
    }
  }

  private mutating func sample(_ resolver: Resolver, until deadline: Int64, into readings: inout Readings) {
    let answer = probe.ask(resolver, query, record, until: deadline)
    let index = place(of: resolver.name, &readings)
    known[index].counts[answer.outcome] += 1
    readings.set(known[index].up, answer.isGood ? 1 : 0)
    readings.set(known[index].time, answer.milliseconds)
    guard answer.milliseconds != nil, resolver.isLocal || resolver.isStated, !resolver.isStub else { return }
    if known[index].cacheCountdown > 0 {
      known[index].cacheCountdown -= 1
      return
    }
    let isTold = CacheStatistics.setDnsmasq(
      resolver, named: known[index].name, probe, until: deadline, &forwarders, in: &readings)
    if !isTold { known[index].cacheCountdown = DNSLimits.samplesBetweenCacheLooks }
  }

  private mutating func place(of name: String, _ readings: inout Readings) -> Int {
    if let index = known.firstIndex(where: { $0.name == name }) { return index }
    if known.count > DNSLimits.knownResolvers { return DNSLimits.knownResolvers }
    let name = known.count < DNSLimits.knownResolvers ? name : "other"
    let label = [Label("resolver", name)]
    known.append(Known(name: name, up: readings.slot(DNSMetrics.up, label), time: readings.slot(DNSMetrics.time, label)))
    return known.count - 1
  }
}
