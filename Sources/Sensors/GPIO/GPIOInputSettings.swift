import Platform
import Telemetry

/// An item of `inputs:` in the sensor's settings.
struct GPIOInputSettings {
  static let specs = [
    SettingSpec(required: "name", .text, help: "What the input is called in metrics: the label `input`."),
    SettingSpec(
      required: "line", .text,
      help: "The line by the board's name for it (`GPIO17`), or its offset, which needs a chip beside it."),
    SettingSpec(
      required: "active", .choice(["high", "low"]),
      help: "Boards differ (one UPS raises its line when the mains are lost, another lowers it), so there is no default."),
    SettingSpec(
      "chip", .text, default: nil,
      help: "The chip by label (`pinctrl-rp1`) or name (`gpiochip0`). Without it the line's name is looked for on all chips."),
    SettingSpec(
      "bias", .choice(GPIOInput.Bias.allCases.map(\.rawValue)), default: "as-is",
      help: "The resistor inside the chip: `pull-up` for a switch to ground. `as-is` leaves it as the boot found it."),
    SettingSpec(
      "kind", .choice(["level", "pulses"]), default: "level",
      help: "`level` for a state that lasts (door, leak, mains), `pulses` for what is counted (flow, meters, fan tachometers)."),
    SettingSpec(
      "debounce", .duration(0...10_000), default: nil,
      help: "How long a level must last to count. Without it, 20ms for a level and 0s for pulses."),
    SettingSpec(
      "pulses_per_revolution", .integer(1...1000), default: nil,
      help: "Of a fan or wheel: gives revolutions per minute. Most fans: 2."),
    SettingSpec(
      "pulses_per_unit", .integer(1...1_000_000), default: nil,
      help: "Of a meter, per litre, kWh or what it counts: gives units and units per hour."),
  ]

  let name, line: String
  let chip: String?
  let bias: GPIOInput.Bias
  let isActiveLow, countsPulses: Bool
  let debounceMilliseconds: Int
  let pulsesPerRevolution, pulsesPerUnit: Int?

  init(_ settings: Settings) {
    name = settings.text("name")
    line = settings.text("line")
    chip = settings.isSet("chip") ? settings.text("chip") : nil
    bias = GPIOInput.Bias(rawValue: settings.text("bias")) ?? .asIs
    isActiveLow = settings.text("active") == "low"
    countsPulses = settings.text("kind") == "pulses"
    debounceMilliseconds = settings.isSet("debounce") ? settings.milliseconds("debounce") : countsPulses ? 0 : 20
    pulsesPerRevolution = settings.isSet("pulses_per_revolution") ? settings.integer("pulses_per_revolution") : nil
    pulsesPerUnit = settings.isSet("pulses_per_unit") ? settings.integer("pulses_per_unit") : nil
  }

  /// What no lines can be: the kernel gives a line once, and every chip has a line of a number.
  static func check(_ settings: Settings) -> [SettingFault] {
    let inputs = settings.items("inputs").map { GPIOInputSettings($0) }
    var faults: [SettingFault] = []
    for (index, input) in inputs.enumerated() {
      func add(_ key: String, _ what: String, _ remedy: String) {
        faults.append(SettingFault("inputs", item: index, key, what: what, remedy: remedy))
      }
      if !input.countsPulses, input.pulsesPerRevolution != nil || input.pulsesPerUnit != nil {
        add(
          input.pulsesPerRevolution == nil ? "pulses_per_unit" : "pulses_per_revolution",
          "the input '\(input.name)' counts no pulses", "write 'kind: pulses' beside what a pulse is worth")
      }
      if input.chip == nil, !input.line.isEmpty, input.line.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
        add(
          "line", "the line \(input.line) of the input '\(input.name)' is a number, and there is no 'chip'",
          "write 'chip:' with its label, or the line's name")
      }
      if let other = inputs[..<index].first(where: { $0.line == input.line && $0.chip == input.chip }) {
        add("line", "'\(other.name)' and '\(input.name)' are the same line", "remove one of them")
      }
    }
    if inputs.count > GPIOLimits.inputs {
      faults.append(
        SettingFault("inputs", what: "there are \(inputs.count) inputs", remedy: "use at most \(GPIOLimits.inputs)"))
    }
    return faults
  }

  /// What is asked of the kernel. Only the active edge of pulses: half the interrupts.
  func wish(offset: Int, debounces: Bool) -> GPIOInput {
    GPIOInput(
      offset: offset, bias: bias, isActiveLow: isActiveLow, edges: countsPulses ? .rising : .both,
      debounceMicroseconds: debounces ? debounceMilliseconds * 1000 : 0)
  }

  /// A line's failure in the terms of sensors.
  func failure(_ error: GPIOError) -> SensorError {
    switch error {
    case .absent(let what): .absent("input '\(name)': \(what)")
    case .malformed(let path, let what): .malformed(path: path, what: what)
    case .io(let what, let errno): .io(path: what, errno: errno)
    case .busy, .ambiguous, .unsupported, .barred: .device("input '\(name)'", what: "\(error)")
    }
  }
}
