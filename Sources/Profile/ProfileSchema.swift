import Telemetry

/// Every key of a profile as data: what is decoded, suggested and documented.
enum ProfileSchema {
  /// A map of the profile whose keys are fixed.
  struct Section {
    let name: String
    let help: String
    let specs: [SettingSpec]

    func spec(_ key: String) -> SettingSpec? { specs.first { $0.key == key } }
  }

  static let day = 86_400_000

  /// Keys of the profile itself that are no sections.
  static let root = Section(
    name: "", help: "The keys of the profile itself.",
    specs: [
      SettingSpec(
        "node", .text, default: "auto",
        help:
          "The node id: 1 to 64 bytes without `+`, `#`, `/` and blanks. `auto` is the host name; where that is empty or `localhost`, the machine id."
      ),
      SettingSpec("tick", .duration(100...3_600_000), default: "1s", help: "Between two samples of the fastest sensor."),
    ])

  static let buffer = Section(
    name: "buffer", help: "Where and how much is stored.",
    specs: [
      SettingSpec("path", .text, default: "/var/lib/godwit/buffer.db", help: "The database file; absolute."),
      SettingSpec(
        "max_size", .size(1 << 20...SettingType.largestSize), default: "256MiB",
        help: "What the buffer's files may take together; the oldest ticks go first."),
      SettingSpec("retain", .duration(60_000...3650 * day), default: "7d", help: "Ticks older than this are evicted."),
      SettingSpec(
        "retain_minutes", .duration(60_000...3650 * day), default: "90d", help: "Rollups of a minute older than this are evicted."
      ),
      SettingSpec(
        "retain_hours", .duration(60_000...3650 * day), default: "730d", help: "Rollups of an hour older than this are evicted."),
      SettingSpec(
        "commit_every", .duration(100...600_000), default: "10s",
        help: "Between two commits to the disk. A power cut costs at most this much; longer spares flash."),
      SettingSpec(
        "memory_limit", .size(64 << 10...1 << 30), default: "8MiB",
        help: "What is kept in memory while the disk is full or refuses."),
    ])

  static let uplink = Section(
    name: "uplink",
    help: "The MQTT broker that the node reports to. Without this section nothing is sent; `uplink: false` switches it off.",
    specs: [
      SettingSpec(
        "broker", .texts, default: nil,
        help:
          "`mqtt://HOST[:1883]`, `mqtts://HOST[:8883]` for TLS, or `unix:///PATH`; several by preference. Required. Never with a password inside."
      ),
      SettingSpec("protocol", .choice(UplinkProfile.Version.allCases.map(\.rawValue)), default: "5", help: "The MQTT version."),
      SettingSpec("client_id", .text, default: nil, help: "Unique at the broker; `godwit-` and the node id unless given."),
      SettingSpec("username", .text, default: nil, help: "For brokers that ask for one."),
      SettingSpec(
        "password_file", .secretFile, default: nil,
        help:
          "A file with the password in its first line, or `credential:NAME` for a systemd credential (`LoadCredential=NAME:…`)."),
      SettingSpec(
        "ca_file", .text, default: nil, help: "PEM certificates that may sign the broker's; those of the system unless given."),
      SettingSpec("certificate_file", .text, default: nil, help: "PEM certificate that the node shows; wants `key_file`."),
      SettingSpec("key_file", .text, default: nil, help: "PEM key of that certificate."),
      SettingSpec(
        "key_password_file", .secretFile, default: nil,
        help: "A file with that key's password in its first line, or `credential:NAME` as for `password_file`."),
      SettingSpec(
        "verify_server_name", .bool, default: "true",
        help: "Whether the broker's certificate must name its host; `false` is for a bench, and logged as a warning."),
      SettingSpec("keep_alive", .duration(5_000...65_535_000), default: "60s", help: "Between two pings; whole seconds."),
      SettingSpec(
        "session_expiry", .duration(0...365 * day), default: "1d",
        help: "How long the broker keeps the session of a node that is away, and commands for it (MQTT 5)."),
      SettingSpec(
        "message_expiry", .duration(0...365 * day), default: "0s",
        help: "After which the broker may drop a live tick that a subscriber has not taken (MQTT 5); `0s`: never."),
      SettingSpec("qos", .integer(0...1), default: "1", help: "At 1 a tick counts as delivered when the broker acknowledged it."),
      SettingSpec("topic_prefix", .text, default: "godwit/v1", help: "Topics are `<topic_prefix>/<node>/…`."),
      SettingSpec(
        "payloads", .choices(UplinkProfile.Payload.allCases.map(\.rawValue)), default: "json",
        help: "How ticks are written; several at once, each delivered on its own account. See `docs/delivery.md`."),
      SettingSpec(
        "homeassistant_prefix", .text, default: "homeassistant", help: "Home Assistant's discovery prefix."),
      SettingSpec(
        "homeassistant_every", .duration(1_000...3_600_000), default: "10s", help: "Between two states for Home Assistant."),
      SettingSpec("sparkplug_group", .text, default: "godwit", help: "The Sparkplug group of the node."),
      SettingSpec(
        "sparkplug_host", .text, default: nil,
        help: "The primary host: without it online, Sparkplug data are kept for later."),
      SettingSpec(
        "commands", .choices(CommandName.allCases.map(\.rawValue)), default: "",
        help: "What the node may be told to do over MQTT; nothing unless given, and then it does not even listen."),
      SettingSpec("drain_rate", .rate, default: "1MiB/s", help: "How fast a backlog is sent beside live ticks."),
      SettingSpec(
        "drain_order", .choice(UplinkProfile.DrainOrder.allCases.map(\.rawValue)), default: "oldest",
        help: "Which ticks of a backlog go first."),
      SettingSpec("window", .integer(1...1_000), default: "20", help: "Messages that may wait for their acknowledgement."),
      SettingSpec(
        "backoff_min", .duration(100...3_600_000), default: "1s",
        help: "The first wait after an attempt that failed; waits double, with full jitter."),
      SettingSpec(
        "backoff_max", .duration(1_000...86_400_000), default: "2m",
        help: "The longest wait. A lost connection is made anew within a quarter of it, and tried as often."),
    ])

  static let identity = Section(
    name: "identity",
    help:
      "What the node tells of the system that it runs on, in its retained message `info`. `identity: false` leaves it out. See `docs/identity.md`.",
    specs: [
      SettingSpec(
        "private", .choice(PrivateFacts.allCases.map(\.rawValue)), default: "hash",
        help:
          "What becomes of host name, machine id, serial numbers, MAC and IP addresses: left out, a keyed digest of each, or told as they are."
      ),
      SettingSpec(
        "key_file", .secretFile, default: nil,
        help:
          "A file with the key for digests in its first line, or `credential:NAME`; unless given, the machine id is the key."
      ),
      SettingSpec(
        "every", .duration(60_000...day), default: "1h", help: "Between two looks. It is sent again when something changed."),
    ])

  static let control = Section(
    name: "control", help: "How the command line reaches the agent.",
    specs: [SettingSpec("socket", .text, default: "/run/godwit/godwit.sock", help: "A Unix socket; absolute, at most 107 bytes.")]
  )

  static let log = Section(
    name: "log", help: "What the agent writes about itself.",
    specs: [
      SettingSpec(
        "level", .choice(LogProfile.Level.allCases.map(\.rawValue)), default: "info", help: "The least level that is written."),
      SettingSpec(
        "format", .choice(LogProfile.Format.allCases.map(\.rawValue)), default: "auto",
        help: "`auto` is text, with the journal's priorities under systemd."),
    ])

  /// What every sensor has.
  static let sensor = Section(
    name: "sensor", help: "What every sensor has.",
    specs: [
      SettingSpec("enabled", .bool, default: "true", help: "`cpu: false` is short for `cpu: {enabled: false}`."),
      SettingSpec(
        "every", .duration(100...day), default: nil,
        help: "Between two samples; a multiple of the tick. Every tick unless the sensor's own default says otherwise."),
      SettingSpec(
        "deadline", .duration(100...600_000), default: "5s",
        help: "How long a sample may take before the sensor is abandoned and restarted. Only for sensors in the slow lane."),
    ])

  /// An item of `alerts`.
  static let alert = Section(
    name: "alert", help: "One rule.",
    specs: [
      SettingSpec(
        "name", .text, default: nil,
        help: "Unique; lower-case letters, digits and `-`, at most 64. Required."),
      SettingSpec(
        "when", .text, default: nil,
        help: "When it fires: `METRIC{LABEL=\"PATTERN\",…} > VALUE` with `>`, `>=`, `<`, `<=`, `==` or `!=`. Required."),
      SettingSpec("for", .duration(0...7 * day), default: "0s", help: "How long that must hold before it fires."),
      SettingSpec("clear", .text, default: nil, help: "When it clears: `< 70`. As soon as `when` does not hold unless given."),
      SettingSpec("clear_for", .duration(0...7 * day), default: "0s", help: "How long it must be clear."),
      SettingSpec("severity", .choice(Severity.allCases.map(\.rawValue)), default: "warning", help: "How much it matters."),
      SettingSpec(
        "message", .text, default: AlertRule.defaultMessage,
        help: "With `{rule}`, `{series}`, `{metric}`, `{value}`, `{unit}`, `{threshold}`, `{state}`, `{node}` and `{label.KEY}`."),
      SettingSpec("notify", .choices(AlertRule.Notifier.allCases.map(\.rawValue)), default: "mqtt,log", help: "Who is told."),
      SettingSpec(
        "enabled", .bool, default: "true", help: "`false` removes the rule: a drop-in can switch off one of the profile."),
    ])

  /// The keys of the profile that hold maps or lists, with what they are.
  static let parts: [(key: String, help: String)] = [
    ("labels", "A map of labels of the node, `site: plant-7`; keys are lower-case letters, digits and `_`, at most 32 of them."),
    ("sensors", "A map of the sensors to run; all with their defaults when it is not there."),
    ("alerts", "A list of rules."), ("outputs", output.help), ("watchdog", watchdog.help), ("shutdown", shutdown.help),
    ("identity", identity.help), ("buffer", buffer.help), ("uplink", uplink.help), ("control", control.help), ("log", log.help),
  ]

  /// All keys of the profile itself.
  static var rootKeys: [String] { root.specs.map(\.key) + parts.map(\.key) }
}
