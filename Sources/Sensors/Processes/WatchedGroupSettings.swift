import Platform
import Telemetry

/// An item of `watch:` in the sensor's settings.
struct WatchedGroupSettings {
  static let specs = [
    SettingSpec(required: "name", .text, help: "What the group is called in metrics: the label `group`."),
    SettingSpec(
      "unit", .text, default: nil,
      help: "A systemd unit, by its control group: `mosquitto` or `mosquitto.service`, `session-2.scope`, `user-1000.slice`."),
    SettingSpec(
      "cgroup", .text, default: nil, help: "A control group below `/sys/fs/cgroup`, with those inside it: `/machine.slice`."),
    SettingSpec(
      "executable", .text, default: nil,
      help: "The path of a program, links followed; may be a pattern. Where rights to look are missing, the command's first word."
    ),
    SettingSpec(
      "command", .text, default: nil,
      help: "A pattern (`*`, `?`) over the whole command line, its words joined by spaces: `*python3 */worker.py*`."),
    SettingSpec(
      "pid_file", .text, default: nil, help: "A file with the number of the main process: that one and its descendants."),
  ]

  /// How the processes are known.
  enum Choice {
    case unit(String)
    case cgroup(String)
    case executable(Glob)
    case command(Glob)
    case pidFile(String)

    /// Whether each process' command has to be looked at.
    var isByCommand: Bool {
      switch self {
      case .executable, .command: true
      case .unit, .cgroup, .pidFile: false
      }
    }
  }

  let name: String
  let choice: Choice

  /// - Throws: what is wrong with the item at a position of `watch`: also unless there is exactly one way to know the processes by.
  init(_ settings: Settings, host: Host, item: Int = 0) throws(SettingFault) {
    name = settings.text("name")
    let given = ["unit", "cgroup", "executable", "command", "pid_file"].filter(settings.isSet)
    guard given.count == 1, let key = given.first, !settings.text(key).isEmpty else {
      throw SettingFault(
        "watch", item: item, given.last, what: "the group '\(name)' needs one way to know its processes by",
        remedy: "give one of unit, cgroup, executable, command and pid_file")
    }
    let text = settings.text(key)
    guard key != "pid_file" || text.hasPrefix("/") else {
      throw SettingFault(
        "watch", item: item, key, what: "the group '\(name)' has a pid_file that is no absolute path", remedy: "begin it with '/'"
      )
    }
    // It is held against whole paths: a bare name is that of no program.
    guard key != "executable" || text.hasPrefix("/") || text.hasPrefix("*") else {
      throw SettingFault(
        "watch", item: item, key, what: "the group '\(name)' has an executable that is no absolute path",
        remedy: "write its whole path, or a pattern such as '*/\(text)'")
    }
    switch key {
    case "unit": choice = .unit(text.utf8.contains(UInt8(ascii: ".")) ? text : text + ".service")
    case "cgroup": choice = .cgroup(text.hasPrefix("/") ? text : "/" + text)
    case "command": choice = .command(Glob(text))
    case "pid_file": choice = .pidFile(text)
    default: choice = .executable(Glob(host.resolved(text)))
    }
  }

  /// The groups of a profile, and what is wrong with others.
  static func all(_ settings: Settings, host: Host) -> (groups: [WatchedGroupSettings], faults: [SettingFault]) {
    let items = settings.items("watch")
    var (groups, faults): ([WatchedGroupSettings], [SettingFault]) = ([], [])
    for (index, item) in items.prefix(ProcessLimits.groups).enumerated() {
      do throws(SettingFault) { groups.append(try WatchedGroupSettings(item, host: host, item: index)) } catch {
        faults.append(error)
      }
    }
    if items.count > ProcessLimits.groups {
      faults.append(
        SettingFault("watch", what: "there are \(items.count) groups", remedy: "use at most \(ProcessLimits.groups)"))
    }
    return (groups, faults)
  }

  /// What is wrong with the groups of a profile.
  static func check(_ settings: Settings) -> [SettingFault] { all(settings, host: Host()).faults }
}
