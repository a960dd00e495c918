import ArgumentParser
import Buffer
import Platform
import Profile
import Telemetry

/// `godwit history METRIC`: stored values over a time.
struct HistoryCommand: ParsableCommand {
  /// Series that are shown of one metric.
  static let series = 12
  static let plotRows = 8
  static let tableRows = 24
  /// Steps that are shown at most.
  static let steps = 10_000

  static let configuration = CommandConfiguration(
    commandName: "history", abstract: "Shows stored values of a metric over a time: a plot on a terminal, else a table.")

  @Argument(help: "A metric, one of its series as 'name{key=\"value\"}', or a pattern with * and ?.")
  var metric: String

  @OptionGroup var place: BufferOptions

  @Option(
    help:
      "From when: back from the newest stored tick as 10m, 1h, 7d, or a time as 2026-11-20T22:40. An hour before the end unless given."
  )
  var since: String?

  @Option(help: "Until when, likewise; the newest tick unless given.")
  var until: String?

  @Option(help: "How far apart the values are: 10s, 1h. As it fits unless given.")
  var step: String?

  @Flag(exclusivity: .exclusive, help: "Which form; by where it is printed unless given.")
  var form: Form?

  enum Form: String, EnumerableFlag {
    case plot
    case table
  }

  func validate() throws {
    try MomentOption.check(since: since, until: until)
    try MomentOption.checkStep(step)
  }

  func run() throws {
    let span = try StoredSpan(
      path: place.path(), since: since.flatMap(Moment.init) ?? hourBefore, until: until.flatMap(Moment.init))
    let matching = try BufferPlace.series(span.reader.series, matching: [metric]).sorted { naturallyPrecedes($0.key, $1.key) }
    let shown = matching.prefix(Self.series)
    let columns = Style.terminalColumns ?? 80
    let asPlot = form.map { $0 == .plot } ?? StandardStreams.isTerminal
    let parts = asPlot ? columns - 16 : Self.tableRows
    let style = Style.standardOutput(ProfileEnvironment.current().variables)
    var damaged: Set<UInt64> = []
    for series in shown {
      let (history, tier, lost) = try Self.history(
        of: series, span, parts: parts, step: step, limit: asPlot ? parts : Self.steps)
      Output.write(text(series, history, tier, asPlot, style))
      damaged.formUnion(lost)
    }
    if matching.count > shown.count { Output.line("and \(matching.count - shown.count) more series; name one of them") }
    if !damaged.isEmpty {
      Output.error("godwit: left out: \(counted(damaged.count, "damaged block")); godwit buffer verify says which")
    }
  }

  private var hourBefore: Moment { (until.flatMap(Moment.init) ?? .back(0)).earlier(by: 3_600_000) }

  /// One series over the span: from the tier whose points are as far apart as the step, or as the parts are; of more than `limit`
  /// steps some are taken together.
  static func history(
    of series: StoredSeries, _ span: StoredSpan, parts: Int, step: String? = nil, limit: Int = steps
  ) throws -> (history: History, tier: Tier, damaged: Set<UInt64>) {
    // Some points to each part, so that where they begin does not show.
    var wanted = max((span.to - span.from) / Int64(parts) / 4, 1)
    var history = History(from: span.from, to: span.to, parts: parts)
    return try Failure.rethrow {
      var tier: Tier?
      if let step = step.flatMap(Quantity.milliseconds).map(Int64.init), step > 0 {
        history = History(from: span.from, to: span.to, stepMilliseconds: step, limit: limit)
        wanted = (history.to - history.from + 1) / Int64(history.parts.count)
        tier = try span.reader.tier(stepMilliseconds: wanted, from: span.from)
      }
      let samples = try span.reader.samples(
        series: series.id, wall: span.from...span.to, stepMilliseconds: wanted, tier: tier)
      for (place, time) in samples.wallMilliseconds.enumerated() {
        if samples.rollups.isEmpty {
          history.add(samples.values[place], at: time)
        } else {
          history.add(samples.rollups[place], at: time)
        }
      }
      return (history, samples.tier, samples.damaged)
    }
  }

  private func text(_ series: StoredSeries, _ history: History, _ tier: Tier, _ asPlot: Bool, _ style: Style) -> String {
    var lines = [style.paint(series.key, .bold) + style.paint("  (\(tier.title))", .grey)]
    if history.isEmpty {
      lines.append("  no values")
    } else {
      lines +=
        asPlot
        ? history.coarsened().plot(unit: series.unit, width: history.parts.count, height: Self.plotRows, style: style)
        : history.table(unit: series.unit)
    }
    return (lines + [""]).map { $0 + "\n" }.joined()
  }
}
