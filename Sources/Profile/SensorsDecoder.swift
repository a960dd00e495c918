import Telemetry

/// Reads `sensors:` against the catalogue.
struct SensorsDecoder {
  /// A kind with what the profile says of it.
  struct Sensor {
    let kind: SensorKind
    let isEnabled: Bool
    let profile: SensorProfile
    /// Where its settings stand.
    let section: SectionReader
  }

  let catalogue: [SensorKind]
  let tickMilliseconds: Int
  /// Whether the tick is what the profile meant, so that multiples of it can be checked.
  let isTickKnown: Bool
  let problems: ProblemList
  let chips: ChipFiles
  let credentials: String

  /// All kinds in the order of the catalogue. Without a section, or with an empty one, all are enabled.
  func decode(_ node: YAMLNode?, at place: Place) -> [Sensor] {
    var entries: [YAMLEntry] = []
    if let node, !node.isNull {
      guard case .map(let given) = node.content else {
        problems.add(
          node.place, "'sensors' is \(node.kind)",
          remedy: "write each kind as a key below 'sensors:', '\(catalogue.first?.name ?? "cpu"):'")
        return catalogue.map { sensor($0, nil, isEnabled: true, place) }
      }
      entries = given
    }
    for entry in entries where !catalogue.contains(where: { $0.name == entry.key }) {
      problems.add(
        entry.place, "unknown sensor '\(entry.key)'", remedy: Suggestion.remedy(for: entry.key, among: catalogue.map(\.name)))
    }
    let sensors = catalogue.map { kind in
      guard let entry = entries.first(where: { $0.key == kind.name }) else {
        return sensor(kind, nil, isEnabled: entries.isEmpty, place)
      }
      return read(entry, kind)
    }
    let areKnown = entries.allSatisfy { entry in catalogue.contains { $0.name == entry.key } }
    if !entries.isEmpty, areKnown, let node, !sensors.contains(where: \.isEnabled) {
      problems.add(
        node.place, "no sensor is enabled", why: "a sensor that 'sensors:' does not name is off",
        remedy: "name those to run, or remove the section to run all")
    }
    checkStatedMetrics(of: sensors)
    return sensors
  }

  /// A name means one thing: metrics that the profile states have names of their own.
  private func checkStatedMetrics(of sensors: [Sensor]) {
    var owners: [String: String] = [:]
    for kind in catalogue { for metric in kind.metrics { owners[metric.name] = kind.name } }
    for sensor in sensors {
      let settings = sensor.profile.settings
      for spec in sensor.kind.settings {
        for (index, item) in settings.items(spec.key).enumerated() {
          // By itself it states what it adds to the rest.
          for metric in sensor.kind.metrics(statedIn: Settings(sensor.kind.settings, [spec.key: .items([item])])) {
            let owner = owners.updateValue(sensor.kind.name, forKey: metric.name)
            let fault = SettingFault(
              spec.key, item: index, what: "the metric '\(metric.name)' is there twice",
              remedy: "give one of the two another name")
            guard let owner, !sensor.section.isTold(fault) else { continue }
            problems.add(sensor.section.place(of: fault), fault.what, why: "'\(owner)' has it too", remedy: fault.remedy)
          }
        }
      }
    }
  }

  private func read(_ entry: YAMLEntry, _ kind: SensorKind) -> Sensor {
    if let scalar = entry.value.scalar, !entry.value.isNull {
      switch scalar.text {
      case "true": return sensor(kind, nil, isEnabled: true, entry.place)
      case "false": return sensor(kind, nil, isEnabled: false, entry.place)
      default:
        problems.add(
          entry.value.place, "the sensor '\(kind.name)' is '\(scalar.text)'",
          remedy: "write its settings as a map, nothing for the defaults, or false to switch it off")
        return sensor(kind, nil, isEnabled: true, entry.place)
      }
    }
    return sensor(kind, entry.value, isEnabled: true, entry.place)
  }

  private func sensor(_ kind: SensorKind, _ node: YAMLNode?, isEnabled: Bool, _ place: Place) -> Sensor {
    let reader = SectionReader(
      node, at: place, path: "sensors.\(kind.name)", specs: ProfileSchema.sensor.specs + kind.settings,
      hints: ["interval": "write 'every'", "timeout": "write 'deadline'", "period": "write 'every'"], problems: problems,
      chips: chips, credentials: credentials)
    let common = reader.settings
    if kind.lane == .fast, reader.given["deadline"] != nil {
      problems.add(
        reader.place(of: "deadline"), "'deadline' means nothing to '\(kind.name)'",
        why: "it runs inside the tick and cannot block",
        remedy: "remove the key")
    }
    let profile = SensorProfile(
      kind: kind.name, everyMilliseconds: every(kind, reader), deadlineMilliseconds: common.milliseconds("deadline"),
      settings: Settings(kind.settings, reader.given.filter { given in kind.settings.contains { $0.key == given.key } }))
    for fault in kind.check(profile.settings) where !reader.isTold(fault) {
      problems.add(reader.place(of: fault), "sensors.\(kind.name): \(fault.what)", remedy: fault.remedy)
    }
    return Sensor(kind: kind, isEnabled: isEnabled && common.bool("enabled"), profile: profile, section: reader)
  }

  /// What was given, or the kind's own pace in whole ticks.
  private func every(_ kind: SensorKind, _ reader: SectionReader) -> Int {
    let tick = max(tickMilliseconds, 1)
    guard case .milliseconds(let every) = reader.given["every"] else {
      let wanted = (kind.everySeconds ?? 0) * 1000
      return max(1, (wanted + tick - 1) / tick) * tick
    }
    if isTickKnown, every % tick != 0 {
      let lower = max(1, every / tick) * tick
      let upper = lower + tick
      let choice = every < tick ? Quantity.duration(lower) : "\(Quantity.duration(lower)) or \(Quantity.duration(upper))"
      problems.add(
        reader.place(of: "every"), "every: \(Quantity.duration(every)) is no multiple of the tick",
        why: "the tick is \(Quantity.duration(tick))", remedy: "write \(choice), or change the tick")
    }
    return every
  }
}
