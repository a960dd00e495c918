import Alerts
import Buffer
import Platform
import Profile
import Sensors
import Telemetry
import Uplink

extension Supervisor {
  /// What the control socket answers to `status`.
  func statusReport() -> StatusReport {
    let clock = environment.clock
    let (now, wall) = (clock.bootNanoseconds(), clock.wallMilliseconds())
    /// CLOCK_BOOTTIME nanoseconds as wall time.
    func text(_ nanoseconds: Int64) -> String { WallTime.text(wall - (now - nanoseconds) / 1_000_000) }

    var report = StatusReport(source: .agent, node: profile.node, time: WallTime.text(wall))
    report.labels = Dictionary(profile.labels.map { ($0.key, $0.value) }) { $1 }
    report.boot = clock.boot
    report.uptimeSeconds = (Double(now) / 1e9).rounded(decimals: 1)
    report.started = text(started)
    report.clock.synced = timekeeper.current?.synced
    let state = try? environment.context.host.calls.clockState()
    report.clock.offsetSeconds = state?.offsetSeconds
    report.tick = tickStatus()
    report.buffer = bufferStatus()
    if let delivery = environment.delivery { report.uplink = uplinkStatus(delivery.status, text) }
    report.sensors = lanes.map { sensorStatus($0.figures, now) }
    report.alerts = engine.active.map { status in
      StatusReport.Alert(
        rule: status.rule.name, severity: status.rule.severity.rawValue, state: status.state.rawValue, series: status.series,
        value: status.value.isFinite ? status.value : nil, since: status.sinceMilliseconds.map { text($0 * 1_000_000) },
        message: status.message)
    }
    report.ended = engine.gone.prefix(AgentLimits.shownEndings).map { ending in
      StatusReport.Ending(
        rule: ending.rule.name, severity: ending.rule.severity.rawValue, series: ending.series,
        value: ending.value.isFinite ? ending.value : nil, reason: "gone", at: text(ending.milliseconds * 1_000_000))
    }
    report.outputs = outputs.views.map {
      StatusReport.Output(name: $0.name, on: $0.isOn, wanted: $0.wanted, driver: $0.driver, problem: $0.problem)
    }
    report.watchdog = watchdogStatus()
    report.shutdown = shutdown.state.map { StatusReport.Shutdown(state: $0.rawValue, problem: shutdown.problem) }
    for (id, value) in latest.enumerated() where !value.isMissing {
      report.values[table.series[id].key] = value
      report.units[table.series[id].metric.name] = table.series[id].metric.unit.rawValue
    }
    return report
  }

  private func watchdogStatus() -> StatusReport.Watchdog? {
    guard let state = watchdog.state, let path = watchdog.path else { return nil }
    var status = StatusReport.Watchdog(device: path, state: state.rawValue)
    status.identity = watchdog.identity
    status.timeoutSeconds = watchdog.timeoutSeconds
    status.problem = watchdog.problem
    return status
  }

  private func tickStatus() -> StatusReport.Tick {
    var status = StatusReport.Tick()
    status.everyMilliseconds = profile.tickMilliseconds
    status.seq = nextSequence - 1
    environment.context.statistics.read { figures in
      status.ticks = figures.ticks
      status.skipped = figures.skippedTicks
      status.lateP50Milliseconds = figures.latenessP50Milliseconds.rounded(decimals: 3)
      status.lateP99Milliseconds = figures.latenessP99Milliseconds.rounded(decimals: 3)
      status.lateMaxMilliseconds = figures.latenessMaxMilliseconds.rounded(decimals: 3)
    }
    return status
  }

  private func bufferStatus() -> StatusReport.Buffer {
    let storage = environment.storage.status
    var status = StatusReport.Buffer()
    status.path = profile.buffer.path
    status.bytes = storage.bytes
    status.maxBytes = UInt64(profile.buffer.maximumBytes)
    status.ticks = storage.extent.map { UInt64($0.sequences.count) } ?? 0
    status.first = storage.extent?.firstWallMilliseconds.map(WallTime.text)
    status.last = storage.extent?.lastWallMilliseconds.map(WallTime.text)
    status.uncommitted = UInt64(pending.ticks.count + storage.pendingTicks)
    status.state = storage.state.rawValue
    status.problem = storage.problem
    return status
  }

  private func uplinkStatus(_ uplink: UplinkStatus, _ text: (Int64) -> String) -> StatusReport.Uplink {
    var status = StatusReport.Uplink()
    status.configured = true
    status.broker = uplink.broker
    status.state = uplink.state.rawValue
    status.since = uplink.sinceNanoseconds > 0 ? text(uplink.sinceNanoseconds) : nil
    status.attempts = UInt64(uplink.attempts)
    status.lastError = uplink.lastError
    status.warning = uplink.warning
    status.delivered = uplink.deliveredTicks
    status.owed = uplink.owedTicks
    status.lost = uplink.lostTicks
    status.roundTripMilliseconds = uplink.roundTripMilliseconds?.rounded(decimals: 3)
    return status
  }

  private func sensorStatus(_ figures: AgentStatistics.SensorFigures, _ now: Int64) -> StatusReport.Sensor {
    var status = StatusReport.Sensor(name: figures.name, state: figures.outcome.word)
    status.everyMilliseconds = figures.everyMilliseconds
    status.ageSeconds = figures.sampledAtNanoseconds.map { (Double(now - $0) / 1e9).rounded(decimals: 3) }
    status.durationMilliseconds = (figures.durationSeconds * 1000).rounded(decimals: 3)
    status.values = figures.values
    status.failures = figures.failures
    status.problem = figures.problem
    return status
  }
}
