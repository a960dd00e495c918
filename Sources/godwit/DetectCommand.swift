import ArgumentParser
import Platform
import Profile

/// `godwit detect`: a profile for this machine.
struct DetectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "detect", abstract: "Looks at this machine, or a recorded tree, and prints a profile for it.",
    discussion: """
      Boards and add-ons are known by the files under hardware/. Nothing is written to any device, and none is asked but by \
      --probe-i2c.
      """)

  @Option(help: "The tree that stands for the machine: a recorded device.")
  var root: String = "/"

  @Flag(help: "Prints what was found as one JSON object instead.")
  var json = false

  @Flag(
    name: .customLong("probe-i2c"),
    help: "Also asks each address of the header's I2C bus: add-ons without an EEPROM show only there.")
  var probeI2C = false

  func validate() throws {
    try MachineRoot.validate(root)
  }

  func run() {
    let found = Detection(host: Host(root: root), folders: ProfileEnvironment.current().hardware, isProbing: probeI2C)
    if json { Output.write(found.json()) } else { Output.write(found.profile()) }
  }
}
