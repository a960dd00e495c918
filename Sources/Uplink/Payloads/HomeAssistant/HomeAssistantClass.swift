/// How Home Assistant is told what a number means. It warns of a unit that a device class does not have and of a state class that a
/// device class cannot have, and keeps no statistics of such an entity.
///
/// Source: `DEVICE_CLASS_UNITS` and `DEVICE_CLASS_STATE_CLASSES` of its `sensor` component; developers.home-assistant.io, "Sensor entity".
struct HomeAssistantClass: Equatable {
  /// `temperature`, …; nil when it has none for this.
  var deviceClass: String?
  /// The unit as it writes it; nil: a bare number.
  var unit: String?
  /// `measurement` or `total_increasing`; nil for a point in time.
  var stateClass: String?

  /// Classes of a level, by our unit. `B` and durations may be totals, too.
  private static let classes: [String: String] = [
    "B": "data_size", "B/s": "data_rate", "bit/s": "data_rate", "s": "duration", "ms": "duration", "Hz": "frequency",
    "°C": "temperature", "V": "voltage", "A": "current", "W": "power", "dBm": "signal_strength", "lx": "illuminance",
    "hPa": "atmospheric_pressure", "Pa": "atmospheric_pressure",
  ]

  init(metric: String, unit: String, isCounter: Bool) {
    self.unit = unit.isEmpty ? nil : unit
    stateClass = isCounter ? "total_increasing" : "measurement"
    switch unit {
    case "s" where !isCounter && metric.hasSuffix("_time_seconds"):
      // Seconds since 1970: Home Assistant shows points in time, not numbers of that size.
      self = HomeAssistantClass(deviceClass: "timestamp", unit: nil, stateClass: nil)
    case "%" where !isCounter && metric.hasSuffix("humidity_percent"): deviceClass = "humidity"
    // Energy is always a total to it; a level of joules is a bare number.
    case "J" where isCounter, "Wh" where isCounter, "kWh" where isCounter: deviceClass = "energy"
    case "B", "s", "ms": deviceClass = Self.classes[unit]
    default: deviceClass = isCounter ? nil : Self.classes[unit]
    }
  }

  private init(deviceClass: String?, unit: String?, stateClass: String?) {
    self.deviceClass = deviceClass
    self.unit = unit
    self.stateClass = stateClass
  }

  /// Families that tell how the device and the agent fare rather than what the device does.
  static func isDiagnostic(family: String) -> Bool { ["godwit", "system", "pressure"].contains(family) }
}
