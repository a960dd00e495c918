public import Telemetry

/// A YAML file that is one map of known keys, read as strictly as a section of a profile: the facts about hardware are such files.
public struct SettingsFile: Sendable {
  /// What the file says over the defaults of its keys.
  public let settings: Settings
  private let root: YAMLNode

  /// Reads the text of a file by a table of keys.
  ///
  /// `title` names the map in messages, for example `board`. The bounds are those of a profile's file.
  /// - Throws: all that is wrong with it, each problem with line and column.
  public init(file: String, text: [UInt8], title: String, specs: [SettingSpec]) throws(ProfileProblems) {
    let problems = ProblemList()
    guard let root = YAMLReader.read(file: file, bytes: text, problems: problems) else { throw problems.sorted(files: [file]) }
    let reader = SectionReader(root, at: root.place, path: title, specs: specs, problems: problems)
    if reader.isMap {
      for spec in specs where spec.isRequired && reader.entries[spec.key] == nil {
        problems.add(
          Place(file: file, line: 1, column: 1), "the \(title) has no '\(spec.key)'",
          remedy: "write '\(spec.key):' (\(spec.type.summary)): \(spec.help)")
      }
    }
    guard problems.isEmpty else { throw problems.sorted(files: [file]) }
    settings = reader.settings
    self.root = root
  }

  /// A problem of meaning, at a key of the map, at an item of its list, or at a key of that item: at the nearest of these that is there.
  public func problem(
    at key: String, item: Int? = nil, _ itemKey: String? = nil, _ what: String, why: String = "", remedy: String
  ) -> ProfileProblem {
    let place = place(of: key, item: item, itemKey)
    return ProfileProblem(
      file: place.file, line: place.line, column: place.column, what: what, why: why, remedy: remedy)
  }

  private func place(of key: String, item: Int?, _ itemKey: String?) -> Place {
    guard let value = Self.value(of: key, in: root) else { return root.place }
    guard let item, case .list(let nodes) = value.content, nodes.indices.contains(item) else { return value.place }
    guard let itemKey, let inner = Self.value(of: itemKey, in: nodes[item]) else { return nodes[item].place }
    return inner.place
  }

  private static func value(of key: String, in node: YAMLNode) -> YAMLNode? {
    guard case .map(let entries) = node.content else { return nil }
    return entries.first { $0.key == key }?.value
  }
}
