import Platform
public import Telemetry

/// Round trips to what a device depends on: gateways, brokers, name servers, web services. Sends nothing unless targets are named.
public struct LatencySensor: Sensor {
  /// The catalogue entry.
  public static let kind = SensorKind(
    name: "latency",
    summary: "Round trips, loss and outcome of probes: ICMP, TCP, TLS, HTTP, DNS, MQTT, and the path to a target.",
    sources: [
      "ICMP echo: RFC 792, RFC 4443, ping sockets of icmp(7)", "DNS: RFC 1035", "HTTP/1.1: RFC 9112", "MQTT 3.1.1",
      "TLS by the system's OpenSSL", "IP_RECVERR of ip(7)",
    ],
    lane: .slow, timesAnswers: true, everySeconds: 10,
    settings: [
      SettingSpec(
        "targets", .items(LatencyTarget.specs), default: nil,
        help: "What is probed, 64 at most, and 20 probes a second of all together. Without any nothing is sent."),
      SettingSpec(
        "window", .duration(10_000...3_600_000), default: "5m",
        help: "What loss, percentiles and jitter are told of; at most the newest 600 probes."),
    ],
    metrics: LatencyMetrics.all, check: check,
    bounds: { settings in
      var faults: [SettingFault] = []
      return LatencyMetrics.bounds(targets(settings, &faults))
    })

  private struct TargetSlots {
    let up, sent, lost, loss, last, p50, p95, p99, jitter: Slot

    init(_ labels: [Label], _ readings: inout Readings) {
      up = readings.slot(LatencyMetrics.up, labels)
      sent = readings.slot(LatencyMetrics.sent, labels)
      lost = readings.slot(LatencyMetrics.lost, labels)
      loss = readings.slot(LatencyMetrics.loss, labels)
      last = readings.slot(LatencyMetrics.last, labels)
      p50 = readings.slot(LatencyMetrics.p50, labels)
      p95 = readings.slot(LatencyMetrics.p95, labels)
      p99 = readings.slot(LatencyMetrics.p99, labels)
      jitter = readings.slot(LatencyMetrics.jitter, labels)
    }
  }

  private let targets: [LatencyTarget]
  private let slots: [TargetSlots]
  private let engine: LatencyEngine
  private let isRecorded: Bool

  /// Begins to probe.
  public init(context: SensorContext, settings: Settings, readings: inout Readings) throws(SensorError) {
    var faults: [SettingFault] = []
    targets = Self.targets(settings, &faults)
    if let fault = faults.first { throw .device("targets", what: "\(fault.what); \(fault.remedy)") }
    guard !targets.isEmpty else { throw .absent("the profile names no targets") }
    slots = targets.map { TargetSlots([Label("target", $0.name)], &readings) }
    isRecorded = !context.host.root.isEmpty
    let prober: any Prober = isRecorded ? RecordedProber(context.host) : NetworkProber(context.host)
    engine = LatencyEngine(
      targets, prober: prober, windowNanoseconds: Int64(settings.milliseconds("window")) * 1_000_000,
      at: isRecorded ? readings.nanoseconds : SystemClock.monotonicNanoseconds)
    if !isRecorded { try engine.start() }
  }

  private static func targets(_ settings: Settings, _ faults: inout [SettingFault]) -> [LatencyTarget] {
    let items = settings.items("targets")
    func add(_ what: String, _ remedy: String, to faults: inout [SettingFault]) {
      faults.append(SettingFault("targets", what: what, remedy: remedy))
    }
    if items.count > LatencyLimits.targets {
      add("there are \(items.count) targets", "use at most \(LatencyLimits.targets)", to: &faults)
    }
    var targets: [LatencyTarget] = []
    for (index, item) in items.prefix(LatencyLimits.targets).enumerated() {
      targets.append(LatencyTarget(item, at: index, &faults))
    }
    let traced = targets.filter(\.isTraced).count
    if traced > LatencyLimits.tracedTargets {
      add("\(traced) targets are traced", "write 'trace: true' at \(LatencyLimits.tracedTargets) at most", to: &faults)
    }
    var rate = Double(traced) * 1e9 / Double(LatencyLimits.hopIntervalNanoseconds)
    for target in targets { rate += 1e9 / Double(target.intervalNanoseconds) }
    if rate > Double(LatencyLimits.probesPerSecond) {
      add(
        "the targets ask for more than \(LatencyLimits.probesPerSecond) probes a second in all", "raise 'every' of some",
        to: &faults)
    }
    return targets
  }

  private static func check(_ settings: Settings) -> [SettingFault] {
    var faults: [SettingFault] = []
    _ = targets(settings, &faults)
    return faults
  }

  /// Tells what the probes found until now; waits for none.
  public mutating func sample(into readings: inout Readings) throws(SensorError) {
    let now = isRecorded ? readings.nanoseconds : SystemClock.monotonicNanoseconds
    if isRecorded { engine.advance(to: now) }
    for (index, state) in engine.states.enumerated() {
      report(state, slots[index], at: now, into: &readings)
      if let answer = state.last { report(answer, of: targets[index], into: &readings) }
      if targets[index].isTraced { report(state.path, of: targets[index], at: now, into: &readings) }
      if let fault = state.last?.fault ?? state.pathFault {
        readings.note(.device("target '\(targets[index].name)'", what: fault))
      }
    }
  }

  private func report(_ state: LatencyEngine.TargetState, _ slots: TargetSlots, at now: Int64, into readings: inout Readings) {
    readings.set(slots.sent, Double(state.sent))
    readings.set(slots.lost, Double(state.lost))
    if let last = state.last { readings.set(slots.up, last.fault == nil ? 1 : 0) }
    readings.set(slots.last, state.last?.milliseconds)
    guard let figures = state.window.figures(at: now) else { return }
    readings.set(slots.loss, figures.lossPercent)
    readings.set(slots.p50, figures.p50)
    readings.set(slots.p95, figures.p95)
    readings.set(slots.p99, figures.p99)
    readings.set(slots.jitter, figures.jitter)
  }

  private func report(_ answer: ProbeAnswer, of target: LatencyTarget, into readings: inout Readings) {
    let label = Label("target", target.name)
    switch target.kind {
    // Their one phase is the round trip.
    case .icmp, .tcp, .dns: break
    case .tls, .http, .mqtt:
      for phase in ProbePhase.allCases {
        guard let milliseconds = answer.phases[phase] else { continue }
        readings.set(readings.slot(LatencyMetrics.phase, [Label("phase", phase.rawValue), label]), milliseconds)
      }
    }
    func set(_ metric: Metric, _ value: Double?) {
      if let value { readings.set(readings.slot(metric, [label]), value) }
    }
    set(LatencyMetrics.status, answer.status.map { Double($0) })
    set(LatencyMetrics.dnsCode, answer.dnsCode.map { Double($0) })
    set(LatencyMetrics.dnsRecords, answer.dnsRecords.map { Double($0) })
    set(LatencyMetrics.certificate, answer.certificateSeconds)
  }

  private func report(_ path: PathTrace, of target: LatencyTarget, at now: Int64, into readings: inout Readings) {
    for (place, hop) in path.hops.enumerated() {
      guard let figures = hop.window.figures(at: now) else { continue }
      let labels = [Label("hop", "\(place + 1)"), Label("target", target.name)]
      readings.set(readings.slot(LatencyMetrics.hopLoss, labels), figures.lossPercent)
      if let p50 = figures.p50 { readings.set(readings.slot(LatencyMetrics.hopTime, labels), p50) }
      for address in hop.known {
        let slot = readings.slot(LatencyMetrics.hopSeen, [Label("address", address)] + labels)
        readings.set(slot, address == hop.address ? 1 : 0)
      }
    }
  }
}
