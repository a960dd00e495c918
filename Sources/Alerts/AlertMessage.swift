import Telemetry

/// Fills the places of a rule's message.
///
/// `{rule}`, `{series}`, `{metric}`, `{value}`, `{unit}`, `{threshold}` (with its comparison: `> 75`), `{state}` (`firing`,
/// `resolved`, `gone`, `pending`, `clearing`), `{node}`, `{label.KEY}` (empty without such a label). Other braces stay as they are.
struct AlertMessage {
  let rule: AlertRule
  let series: Series
  let value: Double
  let state: String
  let node: String

  /// The text, at most `AlertLimits.messageBytes`. What is filled in is not searched for places again.
  func text() -> String {
    var text = ""
    var rest = Substring(rule.message)
    while let open = rest.firstIndex(of: "{") {
      text += rest[..<open]
      rest = rest[open...]
      guard let close = rest.firstIndex(of: "}"), let value = fill(rest[rest.index(after: open)..<close]) else {
        text += "{"
        rest = rest.dropFirst()
        continue
      }
      // A metric without a unit leaves no double space behind.
      if value.isEmpty, text.hasSuffix(" ") { text.removeLast() }
      text += value
      rest = rest[rest.index(after: close)...]
    }
    return Self.cut(text + rest)
  }

  private func fill(_ place: Substring) -> String? {
    switch place {
    case "rule": return rule.name
    case "series": return series.key
    case "metric": return series.metric.name
    case "value": return Self.number(value)
    case "unit": return series.metric.unit.rawValue
    case "threshold": return rule.when.description
    case "state": return state
    case "node": return node
    default:
      guard place.hasPrefix("label.") else { return nil }
      return series.label(String(place.dropFirst("label.".count))) ?? ""
    }
  }

  /// The shortest text of a value, whole ones without `.0`.
  static func number(_ value: Double) -> String {
    value == value.rounded() && value.magnitude < 1e15 ? "\(Int64(value))" : "\(value)"
  }

  private static func cut(_ text: String) -> String {
    guard text.utf8.count > AlertLimits.messageBytes else { return text }
    let ellipsis = "…"
    var kept = 0
    let shorter = text.prefix { character in
      kept += character.utf8.count
      return kept <= AlertLimits.messageBytes - ellipsis.utf8.count
    }
    return shorter + ellipsis
  }
}
