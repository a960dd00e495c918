import Telemetry

/// Types a list of maps: the devices, lines or targets of a sensor.
struct ItemsReader {
  /// The list's name in messages: `sensors.gpio.inputs`.
  let path: String
  let specs: [SettingSpec]
  let problems: ProblemList
  /// Where items that are devices find their chips.
  var chips = ChipFiles(HardwareFolders([]))
  /// The folder of the unit's credentials.
  var credentials = ""

  /// What a list became.
  struct Items {
    /// Each with its defaults; what is wrong in one is left out of it.
    var all: [Settings] = []
    /// The positions of those in which something is wrong, which was told.
    var faulty: Set<Int> = []
  }

  /// The maps, or nil when there are too many. Where items have a `name`, each is there once.
  func read(_ nodes: [YAMLNode], at place: Place) -> Items? {
    guard nodes.count <= ProfileLimits.items else {
      problems.add(place, "'\(path)' has \(nodes.count) items", remedy: "use at most \(ProfileLimits.items)")
      return nil
    }
    var items = Items()
    var names: Set<String> = []
    let hints = specs.contains { $0.type == .secretFile } ? ["password": UplinkDecoder.passwordRemedy] : [:]
    var devices = ChipDeviceReader(chips: chips, problems: problems)
    let chipKey = specs.first { $0.type == .chip }?.key
    for (index, node) in nodes.enumerated() {
      guard case .map = node.content else {
        problems.add(node.place, "\(path): item \(index + 1) is \(node.kind)", remedy: "write it as a map: \(example)")
        items.all.append(Settings(specs))
        items.faulty.insert(index)
        continue
      }
      let reader = SectionReader(
        node, at: node.place, path: "\(path)[\(index + 1)]", specs: specs, hints: hints, problems: problems, chips: chips,
        credentials: credentials)
      for spec in specs where reader.entries[spec.key] == nil && spec.isRequired {
        problems.add(
          node.place, "\(path): item \(index + 1) has no '\(spec.key)'", why: Self.clause(spec.help),
          remedy: "write '\(spec.key):' (\(spec.type.summary))")
        items.faulty.insert(index)
      }
      for spec in specs where spec.isRequired && spec.type == .text && reader.given[spec.key] == .text("") {
        problems.add(
          reader.place(of: spec.key), "\(path): '\(spec.key)' is empty", why: Self.clause(spec.help), remedy: "give it a text")
        items.faulty.insert(index)
      }
      if !reader.isRight { items.faulty.insert(index) }
      var settings = reader.settings
      if let chipKey, reader.entries[chipKey] != nil {
        if let found = devices.read(reader, key: chipKey) {
          settings = Settings(specs, reader.given.merging(found) { _, new in new })
        } else {
          items.faulty.insert(index)
        }
      }
      let name = settings.text("name")
      if !name.isEmpty, !names.insert(name).inserted {
        problems.add(reader.place(of: "name"), "\(path): the name '\(name)' is there twice", remedy: "give each item its own")
        items.faulty.insert(index)
      }
      items.all.append(settings)
    }
    return items
  }

  /// A sentence as part of a message.
  private static func clause(_ text: String) -> String {
    let words = text.hasSuffix(".") ? String(text.dropLast()) : text
    return words.prefix(1).lowercased() + words.dropFirst()
  }

  private var example: String {
    let shown = specs.filter(\.isRequired).map { "\($0.key): …" }.joined(separator: ", ")
    return "{\(shown.isEmpty ? specs.first.map { "\($0.key): …" } ?? "" : shown)}"
  }
}
