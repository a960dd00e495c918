import Profile
import Telemetry

/// What a file under `hardware/boards` says of a board.
struct Board {
  /// The name for people.
  let name: String
  /// The file it comes from.
  let file: String
  /// Any of these makes the board.
  let evidence: [Evidence]
  let zones: [ThermalZone]
  /// Labels of the GPIO chips that carry the header's lines.
  let gpioChips: [String]
  /// The lines of the header by name, in the order of its pins.
  let gpioLines: [String]
  /// The I2C adapter on the header.
  let i2cBus: Int?
  let fans: [MonitoringInput]
  let rails: [MonitoringInput]
  let suggestions: [SuggestedSetting]
  let rules: [SuggestedRule]
}

/// What a file under `hardware/hats` says of an add-on: a HAT, a card, a module.
struct Hat {
  /// The name for people.
  let name: String
  /// The file it comes from.
  let file: String
  let evidence: [Evidence]
  let devices: [I2CDevice]
  let inputs: [HatInput]
  let suggestions: [SuggestedSetting]
  let rules: [SuggestedRule]
  /// What its owner should know.
  let notes: String
}

/// What a device shows when a board or a HAT is there: all that is named must hold.
struct Evidence {
  /// Patterns by what they are compared with.
  var patterns: [(subject: Subject, globs: [Glob])]

  /// What of a device is looked at.
  enum Subject: String, CaseIterable {
    /// An entry of the device tree's `compatible`.
    case compatible
    /// The device tree's `model`.
    case model
    case dmiVendor = "dmi_vendor"
    case dmiProduct = "dmi_product"
    /// `vendor:device` of a PCI device, hexadecimal.
    case pci
    case hatVendor = "hat_vendor"
    case hatProduct = "hat_product"
    case hatProductID = "hat_product_id"
    case hatUUID = "hat_uuid"
    /// The 7-bit address of a chip on the header's I2C bus. Many chips share an address: it proves nothing.
    case i2c

    /// For whom it is.
    var isForBoards: Bool { [.compatible, .model, .dmiVendor, .dmiProduct, .pci].contains(self) }
    var isForHats: Bool { [.pci, .hatVendor, .hatProduct, .hatProductID, .hatUUID, .i2c].contains(self) }
  }

  /// Whether it leaves room for another thing than the one it stands for.
  var isWeak: Bool { patterns.allSatisfy { $0.subject == .i2c } }
}

/// Which part a thermal zone measures, and what is hot for it.
struct ThermalZone {
  /// A pattern of the zone's name.
  let zone: String
  let role: Role
  /// The stem of its rules' names.
  let name: String
  /// Degrees Celsius from which somebody should look; nil when nobody says.
  let warnCelsius: Double?
  /// Degrees Celsius from which the board slows itself down.
  let throttleCelsius: Double?
  /// Degrees Celsius at which it switches itself off.
  let shutdownCelsius: Double?

  enum Role: String, CaseIterable {
    case cpu, gpu, soc, npu, memory, board
  }
}

/// An input of a monitoring chip: a fan or a supply rail.
struct MonitoringInput {
  /// A pattern of the chip's name.
  let chip: String
  /// A pattern of the sensor's name; all of the chip unless given.
  let sensor: String
  let what: String
}

/// A setting of a sensor that suits the board.
struct SuggestedSetting {
  let sensor: String
  let key: String
  let values: [String]
  /// Whether the setting takes several.
  let isList: Bool
  let why: String
}

/// An alert as a profile writes it.
struct SuggestedRule {
  let name: String
  /// As the agent will read it; nil where the file is wrong.
  let rule: AlertRule?
  /// The keys and their values in order, `name` first.
  let entries: [(key: String, value: String)]

  /// Whether it watches a series.
  func watches(_ series: Series) -> Bool {
    guard let rule, rule.metric == series.metric.name else { return false }
    return rule.labels.allSatisfy { match in series.label(match.key).map(match.pattern.matches) ?? false }
  }
}

/// A chip of a HAT on the header's I2C bus.
struct I2CDevice {
  let name: String
  let chip: String
  let address: UInt8
  /// The adapter; the board's header unless given.
  let bus: Int?
  /// What the chip has to know of the HAT.
  let options: [String: String]
}

/// A line that a HAT drives.
struct HatInput {
  let name: String
  /// The line's name on the header.
  let line: String
  /// Whether it is the low voltage that means what the name says.
  let isActiveLow: Bool
  /// The resistor inside the chip, as the sensor `gpio` takes it.
  let bias: String
  let debounceMilliseconds: Int?
  /// How much it matters that it is active; nil when it is no alarm.
  let alert: Severity?

  /// The alert on it, for a catalogue that has inputs.
  var rule: [(key: String, value: String)]? {
    alert.map { [("name", name), ("when", "gpio.active{input=\"\(name)\"} == 1"), ("for", "5s"), ("severity", $0.rawValue)] }
  }
}
