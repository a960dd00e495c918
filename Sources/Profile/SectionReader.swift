import Telemetry

/// Types the values of one map by its table of keys, and lists what does not fit.
struct SectionReader {
  /// Where the section stands: for what is missing in it.
  let place: Place
  /// Its name in messages: `buffer`, `sensors.cpu`.
  let path: String
  let problems: ProblemList
  /// What the map holds under known keys.
  private(set) var entries: [String: YAMLEntry] = [:]
  /// What was given and is well-formed; of a list of maps also what one of them is wrong in.
  private(set) var given: [String: SettingValue] = [:]
  /// The positions of the maps of a list in which something is wrong.
  private(set) var faultyItems: [String: Set<Int>] = [:]
  /// Whether it is a map or nothing; what is missing in anything else need not be told.
  private(set) var isMap = true
  private let specs: [SettingSpec]
  private let chips: ChipFiles
  private let credentials: String

  /// Reads `node` if it is a map; a null is an empty one. `hints` tell what to write instead of keys that are often tried, `credentials` is the
  /// folder of the unit's credentials.
  init(
    _ node: YAMLNode?, at place: Place, path: String, specs: [SettingSpec], hints: [String: String] = [:], problems: ProblemList,
    chips: ChipFiles = ChipFiles(HardwareFolders([])), credentials: String = ""
  ) {
    self.place = node?.place ?? place
    self.path = path
    self.specs = specs
    self.problems = problems
    self.chips = chips
    self.credentials = credentials
    guard let node, !node.isNull else { return }
    guard case .map(let entries) = node.content else {
      isMap = false
      problems.add(
        node.place, "'\(path)' is \(node.kind)", remedy: "write it as a map: one 'key: value' a line, indented below '\(path):'")
      return
    }
    for entry in entries {
      guard let spec = specs.first(where: { $0.key == entry.key }) else {
        report(unknown: entry, hints: hints)
        continue
      }
      // An empty value is as good as none: the default stands.
      guard !entry.value.isNull else { continue }
      self.entries[entry.key] = entry
      if case (.list(let nodes), .items(let specs)) = (entry.value.content, spec.type) {
        read(nodes, of: entry, specs)
      } else {
        given[entry.key] = value(of: entry.value, key: entry.key, type: spec.type)
      }
    }
  }

  private mutating func read(_ nodes: [YAMLNode], of entry: YAMLEntry, _ specs: [SettingSpec]) {
    let reader = ItemsReader(
      path: "\(path).\(entry.key)", specs: specs, problems: problems, chips: chips, credentials: credentials)
    guard let items = reader.read(nodes, at: entry.value.place) else { return }
    given[entry.key] = .items(items.all)
    if !items.faulty.isEmpty { faultyItems[entry.key] = items.faulty }
  }

  /// The values with their defaults.
  var settings: Settings { Settings(specs, given) }

  /// Where a key's value stands; the section when it is not there.
  func place(of key: String) -> Place { entries[key]?.value.place ?? place }

  /// Whether it was given and is wrong: its default stands in for it, and proves nothing.
  func isFaulty(_ key: String) -> Bool { entries[key] != nil && given[key] == nil || faultyItems[key] != nil }

  /// Whether all that was given under known keys is well-formed.
  var isRight: Bool { given.count == entries.count && faultyItems.isEmpty }

  /// Text that was given, not empty.
  func text(_ key: String) -> String? {
    guard case .text(let text) = given[key] else { return nil }
    if text.isEmpty { problems.add(place(of: key), "'\(key)' is empty", remedy: "write a value, or remove the key") }
    return text.isEmpty ? nil : text
  }

  /// An absolute path that was given or is the default.
  func path(_ key: String) -> String? {
    let text = settings.text(key)
    guard !text.isEmpty else { return self.text(key) }
    return isPath(text, at: place(of: key), key: key) ? text : nil
  }

  private func isPath(_ text: String, at place: Place, key: String) -> Bool {
    guard text.hasPrefix("/") else {
      problems.add(
        place, "\(key): '\(text)' is no absolute path", why: "the agent's working directory is '/'",
        remedy: "begin it with '/'")
      return false
    }
    guard !text.hasSuffix("/"), !text.utf8.contains(0), text.utf8.count < 4096 else {
      problems.add(place, "'\(key)' does not name a file", remedy: "write the path of a file")
      return false
    }
    return true
  }

  /// The path of a file with a secret.
  private func secretFile(_ text: String, at place: Place, key: String) -> SettingValue? {
    guard !text.isEmpty else {
      problems.add(place, "'\(key)' is empty", remedy: "write a value, or remove the key")
      return nil
    }
    guard text.hasPrefix("credential:") else { return isPath(text, at: place, key: key) ? .text(text) : nil }
    let name = text.dropFirst("credential:".count)
    // systemd.exec(5): a credential's name is a file name.
    guard !name.isEmpty, !name.contains("/"), name != ".", name != "..", name.utf8.count <= 255 else {
      problems.add(
        place, "'\(text)' names no systemd credential", remedy: "write credential:NAME as in LoadCredential=NAME:/path")
      return nil
    }
    return .text("\(credentials)/\(name)")
  }

  private func report(unknown entry: YAMLEntry, hints: [String: String]) {
    if let hint = hints[entry.key] {
      problems.add(entry.place, "there is no key '\(entry.key)' in '\(path)'", remedy: hint)
      return
    }
    problems.add(
      entry.place, "unknown key '\(entry.key)' in '\(path)'",
      remedy: Suggestion.remedy(for: entry.key, among: specs.map(\.key)))
  }

  private func value(of node: YAMLNode, key: String, type: SettingType) -> SettingValue? {
    switch (node.content, type) {
    case (.scalar(let scalar), .secretFile): return secretFile(scalar.text, at: node.place, key: key)
    case (.scalar(let scalar), _): return parse(scalar, at: node.place, key: key, type: type)
    case (.map(let entries), .map): return map(entries, key: key)
    case (.list(let items), .patterns), (.list(let items), .texts): return list(items, key: key) { _ in true }
    case (.list(let items), .command): return command(items, at: node.place, key: key)
    case (.list(let items), .keys):
      return list(items, key: key) { [problems] item in
        do throws(SettingError) { _ = try SettingType.key.parse(item.scalar?.text ?? "") } catch {
          problems.add(item.place, "\(key): \(error.what)", remedy: error.remedy)
          return false
        }
        return true
      }
    case (.list(let items), .choices(let words)):
      return list(items, key: key) { [problems] item in
        guard let text = item.scalar?.text, !words.contains(text) else { return true }
        problems.add(
          item.place, "\(key): '\(text)' is not one of its values",
          remedy: Suggestion.remedy(for: text, among: words, otherwise: "use some of \(words.joined(separator: ", "))"))
        return false
      }
    case (.list, _):
      problems.add(node.place, "\(key): a list where one value belongs", remedy: "write one value")
    case (.map, .items):
      problems.add(node.place, "\(key): a map where a list of maps belongs", remedy: "begin each item with '- '")
    case (.map, .patterns), (.map, .choices), (.map, .texts), (.map, .keys), (.map, .command):
      problems.add(node.place, "\(key): a map where a list belongs", remedy: "write a list: [\"a\", \"b\"]")
    case (.map, _):
      problems.add(
        node.place, "\(key): a map where a value belongs", remedy: "write the value behind '\(key):', in quotes if it holds '{'")
    }
    return nil
  }

  private func list(_ items: [YAMLNode], key: String, where isRight: (YAMLNode) -> Bool) -> SettingValue? {
    var texts: [String] = []
    var seen: Set<String> = []
    var right = true
    for item in items {
      guard let text = item.scalar?.text, !text.isEmpty else {
        problems.add(item.place, "\(key): an item is \(item.kind)", remedy: "write one text an item")
        right = false
        continue
      }
      if !seen.insert(text).inserted {
        problems.add(item.place, "\(key): '\(text)' is there twice", remedy: "remove one of the two")
        right = false
      }
      if !isRight(item) { right = false }
      texts.append(text)
    }
    return right ? .list(texts) : nil
  }

  /// A program and its arguments, of which any may be empty or there twice.
  private func command(_ items: [YAMLNode], at place: Place, key: String) -> SettingValue? {
    let texts = items.compactMap { $0.isNull ? nil : $0.scalar?.text }
    guard texts.count == items.count, texts.count <= ProfileLimits.arguments, !texts.contains(where: { $0.utf8.contains(0) })
    else {
      problems.add(
        place, "\(key): an argument is no text, or there are more than \(ProfileLimits.arguments)",
        remedy: "write each as one text, in quotes where YAML wants them")
      return nil
    }
    do throws(SettingError) {
      _ = try SettingType.command.parse(texts.first ?? "")
    } catch {
      problems.add(items.first?.place ?? place, "\(key): \(error.what)", remedy: error.remedy)
      return nil
    }
    return .list(texts)
  }

  /// A map of the user's own keys: one text a key.
  private func map(_ entries: [YAMLEntry], key: String) -> SettingValue? {
    var texts: [String: String] = [:]
    guard entries.count <= ProfileLimits.mapKeys else {
      problems.add(place, "\(key): it has \(entries.count) keys", remedy: "use at most \(ProfileLimits.mapKeys)")
      return nil
    }
    for entry in entries {
      guard let text = entry.value.scalar?.text, !entry.value.isNull else {
        problems.add(entry.value.place, "\(key): '\(entry.key)' is \(entry.value.kind)", remedy: "write one value")
        return nil
      }
      texts[entry.key] = text
    }
    return .map(texts)
  }

  private func parse(_ scalar: YAMLScalar, at place: Place, key: String, type: SettingType) -> SettingValue? {
    do throws(SettingError) {
      return try type.parse(scalar.text)
    } catch {
      var remedy = error.remedy
      switch type {
      case .bool: if let word = Self.switches[scalar.text.lowercased()] { remedy = "write \(word)" }
      // A text that is a quantity, only out of range, has its right remedy already.
      case .duration where Quantity.milliseconds(scalar.text) == nil:
        remedy = QuantityHint.duration(scalar.text).map { "write \($0)" } ?? remedy
      case .size where Quantity.bytes(scalar.text) == nil:
        remedy = QuantityHint.size(scalar.text).map { "write \($0)" } ?? remedy
      case .choice(let words), .choices(let words): remedy = Suggestion.remedy(for: scalar.text, among: words, otherwise: remedy)
      default: break
      }
      problems.add(place, "\(key): \(error.what)", why: Self.origin(scalar), remedy: remedy)
      return nil
    }
  }

  /// What other programs take for a switch.
  private static let switches = [
    "yes": "true", "on": "true", "1": "true", "true": "true", "no": "false", "off": "false", "0": "false", "false": "false",
  ]

  /// Which variables a value was made from; empty when from none.
  static func origin(_ scalar: YAMLScalar?) -> String {
    guard let names = scalar?.variables, !names.isEmpty else { return "" }
    return "it comes from \(names.map { "${\($0)}" }.joined(separator: ", "))"
  }
}
