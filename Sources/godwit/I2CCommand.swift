import ArgumentParser

/// `godwit i2c`: the buses and their chips, for the technician.
struct I2CCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "i2c", abstract: "Looks at the I2C buses and their chips.",
    subcommands: [
      I2CScanCommand.self, I2CReadCommand.self,
    ])
}
