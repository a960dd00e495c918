import Telemetry

/// Reads the sections by which the agent acts on the device.
struct DeviceDecoder {
  let tickMilliseconds: Int
  /// Whether the tick is what the profile says; else nothing can be told of multiples of it.
  let isTickKnown: Bool
  let problems: ProblemList

  // MARK: - Watchdog

  func watchdog(_ node: YAMLNode?) -> WatchdogProfile? {
    guard let node, !node.isNull, node.scalar?.text != "false" else { return nil }
    let reader = SectionReader(
      node, at: node.place, path: ProfileSchema.watchdog.name, specs: ProfileSchema.watchdog.specs, problems: problems)
    let milliseconds = reader.settings.milliseconds("timeout")
    if milliseconds % 1000 != 0 {
      problems.add(
        reader.place(of: "timeout"), "timeout: a watchdog counts whole seconds", remedy: "write \(milliseconds / 1000 + 1)s")
    }
    let least = (3 * tickMilliseconds + 999) / 1000
    if isTickKnown, !reader.isFaulty("timeout"), milliseconds < 3 * tickMilliseconds {
      problems.add(
        reader.place(of: "timeout"), "timeout: \(Quantity.duration(milliseconds)) is less than three ticks",
        why: "a tick that is a little late would reset the device", remedy: "write at least \(Quantity.duration(least * 1000))")
    }
    return WatchdogProfile(device: reader.path("device") ?? "", timeoutSeconds: milliseconds / 1000)
  }

  // MARK: - Outputs

  /// In the order of the profile; `rules` are the names of its alerts, `inputs` what the sensor `gpio` watches.
  func outputs(_ node: YAMLNode?, rules: [String], inputs: [Settings]) -> [OutputProfile] {
    guard let node, !node.isNull else { return [] }
    guard case .list(let nodes) = node.content else {
      problems.add(node.place, "'outputs' is \(node.kind)", remedy: "write it as a list: each output begins with '- name:'")
      return []
    }
    guard nodes.count <= ProfileLimits.outputs else {
      problems.add(node.place, "there are \(nodes.count) outputs", remedy: "use at most \(ProfileLimits.outputs)")
      return []
    }
    let specs = ProfileSchema.output.specs
    // No output is a chip.
    let items = ItemsReader(path: "outputs", specs: specs, problems: problems, chips: ChipFiles(HardwareFolders([])))
    guard let faulty = items.read(nodes, at: node.place)?.faulty else { return [] }
    var outputs: [OutputProfile] = []
    for (index, item) in nodes.enumerated() where !faulty.contains(index) {
      // Once more, now for the places.
      let reader = SectionReader(item, at: item.place, path: "outputs[\(index + 1)]", specs: specs, problems: problems)
      let output = OutputProfile(reader.settings)
      checkName(output, reader)
      checkDrive(output, reader, rules)
      if let other = outputs.first(where: { $0.line == output.line && $0.chip == output.chip }) {
        problems.add(
          reader.place(of: "line"), "outputs: '\(output.name)' and '\(other.name)' are the same line",
          remedy: "remove one of them")
      }
      let isInput = { (input: Settings) in
        input.text("line") == output.line && (input.isSet("chip") ? input.text("chip") : nil) == output.chip
      }
      if let input = inputs.first(where: isInput) {
        problems.add(
          reader.place(of: "line"), "outputs: '\(output.name)' and the input '\(input.text("name"))' are the same line",
          remedy: "remove one of them")
      }
      outputs.append(output)
    }
    return outputs
  }

  private func checkName(_ output: OutputProfile, _ reader: SectionReader) {
    let isName = output.name.utf8.allSatisfy {
      (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D || $0 == 0x5F
    }
    if !isName || output.name.isEmpty || output.name.utf8.count > ProfileLimits.nameBytes {
      problems.add(
        reader.place(of: "name"), "'\(output.name)' is no output's name", why: "commands and series name it",
        remedy: "use lower-case letters, digits, '-' and '_', at most \(ProfileLimits.nameBytes)")
    }
    for key in ["line", "chip"] where reader.entries[key] != nil {
      let text = reader.settings.text(key)
      let isPlain =
        !text.isEmpty && text.utf8.count <= ProfileLimits.lineBytes && text.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F }
      if !isPlain {
        problems.add(
          reader.place(of: key), "\(key): '\(text)' is no name of a \(key)", remedy: "'gpioinfo' lists chips and lines")
      }
    }
    if output.chip == nil, !output.line.isEmpty, output.line.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
      problems.add(
        reader.place(of: "line"), "the line \(output.line) is a number, and there is no 'chip'",
        why: "every chip has such a line", remedy: "write 'chip:' with its label, or the line's name")
    }
  }

  private func checkDrive(_ output: OutputProfile, _ reader: SectionReader, _ rules: [String]) {
    let isDriven = !output.onAlert.isEmpty || output.takesCommands
    if let heartbeat = output.heartbeatMilliseconds {
      if isDriven {
        problems.add(
          reader.place(of: "heartbeat"), "outputs: '\(output.name)' is a heartbeat, and something else drives it too",
          remedy: "remove 'heartbeat', or 'on_alert' and 'commands'")
      }
      if isTickKnown, heartbeat % tickMilliseconds != 0 {
        problems.add(
          reader.place(of: "heartbeat"), "heartbeat: \(Quantity.duration(heartbeat)) is no multiple of the tick",
          why: "the tick is \(Quantity.duration(tickMilliseconds))", remedy: "write \(nextMultiple(of: heartbeat))")
      }
    } else if !isDriven {
      problems.add(
        reader.place, "outputs: nothing drives '\(output.name)'", remedy: "write 'on_alert:', 'heartbeat:' or 'commands: true'")
    }
    if output.onAlert.isEmpty, output.forMilliseconds > 0 {
      problems.add(reader.place(of: "for"), "for: '\(output.name)' has no 'on_alert'", remedy: "remove it")
    }
    for pattern in output.onAlert where !rules.contains(where: Glob(pattern).matches) {
      problems.add(
        reader.place(of: "on_alert"), "on_alert: there is no alert '\(pattern)'",
        remedy: Suggestion.remedy(for: pattern, among: rules, otherwise: "write the name of a rule below 'alerts:'"))
    }
  }

  private func nextMultiple(of milliseconds: Int) -> String {
    Quantity.duration((milliseconds / tickMilliseconds + 1) * tickMilliseconds)
  }
}

extension OutputProfile {
  init(_ settings: Settings) {
    name = settings.text("name")
    line = settings.text("line")
    chip = settings.isSet("chip") ? settings.text("chip") : nil
    isActiveLow = settings.text("active") == "low"
    safe = settings.text("safe") == "on"
    onAlert = settings.list("on_alert")
    forMilliseconds = settings.milliseconds("for")
    heartbeatMilliseconds = settings.isSet("heartbeat") ? settings.milliseconds("heartbeat") : nil
    takesCommands = settings.bool("commands")
  }
}
