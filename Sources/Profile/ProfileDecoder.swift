import Telemetry

/// Turns a merged and substituted tree into a profile, and lists everything that does not fit.
struct ProfileDecoder {
  let catalogue: [SensorKind]
  let environment: ProfileEnvironment
  let problems: ProblemList

  /// Nil, or a profile that is only good if no problem was listed.
  func decode(_ root: YAMLNode) -> Profile? {
    // Other roots were refused before the files were merged.
    guard case .map(let entries) = root.content else { return nil }
    var parts: [String: YAMLNode] = [:]
    for entry in entries { parts[entry.key] = entry.value }
    checkKeys(entries)

    let scalars = entries.filter { ProfileSchema.root.spec($0.key) != nil }
    let top = SectionReader(
      YAMLNode(root.place, .map(scalars)), at: root.place, path: "profile", specs: ProfileSchema.root.specs, problems: problems)
    let tick = top.settings.milliseconds("tick")
    let node = node(top)
    let sensors = SensorsDecoder(
      catalogue: catalogue, tickMilliseconds: tick, isTickKnown: !top.isFaulty("tick"), problems: problems,
      chips: ChipFiles(environment.hardware), credentials: environment.credentials
    )
    .decode(parts["sensors"], at: root.place)
    let alertsDecoder = AlertsDecoder(sensors: sensors, problems: problems)
    var alerts = alertsDecoder.decode(parts["alerts"])
    let shutdown = alertsDecoder.decodeShutdown(parts["shutdown"], rules: alerts.map(\.name))
    if let shutdown { alerts.append(shutdown.rule) }
    let device = DeviceDecoder(tickMilliseconds: tick, isTickKnown: !top.isFaulty("tick"), problems: problems)
    let lines = sensors.first { $0.isEnabled && $0.kind.name == "gpio" }
    let inputs = lines?.profile.settings.items("inputs") ?? []
    let uplinkDecoder = UplinkDecoder(node: node, environment: environment, problems: problems)
    let uplink = uplinkDecoder.decode(parts["uplink"])
    return Profile(
      node: node, labels: labels(parts["labels"]), tickMilliseconds: tick,
      sensors: sensors.filter(\.isEnabled).map(\.profile), alerts: alerts,
      outputs: device.outputs(parts["outputs"], rules: alerts.map(\.name), inputs: inputs),
      watchdog: device.watchdog(parts["watchdog"]),
      shutdown: shutdown?.profile, identity: uplinkDecoder.identity(parts["identity"], at: root.place),
      buffer: buffer(parts["buffer"], root.place), uplink: uplink, control: control(parts["control"], root.place),
      log: log(parts["log"], root.place), hardwareProblems: problems.hardware)
  }

  private func checkKeys(_ entries: [YAMLEntry]) {
    for entry in entries where !ProfileSchema.rootKeys.contains(entry.key) {
      let kinds = catalogue.map(\.name)
      var remedy = Suggestion.remedy(for: entry.key, among: ProfileSchema.rootKeys)
      if kinds.contains(entry.key) {
        remedy = "sensors stand below 'sensors:', indented"
      } else if let section = Self.sections.first(where: { $0.spec(entry.key) != nil }) {
        remedy = "it belongs below '\(section.name):', indented"
      }
      problems.add(entry.place, "unknown key '\(entry.key)' in the profile", remedy: remedy)
    }
  }

  private static let sections = [
    ProfileSchema.buffer, ProfileSchema.uplink, ProfileSchema.control, ProfileSchema.log, ProfileSchema.watchdog,
    ProfileSchema.shutdown, ProfileSchema.identity,
  ]

  private func section(_ section: ProfileSchema.Section, _ node: YAMLNode?, _ place: Place) -> SectionReader {
    SectionReader(node, at: place, path: section.name, specs: section.specs, problems: problems)
  }

  // MARK: - The node

  private func node(_ top: SectionReader) -> String {
    let given = top.settings.text("node")
    let place = top.place(of: "node")
    guard given != "auto" else { return automaticNode(place) }
    if let fault = Self.fault(inNode: given) {
      problems.add(
        place, "the node id \(fault)", why: "it is part of MQTT topics",
        remedy: "use letters, digits, '-', '_' and '.', at most 64")
    }
    return given
  }

  private func automaticNode(_ place: Place) -> String {
    let host = environment.hostName
    let isNamed = !host.isEmpty && host != "localhost"
    guard let name = isNamed ? host : environment.machineID, !name.isEmpty else {
      problems.add(
        place, "the node has no name of its own", why: "the host name is '\(host)', and there is no machine id",
        remedy: "write 'node: NAME', or set the host name")
      return "unnamed"
    }
    if let fault = Self.fault(inNode: name) {
      problems.add(place, "the host name cannot be the node id: it \(fault)", remedy: "write 'node: NAME'")
    }
    return name
  }

  private static func fault(inNode text: String) -> String? {
    if text.isEmpty { return "is empty" }
    if text.utf8.count > ProfileLimits.nameBytes { return "has \(text.utf8.count) bytes, more than \(ProfileLimits.nameBytes)" }
    for scalar in text.unicodeScalars {
      if scalar == "+" || scalar == "#" || scalar == "/" { return "holds '\(scalar)'" }
      if scalar.properties.isWhitespace { return "holds a blank" }
      if scalar.value < 0x20 || scalar.value == 0x7F { return "holds a control character" }
    }
    return nil
  }

  private func labels(_ node: YAMLNode?) -> [Label] {
    guard let node, !node.isNull else { return [] }
    guard case .map(let entries) = node.content else {
      problems.add(node.place, "'labels' is \(node.kind)", remedy: "write it as a map: '{site: plant-7}'")
      return []
    }
    if entries.count > ProfileLimits.labels {
      problems.add(node.place, "there are \(entries.count) labels", remedy: "use at most \(ProfileLimits.labels)")
    }
    var labels: [Label] = []
    for entry in entries {
      if !Self.isKey(entry.key) {
        problems.add(
          entry.place, "'\(entry.key)' is no label key",
          remedy: "use lower-case letters, digits and '_', beginning with a letter or '_'")
      }
      guard let text = entry.value.scalar?.text, !entry.value.isNull else {
        let fault = entry.value.isNull ? "has no value" : "is \(entry.value.kind)"
        problems.add(entry.value.place, "the label '\(entry.key)' \(fault)", remedy: "write one text, or remove the label")
        continue
      }
      if text.utf8.count > Limits.labelValueBytes {
        problems.add(
          entry.value.place, "the label '\(entry.key)' has \(text.utf8.count) bytes",
          remedy: "use at most \(Limits.labelValueBytes)")
      }
      labels.append(Label(entry.key, text))
    }
    return labels.sorted()
  }

  /// `[a-z_][a-z0-9_]*`.
  static func isKey(_ text: String) -> Bool {
    guard let first = text.utf8.first, !(0x30...0x39).contains(first) else { return false }
    return text.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F }
  }

  // MARK: - Small sections

  private func buffer(_ node: YAMLNode?, _ place: Place) -> BufferProfile {
    let reader = section(ProfileSchema.buffer, node, place)
    let settings = reader.settings
    return BufferProfile(
      path: reader.path("path") ?? "", maximumBytes: settings.bytes("max_size"),
      commitEveryMilliseconds: settings.milliseconds("commit_every"), retainMilliseconds: settings.milliseconds("retain"),
      retainMinutesMilliseconds: settings.milliseconds("retain_minutes"),
      retainHoursMilliseconds: settings.milliseconds("retain_hours"),
      pendingBytes: settings.bytes("memory_limit"))
  }

  private func control(_ node: YAMLNode?, _ place: Place) -> ControlProfile {
    let reader = section(ProfileSchema.control, node, place)
    let path = reader.path("socket") ?? ""
    // sun_path of unix(7) holds 108 bytes, the last of them 0.
    if path.utf8.count > 107 {
      problems.add(reader.place(of: "socket"), "the socket's path has \(path.utf8.count) bytes", remedy: "use at most 107")
    }
    return ControlProfile(socketPath: path)
  }

  private func log(_ node: YAMLNode?, _ place: Place) -> LogProfile {
    let settings = section(ProfileSchema.log, node, place).settings
    return LogProfile(
      level: LogProfile.Level(rawValue: settings.text("level")) ?? .info,
      format: LogProfile.Format(rawValue: settings.text("format")) ?? .auto)
  }
}
