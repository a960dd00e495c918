import ArgumentParser
import Buffer
import Platform
import Telemetry

/// `godwit export`: the stored values for other tools, in constant memory.
struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Writes stored values as CSV, JSON lines, OpenMetrics or an SQLite file, also from the card of a dead device.",
    discussion: "A file is written beside its place and put there when it is whole; Ctrl-C or a full disk leave nothing behind.")

  @OptionGroup var place: BufferOptions

  @Option(
    name: .customLong("metric"),
    help: ArgumentHelp("Only this metric, series or pattern with * and ?; may be repeated.", valueName: "glob"))
  var metrics: [String] = []

  @Option(help: "From when: back from the newest stored tick as 10m, 24h, 7d, or a time as 2026-11-20T22:40. All unless given.")
  var since: String?

  @Option(help: "Until when, likewise. To the end unless given.")
  var until: String?

  @Option(
    help: "One value a step (10s, 5m, 1h) instead of all: the mean of gauges, the last of counters. From rollups where they fit.")
  var step: String?

  @Option(
    help: """
      csv: a line a tick, a column a series. jsonl: one object a line, as on the wire. openmetrics: for Prometheus. sqlite: a file with \
      the tables series and samples. By the file's name unless given.
      """)
  var format: ExportFormat?

  @Option(name: [.short, .long], help: "The file to write; standard output unless given.")
  var output: String?

  private var chosenFormat: ExportFormat { format ?? output.flatMap(ExportFormat.init(fileName:)) ?? .jsonl }

  func validate() throws {
    try MomentOption.check(since: since, until: until)
    try MomentOption.checkStep(step)
    if output == "" { throw ValidationError("--output names no file") }
    if let output, format == nil, ExportFormat(fileName: output) == nil {
      throw ValidationError("--output \(output): its ending names no format. Endings: \(ExportFormat.endings); or give --format")
    }
    if chosenFormat == .sqlite, output == nil {
      throw ValidationError("--format sqlite writes a file: name it with --output FILE")
    }
  }

  func run() throws {
    let path = try place.path()
    if let output { try BufferPlace.checkIsElsewhere(output, than: path) }
    let span = try StoredSpan(path: path, since: since.flatMap(Moment.init), until: until.flatMap(Moment.init))
    let export = Export(
      span: span, series: try BufferPlace.series(span.reader.series, matching: metrics), isFiltered: !metrics.isEmpty)
    if let step = step.flatMap(Quantity.milliseconds).map(Int64.init) {
      try Failure.rethrow { try export.step(by: step) }
      Output.error("godwit: steps of \(Quantity.duration(Int(step))) from \(export.tier.title)\(export.coarseness)")
    }
    if output != nil { Interruption.hold() }
    export.progress = Progress(
      total: export.work, isShown: output != nil && StandardStreams.isErrorTerminal)
    defer { export.progress.end() }
    try Failure.rethrow {
      if let output, chosenFormat == .sqlite {
        try export.writeSamples(to: output)
      } else {
        let sink = try ExportSink(output)
        try export.write(chosenFormat, to: sink)
        try sink.finish()
      }
    }
    export.progress.end()
    for line in export.remarks { Output.error("godwit: \(line)") }
  }
}

/// Where text goes: a file that is there only when it is whole, or standard output.
final class ExportSink {
  private let file: OutputFile?

  init(_ path: String?) throws { file = try path.map { path throws(SensorError) in try OutputFile(path: path) } }

  func put(_ bytes: [UInt8]) throws(SensorError) {
    if let file { return try file.append(bytes) }
    let code = StandardStreams.write(bytes)
    guard code == 0 else { throw .io(path: "standard output", errno: code) }
  }

  func finish() throws(SensorError) { try file?.finish() }
}

/// A progress bar on standard error, drawn a hundred times at most.
struct Progress {
  private let total: UInt64
  private let isShown: Bool
  private var done: UInt64 = 0
  private var drawn: UInt64 = 0
  private var isCleared = false

  /// Short work shows none.
  init(total: UInt64, isShown: Bool) {
    self.total = total
    self.isShown = isShown && total >= 5_000
  }

  /// Goes on, unless the program was asked to end.
  mutating func step(by count: UInt64 = 1) throws {
    let before = done
    done += count
    if before >> 8 != done >> 8, Interruption.isPending {
      throw Failure("interrupted: nothing was written", status: Interruption.exitStatus)
    }
    guard isShown, min(done, total) * 100 / total > drawn else { return }
    drawn = min(done, total) * 100 / total
    StandardStreams.writeError(Array("\r\(Bar.text(Double(drawn) / 100, width: 40)) \(drawn) % ".utf8))
  }

  mutating func end() {
    if isShown, !isCleared { StandardStreams.writeError(Array("\r\u{1B}[K".utf8)) }
    isCleared = true
  }
}
