/// A value of a YAML file with its place. Scalars are text: what a text means is decided by what the profile wants there.
struct YAMLNode: Sendable {
  indirect enum Content: Sendable {
    case scalar(YAMLScalar)
    case list([YAMLNode])
    case map([YAMLEntry])
  }

  var place: Place
  var content: Content
  /// Values in it and below it, itself included.
  var count: Int

  init(_ place: Place, _ content: Content) {
    self.place = place
    self.content = content
    switch content {
    case .scalar: count = 1
    case .list(let items): count = items.reduce(1) { $0 + $1.count }
    case .map(let entries): count = entries.reduce(1) { $0 + $1.value.count + 1 }
    }
  }

  var scalar: YAMLScalar? {
    if case .scalar(let scalar) = content { return scalar }
    return nil
  }

  /// Nothing, `~` or `null`, not in quotes: as if the key were not there.
  var isNull: Bool {
    guard let scalar, scalar.isPlain else { return false }
    return ["", "~", "null", "Null", "NULL"].contains(scalar.text)
  }

  /// What it is, for messages.
  var kind: String {
    switch content {
    case .scalar: isNull ? "nothing" : "a single value"
    case .list: "a list"
    case .map: "a map"
    }
  }
}

/// A key of a map and its value.
struct YAMLEntry: Sendable {
  var key: String
  var place: Place
  var value: YAMLNode
}

/// The text of a scalar and where its characters stand in the file.
struct YAMLScalar: Sendable {
  var text: String
  /// Whether it stands in the file without quotes and is no block.
  var isPlain: Bool
  /// The column of each character (Unicode scalar) when it stands on one line; nil when it does not.
  var columns: [Int]?
  /// The variables that it was made from.
  var variables: [String] = []

  /// The place of a character of a scalar that begins at `start`; one past the last character is allowed.
  func place(of offset: Int, from start: Place) -> Place {
    guard let columns, let last = columns.last else { return start }
    let column = offset < columns.count ? columns[max(offset, 0)] : last + 1
    return Place(file: start.file, line: start.line, column: column)
  }
}
