import Telemetry

/// Draws how delivery stands: a pure function of the report, the width and whether there are colours.
struct UplinkScreen {
  let report: UplinkReport
  let width: Int
  let style: Style
  /// Why the agent was not the one to answer.
  var agentProblem: String?

  private static let label = 11

  /// The lines, without line feeds.
  func lines() -> [String] {
    var lines = header
    if report.connections.isEmpty { lines += [""] + text([Span("no uplink is configured", .grey)]) }
    for connection in report.connections { lines += [""] + state(of: connection) + payloads(of: connection) }
    return lines
  }

  private var header: [String] {
    var spans = [Span(report.node, .bold)]
    switch report.source {
    case .agent: spans.append(Span(" · the running agent · \(day(report.time ?? ""))"))
    case .buffer: spans.append(Span(" · the buffer file, not the agent", .yellow))
    }
    var lines = text(spans)
    if let agentProblem { lines += text([Span("no agent answers: \(agentProblem)", .yellow)]) }
    return lines
  }

  private func state(of connection: UplinkReport.Connection) -> [String] {
    guard let state = connection.state else { return labelled(connection.name, []) }
    let isConnected = state == "connected"
    var first = [Span(state, isConnected ? .green : .yellow)]
    if let broker = connection.broker { first.append(Span(" \(broker)")) }
    if let since = connection.since { first.append(Span(" since \(moment(since))")) }
    if connection.attempts > 0, !isConnected { first.append(Span(" · attempt \(connection.attempts)")) }
    var second: [String] = []
    if let rate = connection.bytesPerSecond { second.append(Reading.text(rate.rounded(), unit: "B/s")) }
    second.append("\(Reading.text(Double(connection.sentBytes), unit: "B")) sent")
    second.append("accepted \(connection.accepted == 1 ? "once" : "\(connection.accepted) times")")
    if let roundTrip = connection.roundTripMilliseconds { second.append("acknowledged in \(Reading.number(roundTrip)) ms") }
    var lines = labelled(connection.name, first) + labelled("", [Span(second.joined(separator: " · "))])
    if connection.refusals > 0 {
      let why = connection.refusal.map { ": \($0)" } ?? ""
      lines += labelled("", [Span("! \(counted(connection.refusals, "message")) refused\(why)", .red)])
    }
    if let error = connection.lastError, error != connection.refusal {
      lines += labelled("", [Span("! \(error)", isConnected ? .grey : .yellow)])
    }
    return lines
  }

  private func payloads(of connection: UplinkReport.Connection) -> [String] {
    guard !connection.payloads.isEmpty else { return [] }
    let isAgent = report.source == .agent
    // Below the other columns the ranges need their title in each line; then a narrow terminal lacks room for rates.
    let (isNarrow, hasRates) = (width < 100 && isAgent, width >= 72)
    let figures = isAgent ? ["caught up in"] + (hasRates ? ["ticks/s"] : []) + ["delivered", "lost", "damaged"] : []
    let alignments: [Table.Alignment] = figures.indices.map { $0 == 0 ? .left : .right }
    var table = Table([.left, .right] + alignments + [.left])
    table.add((["payload", "owed"] + figures + [isNarrow ? "" : "owed ranges"]).map { Span($0, .grey) })
    for payload in connection.payloads {
      var row = [Span(payload.name), Span("\(payload.owed)", payload.owed > payload.inFlight ? .yellow : nil)]
      if isAgent {
        row.append(catchUp(of: payload, connection))
        if hasRates { row.append(Span(payload.ticksPerSecond.map { Reading.number($0) } ?? "–")) }
        row += [
          Span("\(payload.delivered)"), Span("\(payload.lost)", payload.lost > 0 ? .red : nil),
          Span("\(payload.damagedColumns)", payload.damagedColumns > 0 ? .red : nil),
        ]
      }
      let ranges = Self.ranges(of: payload)
      table.add(row + [Span(isNarrow && !ranges.isEmpty ? "owed ranges: \(ranges)" : ranges)])
    }
    return table.lines(indent: 2, width: width, style: style)
  }

  /// When nothing will be owed any more, if all goes on as lately.
  private func catchUp(of payload: UplinkReport.Payload, _ connection: UplinkReport.Connection) -> Span {
    if let seconds = payload.catchUpSeconds {
      return seconds == 0 ? Span("–") : Span(Reading.duration(seconds: seconds.rounded(.up)))
    }
    return connection.windowSeconds == nil ? Span("…") : Span("not catching up", .yellow)
  }

  static func ranges(of payload: UplinkReport.Payload) -> String {
    var texts = payload.firstOwed.filter { $0.count == 2 }.map { $0[0] == $0[1] ? "\($0[0])" : "\($0[0])–\($0[1])" }
    let more = payload.owedRanges - min(payload.owedRanges, UInt64(payload.firstOwed.count))
    if more > 0 { texts.append("and \(more) more") }
    return texts.joined(separator: ", ")
  }

  // MARK: Pieces

  private func text(_ spans: [Span]) -> [String] { Flow(spans).lines(width: width, style: style) }

  private func labelled(_ label: String, _ spans: [Span]) -> [String] {
    let label = Span(label + String(repeating: " ", count: max(Self.label - label.count, 1)), .cyan)
    return Flow(spans).lines(label: label, width: width, style: style)
  }

  /// `2026-11-20 22:40:01 UTC` of a wall time.
  private func day(_ time: String) -> String {
    time.count >= 19 ? "\(time.prefix(10)) \(time.dropFirst(11).prefix(8)) UTC" : time
  }

  /// Only the time of day within the report's day.
  private func moment(_ time: String) -> String {
    guard time.count >= 19 else { return time }
    let clock = time.dropFirst(11).prefix(8)
    return time.prefix(10) == report.time?.prefix(10) ? String(clock) : "\(time.prefix(10)) \(clock)"
  }
}
