import Telemetry

/// Reads one map of a description of hardware: known keys only, each of its type. What is wrong is listed.
struct DescriptionReader {
  /// Where the map stands.
  let place: Place
  /// Its name in messages: `steps[2]`; empty for the file itself.
  let path: String
  let problems: ProblemList
  private let entries: [YAMLEntry]

  /// Nil when it is no map.
  init?(_ node: YAMLNode, path: String, keys: [String], problems: ProblemList) {
    guard case .map(let entries) = node.content else {
      problems.add(
        node.place, "\(path.isEmpty ? "the description" : path) is \(node.kind)", remedy: "write it as a map: key: value")
      return nil
    }
    place = node.place
    self.path = path
    self.problems = problems
    self.entries = entries.filter { keys.contains($0.key) && !$0.value.isNull }
    for entry in entries where !keys.contains(entry.key) {
      problems.add(
        entry.place, "unknown key '\(name(of: entry.key))'", remedy: Suggestion.remedy(for: entry.key, among: keys))
    }
  }

  /// The value of a key as it stands.
  func node(_ key: String) -> YAMLNode? { entries.first { $0.key == key }?.value }

  /// Where a key's value stands; the map when it is not there.
  func place(of key: String) -> Place { node(key)?.place ?? place }

  /// A key with the path to it.
  func name(of key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

  /// Lists that a key is missing.
  func miss(_ key: String, _ remedy: String) {
    problems.add(place, "\(path.isEmpty ? "the description" : path) has no '\(key)'", remedy: remedy)
  }

  /// Lists what is wrong with a key.
  func fault(_ key: String, _ what: String, _ remedy: String) {
    problems.add(place(of: key), "\(name(of: key)): \(what)", remedy: remedy)
  }

  /// A text of bounded length; nil when it is not there or wrong.
  func text(_ key: String) -> String? {
    guard let node = node(key) else { return nil }
    guard let text = node.scalar?.text, !text.isEmpty else {
      fault(key, "it is \(node.kind)", "write a text")
      return nil
    }
    guard text.utf8.count <= ChipLimits.textBytes else {
      fault(key, "it has \(text.utf8.count) bytes", "use at most \(ChipLimits.textBytes)")
      return nil
    }
    return text
  }

  /// One of some words; nil when it is not there or wrong.
  func word(_ key: String, among words: [String]) -> String? {
    guard let text = text(key) else { return nil }
    guard words.contains(text) else {
      fault(key, "'\(text)' is not one of its values", Suggestion.remedy(for: text, among: words))
      return nil
    }
    return text
  }

  /// A name for other places of the file: lower-case letters, digits and `_`.
  func identifier(_ key: String) -> String? {
    guard let text = text(key) else { return nil }
    guard Self.isIdentifier(text) else {
      fault(key, "'\(text)' is no name", "use lower-case letters, digits and '_', beginning with a letter, at most 64")
      return nil
    }
    return text
  }

  static func isIdentifier(_ text: String) -> Bool {
    ProfileDecoder.isKey(text) && text.utf8.count <= ProfileLimits.nameBytes
  }

  /// A whole number, `12` or `0x0C`; nil when it is not there or wrong.
  func integer(_ key: String, _ range: ClosedRange<Int>) -> Int? {
    node(key).flatMap { integer($0, key, range) }
  }

  /// A whole number of a list or map below a key.
  func integer(_ node: YAMLNode, _ key: String, _ range: ClosedRange<Int>) -> Int? {
    guard let text = node.scalar?.text, let value = Self.integer(text) else {
      problems.add(
        node.place, "\(name(of: key)): \(Self.shown(node)) is no whole number", remedy: "write one as 12 or 0x0C")
      return nil
    }
    guard range.contains(value) else {
      problems.add(
        node.place, "\(name(of: key)): \(Self.shown(node)) is out of range",
        remedy: "use \(range.lowerBound) to \(range.upperBound)")
      return nil
    }
    return value
  }

  /// A number, `0.0625`, `-45` or a fraction `175/65535`; nil when it is not there or wrong.
  func number(_ key: String) -> Double? { node(key).flatMap { number($0, key) } }

  /// A number of a list or map below a key.
  func number(_ node: YAMLNode, _ key: String) -> Double? {
    if let text = node.scalar?.text, let value = Self.number(text) { return value }
    problems.add(
      node.place, "\(name(of: key)): \(Self.shown(node)) is no number", remedy: "write one as 0.0625, 2.5e-6 or 175/65535")
    return nil
  }

  /// Two numbers, the lower one first.
  func range(_ key: String) -> ClosedRange<Double>? {
    guard node(key) != nil else { return nil }
    let ends = items(key, atMost: 2).compactMap { number($0, key) }
    guard ends.count == 2, ends[0] < ends[1] else {
      fault(key, "it has no lower and higher end", "write both: [-40, 125]")
      return nil
    }
    return ends[0]...ends[1]
  }

  /// The items of a list; a single value is a list of one. Empty when it is not there or too long.
  func items(_ key: String, atMost count: Int) -> [YAMLNode] {
    guard let node = node(key) else { return [] }
    switch node.content {
    case .scalar: return [node]
    case .map:
      fault(key, "a map where a list belongs", "begin each item with '- '")
      return []
    case .list(let items):
      guard items.count <= count else {
        fault(key, "it has \(items.count) items", "use at most \(count)")
        return []
      }
      return items
    }
  }

  /// The entries of a map; empty when it is not there or too long.
  func pairs(_ key: String, atMost count: Int) -> [YAMLEntry] {
    guard let node = node(key) else { return [] }
    guard case .map(let entries) = node.content, entries.count <= count else {
      fault(key, "it is no map of at most \(count) keys", "write 'key: value' lines")
      return []
    }
    return entries
  }

  /// The items of a list that are names of something that is there.
  func names(_ key: String, among known: [String], what: String) -> [String] {
    items(key, atMost: ChipLimits.options).compactMap { item in
      guard let text = item.scalar?.text, known.contains(text) else {
        let none = "the chip has no \(what)s"
        problems.add(
          item.place, "\(name(of: key)): there is no \(what) \(Self.shown(item))",
          remedy: known.isEmpty ? none : Suggestion.remedy(for: item.scalar?.text ?? "", among: known))
        return nil
      }
      return text
    }
  }

  /// What a value is, for messages.
  static func shown(_ node: YAMLNode) -> String { node.scalar.map { "'\($0.text)'" } ?? node.kind }

  /// `12`, `-3` or `0x0C`.
  static func integer(_ text: String) -> Int? {
    let isNegative = text.hasPrefix("-")
    let digits = isNegative ? text.dropFirst() : Substring(text)
    guard digits.first?.isASCII == true, digits.first?.isNumber == true else { return nil }
    let value = digits.hasPrefix("0x") ? Int(digits.dropFirst(2), radix: 16) : Int(digits)
    return value.map { isNegative ? -$0 : $0 }
  }

  /// A decimal number, or a fraction of two.
  static func number(_ text: String) -> Double? {
    guard let slash = text.firstIndex(of: "/") else { return Quantity.number(text) }
    guard let above = Quantity.number(text[..<slash]), let below = Quantity.number(text[text.index(after: slash)...]),
      (above / below).isFinite
    else { return nil }
    return above / below
  }
}
