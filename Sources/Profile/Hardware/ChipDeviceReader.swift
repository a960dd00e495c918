public import Telemetry

/// What is wrong with the settings of a device on an I2C bus.
public struct ChipDeviceFault: Error, Hashable, Sendable {
  /// `address`, or the name of an option.
  public let key: String
  /// What is wrong.
  public let what: String
  /// What to write instead.
  public let remedy: String
  /// Whether it is an option that has no default and was not given.
  public var isMissing = false
}

extension ChipDescription {
  /// A device with this chip as settings say it: `address` as `0x48`, the chip's first when nil, and options by name.
  /// What is wrong comes with it; the device is only good if nothing is.
  public func device(address: String?, options given: [String: String]) -> (device: ChipDevice, faults: [ChipDeviceFault]) {
    var faults: [ChipDeviceFault] = []
    var device = ChipDevice(chip: id, description: .known(self), address: addresses.first ?? 0)
    if let address {
      let choices = addresses.map { ChipDevice.text(address: $0) }.joined(separator: ", ")
      if let value = Self.address(address), addresses.contains(value) {
        device.address = value
      } else {
        let what = Self.address(address) == nil ? "'\(address)' is no address" : "\(name) has no address \(address)"
        faults.append(ChipDeviceFault(key: "address", what: what, remedy: "use \(choices)"))
      }
    }
    for key in given.keys.sorted() where !options.contains(where: { $0.name == key }) {
      let remedy =
        options.isEmpty ? "remove it; \(name) has no options" : Suggestion.remedy(for: key, among: options.map(\.name))
      faults.append(ChipDeviceFault(key: key, what: "\(name) has no option '\(key)'", remedy: remedy))
    }
    for option in options {
      guard let text = given[option.name] else {
        if let fallback = option.fallback {
          device.options[option.name] = fallback
        } else if faults.isEmpty {
          // One that is misspelt was told above.
          let remedy = "write 'options: {\(option.name): …}': \(option.help)"
          faults.append(
            ChipDeviceFault(
              key: option.name, what: "\(name) needs the option '\(option.name)'", remedy: remedy, isMissing: true))
        }
        continue
      }
      if let number = Quantity.number(text) {
        device.options[option.name] = number
        if let fault = option.fault(number) {
          faults.append(ChipDeviceFault(key: option.name, what: "\(option.name): '\(text)' \(fault.what)", remedy: fault.remedy))
        }
      } else {
        faults.append(
          ChipDeviceFault(key: option.name, what: "\(option.name): '\(text)' is not a number", remedy: "write one as 0.1"))
      }
    }
    return (device, faults)
  }

  /// `0x48`; without the prefix it could be meant either way, since i2c-tools leave it out.
  static func address(_ text: String) -> UInt8? {
    text.hasPrefix("0x") ? UInt8(text.dropFirst(2), radix: 16) : nil
  }
}

/// Finds the chips of the items of one list of devices, and types what the chips say of their settings.
struct ChipDeviceReader {
  let chips: ChipFiles
  let problems: ProblemList
  private var places: Set<String> = []

  init(chips: ChipFiles, problems: ProblemList) {
    self.chips = chips
    self.problems = problems
  }

  /// What an item's settings become: its device known, its `name` filled in. Nil when they are wrong; that is listed then.
  mutating func read(_ item: SectionReader, key: String) -> [String: SettingValue]? {
    guard case .chip(let named) = item.given[key] else { return nil }
    let given = item.settings
    let address = given.isSet("address") ? given.text("address") : nil
    var device = named
    var faults: [ChipDeviceFault] = []
    switch chips.chip(named.chip) {
    case .chip(let chip): (device, faults) = chip.device(address: address, options: given.map("options"))
    case .missing(let remedy):
      let what = "there is no chip '\(named.chip)'"
      problems.addHardware(item.place(of: key), "chip: \(what)", remedy: remedy)
      device = ChipDevice(chip: named.chip, description: .unknown("\(what); \(remedy)"), address: 0)
    case .faulty(let found):
      found.problems.forEach(problems.addHardware)
      device = ChipDevice(chip: named.chip, description: .unknown(found.problems.first?.description ?? ""), address: 0)
    }
    for fault in faults { problems.add(place(of: fault, in: item), fault.what, remedy: fault.remedy) }
    guard faults.isEmpty else { return nil }
    let name = given.text("name")
    guard case .known = device.description else {
      return [key: .chip(device), "name": .text(name.isEmpty ? device.chip : name)]
    }
    let shown = ChipDevice.text(address: device.address)
    if !places.insert("\(given.integer("bus")) \(shown)").inserted {
      problems.add(
        item.place, "\(item.path): bus \(given.integer("bus")) has a device at \(shown) already",
        remedy: "give each device its own address, or its own bus")
      return nil
    }
    return [key: .chip(device), "name": .text(name.isEmpty ? "\(device.chip)@\(shown)" : name)]
  }

  private func place(of fault: ChipDeviceFault, in item: SectionReader) -> Place {
    if fault.key == "address" { return item.place(of: "address") }
    if case .map(let entries) = item.entries["options"]?.value.content, let entry = entries.first(where: { $0.key == fault.key })
    {
      return entry.place
    }
    return item.place(of: "options")
  }
}
