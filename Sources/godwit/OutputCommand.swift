import ArgumentParser
import FoundationEssentials
import Platform
import Profile
import Telemetry

/// `godwit output`: the lines that the agent drives.
struct OutputCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "output", abstract: "Lists and switches the outputs of the running agent (docs/outputs.md).",
    subcommands: [OutputListCommand.self, OutputSetCommand.self], defaultSubcommand: OutputListCommand.self)
}

/// `godwit output list`.
struct OutputListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "list", abstract: "Shows each output, and what drives it.")

  @OptionGroup var place: DevicePlace

  func run() throws {
    let source = try place.source()
    let (report, problem) = try source.report()
    if let problem { throw Failure("no agent answers: \(problem)") }
    let style = Style.standardOutput(ProfileEnvironment.current().variables)
    var table = Table(.left, .left, .left, .left)
    for output in report.outputs ?? [] {
      let state = output.on.map { $0 ? "on" : "off" } ?? "?"
      table.add(
        Span(output.name, .bold), Span(state, output.on == nil ? .red : output.on == true ? .yellow : nil), Span(output.driver),
        Span(output.problem ?? "", .red))
    }
    let lines = table.lines(indent: 0, width: Style.terminalColumns ?? 100, style: style)
    Output.write(lines.isEmpty ? "no outputs are configured\n" : lines.map { $0 + "\n" }.joined())
  }
}

/// `godwit output set NAME on|off|auto`.
struct OutputSetCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "set", abstract: "Switches an output that takes commands.",
    discussion: "'auto' gives it back to its alerts. Without --for it stays so until another command, or the agent's end.")

  enum State: String, ExpressibleByArgument, CaseIterable {
    case on, off, auto
  }

  @Argument(help: "The output's name.")
  var name: String

  @Argument(help: "on, off or auto.")
  var state: State

  @Option(name: .customLong("for"), help: "For so long only: 30s, 5m, 2h; at most 7d.")
  var duration: String?

  @OptionGroup var place: DevicePlace

  func validate() throws {
    guard name.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }), !name.isEmpty, name.utf8.count <= 64 else {
      throw ValidationError("'\(name)' is no output's name")
    }
    guard let duration else { return }
    guard let milliseconds = Quantity.milliseconds(duration), (1...7 * 86_400_000).contains(milliseconds) else {
      throw ValidationError("--for \(duration): write 30s, 5m or 2h, at most 7d")
    }
  }

  func run() throws {
    let milliseconds = duration.flatMap(Quantity.milliseconds).map { " \($0)" } ?? ""
    let answer = try place.source().tell("output \(name) \(state.rawValue)\(milliseconds)")
    if let error = answer["error"]?.text { throw Failure(error) }
    let until = state == .auto ? "" : duration.map { ", for \($0)" } ?? ", until it is told otherwise"
    Output.line("\(name): \(state.rawValue)\(until)")
  }
}
