import ArgumentParser
import Platform
import Telemetry

/// `godwit run`: becomes the agent.
struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Runs the agent in the foreground: replaces itself by godwitd.")

  @OptionGroup var options: ProfileOption

  func run() throws {
    guard let agent = Program.find("godwitd") else {
      throw Failure("godwitd is neither beside this program nor in PATH; install it, or put both programs into one directory")
    }
    do {
      try Program.replace(by: agent, arguments: ["--profile", options.profile])
    } catch {
      throw Failure("cannot start \(agent): \(error)")
    }
  }
}
