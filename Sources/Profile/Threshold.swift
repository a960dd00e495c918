import Telemetry

/// A rule's value in the unit of its metric.
enum Threshold {
  /// - Throws: what the unit takes, when the text is nothing of the kind.
  static func parse(_ text: String, of metric: Metric) throws(SettingError) -> Double {
    if let value = value(text, metric.unit) { return value }
    let unit = metric.unit == .none ? "a plain number" : "in \(metric.unit.rawValue)"
    throw SettingError(
      what: "'\(text)' is no value of \(metric.name), which is \(unit)", remedy: "write \(examples(metric.unit))")
  }

  private static func value(_ text: String, _ unit: Unit) -> Double? {
    switch unit {
    case .percent: return Quantity.percent(text)
    case .celsius: return Quantity.celsius(text)
    case .bytes: return Quantity.number(text) ?? Quantity.bytes(text).map(Double.init)
    case .bytesPerSecond:
      if let number = Quantity.number(text) { return number }
      return text.hasSuffix("/s") ? Quantity.bytes(String(text.dropLast(2))).map(Double.init) : nil
    case .seconds: return Quantity.number(text) ?? Quantity.milliseconds(text).map { Double($0) / 1000 }
    case .milliseconds: return Quantity.number(text) ?? Quantity.milliseconds(text).map(Double.init)
    case .bitsPerSecond: return scaled(text, "bit/s")
    case .hertz: return scaled(text, "Hz")
    case .volts: return scaled(text, "V")
    case .amperes: return scaled(text, "A")
    case .watts: return scaled(text, "W")
    case .joules: return scaled(text, "J")
    case .pascals: return scaled(text, "Pa")
    case .none, .perSecond, .secondsPerSecond, .revolutionsPerMinute, .decibelMilliwatts, .decibels:
      return scaled(text, unit.rawValue)
    }
  }

  /// A number, with its unit or without; the unit may have a prefix.
  private static func scaled(_ text: String, _ unit: String) -> Double? {
    if let number = Quantity.number(text) { return number }
    guard !unit.isEmpty, text.hasSuffix(unit) else { return nil }
    var digits = text.dropLast(unit.count)
    var factor = 1.0
    if let prefix = digits.last, let known = prefixes[prefix] {
      factor = known
      digits = digits.dropLast()
    }
    while digits.last == " " { digits = digits.dropLast() }
    return Quantity.number(digits).map { $0 * factor }
  }

  private static let prefixes: [Character: Double] = ["m": 1e-3, "h": 100, "k": 1e3, "M": 1e6, "G": 1e9]

  private static func examples(_ unit: Unit) -> String {
    switch unit {
    case .none: "one such as 0.5 or 100"
    case .percent: "80% or 80, within 0 to 100"
    case .bytes: "64MiB or a number of bytes"
    case .bytesPerSecond: "1MiB/s or a number of bytes per second"
    case .bitsPerSecond: "100Mbit/s or a number of bits per second"
    case .perSecond: "a number of times per second"
    case .secondsPerSecond: "a number such as 0.1"
    case .seconds: "30s, 5m or a number of seconds"
    case .milliseconds: "250ms, 2s or a number of milliseconds"
    case .hertz: "1.5GHz or a number of hertz"
    case .celsius: "75C, 167F or a number of degrees Celsius"
    case .volts: "4.75V or 4.75"
    case .amperes: "500mA or 0.5"
    case .watts: "12W or 12"
    case .pascals: "95000 or 95kPa"
    case .joules: "12J or 12"
    case .revolutionsPerMinute: "900rpm or 900"
    case .decibelMilliwatts: "-75dBm or -75"
    case .decibels: "-12dB or -12"
    }
  }
}
