import Profile
import Telemetry

/// Devices and lines that add-ons bring, as items of the sensors that read them. A kind that the catalogue does not have gets none.
struct DetectedEntries {
  /// An item, and why it stands in a comment; nil when it does not.
  private struct Item {
    let text: String
    let origin: String
    let doubt: String?
  }

  private var items: [String: [Item]] = [:]
  private static let lists = ["i2c": "devices", "gpio": "inputs"]

  /// Makes entries of everything that the add-ons say.
  init(_ found: Detection) {
    for finding in found.recognition.hats {
      let doubt = finding.isCertain ? nil : "perhaps \(finding.hat.name)"
      for device in finding.hat.devices { add(device, of: finding.hat, doubt, found) }
      for input in finding.hat.inputs { add(input, of: finding.hat, doubt, found) }
    }
  }

  /// The kinds that have entries.
  var kinds: Set<String> { Set(items.filter { $0.value.contains { $0.doubt == nil } }.keys) }

  /// The lines below the kind's key; nil when nothing is certain.
  func active(_ kind: String) -> [String]? {
    let lines = (items[kind] ?? []).filter { $0.doubt == nil }.map { "  - \($0.text)  # \($0.origin)" }
    return lines.isEmpty ? nil : ["\(Self.lists[kind] ?? ""):"] + lines
  }

  /// Whether a rule could fire with the entries of a kind, as far as they are active.
  func admit(_ rule: DetectedRules.Entries, of kind: SensorKind, _ folders: HardwareFolders) -> Bool {
    let entries = (active(kind.name) ?? []).map { "    \($0)" }
    let lines = ["sensors:", "  \(kind.name):"] + entries + ["alerts:"] + YAMLText.rule(rule)
    let profile = try? Profile.parse(
      files: [("", Array(lines.map { $0 + "\n" }.joined().utf8))], catalogue: [kind],
      environment: ProfileEnvironment(hostName: "node", hardware: folders))
    return profile != nil
  }

  /// The lines that stand in comments; with the list's key when no other has it.
  func uncertain(_ kind: String) -> [String] {
    let lines = (items[kind] ?? []).compactMap { item in item.doubt.map { "  - \(item.text)  # \($0)" } }
    return lines.isEmpty || active(kind) != nil ? lines : ["\(Self.lists[kind] ?? ""):"] + lines
  }

  private mutating func add(_ device: I2CDevice, of hat: Hat, _ doubt: String?, _ found: Detection) {
    let bus = device.bus ?? found.recognition.board?.i2cBus
    var doubt = doubt ?? (bus == nil ? "the bus is not known" : nil)
    let adapter = found.device.i2c.first { $0.bus == bus }
    if let client = adapter?.clients.first(where: { $0.address == device.address }), let driver = client.driver {
      doubt = "the kernel's driver \(driver) has it: its values are those of hwmon, power or IIO"
    } else if !found.chips.contains(device.chip), doubt == nil {
      doubt = "no file describes the chip \(device.chip)"
    }
    add(
      "i2c",
      [
        ("name", device.name), ("bus", "\(bus ?? 1)"), ("chip", device.chip),
        ("address", DeviceHardware.text(address: device.address)),
      ], device.options, hat, doubt, found)
  }

  private mutating func add(_ input: HatInput, of hat: Hat, _ doubt: String?, _ found: Detection) {
    let chips = found.recognition.board?.gpioChips ?? []
    let chip = found.device.gpio.map(\.label).first { chips.contains($0) }
    var entries = [("name", input.name), ("line", input.line)]
    if let chip, chips.count == 1 { entries.append(("chip", chip)) }
    entries.append(("active", input.isActiveLow ? "low" : "high"))
    if input.bias != "as-is" { entries.append(("bias", input.bias)) }
    if let debounce = input.debounceMilliseconds { entries.append(("debounce", Quantity.duration(debounce))) }
    add("gpio", entries, [:], hat, doubt, found)
  }

  private mutating func add(
    _ kind: String, _ entries: [(key: String, value: String)], _ options: [String: String], _ hat: Hat, _ doubt: String?,
    _ found: Detection
  ) {
    guard let list = Self.lists[kind], let type = found.parts.first(where: { $0.kind.name == kind })?.kind,
      let setting = type.settings.first(where: { $0.key == list }), case .items(let specs) = setting.type
    else { return }
    let known = entries.filter { entry in specs.contains { $0.key == entry.key } }
    let pairs = options.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    let text = YAMLText.map(known, besides: pairs.isEmpty ? [] : ["options: \(YAMLText.map(pairs))"])
    let refusal = doubt == nil ? Self.refusal(of: "sensors: {\(kind): {\(list): [\(text)]}}", type, found.folders) : nil
    items[kind, default: []].append(Item(text: text, origin: hat.name, doubt: doubt ?? refusal))
  }

  /// Why a profile with the entry would be refused; nil when it is good.
  private static func refusal(of line: String, _ kind: SensorKind, _ folders: HardwareFolders) -> String? {
    do throws(ProfileProblems) {
      _ = try Profile.parse(
        files: [("", Array("\(line)\n".utf8))], catalogue: [kind],
        environment: ProfileEnvironment(hostName: "node", hardware: folders))
      return nil
    } catch {
      return error.problems.first.map { "\($0.what); \($0.remedy)" }
    }
  }
}
