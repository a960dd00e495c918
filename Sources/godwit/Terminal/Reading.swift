import Telemetry

/// Values as people read them.
enum Reading {
  private static let prefixes = ["", "k", "M", "G", "T"]

  /// A value in its unit, scaled where a unit has prefixes: `1.5 GiB`, `1.8 GHz`, `12.4 %`.
  static func text(_ value: Double, unit: String) -> String {
    guard value.isFinite else { return "–" }
    switch unit {
    case "B": return size(value)
    case "B/s": return size(value) + "/s"
    case "Hz", "bit/s": return scaled(value) + unit
    case "s" where value.magnitude >= 120: return duration(seconds: value)
    case "": return number(value)
    default: return number(value) + " " + unit
    }
  }

  /// At most three decimals, fewer for larger values.
  static func number(_ value: Double) -> String {
    let decimals = value == value.rounded() ? 0 : value.magnitude >= 100 ? 1 : value.magnitude >= 1 ? 2 : 3
    let text = Quantity.fixed(value, decimals: decimals)
    guard decimals > 0 else { return text }
    var trimmed = Substring(text)
    while trimmed.hasSuffix("0") { trimmed = trimmed.dropLast() }
    return String(trimmed.hasSuffix(".") ? trimmed.dropLast() : trimmed)
  }

  /// `3d 4h`, `2h 5m`, `5m 3s`, `12s`: the two largest units.
  static func duration(seconds: Double) -> String {
    guard seconds.isFinite, seconds.magnitude < 1e12 else { return "–" }
    let whole = Int(seconds.magnitude)
    let sign = seconds < 0 && whole > 0 ? "-" : ""
    if whole >= 86_400 { return "\(sign)\(whole / 86_400)d \(whole % 86_400 / 3600)h" }
    if whole >= 3600 { return "\(sign)\(whole / 3600)h \(whole % 3600 / 60)m" }
    if whole >= 60 { return "\(sign)\(whole / 60)m \(whole % 60)s" }
    return "\(sign)\(whole)s"
  }

  private static func size(_ value: Double) -> String {
    guard value.magnitude < 1e18 else { return number(value) + " B" }
    let text = Quantity.size(Int(value))
    let digits = text.prefix { !$0.isLetter }
    return digits + " " + text.dropFirst(digits.count)
  }

  private static func scaled(_ value: Double) -> String {
    var value = value
    var step = 0
    while value.magnitude >= 1000, step < prefixes.count - 1 {
      value /= 1000
      step += 1
    }
    return number(value) + " " + prefixes[step]
  }
}
