/// Values as a profile writes them.
enum YAMLText {
  /// Text as a scalar that means the same in a line of its own and inside braces: plain where that is safe, else in quotes.
  static func scalar(_ text: String) -> String {
    let blank: Unicode.Scalar = " "
    let text = String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? blank : $0 }))
    guard let first = text.unicodeScalars.first, let last = text.unicodeScalars.last else { return "''" }
    let isPlain = text.unicodeScalars.allSatisfy { isLetter($0) || " ._-+/%<=".unicodeScalars.contains($0) }
    let begins = isLetter(first) || first == "<" || first == "/"
    if isPlain, begins, last != " ", !["true", "false", "null"].contains(text.lowercased()) { return text }
    return "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
  }

  private static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
    ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || ("0"..."9").contains(scalar)
  }

  /// `{name: door, line: GPIO17}`
  static func map(_ entries: [(key: String, value: String)], besides pairs: [String] = []) -> String {
    "{\((entries.map { "\($0.key): \(scalar($0.value))" } + pairs).joined(separator: ", "))}"
  }

  /// `{exclude_chips: [cpu_thermal]}`
  static func map(_ settings: [SuggestedSetting]) -> String {
    let pairs = settings.map { setting in
      let values = setting.values.map(scalar).joined(separator: ", ")
      return "\(setting.key): \(setting.isList ? "[\(values)]" : values)"
    }
    return "{\(pairs.joined(separator: ", "))}"
  }

  /// The lines of a rule below `alerts:`.
  static func rule(_ entries: [(key: String, value: String)]) -> [String] {
    entries.enumerated().map { index, entry in
      "  \(index == 0 ? "-" : " ") \(entry.key): \(scalar(entry.value))"
    }
  }
}
