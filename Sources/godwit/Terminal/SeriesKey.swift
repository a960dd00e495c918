/// The parts of a series' key, for people.
struct SeriesKey {
  /// The metric's name.
  let name: String
  /// The values of its labels in order, without quotes.
  let instances: [String]

  /// Takes a key apart; text that is none becomes a name.
  init(_ key: String) {
    guard key.hasSuffix("}"), let brace = key.firstIndex(of: "{") else {
      name = key
      instances = []
      return
    }
    name = String(key[..<brace])
    var found: [String] = []
    var value: String?
    var isEscaped = false
    for character in key[key.index(after: brace)...].dropLast() {
      switch (value, character) {
      case (.none, "\""): value = ""
      case (.none, _): continue
      case (.some(let text), _) where isEscaped:
        value = text + (character == "n" ? "\n" : String(character))
        isEscaped = false
      case (.some, "\\"): isEscaped = true
      case (.some(let text), "\""):
        found.append(text)
        value = nil
      case (.some(let text), _): value = text + String(character)
      }
    }
    instances = found
  }
}
