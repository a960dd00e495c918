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

  static let configuration = CommandConfiguration(
    commandName: "history", abstract: "Shows stored values of a metric over a time: a plot on a terminal, else a table.")

  @Argument(help: "A metric, one of its series as 'name{key=\"value\"}', or a pattern with * and ?.")
  var metric: String

  @Option(help: "The profile that names the buffer (\(ProfileOption.usual)).")
  var profile: String?

  @Option(help: "The buffer file.")
  var buffer: String?

  @Option(help: "How far back from the newest stored tick: 10m, 1h, 7d.")
  var since: String = "1h"

  @Flag(exclusivity: .exclusive, help: "Which form; by where it is printed unless given.")
  var form: Form?

  enum Form: String, EnumerableFlag {
    case plot
    case table
  }

  func validate() throws { try SinceOption.check(since) }

  func run() throws {
    let span = try StoredSpan(
      path: BufferPlace.path(profile: profile, buffer: buffer), sinceMilliseconds: Quantity.milliseconds(since))
    let wanted = Glob(metric)
    let matching = span.reader.series.filter { $0.name == metric || $0.key == metric || wanted.matches($0.key) }
      .sorted { naturallyPrecedes($0.key, $1.key) }
    guard !matching.isEmpty else { throw unknown(span.reader.series) }
    let shown = matching.prefix(Self.series)
    let columns = Style.terminalColumns ?? 80
    let asPlot = form.map { $0 == .plot } ?? StandardStreams.isTerminal
    let parts = asPlot ? columns - 16 : Self.tableRows
    var histories = shown.map { _ in History(from: span.from, to: span.to, parts: parts) }
    let damaged = try span.each { tick in
      for (index, series) in shown.enumerated() where series.id < tick.values.count {
        histories[index].add(tick.values[series.id], at: tick.wallMilliseconds)
      }
      return true
    }
    let style = Style.standardOutput(ProfileEnvironment.current().variables)
    for (series, history) in zip(shown, histories) { Output.write(text(series, history, asPlot, style)) }
    if matching.count > shown.count { Output.line("and \(matching.count - shown.count) more series; name one of them") }
    if damaged > 0 { Output.error("godwit: \(damaged) damaged ticks were left out") }
  }

  private func text(_ series: StoredSeries, _ history: History, _ asPlot: Bool, _ style: Style) -> String {
    var lines = [style.paint(series.key, .bold)]
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

  private func unknown(_ series: [StoredSeries]) -> Failure {
    let names = Set(series.map(\.name)).sorted()
    let family = metric.prefix { $0 != "." }
    let near = names.filter { $0.hasPrefix(family + ".") }
    let listed = near.isEmpty ? names.map { String($0.prefix { $0 != "." }) + ".*" } : near
    let some = Array(Set(listed)).sorted().prefix(20).joined(separator: ", ")
    return Failure("the buffer has no series of '\(metric)'; it has \(some.isEmpty ? "none at all" : some)")
  }
}
