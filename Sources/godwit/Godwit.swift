import ArgumentParser
import Glibc

/// The command line. One file a subcommand.
@main
struct Godwit: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "godwit",
    abstract: "Watches a device from inside, and tells what it sees.",
    version: "0.1.0",
    subcommands: [
      RunCommand.self, CheckCommand.self, DetectCommand.self, IdentityCommand.self, HardwareCommand.self,
      SampleCommand.self, StatusCommand.self, HistoryCommand.self,
      ExportCommand.self, SQLCommand.self, BufferCommand.self, SensorsCommand.self,
      UplinkCommand.self, WatchCommand.self, I2CCommand.self, GPIOCommand.self, OutputCommand.self,
      SensorHostCommand.self,
    ])

  /// Exit status: 0 done, 1 it could not be done, 2 unusable arguments.
  static func main() {
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch let failure as Failure {
      Output.error("godwit: \(failure)")
      Glibc.exit(failure.status)
    } catch  where exitCode(for: error) == .validationFailure {
      // ArgumentParser would exit with EX_USAGE, 64.
      Output.error(fullMessage(for: error))
      Glibc.exit(2)
    } catch {
      exit(withError: error)
    }
  }
}

/// Where the profile lies.
struct ProfileOption: ParsableArguments {
  static let usual = "/etc/godwit/profile.yaml"

  @Option(help: "The profile; the drop-ins profile.d/*.yaml beside it are read too.")
  var profile: String = ProfileOption.usual
}
