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
    try ReportView(
      read: source.report,
      screen: { report, problem, style in
        StatusScreen(report: report, width: Style.terminalColumns ?? 100, style: style, agentProblem: problem).lines()
      }, json: { $0.json() }, isJSON: json
    )
    .show(isRepeated: watch)
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
