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
    let style = Style.standardOutput(ProfileEnvironment.current().variables)
    if follow { followForever(source, style) }
    let (report, problem) = try source.uplinkReport()
    if json {
      Output.write(report.json() + [UInt8(ascii: "\n")])
    } else {
      Output.write(screen(report, problem, style).map { $0 + "\n" }.joined())
    }
  }

  private func screen(_ report: UplinkReport, _ problem: String?, _ style: Style) -> [String] {
    UplinkScreen(report: report, width: Style.terminalColumns ?? 100, style: style, agentProblem: problem).lines()
  }

  /// Until a signal ends the program; nothing has to be put back then.
  private func followForever(_ source: ReportSource, _ style: Style) -> Never {
    var frame = Frame()
    while true {
      do {
        let (report, problem) = try source.uplinkReport()
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
