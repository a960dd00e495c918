import Buffer
import Telemetry

/// A series as Home Assistant sees it, with its newest value.
struct HomeAssistantEntity: Sendable {
  let series: StoredSeries
  /// Unique in the node.
  let id: String
  /// Its member of the state message.
  let key: String
  /// The first part of the metric's name.
  let family: String
  /// The part of the device that it is announced in.
  let part: String
  /// Whether it is announced.
  var isPresent = false
  /// The newest value.
  var value = Double.missing
  /// CLOCK_BOOTTIME milliseconds of it.
  var at: Int64 = .min
  /// When it is taken away unless a value comes; nil outside of a reload.
  var dueMilliseconds: Int64?

  init(_ series: StoredSeries, family: String, part: String, hash: UInt64) {
    self.series = series
    id = HomeAssistantNames.component(series.key, name: series.name, hash: hash)
    key = HomeAssistantNames.key(hash: hash)
    self.family = family
    self.part = part
  }

  var gone: HomeAssistantComponent.Gone { HomeAssistantComponent.Gone(id: id, platform: "sensor") }

  /// Seconds after which a value is too old to be shown: three samples, or three messages.
  func expirySeconds(_ settings: HomeAssistantSettings) -> Int {
    let interval = max(settings.families[family] ?? 0, settings.everyMilliseconds)
    return max((3 * interval + 999) / 1000, 30)
  }

  /// Whether its value still holds.
  func isFresh(_ settings: HomeAssistantSettings, now: Int64) -> Bool {
    isPresent && !value.isMissing && now - at <= Int64(expirySeconds(settings)) * 1000
  }
}

/// The components of a device: JSON objects with abbreviated keys, as `abbreviations.py` of its `mqtt` component has them.
enum HomeAssistantComponent {
  /// Something that was taken away: only its platform stays.
  struct Gone: Hashable, Sendable {
    let id: String
    let platform: String
  }

  static func write(_ gone: Gone, to json: inout JSONWriter) {
    json.key(gone.id)
    json.beginObject()
    member("p", gone.platform, &json)
    json.endObject()
  }

  static func write(_ entity: HomeAssistantEntity, _ settings: HomeAssistantSettings, to json: inout JSONWriter) {
    let series = entity.series
    let isCounter = series.kind == MetricKind.counter.rawValue
    let meaning = HomeAssistantClass(metric: series.name, unit: series.unit, isCounter: isCounter)
    let name = HomeAssistantNames.name(series.name, labels: series.labels, unit: series.unit, isCounter: isCounter)
    begin(entity.id, "sensor", name, settings, &json)
    if let deviceClass = meaning.deviceClass { member("dev_cla", deviceClass, &json) }
    if let unit = meaning.unit { member("unit_of_meas", unit, &json) }
    if let stateClass = meaning.stateClass {
      member("stat_cla", stateClass, &json)
      json.key("sug_dsp_prc")
      json.integer(series.decimals)
    }
    if HomeAssistantClass.isDiagnostic(family: entity.family) { member("ent_cat", "diagnostic", &json) }
    json.key("exp_aft")
    json.integer(entity.expirySeconds(settings))
    // Each message puts off the expiry of all its entities, so a value that is not in it has to say so: `None` is "unknown".
    let value = "value_json.\(entity.key)|default(none)"
    member("val_tpl", meaning.deviceClass == "timestamp" ? "{{\(value)|as_datetime(none)}}" : "{{\(value)}}", &json)
    json.endObject()
  }

  /// A rule: a problem while it fires, its series and their messages as attributes.
  static func write(rule: String, _ settings: HomeAssistantSettings, to json: inout JSONWriter) {
    let topic = settings.topic("alerts/\(rule)")
    begin(id(rule: rule), "binary_sensor", HomeAssistantNames.name(of: rule), settings, &json)
    member("dev_cla", "problem", &json)
    member("stat_t", topic, &json)
    // The topic of a rule that was taken away is emptied: that says nothing of its state.
    member("val_tpl", "{% if value %}{{'ON' if value_json.state in ['firing','clearing'] else 'OFF'}}{% endif %}", &json)
    member("json_attr_t", topic, &json)
    // `state` is no name for an attribute there.
    member(
      "json_attr_tpl", "{% if value %}{{dict(value_json,alert_state=value_json.state)|tojson}}{% else %}{}{% endif %}", &json)
    json.endObject()
  }

  static func write(_ command: HomeAssistantSettings.Command, _ settings: HomeAssistantSettings, to json: inout JSONWriter) {
    begin(id(command: command.name), "button", HomeAssistantNames.name(of: command.name), settings, &json)
    member("cmd_t", command.topic, &json)
    member("pl_prs", command.payload, &json)
    if let template = command.template { member("cmd_tpl", template, &json) }
    json.key("qos")
    json.integer(1)
    member("ent_cat", "config", &json)
    json.endObject()
  }

  private static func id(rule: String) -> String { "alert-\(HomeAssistantNames.level(rule))" }
  private static func id(command: String) -> String { "command-\(HomeAssistantNames.level(command))" }

  static func gone(rule: String) -> Gone { Gone(id: id(rule: rule), platform: "binary_sensor") }
  static func gone(command: String) -> Gone { Gone(id: id(command: command), platform: "button") }

  /// What all components of a device have in common, up to its components.
  static func writeDevice(_ settings: HomeAssistantSettings, to json: inout JSONWriter) {
    json.key("dev")
    json.beginObject()
    member("ids", "godwit.\(HomeAssistantNames.level(settings.node))", &json)
    member("name", HomeAssistantNames.clean(settings.name ?? settings.node), &json)
    if let manufacturer = settings.manufacturer { member("mf", HomeAssistantNames.clean(manufacturer), &json) }
    if let model = settings.model { member("mdl", HomeAssistantNames.clean(model), &json) }
    if let serial = settings.serialNumber { member("sn", HomeAssistantNames.clean(serial), &json) }
    if !settings.version.isEmpty { member("sw", settings.version, &json) }
    json.endObject()
    json.key("o")
    json.beginObject()
    member("name", "godwit", &json)
    if !settings.version.isEmpty { member("sw", settings.version, &json) }
    json.endObject()
    member("avty_t", settings.topic("state"), &json)
  }

  private static func begin(
    _ id: String, _ platform: String, _ name: String, _ settings: HomeAssistantSettings, _ json: inout JSONWriter
  ) {
    json.key(id)
    json.beginObject()
    member("p", platform, &json)
    // No level of a topic has a dot, so node and id cannot run into one another.
    member("uniq_id", "\(HomeAssistantNames.level(settings.node)).\(id)", &json)
    member("name", name, &json)
  }

  static func member(_ key: String, _ value: String, _ json: inout JSONWriter) {
    json.key(key)
    json.string(value)
  }
}
