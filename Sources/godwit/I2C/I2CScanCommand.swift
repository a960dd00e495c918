import ArgumentParser
import Platform
import Profile
import Telemetry

/// `godwit i2c scan`.
struct I2CScanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "scan", abstract: "Lists the addresses that answer on each I2C bus, and who has them.",
    discussion: """
      Each address from 0x08 to 0x77 is asked for an acknowledgement: by a transfer without data, and at 0x30-0x37 and \
      0x50-0x5f, where EEPROMs are that could be locked by it, by reading one byte. Nothing is written. Addresses that a kernel \
      driver has are listed and not touched. A chip may still take offence at being asked: where the machine's own power or \
      memory controllers are on a bus, name the bus you want with --bus. Beside an address that answers stand the chips under \
      hardware/chips that may have it.
      """)

  @Option(help: "Only this bus: the N of /dev/i2c-N.")
  var bus: Int?

  @Option(help: "The tree that stands for the machine: a recorded device.")
  var root: String = "/"

  @Flag(help: "Prints one JSON object.")
  var json = false

  func validate() throws {
    try MachineRoot.validate(root)
  }

  func run() throws {
    let host = Host(root: root)
    let adapters = host.i2cAdapters().filter { bus == nil || $0.number == bus }
    if let bus, adapters.isEmpty {
      let known = host.i2cAdapters().map { "\($0.number)" }.joined(separator: ", ")
      throw Failure("there is no I2C bus \(bus); there \(known.isEmpty ? "is none at all" : "are \(known)")")
    }
    let chips = Self.byAddress(ChipFiles(ProfileEnvironment.current().hardware))
    let scans = adapters.map { I2CScan($0, host: host, chips: chips) }
    if json { Output.write(I2CScanText.json(scans)) } else { Output.write(I2CScanText.lines(scans).map { $0 + "\n" }.joined()) }
    // A bus that was asked for and could not be looked at is a failure; one of many is a line.
    if bus != nil, scans.contains(where: { $0.problem != nil }) { throw ExitCode.failure }
  }

  /// The described chips by the addresses they may have. A file with mistakes is for `godwit check` and `godwit i2c read` to tell.
  static func byAddress(_ files: ChipFiles) -> [UInt8: [String]] {
    var names: [UInt8: [String]] = [:]
    for name in files.names {
      guard case .chip(let chip) = files.chip(name) else { continue }
      for address in chip.addresses { names[address, default: []].append(name) }
    }
    return names
  }
}
