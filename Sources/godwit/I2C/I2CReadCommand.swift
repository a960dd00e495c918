import ArgumentParser
import Platform
import Profile
import Sensors
import Telemetry

/// `godwit i2c read CHIP`.
struct I2CReadCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "read", abstract: "Reads a chip once and prints what it measures.",
    discussion: """
      CHIP is a file under hardware/chips without its .yaml, as in the sensor 'i2c' of a profile. What a chip has to know of \
      its board is given by --option, once for each: --option shunt_ohms=0.1.
      """)

  @Argument(help: "The chip: tmp102, ina219, bme280 …")
  var chip: String

  @Option(help: "The N of /dev/i2c-N.")
  var bus: Int = 1

  @Option(help: "The address as the board has it, 0x48; the chip's first unless given.")
  var address: String?

  @Option(
    name: [.customLong("option"), .short],
    help: ArgumentHelp("What the chip has to know of its board; may be repeated.", valueName: "key=value"))
  var options: [String] = []

  @Option(help: "The tree that stands for the machine: a recorded device.")
  var root: String = "/"

  @Flag(help: "Prints each transfer, too.")
  var raw = false

  @Flag(help: "Prints one JSON object.")
  var json = false

  func validate() throws {
    try MachineRoot.validate(root)
    for option in options where option.firstIndex(of: "=") == nil {
      throw ValidationError("--option '\(option)' is no key=value")
    }
  }

  func run() throws {
    let (chip, device) = try named(ChipFiles(ProfileEnvironment.current().hardware))
    let host = Host(root: root)
    var reading = I2CReading(chip: chip, device: device, bus: bus)
    reading.take(host)
    if json {
      Output.write(reading.json(withTransfers: raw))
    } else {
      Output.write(reading.lines(withTransfers: raw).map { $0 + "\n" }.joined())
    }
    if let problem = reading.problem { throw Failure("\(reading.place): \(problem)") }
    if reading.isPartial { throw ExitCode.failure }
  }

  /// The chip and the device, or all that is wrong with the arguments.
  private func named(_ files: ChipFiles) throws -> (ChipDescription, ChipDevice) {
    switch files.chip(chip) {
    case .missing(let remedy): throw Failure("there is no chip '\(chip)': \(remedy)", status: 2)
    case .faulty(let problems):
      throw Failure("the description of '\(chip)' has mistakes\n\(problems)")
    case .chip(let known):
      var given: [String: String] = [:]
      for option in options {
        guard let sign = option.firstIndex(of: "=") else { continue }
        given[String(option[..<sign])] = String(option[option.index(after: sign)...])
      }
      let (device, faults) = known.device(address: address, options: given)
      guard faults.isEmpty else {
        throw Failure(faults.map { "\($0.what): \(remedy($0))" }.joined(separator: "\ngodwit: "), status: 2)
      }
      return (known, device)
    }
  }

  /// In the words of the command line, not of a profile.
  private func remedy(_ fault: ChipDeviceFault) -> String {
    fault.isMissing ? "add --option \(fault.key)=…" : fault.remedy
  }
}
