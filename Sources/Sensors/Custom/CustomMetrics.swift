import Telemetry

/// The metrics of `exec`, `textfile` and `push`: a user's own, which the profile states, and what tells of their sources.
enum CustomMetrics {
  static let age = Metric(
    "custom.age_seconds", unit: .seconds, labels: ["kind", "source"],
    help: "How old a source's values are. Past `stale_after` they are missing.")
  static let up = Metric(
    "custom.up", unit: .none, labels: ["kind", "source"], help: "1 when a source was taken when it was last read, else 0.")
  static let refused = Metric(
    "custom.refused_total", unit: .none, kind: .counter, labels: ["kind", "source"],
    help: "Values and lines that were not taken: not stated, another unit, another label, past a limit, malformed.")
  static let dropped = Metric(
    "custom.dropped_total", unit: .none, kind: .counter, labels: ["kind", "source"],
    help: "Datagrams that were dropped unread: they came faster than a twentieth of a core can take them.")

  /// What tells of the sources of one kind; nil: they are not known beforehand.
  static func bounds(kind: String, sources: [String]?, in list: String) -> [MetricBound] {
    let own = kind == "push" ? PushSensor.own : [age, up, refused]
    let kindBound = MetricBound.label("kind", of: own, is: [kind])
    guard let sources else { return [kindBound] }
    return [kindBound, .named("source", of: own, in: list, sources)]
  }

  /// What `unit` takes: the texts of `Unit`, and a word for none.
  static let unitWords = Unit.allCases.map { $0 == .none ? "none" : $0.rawValue }

  /// An item of `metrics:`.
  static let specs = [
    SettingSpec(required: "name", .key, help: "What it is called behind the prefix: `load_percent`."),
    SettingSpec("from", .text, default: nil, help: "What its source calls it; like `name` unless given."),
    SettingSpec("unit", .choice(unitWords), default: "none", help: "The unit that the source gives it in, or a multiple's base."),
    SettingSpec("kind", .choice(["gauge", "counter"]), default: "gauge", help: "`counter` for a total that only grows."),
    SettingSpec("decimals", .integer(0...9), default: "3", help: "Digits after the point that are kept."),
    SettingSpec("labels", .keys, default: nil, help: "Keys of labels that tell its series apart."),
    SettingSpec("help", .text, default: nil, help: "A sentence for people."),
  ]

  /// What a source may bring.
  static let sourceSpecs = [
    SettingSpec(
      "accept", .choice(["stated", "any"]), default: "stated",
      help: "Whether values that `metrics` does not state are refused, or taken without a unit."),
    SettingSpec("max_series", .integer(1...1000), default: "100", help: "Series of this source; what is beyond is refused."),
    SettingSpec("metrics", .items(specs), default: nil, help: "The metrics that are taken."),
  ]

  /// What is wrong with a place that a profile names.
  static func fault(ofPath path: String, key: String, mostBytes: Int = 4095) -> [SettingFault] {
    guard !path.hasPrefix("/") || path.utf8.count > mostBytes else { return [] }
    return [
      SettingFault(
        key, what: "'\(path)' in '\(key)' is no absolute path of at most \(mostBytes) bytes",
        remedy: "begin it with '/', and keep it short")
    ]
  }

  static func unit(_ word: String) -> Unit { word == "none" ? .none : Unit(rawValue: word) ?? .none }

  /// What the items of `metrics:` state, with what their sources call them.
  static func stated(_ items: [Settings], prefix: String) -> [(from: String, metric: Metric)] {
    items.map { item in
      let name = item.text("name")
      let metric = Metric(
        "custom.\(prefix)\(name)", unit: unit(item.text("unit")), kind: MetricKind(rawValue: item.text("kind")) ?? .gauge,
        decimals: item.integer("decimals"), labels: item.list("labels").sorted(), help: item.text("help"))
      return (item.isSet("from") ? item.text("from") : name, metric)
    }
  }
}
