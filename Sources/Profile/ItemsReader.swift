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

  /// The maps with their defaults, or nil when one of them is wrong. Where items have a `name`, each is there once.
  func read(_ nodes: [YAMLNode], at place: Place) -> SettingValue? {
    guard nodes.count <= ProfileLimits.items else {
      problems.add(place, "'\(path)' has \(nodes.count) items", remedy: "use at most \(ProfileLimits.items)")
      return nil
    }
    var items: [Settings] = []
    var names: Set<String> = []
    let hints = specs.contains { $0.type == .secretFile } ? ["password": UplinkDecoder.passwordRemedy] : [:]
    var right = true
    var devices = ChipDeviceReader(chips: chips, problems: problems)
    let chipKey = specs.first { $0.type == .chip }?.key
    for (index, node) in nodes.enumerated() {
      guard case .map = node.content else {
        problems.add(node.place, "\(path): item \(index + 1) is \(node.kind)", remedy: "write it as a map: \(example)")
        right = false
        continue
      }
      let reader = SectionReader(
        node, at: node.place, path: "\(path)[\(index + 1)]", specs: specs, hints: hints, problems: problems, chips: chips,
        credentials: credentials)
      for spec in specs where reader.entries[spec.key] == nil && spec.isRequired {
        problems.add(
          node.place, "\(path): item \(index + 1) has no '\(spec.key)'", why: Self.clause(spec.help),
          remedy: "write '\(spec.key):' (\(spec.type.summary))")
        right = false
      }
      if reader.given.count < reader.entries.count { right = false }
      var settings = reader.settings
      if let chipKey, reader.entries[chipKey] != nil {
        if let found = devices.read(reader, key: chipKey) {
          settings = Settings(specs, reader.given.merging(found) { _, new in new })
        } else {
          right = false
        }
      }
      let name = settings.text("name")
      if !name.isEmpty, !names.insert(name).inserted {
        problems.add(reader.place(of: "name"), "\(path): the name '\(name)' is there twice", remedy: "give each item its own")
        right = false
      }
      items.append(settings)
    }
    return right ? .items(items) : nil
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
