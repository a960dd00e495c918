import ArgumentParser
import Platform
import Profile
import Sensors
import Telemetry

/// `godwit check`: whether a profile is good. Exit status 0 good, 1 bad, 2 unusable arguments.
struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Checks a profile and its drop-ins, and lists everything that is wrong with them.")

  @Argument(help: "The profile; \(ProfileOption.usual) unless given here or by --profile.")
  var file: String?

  @Option(help: "The profile, as the other commands take it.")
  var profile: String?

  func validate() throws {
    if file != nil, profile != nil { throw ValidationError("name the profile once: as an argument or by --profile") }
  }

  func run() throws {
    let path = file ?? profile ?? ProfileOption.usual
    let loaded = try ProfileFile.load(path)
    // The agent runs without these devices; a check is there to say so.
    guard loaded.hardwareProblems.isEmpty else {
      for problem in loaded.hardwareProblems { Output.error(problem.description) }
      throw ExitCode.failure
    }
    Output.line("\(path): good: \(Self.summary(loaded))")
    for note in Self.notes(loaded) { Output.error("\(path): note: \(note)") }
  }

  /// What a good profile says that does nothing.
  static func notes(_ profile: Profile) -> [String] {
    guard let uplink = profile.uplink, uplink.payloads == [.sparkplug] else { return [] }
    var notes: [String] = []
    let remedy = "add 'json', 'packed' or 'homeassistant' to 'uplink.payloads'"
    if !uplink.commands.isEmpty {
      notes.append("'uplink.commands' does nothing: the payload sparkplug takes no command but a rebirth; \(remedy)")
    }
    let told = profile.alerts.filter { $0.notifiers.contains(.mqtt) }
    if !told.isEmpty {
      let names = told.prefix(8).map(\.name) + (told.count > 8 ? ["…"] : [])
      notes.append(
        "'notify: mqtt' of \(counted(told.count, "alert")) tells nobody: the payload sparkplug carries no alerts and no events; \(remedy) "
          + "(\(names.joined(separator: ", ")))")
    }
    return notes
  }

  /// What a good profile says, in one line.
  static func summary(_ profile: Profile) -> String {
    let uplink = profile.uplink == nil ? "no uplink" : "an uplink"
    return
      "node \(profile.node), a tick every \(Quantity.duration(profile.tickMilliseconds)), \(counted(profile.sensors.count, "sensor")), "
      + "\(counted(profile.alerts.count, "alert")), \(uplink)"
  }
}

/// Profiles as the commands load them.
enum ProfileFile {
  /// Loads a profile for this machine. When it is bad, all that is wrong is written to standard error first.
  static func load(_ path: String) throws -> Profile {
    guard Host().exists(path) else {
      throw Failure("\(path): no such file; name the profile with --profile FILE, or write one with 'godwit detect'", status: 2)
    }
    do {
      return try Profile.load(path: path, catalogue: SensorCatalogue.kinds, environment: .current())
    } catch {
      Output.error(error.description)
      throw ExitCode.failure
    }
  }
}
