import Buffer
import Glibc
import Platform
import Profile
import Sensors
import Telemetry
import Uplink

/// The agent's process: reads the profile, opens the buffer, runs ticks until it is told to stop.
public enum Agent {
  /// The version that `--version`, `info` and `status` give.
  public static let version = "0.1.0"

  /// Exit statuses.
  enum Status: Int32 {
    case good = 0
    /// The profile is bad, or the agent cannot run with it here.
    case cannotRun = 1
    /// The arguments are unusable.
    case usage = 2
  }

  private static let usage = """
    usage: godwitd [--profile FILE] [--root DIR]
           godwitd --version

    Runs the Godwit agent in the foreground with the profile FILE (default /etc/godwit/profile.yaml).
    SIGHUP reloads the profile, SIGTERM and SIGINT stop the agent.
    --root takes the device's files and lines from a recorded tree instead of this machine's.

    """

  /// Runs the agent with the arguments after the program's name. Returns the exit status; ends only by a signal or an error.
  public static func main(_ arguments: [String]) -> Int32 {
    var path = "/etc/godwit/profile.yaml"
    var root = "/"
    var holdsOutputs = false
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      switch argument {
      case "--version":
        say("godwitd \(version)\n", to: STDOUT_FILENO)
        return Status.good.rawValue
      case "--help", "-h":
        say(usage, to: STDOUT_FILENO)
        return Status.good.rawValue
      case "--profile":
        guard let value = rest.popFirst() else { return refuse("--profile needs a file") }
        path = value
      case "--hold-outputs": holdsOutputs = true
      case "--root":
        guard let value = rest.popFirst() else { return refuse("--root needs a directory") }
        root = value
      case let argument where argument.hasPrefix("--profile="):
        path = String(argument.dropFirst("--profile=".count))
      default:
        return refuse("unknown argument '\(argument)'")
      }
    }
    ProcessMemory.economize()
    // What a device measures is for its owner and the group, not for everybody.
    umask(0o027)
    if holdsOutputs { return OutputGuardProcess.main(host: Host(root: root)) }
    return run(profile: path, host: Host(root: root))
  }

  private static func run(profile path: String, host: Host) -> Int32 {
    let profile: Profile
    do throws(ProfileProblems) {
      profile = try Profile.load(path: path, catalogue: SensorCatalogue.kinds, environment: .current())
    } catch {
      for problem in error.problems { say("\(problem)\n", to: STDERR_FILENO) }
      return Status.cannotRun.rawValue
    }
    do throws(AgentFailure) {
      let process = try AgentProcess(profile: profile, profilePath: path, host: host)
      try process.run()
      return Status.good.rawValue
    } catch {
      say("godwitd: \(error.description)\n", to: STDERR_FILENO)
      return Status.cannotRun.rawValue
    }
  }

  private static func refuse(_ what: String) -> Int32 {
    say("godwitd: \(what)\n\n\(usage)", to: STDERR_FILENO)
    return Status.usage.rawValue
  }

  private static func say(_ text: String, to descriptor: Int32) {
    let bytes = Array(text.utf8)
    _ = write(descriptor, bytes, bytes.count)
  }
}

/// Why the agent cannot run here: what, why, remedy.
struct AgentFailure: Error, CustomStringConvertible {
  let description: String
}
