/// What a chip can measure. Chip files choose among these by name, so that no unit can be wrong. A further one is a line in `all`.
public struct ChipQuantity: Hashable, Sendable {
  /// As chip files write it.
  public let name: String
  /// What it is reported as, with the labels `chip`, `device` and `channel`.
  public let metric: Metric

  private init(_ name: String, _ metric: String, _ unit: Unit, decimals: Int, _ help: String) {
    self.name = name
    self.metric = Metric("i2c.\(metric)", unit: unit, decimals: decimals, labels: ["chip", "device", "channel"], help: help)
  }

  /// All of them.
  public static let all = [
    ChipQuantity("temperature", "temperature_celsius", .celsius, decimals: 3, "Temperature."),
    ChipQuantity("humidity", "humidity_percent", .percent, decimals: 2, "Relative humidity."),
    ChipQuantity("pressure", "pressure_pascals", .pascals, decimals: 1, "Pressure of the air, not reduced to sea level."),
    ChipQuantity("voltage", "voltage_volts", .volts, decimals: 6, "Voltage."),
    ChipQuantity("current", "current_amperes", .amperes, decimals: 6, "Current; negative is against the shunt's direction."),
    ChipQuantity("power", "power_watts", .watts, decimals: 6, "Power."),
    ChipQuantity("charge", "charge_percent", .percent, decimals: 2, "State of charge of a battery, as its gauge has it."),
    ChipQuantity("flag", "flag", .none, decimals: 0, "A bit of the chip: 1 is set."),
    ChipQuantity("raw", "raw", .none, decimals: 3, "A number without a unit of its own."),
  ]

  /// The quantity of a name, or nil.
  public static func named(_ name: String) -> ChipQuantity? { all.first { $0.name == name } }
}
