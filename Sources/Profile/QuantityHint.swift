import Telemetry

/// Guesses the quantity that was meant by a text that is none: `10` is `10s`, `7 days` is `7d`, `256 Mib` is `256MiB`.
enum QuantityHint {
  static func duration(_ text: String) -> String? {
    let (digits, word) = parts(text)
    guard !digits.isEmpty else { return nil }
    if word.isEmpty { return meant("\(digits)s", as: Quantity.milliseconds).map { "\($0), with its unit" } }
    let unit: String
    switch word {
    case "ms", "msec", "millisecond", "milliseconds": unit = "ms"
    case "month", "months", "mo": return nil
    default: unit = String(word.prefix(1))
    }
    return meant(digits + unit, as: Quantity.milliseconds)
  }

  static func size(_ text: String) -> String? {
    let (digits, word) = parts(text)
    let units = [
      "kib": "KiB", "mib": "MiB", "gib": "GiB", "tib": "TiB", "k": "KiB", "m": "MiB", "g": "GiB", "t": "TiB", "kb": "kB",
      "mb": "MB", "gb": "GB", "tb": "TB",
    ]
    guard !digits.isEmpty, let unit = units[word] else { return nil }
    return meant(digits + unit, as: Quantity.bytes)
  }

  private static func meant(_ text: String, as parse: (String) -> Int?) -> String? {
    parse(text) == nil ? nil : text
  }

  /// A number and the word behind it, in lower case, without blanks.
  private static func parts(_ text: String) -> (digits: String, word: String) {
    guard text.utf8.count <= ProfileLimits.suggestedCharacters else { return ("", "") }
    let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
    return (String(digits), text.dropFirst(digits.count).lowercased().filter { $0 != " " })
  }
}
