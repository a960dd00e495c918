/// A device on an I2C bus as settings name it: a chip, its address and its options.
public struct ChipDevice: Hashable, Sendable {
  /// The chip as it was named: `tmp102`.
  public var chip: String
  /// What is known of the chip, or why nothing is: its file is not there or has mistakes.
  public var description: Knowledge
  /// The 7-bit address; 0 where the chip is not known.
  public var address: UInt8
  /// The number of each option.
  public var options: [String: Double]

  /// A description, or what is wrong with it, for people.
  public enum Knowledge: Hashable, Sendable {
    case known(ChipDescription)
    case unknown(String)
  }

  /// Names a device.
  public init(chip: String, description: Knowledge, address: UInt8, options: [String: Double] = [:]) {
    self.chip = chip
    self.description = description
    self.address = address
    self.options = options
  }

  /// A 7-bit address as i2c-tools and data sheets write it: `0x48`.
  public static func text(address: UInt8) -> String {
    let digits = String(address, radix: 16)
    return "0x" + (digits.utf8.count < 2 ? "0" : "") + digits
  }
}
