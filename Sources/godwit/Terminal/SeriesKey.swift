/// The parts of a series' key, for people.
struct SeriesKey {
  /// The metric's name.
  let name: String
  /// Its labels in order, values without quotes.
  let labels: [(key: String, value: String)]
  /// The values of its labels in order.
  var instances: [String] { labels.map(\.value) }

  /// Takes a key apart; text that is none becomes a name.
  init(_ key: String) {
    guard key.hasSuffix("}"), let brace = key.firstIndex(of: "{") else {
      name = key
      labels = []
      return
    }
    name = String(key[..<brace])
    var found: [(key: String, value: String)] = []
    var label = ""
    var value: String?
    var isEscaped = false
    for character in key[key.index(after: brace)...].dropLast() {
      switch (value, character) {
      case (.none, "\""): value = ""
      case (.none, "="), (.none, ","): continue
      case (.none, _): label.append(character)
      case (.some(let text), _) where isEscaped:
        value = text + (character == "n" ? "\n" : String(character))
        isEscaped = false
      case (.some, "\\"): isEscaped = true
      case (.some(let text), "\""):
        found.append((label, text))
        (label, value) = ("", nil)
      case (.some(let text), _): value = text + String(character)
      }
    }
    labels = found
  }
}
