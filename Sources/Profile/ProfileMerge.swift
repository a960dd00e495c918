/// Lays drop-ins over a profile: maps merge key by key, alerts merge by name, anything else replaces.
struct ProfileMerge {
  let problems: ProblemList

  /// The files' roots, each laid over those before it.
  func merged(_ roots: [YAMLNode]) -> YAMLNode {
    for root in roots { checkNames(root) }
    guard let first = roots.first else { return YAMLNode(.whole("profile"), .map([])) }
    return roots.dropFirst().reduce(first) { merge($1, over: $0, path: "") }
  }

  private func merge(_ upper: YAMLNode, over lower: YAMLNode, path: String) -> YAMLNode {
    switch (lower.content, upper.content) {
    case (.map(let old), .map(let new)):
      var entries = old
      var positions: [String: Int] = [:]
      for (index, entry) in old.enumerated() { positions[entry.key] = index }
      for entry in new {
        if let index = positions[entry.key] {
          let value = merge(entry.value, over: entries[index].value, path: path.isEmpty ? entry.key : "\(path).\(entry.key)")
          entries[index] = YAMLEntry(key: entry.key, place: entry.place, value: value)
        } else {
          entries.append(entry)
        }
      }
      return YAMLNode(upper.place, .map(entries))
    case (.list(let old), .list(let new)) where path == "alerts":
      return YAMLNode(upper.place, .list(mergeAlerts(old, new)))
    // `cpu:` says nothing about settings that an earlier file made.
    case (.map, .scalar) where upper.isNull, (.list, .scalar) where upper.isNull: return lower
    default: return upper
    }
  }

  /// A rule of a name that is known replaces it; with `enabled: false` and nothing else it stays what it is, switched off.
  private func mergeAlerts(_ old: [YAMLNode], _ new: [YAMLNode]) -> [YAMLNode] {
    var rules = old
    var positions: [String: Int] = [:]
    for (index, rule) in old.enumerated() {
      if let name = Self.name(of: rule)?.text { positions[name] = index }
    }
    for rule in new {
      guard let name = Self.name(of: rule)?.text, let index = positions[name] else {
        rules.append(rule)
        continue
      }
      if case .map(let entries) = rule.content, case .map = rules[index].content,
        entries.allSatisfy({ ["name", "enabled"].contains($0.key) })
      {
        rules[index] = merge(rule, over: rules[index], path: "alerts.\(name)")
      } else {
        rules[index] = rule
      }
    }
    return rules
  }

  /// A name may be there again in a later file, but not in the same.
  private func checkNames(_ root: YAMLNode) {
    guard case .map(let entries) = root.content, let alerts = entries.first(where: { $0.key == "alerts" })?.value,
      case .list(let rules) = alerts.content
    else { return }
    var lines: [String: Int] = [:]
    for rule in rules {
      guard let name = Self.name(of: rule) else { continue }
      if let line = lines[name.text] {
        problems.add(
          name.place, "the alert '\(name.text)' is there twice", why: "line \(line) has it too",
          remedy: "give it another name, or remove one of the two")
      } else {
        lines[name.text] = name.place.line
      }
    }
  }

  private static func name(of rule: YAMLNode) -> (text: String, place: Place)? {
    guard case .map(let entries) = rule.content, let value = entries.first(where: { $0.key == "name" })?.value,
      let scalar = value.scalar, !value.isNull
    else { return nil }
    return (scalar.text, value.place)
  }
}
