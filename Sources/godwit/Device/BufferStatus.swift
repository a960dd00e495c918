import Buffer
import Platform
import Telemetry

/// What a buffer file says of its node without an agent.
enum BufferStatus {
  /// How many of the newest ticks are looked at for values: slow sensors are not in each.
  static let ticks: UInt64 = 120

  /// Reads the file; makes and changes nothing.
  static func read(_ path: String, rules: [AlertRule] = []) throws(BufferError) -> StatusReport {
    let reader = try BufferReader(path: path)
    let state = try reader.state()
    var report = StatusReport(source: .buffer, node: state.node ?? "unknown", time: "")
    report.buffer.path = path
    report.buffer.state = "read-only"
    if reader.isWithoutLog { report.buffer.problem = "the write-ahead log could not be read: the last seconds may be lacking" }
    if let extent = try reader.extent() { try read(extent, of: reader, into: &report) }
    for position in state.deliveries.values {
      report.uplink.configured = true
      let known = position.owed.reduce(0) { $0 + $1.upperBound - $1.lowerBound + 1 }
      let last = state.lastSequence ?? 0
      // Each payload has a position of its own over the same ticks; as with the agent, the one that lags most counts.
      report.uplink.owed = max(report.uplink.owed, known + (last >= position.next ? last - position.next + 1 : 0))
    }
    report.alerts = state.alerts.map { alert in
      StatusReport.Alert(
        rule: alert.rule, severity: rules.first { $0.name == alert.rule }?.severity.rawValue ?? "unknown", state: alert.state,
        series: alert.series,
        value: alert.value.isFinite ? alert.value : nil, since: WallTime.text(alert.sinceMilliseconds),
        message: "\(alert.series) was \(Reading.number(alert.value))")
    }
    return report
  }

  private static func read(
    _ extent: ClosedRange<UInt64>, of reader: BufferReader, into report: inout StatusReport
  ) throws(BufferError) {
    let series = reader.series
    var newest: [Double] = Array(repeating: .missing, count: series.count)
    var last: StoredTick?
    let start = max(extent.lowerBound, extent.upperBound - min(extent.upperBound, ticks - 1))
    _ = try reader.ticks(start...extent.upperBound) { tick in
      for (index, value) in tick.values.enumerated() where index < newest.count && !value.isMissing { newest[index] = value }
      last = copy tick
      return true
    }
    var first: Int64?
    _ = try reader.ticks(extent.lowerBound...extent.lowerBound) { tick in
      first = tick.wallMilliseconds
      return false
    }
    report.tick.seq = extent.upperBound
    report.buffer.ticks = try reader.count(extent)
    report.buffer.first = first.map(WallTime.text)
    if let last {
      report.time = WallTime.text(last.wallMilliseconds)
      report.buffer.last = report.time
      report.boot = last.epoch.boot
      report.clock.synced = last.epoch.synced
    }
    for (series, value) in zip(series, newest) where value.isFinite {
      report.values[series.key] = value
      if !series.unit.isEmpty { report.units[series.name] = series.unit }
    }
  }
}
