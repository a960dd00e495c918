import ArgumentParser
import Buffer
import Platform
import Telemetry

/// `godwit export`: the stored ticks as text, in constant memory.
struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Writes the stored ticks as CSV or as JSON lines, also from the card of a dead device.")

  @Option(help: "The profile that names the buffer (\(ProfileOption.usual)).")
  var profile: String?

  @Option(help: "The buffer file.")
  var buffer: String?

  @Option(help: "How far back from the newest stored tick: 10m, 24h, 7d. All of it unless given.")
  var since: String?

  @Option(
    help: "csv: a line a tick, a column a series. jsonl: one object a line, as on the wire. By the file's name unless given.")
  var format: ExportFormat?

  @Option(name: [.short, .long], help: "The file to write; standard output unless given.")
  var output: String?

  func validate() throws { try SinceOption.check(since) }

  func run() throws {
    let path = try BufferPlace.path(profile: profile, buffer: buffer)
    let span = try StoredSpan(path: path, sinceMilliseconds: since.flatMap(Quantity.milliseconds))
    let format = format ?? (output?.hasSuffix(".csv") == true ? .csv : .jsonl)
    do throws(SensorError) {
      let file = try output.map { path throws(SensorError) in try OutputFile(path: path) }
      let damaged = try write(span, format, to: file)
      try file?.finish()
      if damaged > 0 { Output.error("godwit: \(damaged) damaged ticks were left out") }
    } catch {
      // What this command meets of system calls is its own file; the buffer is read by SQLite.
      guard case .io(let path, let code) = error else { throw Failure("\(error)") }
      throw Failure("cannot write \(path): errno \(code)")
    }
  }

  private func write(_ span: StoredSpan, _ format: ExportFormat, to file: OutputFile?) throws(SensorError) -> Int {
    var failure: SensorError?
    func put(_ bytes: [UInt8]) -> Bool {
      guard let file else {
        StandardStreams.write(bytes)
        return true
      }
      do throws(SensorError) {
        try file.append(bytes)
        return true
      } catch {
        failure = error
        return false
      }
    }
    var progress = Progress(total: (try? span.count()) ?? 0, isShown: file != nil && StandardStreams.isErrorTerminal)
    var writer = ExportWriter(format, series: span.reader.series)
    guard put(writer.header) else { throw failure ?? .timedOut }
    var damaged = 0
    do {
      damaged = try span.each { tick in
        progress.step()
        return put(writer.line(tick))
      }
    } catch {
      failure = failure ?? .malformed(path: span.reader.path, what: "\(error)")
    }
    progress.end()
    if let failure { throw failure }
    return damaged
  }
}

/// A progress bar on standard error, drawn a hundred times at most.
struct Progress {
  private let total: UInt64
  private let isShown: Bool
  private var done: UInt64 = 0
  private var drawn: UInt64 = 0

  /// Short work shows none.
  init(total: UInt64, isShown: Bool) {
    self.total = total
    self.isShown = isShown && total >= 5_000
  }

  mutating func step() {
    done += 1
    guard isShown, done * 100 / total > drawn else { return }
    drawn = done * 100 / total
    StandardStreams.writeError(Array("\r\(Bar.text(Double(drawn) / 100, width: 40)) \(drawn) % ".utf8))
  }

  func end() {
    if isShown { StandardStreams.writeError(Array("\r\u{1B}[K".utf8)) }
  }
}

/// `--since` of several commands.
enum SinceOption {
  static func check(_ text: String?) throws {
    guard let text else { return }
    guard let milliseconds = Quantity.milliseconds(text), milliseconds > 0 else {
      throw ValidationError("--since '\(text)' is no duration; write 10m, 24h or 7d")
    }
  }
}
