import ArgumentParser
import Platform
import Profile
import Telemetry

/// `godwit status`: how the device and its agent are.
struct StatusCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Shows the state of the device and its agent.",
    discussion: "Asks the running agent; when none answers, reads its buffer file, and says so.")

  @OptionGroup var place: DevicePlace

  @Flag(help: "Prints the report as JSON (docs/status.md).")
  var json = false

  @Flag(help: "Draws anew every second until Ctrl-C.")
  var watch = false

  func run() throws {
    let source = try place.source()
    let style = Style.standardOutput(ProfileEnvironment.current().variables)
    if watch { watchForever(source, style) }
    let (report, problem) = try source.report()
    if json {
      Output.write(report.json() + [UInt8(ascii: "\n")])
    } else {
      Output.write(screen(report, problem, style).map { $0 + "\n" }.joined())
    }
  }

  private func screen(_ report: StatusReport, _ problem: String?, _ style: Style) -> [String] {
    StatusScreen(report: report, width: Style.terminalColumns ?? 100, style: style, agentProblem: problem).lines()
  }

  /// Until a signal ends the program; nothing has to be put back then.
  private func watchForever(_ source: ReportSource, _ style: Style) -> Never {
    var frame = Frame()
    while true {
      do {
        let (report, problem) = try source.report()
        if json {
          Output.write(report.json() + [UInt8(ascii: "\n")])
        } else {
          Output.write(frame.text(of: screen(report, problem, style)))
        }
      } catch {
        Output.write(frame.text(of: [style.paint("godwit: \(error)", .red)]))
      }
      Thread.sleep(milliseconds: 1000)
    }
  }
}

/// Where an agent and its buffer are: told on the command line, else by the profile.
struct DevicePlace: ParsableArguments {
  @Option(help: "The profile that names the socket and the buffer (\(ProfileOption.usual)).")
  var profile: String?

  @Option(help: "The agent's control socket.")
  var socket: String?

  @Option(help: "A buffer file: of this device, or from the card of another. Alone it is read without asking an agent.")
  var buffer: String?

  func source() throws -> ReportSource {
    if buffer != nil, socket == nil, profile == nil { return ReportSource(socket: nil, buffer: buffer) }
    if socket != nil, profile == nil { return ReportSource(socket: socket, buffer: buffer) }
    let loaded = try ProfileFile.load(profile ?? ProfileOption.usual)
    return ReportSource(socket: socket ?? loaded.control.socketPath, buffer: buffer ?? loaded.buffer.path, rules: loaded.alerts)
  }
}

/// Frames drawn one over the other: each line is written over the one before it and the rest of it erased, so nothing flickers.
struct Frame {
  private var isFirst = true

  /// What to write for the next frame. On no terminal, frames follow one another with an empty line between.
  mutating func text(of lines: [String], isTerminal: Bool = StandardStreams.isTerminal, rows: Int? = StandardStreams.terminalRows)
    -> String
  {
    defer { isFirst = false }
    guard isTerminal else { return (isFirst ? "" : "\n") + lines.map { $0 + "\n" }.joined() }
    let fitting = lines.prefix(max((rows ?? 24) - 1, 1))
    return (isFirst ? "\u{1B}[2J" : "") + "\u{1B}[H" + fitting.map { $0 + "\u{1B}[K\n" }.joined() + "\u{1B}[J"
  }
}
