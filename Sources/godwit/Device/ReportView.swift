import Platform
import Profile
import Telemetry

/// A report as it is shown: once, or anew every second.
struct ReportView<Report> {
  /// Asks the agent, or the buffer; with why no agent answered.
  let read: () throws -> (report: Report, agentProblem: String?)
  let screen: (Report, _ problem: String?, Style) -> [String]
  let json: (Report) -> [UInt8]
  let isJSON: Bool

  /// Writes it once; with `isRepeated` for ever, until a signal ends the program: nothing has to be put back then.
  func show(isRepeated: Bool) throws {
    let style = Style.standardOutput(ProfileEnvironment.current().variables)
    guard isRepeated else {
      let (report, problem) = try read()
      return Output.write(isJSON ? line(report) : Array(screen(report, problem, style).map { $0 + "\n" }.joined().utf8))
    }
    var frame = Frame()
    while true {
      do {
        let (report, problem) = try read()
        Output.write(isJSON ? line(report) : Array(frame.text(of: screen(report, problem, style)).utf8))
      } catch {
        Output.write(frame.text(of: [style.paint("godwit: \(error)", .red)]))
      }
      Thread.sleep(milliseconds: 1000)
    }
  }

  private func line(_ report: Report) -> [UInt8] { json(report) + [UInt8(ascii: "\n")] }
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
