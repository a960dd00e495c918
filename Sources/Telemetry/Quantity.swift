/// Quantities as people write them in a profile and on the command line.
public enum Quantity {
  private static let durationUnits: [(suffix: String, milliseconds: Int)] = [
    ("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000), ("w", 604_800_000), ("y", 31_536_000_000),
  ]
  private static let sizeUnits: [String: Int] = [
    "": 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40, "kB": 1_000, "KB": 1_000, "MB": 1_000_000,
    "GB": 1_000_000_000, "TB": 1_000_000_000_000,
  ]

  /// `250ms`, `10s`, `1.5s`, `5m`, `1h30m`, `7d`, `2w`, `2y` (365 days) in milliseconds; nil if it is none, negative or too large.
  /// A bare number has no unit and is refused, save `0`.
  public static func milliseconds(_ text: String) -> Int? {
    if text == "0" { return 0 }
    var rest = Substring(text)
    var total = 0.0
    var last = Int.max
    guard !rest.isEmpty else { return nil }
    while !rest.isEmpty {
      let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
      rest = rest.dropFirst(digits.count)
      let letters = rest.prefix { $0.isASCII && $0.isLetter }
      rest = rest.dropFirst(letters.count)
      guard let number = Double(digits), let unit = durationUnits.first(where: { $0.suffix == letters }),
        unit.milliseconds < last
      else { return nil }
      last = unit.milliseconds
      total += number * Double(unit.milliseconds)
    }
    guard total < 1e15 else { return nil }
    return Int(total.rounded())
  }

  /// A duration in the largest units that keep it whole: `90000` is `1m30s`.
  public static func duration(_ milliseconds: Int) -> String {
    guard milliseconds != 0 else { return "0s" }
    var text = milliseconds < 0 ? "-" : ""
    var rest = Int(milliseconds.magnitude)
    for unit in durationUnits.reversed() where unit.suffix != "y" && unit.suffix != "w" && rest >= unit.milliseconds {
      text += "\(rest / unit.milliseconds)\(unit.suffix)"
      rest %= unit.milliseconds
    }
    return text
  }

  /// `4096`, `64KiB`, `256 MiB`, `1GB` in bytes; nil if it is none, negative or too large.
  public static func bytes(_ text: String) -> Int? {
    let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
    let suffix = text.dropFirst(digits.count).drop { $0 == " " }
    guard let number = Double(digits), let unit = sizeUnits[String(suffix)] else { return nil }
    let total = number * Double(unit)
    guard total < 9e15 else { return nil }
    return Int(total.rounded())
  }

  /// A size in binary units with at most one decimal: `1.5MiB`.
  public static func size(_ bytes: Int) -> String {
    var value = Double(bytes)
    for unit in ["B", "KiB", "MiB", "GiB"] {
      if value.magnitude < 1024 { return fixed(value, decimals: value == value.rounded() ? 0 : 1) + unit }
      value /= 1024
    }
    return fixed(value, decimals: value == value.rounded() ? 0 : 1) + "TiB"
  }

  /// A decimal number: digits, at most one point, an optional sign and exponent. Unlike `Double.init`, no `0x10`, `inf` or `nan`.
  public static func number(_ text: some StringProtocol) -> Double? {
    let allowed = text.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "e"),
        UInt8(ascii: "E"):
        true
      default: false
      }
    }
    guard allowed, let value = Double(text), value.isFinite else { return nil }
    return value
  }

  /// `80%` or `80`, within 0…100.
  public static func percent(_ text: String) -> Double? {
    let digits = text.hasSuffix("%") ? text.dropLast() : Substring(text)
    guard let value = number(digits), (0...100).contains(value) else { return nil }
    return value
  }

  /// `75`, `75C`, `75°C` or `167F` in degrees Celsius; nothing below absolute zero.
  public static func celsius(_ text: String) -> Double? {
    var digits = Substring(text)
    var fahrenheit = false
    if digits.hasSuffix("C") {
      digits = digits.dropLast()
    } else if digits.hasSuffix("F") {
      digits = digits.dropLast()
      fahrenheit = true
    }
    if digits.hasSuffix("°") { digits = digits.dropLast() }
    guard let degrees = number(digits) else { return nil }
    let value = fahrenheit ? (degrees - 32) * 5 / 9 : degrees
    return value >= -273.15 ? value : nil
  }

  /// A number with a fixed count of decimals (0…9), without an exponent: `fixed(3.14159, decimals: 2)` is `3.14`.
  public static func fixed(_ value: Double, decimals: Int) -> String {
    guard value.isFinite else { return value.isNaN ? "NaN" : value < 0 ? "-Inf" : "+Inf" }
    let scaled = (value.magnitude * Double.powersOfTen[decimals]).rounded()
    guard scaled < 9e18 else { return "\(value)" }
    let whole = UInt64(scaled)
    let unit = UInt64(Double.powersOfTen[decimals])
    let sign = value < 0 && whole > 0 ? "-" : ""
    guard decimals > 0 else { return "\(sign)\(whole)" }
    let fraction = String(whole % unit)
    return "\(sign)\(whole / unit)." + String(repeating: "0", count: decimals - fraction.count) + fraction
  }
}
