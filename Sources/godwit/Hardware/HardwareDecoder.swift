import Profile
import Telemetry

/// Turns a file about a board or a HAT into facts, and finds what is well-formed but cannot be right.
struct HardwareDecoder {
  /// The sensors that suggestions and rules are checked against.
  let catalogue: [SensorKind]
  private let path: String
  private let file: SettingsFile
  private(set) var problems: [ProfileProblem] = []

  private init(path: String, text: [UInt8], title: String, specs: [SettingSpec], catalogue: [SensorKind]) throws(ProfileProblems)
  {
    self.path = path
    self.catalogue = catalogue
    file = try SettingsFile(file: path, text: text, title: title, specs: specs)
  }

  /// A board, or everything that is wrong with its file.
  static func board(path: String, text: [UInt8], catalogue: [SensorKind]) -> (board: Board?, problems: [ProfileProblem]) {
    do throws(ProfileProblems) {
      var decoder = try HardwareDecoder(
        path: path, text: text, title: "board", specs: HardwareSchema.board, catalogue: catalogue)
      let board = decoder.board()
      return (decoder.problems.isEmpty ? board : nil, decoder.problems)
    } catch {
      return (nil, error.problems)
    }
  }

  /// A HAT, or everything that is wrong with its file.
  static func hat(path: String, text: [UInt8], catalogue: [SensorKind]) -> (hat: Hat?, problems: [ProfileProblem]) {
    do throws(ProfileProblems) {
      var decoder = try HardwareDecoder(
        path: path, text: text, title: "hat", specs: HardwareSchema.hat, catalogue: catalogue)
      let hat = decoder.hat()
      return (decoder.problems.isEmpty ? hat : nil, decoder.problems)
    } catch {
      return (nil, error.problems)
    }
  }

  private mutating func board() -> Board {
    let settings = file.settings
    let zones = zones()
    return Board(
      name: name("board"), file: path, evidence: evidence(), zones: zones, gpioChips: settings.list("gpio_chips"),
      gpioLines: settings.list("gpio_lines"), i2cBus: settings.isSet("i2c_bus") ? settings.integer("i2c_bus") : nil,
      fans: monitoring("fans"), rails: monitoring("rails"), suggestions: suggestions(),
      rules: rules(besides: zones.flatMap { ["\($0.name)-hot", "\($0.name)-throttled"] }))
  }

  private mutating func hat() -> Hat {
    Hat(
      name: name("hat"), file: path, evidence: evidence(), devices: devices(), inputs: inputs(), suggestions: suggestions(),
      rules: rules(besides: []), notes: file.settings.text("notes"))
  }

  private mutating func add(
    _ what: String, at key: String, _ item: Int? = nil, _ itemKey: String? = nil, why: String = "", remedy: String
  ) {
    problems.append(file.problem(at: key, item: item, itemKey, what, why: why, remedy: remedy))
  }

  private mutating func name(_ key: String) -> String {
    let name = file.settings.text(key)
    if name.isEmpty { add("'\(key)' is empty", at: key, remedy: "write its name") }
    if file.settings.list("sources").isEmpty { add("there are no sources", at: "sources", remedy: "say where the facts stand") }
    return name
  }

  // MARK: - Evidence

  private mutating func evidence() -> [Evidence] {
    let items = file.settings.items("recognise")
    if items.isEmpty { add("nothing makes it known", at: "recognise", remedy: "write at least one item") }
    return items.enumerated().map { index, item in
      let patterns = Evidence.Subject.allCases.compactMap { subject -> (subject: Evidence.Subject, globs: [Glob])? in
        let texts = item.list(subject.rawValue)
        if texts.isEmpty { return nil }
        for text in texts { check(subject, text, index) }
        return (subject, texts.map { Glob(subject == .pci || subject == .i2c ? $0.lowercased() : $0) })
      }
      if patterns.isEmpty { add("an item says nothing", at: "recognise", index, remedy: "write at least one of its keys") }
      return Evidence(patterns: patterns)
    }
  }

  private mutating func check(_ subject: Evidence.Subject, _ text: String, _ index: Int) {
    switch subject {
    case .pci:
      let parts = text.split(separator: ":", omittingEmptySubsequences: false)
      let isPattern =
        parts.count == 2
        && parts.allSatisfy { part in
          part == "*" || (part.utf8.count == 4 && part.allSatisfy { $0.isHexDigit || $0 == "?" })
        }
      if !isPattern {
        add("'\(text)' is no PCI id", at: "recognise", index, "pci", remedy: "write vendor and device: \"1e60:2864\"")
      }
    case .i2c:
      if Self.address(text) == nil { addressProblem("recognise", index, "i2c", text) }
    default: break
    }
  }

  /// A 7-bit address as i2c-tools write it, without those that the specification reserves.
  static func address(_ text: String) -> UInt8? {
    guard text.hasPrefix("0x"), let address = UInt8(text.dropFirst(2), radix: 16), (0x08...0x77).contains(address) else {
      return nil
    }
    return address
  }

  private mutating func addressProblem(_ key: String, _ index: Int, _ itemKey: String, _ text: String) {
    add("'\(text)' is no I2C address", at: key, index, itemKey, remedy: "write 0x08 to 0x77")
  }

  // MARK: - Parts

  private mutating func zones() -> [ThermalZone] {
    var names: Set<String> = []
    return file.settings.items("thermal").enumerated().map { index, item in
      func celsius(_ key: String) -> Double? { item.isSet(key) ? item.number(key) : nil }
      let role = ThermalZone.Role(rawValue: item.text("role")) ?? .board
      let zone = ThermalZone(
        zone: item.text("zone"), role: role, name: item.isSet("name") ? item.text("name") : role.rawValue,
        warnCelsius: celsius("warn"), throttleCelsius: celsius("throttle"), shutdownCelsius: celsius("shutdown"))
      let limits = [zone.warnCelsius, zone.throttleCelsius, zone.shutdownCelsius].compactMap { $0 }
      if zip(limits, limits.dropFirst()).contains(where: { $0 >= $1 }) {
        add("the limits do not rise", at: "thermal", index, remedy: "write warn below throttle below shutdown")
      }
      if zone.warnCelsius != nil || zone.throttleCelsius != nil, !names.insert(zone.name).inserted {
        add(
          "two zones with limits would name their rules '\(zone.name)-…'", at: "thermal", index,
          remedy: "give one of them a 'name'")
      }
      return zone
    }
  }

  private func monitoring(_ key: String) -> [MonitoringInput] {
    file.settings.items(key).map { MonitoringInput(chip: $0.text("chip"), sensor: $0.text("sensor"), what: $0.text("what")) }
  }

  private mutating func devices() -> [I2CDevice] {
    file.settings.items("i2c_devices").enumerated().map { index, item in
      let address = Self.address(item.text("address"))
      if address == nil { addressProblem("i2c_devices", index, "address", item.text("address")) }
      return I2CDevice(
        name: item.text("name"), chip: item.text("chip"), address: address ?? 0,
        bus: item.isSet("bus") ? item.integer("bus") : nil, options: item.map("options"))
    }
  }

  private func inputs() -> [HatInput] {
    file.settings.items("gpio_inputs").map { item in
      HatInput(
        name: item.text("name"), line: item.text("line"), isActiveLow: item.text("active") == "low", bias: item.text("bias"),
        debounceMilliseconds: item.isSet("debounce") ? item.milliseconds("debounce") : nil,
        alert: Severity(rawValue: item.text("alert")))
    }
  }

  // MARK: - What a profile gets

  private mutating func suggestions() -> [SuggestedSetting] {
    file.settings.items("settings").enumerated().map { index, item in
      let (sensor, key, values) = (item.text("sensor"), item.text("key"), item.list("value"))
      let spec = catalogue.first { $0.name == sensor }?.settings.first { $0.key == key }
      let isList =
        switch spec?.type {
        case .patterns, .choices, .texts: true
        default: values.count != 1
        }
      let suggestion = SuggestedSetting(sensor: sensor, key: key, values: values, isList: isList, why: item.text("why"))
      _ = profile(of: ["sensors:", "  \(YAMLText.scalar(sensor)): \(YAMLText.map([suggestion]))"], "settings", index)
      return suggestion
    }
  }

  private mutating func rules(besides taken: [String]) -> [SuggestedRule] {
    file.settings.items("alerts").enumerated().map { index, item in
      let entries = HardwareSchema.rule.compactMap { spec in item.isSet(spec.key) ? (spec.key, item.text(spec.key)) : nil }
      let name = item.text("name")
      if taken.contains(name) {
        add(
          "the limits of 'thermal' make a rule '\(name)' already", at: "alerts", index, "name", remedy: "give it another name")
      }
      let profile = profile(of: ["alerts:"] + YAMLText.rule(entries), "alerts", index)
      return SuggestedRule(name: name, rule: profile?.alerts.first, entries: entries)
    }
  }

  /// The profile that these lines are, in which a rule may be on what the lines do not set up; nil, with its problems told at the item,
  /// when it is none.
  private mutating func profile(of lines: [String], _ key: String, _ index: Int) -> Profile? {
    do throws(ProfileProblems) {
      return try Profile.parse(
        files: [("", Array(lines.map { $0 + "\n" }.joined().utf8))], catalogue: catalogue.map(\.unbounded),
        environment: ProfileEnvironment(hostName: "node"))
    } catch {
      for problem in error.problems { add(problem.what, at: key, index, why: problem.why, remedy: problem.remedy) }
      return nil
    }
  }
}
