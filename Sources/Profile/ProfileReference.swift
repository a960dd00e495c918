public import Telemetry

/// Writes the reference of all keys from the tables that decode them.
public enum ProfileReference {
  /// The whole of `docs/profile.md`, with the settings of every kind in the catalogue.
  public static func markdown(catalogue: [SensorKind]) -> String {
    var text = introduction
    text += "\n## The profile\n\n" + table(ProfileSchema.root.specs)
    text += "\n| section | what it holds |\n|---|---|\n"
    for part in ProfileSchema.parts { text += "| [`\(part.key)`](#\(part.key)) | \(cell(part.help)) |\n" }
    text += labels
    text += "\n## sensors\n\n" + sensors + "\n" + table(ProfileSchema.sensor.specs)
    for kind in catalogue { text += "\n" + self.text(kind) }
    text += "\n## alerts\n\n" + alerts + "\n" + table(ProfileSchema.alert.specs) + "\n" + units
    text += "\n## outputs\n\n\(ProfileSchema.output.help) Each has:\n\n" + table(ProfileSchema.output.specs)
    for section in [
      ProfileSchema.watchdog, ProfileSchema.shutdown, ProfileSchema.identity, ProfileSchema.buffer, ProfileSchema.uplink,
      ProfileSchema.control, ProfileSchema.log,
    ] {
      text += "\n## \(section.name)\n\n\(section.help)\n\n" + table(section.specs)
    }
    return text
  }

  private static func text(_ kind: SensorKind) -> String {
    let pace = kind.everySeconds.map { "every \(Quantity.duration($0 * 1000))" } ?? "every tick"
    let lane = kind.lane == .slow ? ", in the slow lane" : ""
    var text = "### sensors.\(kind.name)\n\n\(kind.summary) By default \(pace)\(lane).\n"
    if !kind.settings.isEmpty { text += "\n" + table(kind.settings) }
    return text + items(kind.settings)
  }

  /// A table for each list of maps, with what each of its items has.
  private static func items(_ specs: [SettingSpec]) -> String {
    var text = ""
    for spec in specs {
      guard case .items(let keys) = spec.type else { continue }
      text += "\nEach of `\(spec.key)` has:\n\n" + table(keys) + items(keys)
    }
    return text
  }

  private static func table(_ specs: [SettingSpec]) -> String {
    var text = "| key | value | default | meaning |\n|---|---|---|---|\n"
    for spec in specs {
      let fallback = spec.isRequired ? "required" : spec.fallback.map { $0.isEmpty ? "empty" : "`\($0)`" } ?? ""
      text += "| `\(spec.key)` | \(cell(spec.type.summary)) | \(cell(fallback)) | \(cell(spec.help)) |\n"
    }
    return text
  }

  private static func cell(_ text: String) -> String {
    text.split(separator: "|", omittingEmptySubsequences: false).joined(separator: "\\|")
  }

  private static let introduction = """
    # The profile: all keys

    Made from the tables that check a profile; `GODWIT_REFRESH=1 swift test --filter ProfileTests` writes it again.

    A profile is one YAML file, `/etc/godwit/profile.yaml`. The files `profile.d/*.yaml` beside it are laid over it in the order
    of their names: maps merge key by key, `alerts` merge by `name` (a later rule of the same name replaces the earlier one, and
    `enabled: false` alone switches it off), any other list or value replaces. `godwit check` tells everything that is wrong at
    once, each as `file:line:column: error: what; why; remedy`. A reload (SIGHUP) that finds a problem changes nothing.

    - **Text means what the key wants.** `no`, `1e3` and `0x10` are never turned into something else; quotes make no difference.
      Switches are `true` and `false`. A key without a value, `~` or `null` is as good as no key: its default stands.
    - **Durations** are `250ms`, `10s`, `5m`, `1h30m`, `7d`, `2w`; only `0` needs no unit. **Sizes** are `4096` (bytes), `64KiB`,
      `256MiB`, `1GiB`, or decimal `1MB`; **rates** are sizes with `/s`. **Percentages** are `80%` or `80`, **temperatures** `75C`,
      `167F` or `75` in degrees Celsius. **Patterns** are `*` for any text and `?` for one character.
    - **Variables** stand in values, not in keys: `${NAME}`, or `${NAME:-default}` for one that may be unset or empty; `$$` is a
      dollar. One without default that is not set is a problem.
    - **Secrets** never stand in a profile: see `password_file`.
    - YAML itself: put a value in quotes when it begins with `>`, `|`, `*`, `&`, `!`, `%` or `@`, or holds `: ` or ` #`, and inside
      braces or brackets when it holds one of `{ } [ ] ,`. Anchors, aliases and `<<` work within one file.

    """

  private static let labels = """

    ## labels

    ```yaml
    labels: {site: plant-7, rack: "3"}
    ```

    They go with the node's identity. Keys are lower-case letters, digits and `_`, beginning with a letter or `_`; values any text
    of at most 128 bytes; at most 32 labels.

    """

  private static let sensors = """
    Without this section every sensor runs with its defaults. With it those run that it names: `cpu:` with the defaults,
    `thermal: {every: 2s}` with its own settings, `disk: false` not at all (so a drop-in can switch one off). A drop-in that names
    a sensor over a profile without the section makes it the only one that runs.
    Every sensor has:

    """

  private static let alerts = """
    ```yaml
    alerts:
      - name: cpu-hot
        when: thermal.temperature_celsius{zone="cpu-thermal"} > 75
        for: 30s
        clear: < 70
        message: "{label.zone} is at {value} {unit}"
    ```

    A rule watches every series of its metric that has the labels in braces; a label's value may be a pattern, labels that are not
    named may have any value. `clear` in quotes when it begins with `>` or `!`. A rule that could never fire is refused: its
    sensor must be enabled, the sensor's settings must not switch the metric off or leave out what the label names, and a label whose
    values are known must have one of them. `notify: mqtt` tells nobody while there is no uplink.

    The alert on a series that its sensor no longer reports ends as `gone` after four samples without it and two minutes, or `clear_for`
    where that is longer; one of a sensor that fails stays ([why](decisions/0009-alerts-on-what-is-gone.md)).

    """

  private static let units = """
    Values are in the unit of the metric or carry one: `> 80%`, `> 75C`, `> 64MiB`, `> 1MiB/s`, `> 250ms`, `> 1.5GHz`, `< 4.75V`.

    """
}
