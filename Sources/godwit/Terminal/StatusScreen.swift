import Telemetry

/// Draws a report: a pure function of the report, the width and whether there are colours.
struct StatusScreen {
  let report: StatusReport
  let width: Int
  let style: Style
  /// Why the agent was not the one to answer.
  var agentProblem: String?

  private static let label = 9

  /// The lines, without line feeds.
  func lines() -> [String] {
    header + [""] + sampling + store + link + device + [""] + alerts + section("ENDED", ended) + section("VALUES", values)
      + section("SENSORS", sensors)
  }

  // MARK: - Header

  private var header: [String] {
    var first = [Span(report.node, .bold)]
    switch report.source {
    case .agent: first.append(Span(" · the running agent · \(day(report.time))"))
    case .buffer:
      first.append(Span(" · the buffer file, not the agent", .yellow))
      first.append(Span(" · last tick \(report.time.isEmpty ? "none" : day(report.time))"))
    }
    var facts: [String] = []
    if let uptime = report.uptimeSeconds { facts.append("up \(Reading.duration(seconds: uptime))") }
    if let synced = report.clock.synced { facts.append(synced ? "clock synchronised" + offset : "clock not synchronised") }
    if let started = report.started { facts.append("agent since \(moment(started))") }
    facts += report.labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    var lines = text(first)
    if !facts.isEmpty { lines += text([Span(facts.joined(separator: " · "))]) }
    if let agentProblem { lines += text([Span("no agent answers: \(agentProblem)", .yellow)]) }
    return lines
  }

  private var offset: String {
    report.clock.offsetSeconds.map { ", \(Reading.number($0 * 1000)) ms off" } ?? ""
  }

  // MARK: - Sampling, store, link

  private var sampling: [String] {
    guard report.source == .agent else { return [] }
    let tick = report.tick
    let late =
      "late \(Reading.number(tick.lateP50Milliseconds)) ms, p99 \(Reading.number(tick.lateP99Milliseconds)), "
      + "max \(Reading.number(tick.lateMaxMilliseconds))"
    let text = "every \(Quantity.duration(tick.everyMilliseconds)) · \(tick.ticks) taken, \(tick.skipped) skipped · \(late)"
    return labelled("ticks", [Span(text)])
  }

  private var store: [String] {
    let buffer = report.buffer
    var spans: [Span] = []
    if buffer.maxBytes > 0 {
      let share = Double(buffer.bytes) / Double(buffer.maxBytes)
      spans += [Span(Bar.text(share, width: 10), Bar.colour(share)), Span(" ")]
      spans.append(Span("\(size(buffer.bytes)) of \(size(buffer.maxBytes)) · "))
    }
    spans.append(Span("\(buffer.ticks) ticks"))
    if let first = buffer.first { spans.append(Span(" since \(moment(first))")) }
    if buffer.uncommitted > 0 { spans.append(Span(" · \(buffer.uncommitted) unwritten")) }
    if buffer.state != "ok", buffer.state != "read-only" { spans.append(Span(" · \(buffer.state)", .red)) }
    var lines = labelled("buffer", spans)
    if report.source == .buffer { lines += labelled("", [Span(buffer.path)]) }
    if let problem = buffer.problem { lines += labelled("", [Span("! \(problem)", .red)]) }
    return lines
  }

  private var link: [String] {
    let uplink = report.uplink
    guard uplink.configured else { return labelled("uplink", [Span("none configured", .grey)]) }
    let counts = "delivered \(uplink.delivered) · owed \(uplink.owed) · lost \(uplink.lost)"
    guard report.source == .agent else { return labelled("uplink", [Span("owed \(uplink.owed)")]) }
    var spans = [Span(uplink.state, uplink.state == "connected" ? .green : .yellow)]
    if let broker = uplink.broker { spans.append(Span(" \(broker)")) }
    if let since = uplink.since { spans.append(Span(" since \(moment(since))")) }
    if uplink.attempts > 0, uplink.state != "connected" { spans.append(Span(" · attempt \(uplink.attempts)")) }
    var second = [Span(counts)]
    if let roundTrip = uplink.roundTripMilliseconds { second.append(Span(" · acknowledged in \(Reading.number(roundTrip)) ms")) }
    var lines = labelled("uplink", spans) + labelled("", second)
    if uplink.state != "connected", let error = uplink.lastError { lines += labelled("", [Span("! \(error)", .yellow)]) }
    if let warning = uplink.warning { lines += labelled("", [Span("! \(warning)", .red)]) }
    return lines
  }

  // MARK: - What the agent does to the device

  /// Only what is configured.
  private var device: [String] {
    var lines: [String] = []
    if let watchdog = report.watchdog {
      let timeout = watchdog.timeoutSeconds.map { ", \($0) s" } ?? ""
      let isFed = watchdog.state == "fed"
      lines += labelled(
        "watchdog", [Span(watchdog.state, isFed ? .green : .red), Span(" \(watchdog.device)\(isFed ? timeout : "")")])
      if let problem = watchdog.problem { lines += labelled("", [Span("! \(problem)", .red)]) }
    }
    let outputs = report.outputs ?? []
    if !outputs.isEmpty {
      let states = outputs.map { "\($0.name) \($0.on.map { $0 ? "on" : "off" } ?? "?")" }
      lines += labelled("outputs", [Span(states.joined(separator: " · "))])
      for output in outputs {
        if let problem = output.problem { lines += labelled("", [Span("! \(output.name): \(problem)", .red)]) }
      }
    }
    if let shutdown = report.shutdown, shutdown.state != "armed" {
      lines += labelled("shutdown", [Span(shutdown.state, .red), Span(shutdown.problem.map { ": \($0)" } ?? "")])
    }
    return lines
  }

  // MARK: - Alerts, values, sensors

  private var alerts: [String] {
    guard !report.alerts.isEmpty else { return labelled("alerts", [Span("none", .green)]) }
    // Where there is no room for a column of times they stand before the messages.
    let names = report.alerts.map(\.rule.count).max() ?? 0
    let isNarrow = width < names + 70
    var table = Table([.left, .left, .left] + (isNarrow ? [] : [.left]) + [.left])
    for alert in report.alerts {
      let colour: Style.Colour = alert.state == "pending" ? .grey : alert.severity == "critical" ? .red : .yellow
      let head = [Span(alert.state, colour), Span(alert.severity, colour), Span(alert.rule, .bold)]
      let since = alert.since.map(moment)
      let rest =
        isNarrow
        ? [Span((since.map { "since \($0) · " } ?? "") + alert.message)] : [Span(since ?? "–"), Span(alert.message)]
      table.add(head + rest)
    }
    return [heading("ALERTS")] + table.lines(indent: 2, width: width, style: style)
  }

  private var values: [String] {
    var table = Table(.left, .left, .left, .left)
    let rows = KeyValues.rows(values: report.values, units: report.units)
    let instances = rows.map { Span($0.instance).cut(max(width / 3, 12)) }
    // On a narrow terminal the figures matter more than their bars.
    let others = [rows.map(\.title.count).max(), instances.map(\.width).max(), rows.map(\.text.count).max()]
    let room = others.reduce(width - 8) { $0 - ($1 ?? 0) }
    let barWidth = room < 6 ? 0 : min(room, width / 4, 30)
    for (row, instance) in zip(rows, instances) {
      guard row.omitted == 0 else {
        table.add(Span(row.title), Span("… and \(row.omitted) more"))
        continue
      }
      let bar = row.share.map { Span(Bar.text($0, width: barWidth), Bar.colour($0)) } ?? Span("")
      table.add(Span(row.title), instance, bar, Span(row.text))
    }
    return table.lines(indent: 2, width: width, style: style)
  }

  private var sensors: [String] {
    guard !report.sensors.isEmpty else { return [] }
    let isNarrow = width < 60
    let figures: [Table.Alignment] = isNarrow ? [.right, .right] : [.right, .right, .right, .right]
    var table = Table([.left, .left] + figures + [.left])
    let titles = ["", "state", "every", "age"] + (isNarrow ? [] : ["took", "values"]) + [""]
    table.add(titles.map { Span($0, .grey) })
    for sensor in report.sensors {
      let head = [Span(sensor.name), Span(sensor.state, colour(of: sensor.state))]
      // What is not there has no figures, only a reason.
      if sensor.state == "absent" {
        table.add(head + [Span(Self.reason(sensor.problem), .grey)])
        continue
      }
      let isStale = (sensor.ageSeconds ?? 0) * 1000 > Double(sensor.everyMilliseconds) * 3
      let times = [
        Span(Quantity.duration(sensor.everyMilliseconds)), Span(sensor.ageSeconds.map(age) ?? "–", isStale ? .yellow : nil),
      ]
      let costs = [Span("\(Quantity.fixed(sensor.durationMilliseconds, decimals: 2)) ms"), Span("\(sensor.values)")]
      table.add(head + times + (isNarrow ? [] : costs) + [Span(sensor.problem ?? "", .grey)])
    }
    return table.lines(indent: 2, width: width, style: style)
  }

  /// Why a sensor is absent, without the word that stands beside it.
  private static func reason(_ problem: String?) -> String {
    let problem = problem ?? ""
    return problem.hasPrefix("absent: ") ? String(problem.dropFirst("absent: ".count)) : problem
  }

  private func colour(of state: String) -> Style.Colour {
    switch state {
    case "ok": .green
    case "absent", "starting": .grey
    case "partial": .yellow
    default: .red
    }
  }

  private func age(_ seconds: Double) -> String {
    seconds < 10 ? "\(Quantity.fixed(seconds, decimals: 1))s" : Reading.duration(seconds: seconds)
  }

  // MARK: - Pieces

  private func text(_ spans: [Span]) -> [String] { Flow(spans).lines(width: width, style: style) }

  private func labelled(_ label: String, _ spans: [Span]) -> [String] {
    let label = Span(label + String(repeating: " ", count: Self.label - label.count), .cyan)
    return Flow(spans).lines(label: label, width: width, style: style)
  }

  private func heading(_ title: String) -> String { style.paint(title, .cyan) }

  private func section(_ title: String, _ lines: [String]) -> [String] {
    lines.isEmpty ? [] : ["", heading(title)] + lines
  }

  private func size(_ bytes: UInt64) -> String { Reading.text(Double(bytes), unit: "B") }

  /// `2026-11-20 22:40:01 UTC` of a wall time.
  private func day(_ time: String) -> String {
    guard time.count >= 19 else { return time }
    return "\(time.prefix(10)) \(time.dropFirst(11).prefix(8)) UTC"
  }

  /// A wall time as short as it is clear: only the time of day within the report's day.
  private func moment(_ time: String) -> String {
    guard time.count >= 19 else { return time }
    let clock = time.dropFirst(11).prefix(8)
    return time.prefix(10) == report.time.prefix(10) ? String(clock) : "\(time.prefix(10)) \(clock)"
  }

  /// Alerts that ended because nothing reports their series any more.
  private var ended: [String] {
    var table = Table(.left, .left, .left, .left)
    for ending in report.ended ?? [] {
      table.add(
        Span(ending.reason, .grey), Span(ending.rule, .bold), Span(moment(ending.at)),
        Span("\(ending.series) is no longer reported\(ending.value.map { "; it was \(Reading.number($0))" } ?? "")"))
    }
    return table.lines(indent: 2, width: width, style: style)
  }
}
