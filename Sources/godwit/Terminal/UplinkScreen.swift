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
    if report.connections.isEmpty { lines += ["", line([Span("no uplink is configured", .grey)])] }
    for connection in report.connections { lines += [""] + state(of: connection) + payloads(of: connection) }
    return lines
  }

  private var header: [String] {
    var spans = [Span(report.node, .bold)]
    switch report.source {
    case .agent: spans.append(Span(" · the running agent · \(day(report.time ?? ""))"))
    case .buffer: spans.append(Span(" · the buffer file, not the agent", .yellow))
    }
    var lines = [line(spans)]
    if let agentProblem { lines.append(line([Span("no agent answers: \(agentProblem)", .yellow)])) }
    return lines
  }

  private func state(of connection: UplinkReport.Connection) -> [String] {
    guard let state = connection.state else { return [labelled(connection.name, [])] }
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
    var lines = [labelled(connection.name, first), labelled("", [Span(second.joined(separator: " · "))])]
    if connection.refusals > 0 {
      let why = connection.refusal.map { ": \($0)" } ?? ""
      lines.append(labelled("", [Span("! \(counted(connection.refusals, "message")) refused\(why)", .red)]))
    }
    if let error = connection.lastError, error != connection.refusal {
      lines.append(labelled("", [Span("! \(error)", isConnected ? .grey : .yellow)]))
    }
    return lines
  }

  private func payloads(of connection: UplinkReport.Connection) -> [String] {
    guard !connection.payloads.isEmpty else { return [] }
    let isAgent = report.source == .agent
    var table = Table([.left, .right] + (isAgent ? [.left, .right, .right, .right, .right] : []) + [.left])
    let titles =
      ["payload", "owed"] + (isAgent ? ["caught up in", "ticks/s", "delivered", "lost", "damaged"] : []) + ["owed ranges"]
    table.add(titles.map { Span($0, .grey) })
    for payload in connection.payloads {
      var row = [Span(payload.name), Span("\(payload.owed)", payload.owed > payload.inFlight ? .yellow : nil)]
      if isAgent {
        row += [
          catchUp(of: payload, connection), Span(payload.ticksPerSecond.map { Reading.number($0) } ?? "–"),
          Span("\(payload.delivered)"), Span("\(payload.lost)", payload.lost > 0 ? .red : nil),
          Span("\(payload.damagedColumns)", payload.damagedColumns > 0 ? .red : nil),
        ]
      }
      table.add(row + [Span(Self.ranges(of: payload))])
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

  private func line(_ spans: [Span]) -> String {
    var line = Line(width: width)
    for span in spans { line.add(span) }
    return line.text(style)
  }

  private func labelled(_ label: String, _ spans: [Span]) -> String {
    line([Span(label + String(repeating: " ", count: max(Self.label - label.count, 1)), .cyan)] + spans)
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
