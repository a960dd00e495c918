import Telemetry

/// The sections by which the agent acts on the device.
extension ProfileSchema {
  static let watchdog = Section(
    name: "watchdog",
    help:
      "The hardware watchdog, fed only while ticks are taken. Off without the section; `watchdog: {}` takes the defaults. See `docs/outputs.md`.",
    specs: [
      SettingSpec("device", .text, default: "/dev/watchdog", help: "Its device file; absolute."),
      SettingSpec(
        "timeout", .duration(1_000...day), default: "30s",
        help:
          "Without a tick for so long the device is reset. Whole seconds, at least three ticks; the driver has a range of its own."
      ),
    ])

  /// An item of `outputs`.
  static let output = Section(
    name: "outputs",
    help: "A list of GPIO lines that the agent drives. See `docs/outputs.md`.",
    specs: [
      SettingSpec(
        required: "name", .text, help: "Unique; lower-case letters, digits, `-` and `_`, at most 64."),
      SettingSpec(required: "line", .text, help: "The line's name, such as `GPIO12`, or its number on the chip."),
      SettingSpec(
        "chip", .text, default: nil, help: "The chip's label or name; unless given, the chip with a line of that name."),
      SettingSpec(
        required: "active", .choice(["high", "low"]), help: "The level at which what is connected is on; boards differ."),
      SettingSpec(
        required: "safe", .choice(["on", "off"]),
        help: "What it is while no agent drives it: before the first tick, after a stop, a crash or a hang."),
      SettingSpec("on_alert", .patterns, default: "", help: "It is on while one of these alerts fires."),
      SettingSpec(
        "for", .duration(0...7 * day), default: "0s",
        help: "At most so long after an alert fired; `0s`: until all have cleared. Only with `on_alert`."),
      SettingSpec(
        "heartbeat", .duration(100...3_600_000), default: nil,
        help: "It changes once in so long while ticks are taken; a multiple of the tick. Nothing else drives it then."),
      SettingSpec(
        "commands", .bool, default: "false",
        help: "Whether `set-output` (over MQTT, if `uplink.commands` allows it) and `godwit output set` may switch it."),
    ])

  static let shutdown = Section(
    name: "shutdown",
    help: "Switches the device off in order when its charge is low; without this section never. See `docs/outputs.md`.",
    specs: [
      SettingSpec(
        "when", .text, default: nil,
        help: "As of an alert: `METRIC{LABEL=\"PATTERN\",…} < VALUE`. Required. Its alert has the name `shutdown`."),
      SettingSpec("for", .duration(0...day), default: "30s", help: "How long that must hold."),
      SettingSpec(
        "unless", .text, default: nil,
        help: "A condition that keeps the device on while it holds, of any series that it names: `power.online == 1`."),
      SettingSpec(
        "grace", .duration(60_000...day), default: "2m",
        help:
          "For so long after its start the agent switches nothing off: the time to intervene on a device that starts too empty."),
    ])
}
