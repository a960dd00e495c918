import ArgumentParser
import Platform
import Profile
import Telemetry

/// `godwit uplink`: how delivery stands.
struct UplinkCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "uplink",
    abstract: "Shows each connection to a broker, what is owed over it, how fast it goes, and when it will have caught up.",
    discussion: "Asks the running agent; when none answers, reads from its buffer file what is owed, and says so.")

  @OptionGroup var place: DevicePlace

  @Flag(help: "Prints the report as JSON (docs/uplink.md).")
  var json = false

  @Flag(help: "Draws anew every second until Ctrl-C.")
  var follow = false

  func run() throws {
    let source = try place.source()
    try ReportView(
      read: source.uplinkReport,
      screen: { report, problem, style in
        UplinkScreen(report: report, width: Style.terminalColumns ?? 100, style: style, agentProblem: problem).lines()
      }, json: { $0.json() }, isJSON: json
    )
    .show(isRepeated: follow)
  }
}
