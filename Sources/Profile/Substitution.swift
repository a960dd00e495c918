/// Puts variables into scalars: `${NAME}`, `${NAME:-default}`, and `$$` for a dollar.
struct Substitution {
  let variables: [String: String]
  let problems: ProblemList
  private var added = 0

  init(variables: [String: String], problems: ProblemList) {
    self.variables = variables
    self.problems = problems
  }

  /// The same tree with every scalar substituted; keys stay as they are.
  mutating func apply(to node: YAMLNode) -> YAMLNode {
    var result = node
    switch node.content {
    case .scalar(let scalar): result.content = .scalar(apply(to: scalar, at: node.place))
    case .list(let items):
      var list: [YAMLNode] = []
      for item in items { list.append(apply(to: item)) }
      result.content = .list(list)
    case .map(let entries):
      var map = entries
      for index in map.indices { map[index].value = apply(to: map[index].value) }
      result.content = .map(map)
    }
    return result
  }

  private mutating func apply(to scalar: YAMLScalar, at start: Place) -> YAMLScalar {
    guard scalar.text.utf8.contains(UInt8(ascii: "$")) else { return scalar }
    let source = Array(scalar.text.unicodeScalars)
    var made = String.UnicodeScalarView()
    var columns: [Int] = []
    var result = scalar
    var index = 0
    func append(_ text: some Sequence<Unicode.Scalar>, from offset: Int) {
      for character in text {
        made.append(character)
        if let known = scalar.columns, offset < known.count { columns.append(known[offset]) }
      }
    }
    while index < source.count {
      guard source[index] == "$" else {
        append(CollectionOfOne(source[index]), from: index)
        index += 1
        continue
      }
      if index + 1 < source.count, source[index + 1] == "$" {
        append(CollectionOfOne("$"), from: index)
        index += 2
        continue
      }
      let place = scalar.place(of: index, from: start)
      guard let reference = reference(source, at: index, place) else {
        index += 1
        continue
      }
      result.variables.append(reference.name)
      append(reference.value.unicodeScalars, from: index)
      index = reference.end
      added += reference.value.utf8.count
      guard made.count <= ProfileLimits.substitutedBytes, added <= ProfileLimits.addedBytes else {
        problems.add(place, "the variables make the profile too long", remedy: "shorten ${\(reference.name)}")
        break
      }
    }
    result.text = String(made)
    result.columns = scalar.columns == nil ? nil : columns
    return result
  }

  private func reference(
    _ source: [Unicode.Scalar], at start: Int, _ place: Place
  ) -> (name: String, value: String, end: Int)? {
    guard start + 1 < source.count, source[start + 1] == "{" else {
      problems.add(
        place, "a single '$'", why: "it begins a variable: ${NAME} or ${NAME:-default}", remedy: "write $$ for a dollar")
      return nil
    }
    guard let close = source[start...].firstIndex(of: "}") else {
      problems.add(place, "'${' is not closed", remedy: "write ${NAME} or ${NAME:-default}")
      return nil
    }
    let inner = source[(start + 2)..<close]
    let name = inner.prefix { $0 == "_" || $0.isASCII && ($0.properties.isAlphabetic || ("0"..."9").contains($0)) }
    let text = Self.text(name)
    let rest = inner.dropFirst(name.count)
    guard let first = name.first, !("0"..."9").contains(first) else {
      problems.add(place, "'\(Self.text(source[start...close]))' names no variable", remedy: "write ${NAME} or ${NAME:-default}")
      return nil
    }
    var fallback: String?
    if rest.starts(with: ":-".unicodeScalars) {
      fallback = Self.text(rest.dropFirst(2))
    } else if !rest.isEmpty {
      problems.add(
        place, "'${\(text)\(Self.text(rest))}' is no form of a variable", remedy: "write ${\(text)} or ${\(text):-default}")
      return nil
    }
    if zip(rest, rest.dropFirst()).contains(where: { $0 == "$" && $1 == "{" }) {
      problems.add(place, "the default of ${\(text)} holds a variable", why: "they do not nest", remedy: "write the default out")
      return nil
    }
    if let value = variables[text], !(value.isEmpty && fallback != nil) { return (text, value, close + 1) }
    if let fallback { return (text, fallback, close + 1) }
    problems.add(
      place, "the variable \(text) is not set", why: "the profile gives it no default",
      remedy: "set it (Environment= in the unit), or write ${\(text):-default}")
    return (text, "", close + 1)
  }

  private static func text(_ scalars: some Sequence<Unicode.Scalar>) -> String {
    var view = String.UnicodeScalarView()
    view.append(contentsOf: scalars)
    return String(view)
  }
}
