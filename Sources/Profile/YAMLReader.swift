import CYAML

/// Reads one YAML file by libyaml's event parser into a bounded tree. Problems are listed; nil means that nothing could be made of it.
///
/// Unsafe because libyaml is C: the parser borrows the file's bytes while it lives, and each event's strings are copied before it is deleted.
struct YAMLReader {
  private struct Event {
    var type: yaml_event_type_t
    var place: Place
    var end: Place
    var startIndex: Int
    var endIndex: Int
    var anchor: String?
    var tag: String?
    var text = ""
    var style = YAML_ANY_SCALAR_STYLE
  }

  /// Ends the reading of this file; the problem is listed already.
  private struct Stop: Error {}

  private let file: String
  private let source: [Unicode.Scalar]
  private let problems: ProblemList
  private var anchors: [String: YAMLNode] = [:]
  private var open: Set<String> = []
  private var count = 0

  /// The root of a file, an empty map when it holds nothing, or nil when it cannot be read on.
  static func read(file: String, bytes: [UInt8], problems: ProblemList) -> YAMLNode? {
    guard let text = YAMLFault.decode(file: file, bytes: bytes, problems: problems) else { return nil }
    var reader = YAMLReader(file: file, source: Array(text.unicodeScalars), problems: problems)
    var parser = yaml_parser_t()
    guard yaml_parser_initialize(&parser) == 1 else {
      problems.add(.whole(file), "there is no memory to read it", remedy: "free some memory")
      return nil
    }
    defer { yaml_parser_delete(&parser) }
    return Array(text.utf8).withUnsafeBufferPointer { buffer in
      yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING)
      yaml_parser_set_input_string(&parser, buffer.baseAddress, buffer.count)
      return try? reader.document(&parser)
    }
  }

  private init(file: String, source: [Unicode.Scalar], problems: ProblemList) {
    self.file = file
    self.source = source
    self.problems = problems
  }

  private mutating func document(_ parser: inout yaml_parser_t) throws(Stop) -> YAMLNode {
    var root: YAMLNode?
    while true {
      let event = try next(&parser)
      switch event.type {
      case YAML_STREAM_END_EVENT: return root ?? YAMLNode(Place(file: file, line: 1, column: 1), .map([]))
      case YAML_DOCUMENT_START_EVENT:
        if root != nil {
          problems.add(
            event.place, "a second document begins", why: "a profile is one document",
            remedy: "remove the line '---', or put the rest into a file of its own under profile.d")
          throw Stop()
        }
        root = try node(try next(&parser), &parser, depth: 1)
      default: continue
      }
    }
  }

  private mutating func node(_ event: Event, _ parser: inout yaml_parser_t, depth: Int) throws(Stop) -> YAMLNode {
    guard depth <= ProfileLimits.depth else {
      throw stop(
        event.place, "this is nested more than \(ProfileLimits.depth) deep",
        remedy: "a profile needs five levels; check the brackets")
    }
    try grow(by: 1, event.place)
    if event.type == YAML_ALIAS_EVENT { return try alias(event) }
    if let tag = event.tag, tag != "!", !tag.hasPrefix("tag:yaml.org,2002:") {
      problems.add(
        event.place, "'\(tag)' is a YAML tag", why: "a value that begins with '!' must be in quotes",
        remedy: "write \"\(tag) \(event.text)\" in quotes")
    }
    if let anchor = event.anchor { open.insert(anchor) }
    var made: YAMLNode
    switch event.type {
    case YAML_SEQUENCE_START_EVENT: made = try list(event, &parser, depth: depth)
    case YAML_MAPPING_START_EVENT: made = try map(event, &parser, depth: depth)
    default: made = YAMLNode(event.place, .scalar(scalar(event)))
    }
    if let anchor = event.anchor {
      open.remove(anchor)
      anchors[anchor] = made
    }
    return made
  }

  private mutating func alias(_ event: Event) throws(Stop) -> YAMLNode {
    let name = event.anchor ?? ""
    if open.contains(name) {
      throw stop(event.place, "'*\(name)' stands inside what it repeats", remedy: "remove the alias")
    }
    guard let target = anchors[name] else {
      throw stop(
        event.place, "'*\(name)' repeats an anchor '&\(name)' that does not exist",
        why: "a value that begins with '*' is a YAML alias", remedy: "put a pattern in quotes: \"*\(name)\"")
    }
    try grow(by: target.count, event.place)
    return target
  }

  private mutating func list(_ start: Event, _ parser: inout yaml_parser_t, depth: Int) throws(Stop) -> YAMLNode {
    var items: [YAMLNode] = []
    while true {
      let event = try next(&parser)
      if event.type == YAML_SEQUENCE_END_EVENT { return YAMLNode(start.place, .list(items)) }
      items.append(try node(event, &parser, depth: depth + 1))
    }
  }

  private mutating func map(_ start: Event, _ parser: inout yaml_parser_t, depth: Int) throws(Stop) -> YAMLNode {
    var entries: [YAMLEntry] = []
    var lines: [String: Int] = [:]
    var merged: [YAMLNode] = []
    while true {
      let event = try next(&parser)
      if event.type == YAML_MAPPING_END_EVENT { break }
      let key = try node(event, &parser, depth: depth + 1)
      let value = try node(try next(&parser), &parser, depth: depth + 1)
      guard let text = key.scalar?.text else {
        problems.add(
          key.place, "a key is \(key.kind)", remedy: "write a word before the colon, and texts with '{' or '[' in quotes")
        continue
      }
      if text == "<<", key.scalar?.isPlain == true {
        merged.append(value)
      } else if let line = lines[text] {
        problems.add(
          key.place, "the key '\(text)' is there twice", why: "line \(line) has it too", remedy: "keep one of the two")
      } else {
        lines[text] = key.place.line
        entries.append(YAMLEntry(key: text, place: key.place, value: value))
      }
    }
    for value in merged { merge(value, into: &entries, &lines) }
    return YAMLNode(start.place, .map(entries))
  }

  /// The merge key `<<` of YAML 1.1: what the map does not have itself comes from another.
  private func merge(_ value: YAMLNode, into entries: inout [YAMLEntry], _ lines: inout [String: Int]) {
    switch value.content {
    case .map(let others):
      for other in others where lines.updateValue(other.place.line, forKey: other.key) == nil { entries.append(other) }
    case .list(let values): for value in values { merge(value, into: &entries, &lines) }
    case .scalar:
      problems.add(value.place, "'<<' merges maps, not \(value.kind)", remedy: "give it an alias of a map: '<<: *name'")
    }
  }

  private func scalar(_ event: Event) -> YAMLScalar {
    let plain = event.style == YAML_PLAIN_SCALAR_STYLE
    var scalar = YAMLScalar(text: event.text, isPlain: plain, columns: nil)
    guard event.place.line == event.end.line, event.endIndex <= source.count, event.startIndex <= event.endIndex else {
      return scalar
    }
    scalar.columns = Self.columns(
      raw: source[event.startIndex..<event.endIndex], count: event.text.unicodeScalars.count, style: event.style,
      first: event.place.column)
    return scalar
  }

  /// Where each character of a one-line scalar stands: quotes and escapes take columns of their own.
  private static func columns(
    raw: ArraySlice<Unicode.Scalar>, count: Int, style: yaml_scalar_style_t, first: Int
  ) -> [Int]? {
    switch style {
    case YAML_PLAIN_SCALAR_STYLE: return (0..<count).map { first + $0 }
    case YAML_SINGLE_QUOTED_SCALAR_STYLE, YAML_DOUBLE_QUOTED_SCALAR_STYLE:
      let double = style == YAML_DOUBLE_QUOTED_SCALAR_STYLE
      let inner = Array(raw.dropFirst().dropLast())
      var columns: [Int] = []
      var index = 0
      while index < inner.count, columns.count < count {
        columns.append(first + 1 + index)
        if double, inner[index] == "\\" {
          let escape = index + 1 < inner.count ? inner[index + 1] : "\\"
          index += ["x": 4, "u": 6, "U": 10][escape] ?? 2
        } else {
          index += !double && inner[index] == "'" ? 2 : 1
        }
      }
      return columns.count == count ? columns : nil
    default: return nil
    }
  }

  private mutating func grow(by nodes: Int, _ place: Place) throws(Stop) {
    count += nodes
    guard count <= ProfileLimits.nodes else {
      throw stop(
        place, "the file holds more than \(ProfileLimits.nodes) values", why: "aliases count with what they repeat",
        remedy: "split it, or remove the repetition")
    }
  }

  private func stop(_ place: Place, _ what: String, why: String = "", remedy: String) -> Stop {
    problems.add(place, what, why: why, remedy: remedy)
    return Stop()
  }

  private mutating func next(_ parser: inout yaml_parser_t) throws(Stop) -> Event {
    var raw = yaml_event_t()
    guard yaml_parser_parse(&parser, &raw) == 1 else {
      YAMLFault(parser, source: source, file: file).report(to: problems)
      throw Stop()
    }
    defer { yaml_event_delete(&raw) }
    var event = Event(
      type: raw.type, place: place(raw.start_mark), end: place(raw.end_mark),
      startIndex: raw.start_mark.index, endIndex: raw.end_mark.index)
    switch raw.type {
    case YAML_ALIAS_EVENT: event.anchor = Self.text(raw.data.alias.anchor)
    case YAML_SEQUENCE_START_EVENT:
      event.anchor = Self.text(raw.data.sequence_start.anchor)
      event.tag = Self.text(raw.data.sequence_start.tag)
    case YAML_MAPPING_START_EVENT:
      event.anchor = Self.text(raw.data.mapping_start.anchor)
      event.tag = Self.text(raw.data.mapping_start.tag)
    case YAML_SCALAR_EVENT:
      let scalar = raw.data.scalar
      event.anchor = Self.text(scalar.anchor)
      event.tag = Self.text(scalar.tag)
      event.style = scalar.style
      event.text = String(decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
    default: break
    }
    return event
  }

  private func place(_ mark: yaml_mark_t) -> Place {
    Place(file: file, line: mark.line + 1, column: mark.column + 1)
  }

  private static func text(_ pointer: UnsafeMutablePointer<yaml_char_t>?) -> String? {
    pointer.map { String(cString: $0) }
  }
}
