public import Platform
import Telemetry

/// Why a chip, or one of its values, could not be read.
public enum ChipFault: Error, Hashable, Sendable {
  /// A transfer failed.
  case bus(I2CError)
  /// Another chip answers at the address.
  case identity(expected: [UInt8], found: [UInt8])
  /// A checksum does not fit the bytes of the named read.
  case checksum(read: String)
  /// The bus gave fewer bytes than were asked for.
  case short(read: String, wanted: Int, got: Int)
  /// The chip says that it has no reading.
  case noReading
  /// More than the chip can measure, or less.
  case outOfRange(Double)
  /// The file that describes the chip is not there or has mistakes.
  case description(String)
  /// The sample's time was up before it was this device's turn.
  case noTime

  /// The word for it in `i2c.errors_total`.
  var kind: String {
    switch self {
    case .bus(.noAcknowledge): "nak"
    case .bus(.busy): "busy"
    case .bus(.timedOut), .noTime: "timeout"
    case .bus: "bus"
    case .identity: "identity"
    case .checksum: "crc"
    case .short, .noReading, .outOfRange: "reading"
    case .description: "description"
    }
  }
}

extension ChipFault: CustomStringConvertible {
  /// One line for people: what, and what to do where that helps.
  public var description: String {
    switch self {
    case .bus(.noAcknowledge): "\(I2CError.noAcknowledge); check wiring, power and address pins"
    case .bus(.busy(let driver)):
      "\(I2CError.busy(driver: driver)): its values are under /sys/class/hwmon (sensor 'hwmon') or /sys/bus/iio/devices"
    case .bus(let error): "\(error)"
    case .identity(let expected, let found):
      "another chip answers: it is \(ChipFault.hex(found)), expected \(ChipFault.hex(expected))"
    case .checksum(let read): "the checksum of '\(read)' does not fit; check wiring, pull-ups and speed of the bus"
    case .short(let read, let wanted, let got): "'\(read)' has \(got) bytes instead of \(wanted)"
    case .noReading: "the chip has no reading"
    case .outOfRange(let value): "\(Quantity.fixed(value, decimals: 3)) is beyond what the chip can measure"
    case .description(let text): text
    case .noTime: "the sample's time was up before its turn; raise 'every' or lower the number of devices"
    }
  }

  /// `0x58`, `0x5449`.
  static func hex(_ bytes: [UInt8]) -> String {
    "0x" + bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
  }
}
