import Profile
import Telemetry

extension Detection {
  /// YAML that passes `godwit check`. What is uncertain stands in comments.
  func profile() -> String {
    var lines = [
      "# A profile for \(model.map(Self.comment) ?? "this machine"), made by 'godwit detect'.",
      "# Check it after each change: godwit check FILE",
      "#",
    ]
    lines += foundHardware.map { "# " + Self.comment($0) }
    lines += ["node: auto  # the host name", "tick: 1s", "labels: {}  # of the node: {site: plant-7}", "", "sensors:"]
    let entries = DetectedEntries(self)
    lines += parts.flatMap { sensorLines($0, entries) }
    let rules = DetectedRules(self, entries)
    lines += ["", rules.active.isEmpty ? "alerts: []" : "alerts:"] + rules.active.flatMap(YAMLText.rule)
    for (reason, rules) in rules.uncertain {
      lines += ["  # \(Self.comment(reason)):"] + rules.flatMap { YAMLText.rule($0).map { "  # \($0)" } }
    }
    lines += [
      "", "buffer: {path: /var/lib/godwit/buffer.db, max_size: 256MiB, commit_every: 10s}", "",
      "# uplink: {broker: mqtts://broker.example:8883}",
    ]
    return lines.map { $0 + "\n" }.joined()
  }

  // MARK: - What there is

  /// One line a finding, then what could be done about what is not known.
  private var foundHardware: [String] {
    var lines: [String] = []
    if let board = recognition.board {
      lines.append("board: \(board.name), by \(Self.short(board.file)) (\(recognition.boardEvidence))")
    }
    for finding in recognition.hats {
      let what = "\(finding.hat.name), by \(Self.short(finding.hat.file)) (\(finding.evidence))"
      let adds = !finding.hat.devices.isEmpty || !finding.hat.inputs.isEmpty || !finding.hat.rules.isEmpty
      let doubt = adds ? "; what it would add is commented out" : ""
      lines.append(finding.isCertain ? "add-on: \(what)" : "perhaps: \(what)\(doubt)")
      if finding.isCertain, !finding.hat.notes.isEmpty { lines.append("  \(finding.hat.notes)") }
    }
    for hat in device.hats where !isKnown(hat) {
      lines.append("HAT that no file describes: \(hat.product.isEmpty ? hat.uuid : hat.product) of \(hat.vendor)")
    }
    for one in device.accelerators + device.graphics {
      let parts = [one.description, one.driver.map { "driver \($0)" }, one.pci.map { "PCI \($0)" }].compactMap { $0 }
      lines.append("\(one.kind == "drm" ? "graphics" : "accelerator"): \(([one.name] + parts).joined(separator: ", "))")
    }
    for adapter in device.i2c {
      let clients = adapter.clients.map { client in
        "\(DeviceHardware.text(address: client.address)) \(client.name)\(client.driver == nil ? " without a driver" : "")"
      }
      let place = adapter.bus == recognition.board?.i2cBus ? " on the header" : ""
      let answers = (device.answers[adapter.bus] ?? []).filter { address in !adapter.clients.contains { $0.address == address } }
      let all = clients + answers.map { "\(DeviceHardware.text(address: $0)) answers" }
      let known = all.isEmpty ? "" : ": \(all.joined(separator: ", "))"
      lines.append("I2C: i2c-\(adapter.bus)\(place) (\(adapter.name))\(known)")
    }
    if !device.spi.isEmpty { lines.append("SPI: \(device.spi.joined(separator: ", "))") }
    if !device.oneWire.isEmpty { lines.append("1-Wire: \(device.oneWire.joined(separator: ", "))") }
    for chip in device.gpio {
      let place = recognition.board?.gpioChips.contains(chip.label) == true ? ": the header" : ""
      lines.append("GPIO: \(chip.label), \(chip.lineCount) lines\(place)")
    }
    lines += monitoring(recognition.board?.fans ?? [], "fan") + monitoring(recognition.board?.rails ?? [], "supply")
    return lines + advice
  }

  /// Whether some HAT that was recognised may be this one.
  private func isKnown(_ hat: DeviceHardware.HatIdentity) -> Bool {
    recognition.hats.contains { finding in
      finding.hat.evidence.contains { evidence in
        evidence.patterns.contains { subject, globs in hat.text(subject).map { Glob.any(globs, match: $0) } ?? false }
      }
    }
  }

  /// The board's fans or rails that the monitoring chips have.
  private func monitoring(_ inputs: [MonitoringInput], _ title: String) -> [String] {
    inputs.compactMap { input in
      let series = values.map(\.series).first { series in
        guard let chip = series.label("chip"), let sensor = series.label("sensor"), series.metric.name != "hwmon.alarm" else {
          return false
        }
        return Glob(input.chip).matches(chip) && Glob(input.sensor).matches(sensor)
      }
      guard let series, let chip = series.label("chip") else { return nil }
      let sensor = input.sensor == "*" ? "" : " \(series.label("sensor") ?? "")"
      return "\(title): \(chip)\(sensor)\(input.what.isEmpty ? "" : ", \(input.what)")"
    }
  }

  private var advice: [String] {
    var lines: [String] = []
    if recognition.board == nil {
      let what = [device.compatible.first, model].compactMap { $0 }.first
      lines.append(
        "No file describes this board\(what.map { " (\($0))" } ?? ""): limits are generic. hardware/README.md says how to add one."
      )
    }
    if let bus = recognition.board?.i2cBus, device.answers[bus] == nil, device.i2c.contains(where: { $0.bus == bus }) {
      lines.append("Chips and add-ons without an EEPROM show only when i2c-\(bus) is asked: 'godwit detect --probe-i2c'.")
    }
    lines += problems.prefix(5).map { "not used: \($0)" }
    return lines
  }

  // MARK: - Sensors

  private func sensorLines(_ part: DeviceSampling.Part, _ entries: DetectedEntries) -> [String] {
    let name = part.kind.name
    let uncertain = entries.uncertain(name)
    if let lines = entries.active(name) { return ["  \(name):"] + lines.map { "    \($0)" } + uncertain.map { "    # \($0)" } }
    let comment = uncertain.isEmpty ? [] : ["  # \(name):"] + uncertain.map { "  #   \($0)" }
    if let absence = part.absence {
      return comment.isEmpty ? ["  # \(name):  # absent: \(Self.comment(absence))"] : comment
    }
    if let problem = part.problem { return ["  # \(name):  # failed: \(Self.comment(problem.description))"] }
    let found = part.readings.sorted.map(\.series)
    let suggested = suggestions[name] ?? []
    let settings = suggested.isEmpty ? "" : " \(YAMLText.map(suggested))"
    let reasons = suggested.map(\.why).filter { !$0.isEmpty }.map { "; \(Self.comment($0))" }.joined()
    let problem = part.readings.problemText.map { "; but \(Self.comment($0))" } ?? ""
    return ["  \(name):\(settings)  # \(found.count) values\(instances(found))\(reasons)\(problem)"] + comment
  }

  /// `; zone: cpu-thermal (cpu); device: pwm-fan`: the instances by the first label of each metric, a few of each.
  private func instances(_ series: [Series]) -> String {
    var names: [(key: String, values: [String])] = []
    for series in series {
      guard let key = series.metric.labels.first, !["mode", "state", "core", "resource"].contains(key),
        let value = series.label(key)
      else { continue }
      let name = value + role(of: value, key)
      if let known = names.firstIndex(where: { $0.key == key }) {
        if !names[known].values.contains(name) { names[known].values.append(name) }
      } else {
        names.append((key, [name]))
      }
    }
    return names.sorted { $0.key < $1.key }.map { key, values in
      let shown = values.prefix(8).map(Self.comment).joined(separator: ", ")
      return "; \(key): \(shown)\(values.count > 8 ? ", …" : "")"
    }.joined()
  }

  private func role(of value: String, _ key: String) -> String {
    guard key == "zone", let zone = recognition.board?.zones.first(where: { Glob($0.zone).matches(value) }) else { return "" }
    return " (\(zone.role.rawValue))"
  }
}
