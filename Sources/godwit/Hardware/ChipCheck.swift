import FoundationEssentials
import Profile
import Telemetry

/// Descriptions of chips, good and bad.
struct ChipCheck {
  private(set) var good = 0
  private(set) var problems: [ProfileProblem] = []

  /// All that would be used.
  mutating func add(_ files: ChipFiles) {
    for name in files.names { add(name, of: files, path: name) }
  }

  /// The file `<folder>/chips/NAME.yaml`.
  mutating func add(_ file: String) {
    let parts = Self.path(of: file).split(separator: "/")
    guard let name = parts.last?.dropLast(".yaml".utf8.count) else { return }
    add(String(name), of: ChipFiles(HardwareFolders([Self.folder(of: file)])), path: file)
  }

  /// What an add-on says of its chips, which a profile would be refused for.
  mutating func add(_ hat: Hat, chips: ChipFiles) {
    for device in hat.devices {
      switch chips.chip(device.chip) {
      case .chip(let chip):
        let found = chip.device(address: ChipDevice.text(address: device.address), options: device.options)
        for fault in found.faults { add(fault.what, fault.remedy, device, hat) }
      case .missing(let remedy): add("there is no chip '\(device.chip)'", remedy, device, hat)
      // Its own file's mistakes.
      case .faulty: continue
      }
    }
  }

  private mutating func add(_ what: String, _ remedy: String, _ device: I2CDevice, _ hat: Hat) {
    problems.append(
      ProfileProblem(file: hat.file, line: 0, column: 0, what: "i2c_devices: '\(device.name)': \(what)", remedy: remedy))
  }

  private mutating func add(_ name: String, of files: ChipFiles, path: String) {
    switch files.chip(name) {
    case .chip: good += 1
    case .faulty(let found): problems += found.problems
    case .missing:
      problems.append(
        ProfileProblem(
          file: path, line: 0, column: 0, what: "no profile could name this chip",
          remedy: "call the file NAME.yaml, in lower-case letters, digits and '_'"))
    }
  }

  /// The folder that holds `boards/`, `hats/` and `chips/`, of a file in one of these.
  static func folder(of file: String) -> String {
    "/" + path(of: file).split(separator: "/").dropLast(2).joined(separator: "/")
  }

  /// From the root, without the dots for the working directory.
  static func path(of file: String) -> String {
    let path = file.hasPrefix("/") ? file : FileManager.default.currentDirectoryPath + "/" + file
    return "/" + path.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
  }
}
