import Telemetry

/// Every key of the files about boards and HATs.
enum HardwareSchema {
  private static let sources = SettingSpec(
    required: "sources", .texts, help: "Where the facts stand: documents, sources, measurements.")

  static let board: [SettingSpec] = [
    SettingSpec(required: "board", .text, help: "The name for people."),
    sources,
    SettingSpec(
      required: "recognise", .items(evidence { $0.isForBoards }),
      help: "What the device shows; one item is enough, and all of an item must hold."),
    SettingSpec(
      "thermal",
      .items([
        SettingSpec(required: "zone", .text, help: "The zone's name, or a pattern."),
        SettingSpec(required: "role", .choice(ThermalZone.Role.allCases.map(\.rawValue)), help: "What it measures."),
        SettingSpec("name", .text, default: nil, help: "The stem of its rules' names; the role unless given."),
        SettingSpec("warn", .temperature, default: nil, help: "From where somebody should look."),
        SettingSpec("throttle", .temperature, default: nil, help: "From where the board slows itself down."),
        SettingSpec("shutdown", .temperature, default: nil, help: "Where it switches itself off."),
      ]), default: nil, help: "The thermal zones."),
    SettingSpec("gpio_chips", .texts, default: nil, help: "Labels of the GPIO chips that carry the header."),
    SettingSpec("gpio_lines", .texts, default: nil, help: "Names of the header's lines."),
    SettingSpec("i2c_bus", .integer(0...255), default: nil, help: "The I2C adapter on the header."),
    SettingSpec("fans", .items(monitoring), default: nil, help: "Which inputs of monitoring chips are fans of the board."),
    SettingSpec("rails", .items(monitoring), default: nil, help: "Which inputs of monitoring chips are supplies of the board."),
    SettingSpec("settings", .items(suggestion), default: nil, help: "Settings of sensors that suit it."),
    SettingSpec("alerts", .items(rule), default: nil, help: "Rules worth having, as in a profile."),
  ]

  static let hat: [SettingSpec] = [
    SettingSpec(required: "hat", .text, help: "The name for people."),
    sources,
    SettingSpec(
      required: "recognise", .items(evidence { $0.isForHats }),
      help: "What the device shows; one item is enough, and all of an item must hold."),
    SettingSpec(
      "i2c_devices",
      .items([
        SettingSpec(required: "name", .text, help: "How its series are told apart."),
        SettingSpec(required: "chip", .text, help: "A file under `hardware/chips`."),
        SettingSpec(required: "address", .text, help: "The 7-bit address: 0x36."),
        SettingSpec("bus", .integer(0...255), default: nil, help: "The adapter; that of the board's header unless given."),
        SettingSpec("options", .map, default: nil, help: "What the chip has to know of it: {shunt_ohms: 0.01}."),
      ]), default: nil, help: "Its chips on I2C."),
    SettingSpec(
      "gpio_inputs",
      .items([
        SettingSpec(required: "name", .text, help: "What it means when it is active."),
        SettingSpec(required: "line", .text, help: "The line's name on the header: GPIO6."),
        SettingSpec(
          required: "active", .choice(["high", "low"]), help: "The voltage that means it. There is no default: HATs differ."),
        SettingSpec(
          "bias", .choice(["as-is", "disabled", "pull-up", "pull-down"]), default: "as-is", help: "The resistor inside the chip."),
        SettingSpec(
          "debounce", .duration(0...HardwareLimits.debounceMilliseconds), default: nil, help: "How long a level must last."),
        SettingSpec(
          "alert", .choice(Severity.allCases.map(\.rawValue)), default: nil,
          help: "How much it matters; without it there is no rule."),
      ]), default: nil, help: "Lines that it drives."),
    SettingSpec("settings", .items(suggestion), default: nil, help: "Settings of sensors that suit it."),
    SettingSpec("alerts", .items(rule), default: nil, help: "Rules worth having, as in a profile."),
    SettingSpec("notes", .text, default: "", help: "What its owner should know, in a sentence."),
  ]

  private static func evidence(_ isWanted: (Evidence.Subject) -> Bool) -> [SettingSpec] {
    Evidence.Subject.allCases.filter(isWanted).map {
      SettingSpec($0.rawValue, .texts, default: nil, help: "A pattern, or a list of which one must match.")
    }
  }

  private static let monitoring = [
    SettingSpec(required: "chip", .text, help: "The monitoring chip's name, or a pattern."),
    SettingSpec("sensor", .text, default: "*", help: "The sensor's name, or a pattern."),
    SettingSpec("what", .text, default: "", help: "What it is, for people."),
  ]

  private static let suggestion = [
    SettingSpec(required: "sensor", .text, help: "The kind of sensor."),
    SettingSpec(required: "key", .text, help: "The setting's key."),
    SettingSpec(required: "value", .texts, help: "Its value, or a list."),
    SettingSpec("why", .text, default: "", help: "The reason, for people."),
  ]

  /// The keys of a rule that may be written, in the order in which they are shown.
  static let rule = [
    SettingSpec(required: "name", .text, help: "As in a profile."),
    SettingSpec(required: "when", .text, help: "As in a profile."),
    SettingSpec("for", .text, default: nil, help: "As in a profile."),
    SettingSpec("clear", .text, default: nil, help: "As in a profile."),
    SettingSpec("clear_for", .text, default: nil, help: "As in a profile."),
    SettingSpec("severity", .text, default: nil, help: "As in a profile."),
    SettingSpec("message", .text, default: nil, help: "As in a profile."),
  ]
}
