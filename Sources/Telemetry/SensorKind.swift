/// Where a sensor runs.
public enum Lane: String, Sendable {
  /// Inside the tick: procfs and sysfs reads that cannot block.
  case fast
  /// On a thread of its own with a deadline: whatever can block.
  case slow
}

/// What the catalogue says of a kind of sensor; the profile is checked against it.
public struct SensorKind: Sendable {
  /// The key under `sensors:`, for example `cpu`.
  public let name: String
  /// One sentence for people.
  public let summary: String
  /// The host files, devices or calls it reads, with their documents.
  public let sources: [String]
  /// Where it runs.
  public let lane: Lane
  /// Whether it, or a program that it runs, measures how long something takes to answer. Then its thread is not put behind others of this
  /// machine, for that would be measured too.
  public let timesAnswers: Bool
  /// Seconds between samples unless the profile says otherwise; nil means every tick.
  public let everySeconds: Int?
  /// Its settings besides `every`, `deadline` and `enabled`, which all sensors have.
  public let settings: [SettingSpec]
  /// All metrics it can report, besides those that the profile states.
  public let metrics: [Metric]
  /// All that cannot be of settings that are right one by one.
  public let check: @Sendable (Settings) -> [SettingFault]
  /// What settings leave of its metrics, where they leave not all.
  public let bounds: @Sendable (Settings) -> [MetricBound]
  private let stated: @Sendable (Settings) -> [Metric]

  /// Describes a kind of sensor. `stated` gives the metrics that the profile itself states in its settings.
  public init(
    name: String, summary: String, sources: [String], lane: Lane = .fast, timesAnswers: Bool = false, everySeconds: Int? = nil,
    settings: [SettingSpec] = [], metrics: [Metric],
    check: @escaping @Sendable (Settings) -> [SettingFault] = { _ in [] },
    bounds: @escaping @Sendable (Settings) -> [MetricBound] = { _ in [] },
    stated: @escaping @Sendable (Settings) -> [Metric] = { _ in [] }
  ) {
    self.name = name
    self.summary = summary
    self.sources = sources
    self.lane = lane
    self.timesAnswers = timesAnswers
    self.everySeconds = everySeconds
    self.settings = settings
    self.metrics = metrics
    self.check = check
    self.bounds = bounds
    self.stated = stated
  }

  /// The metrics that these settings state: a user's own.
  public func metrics(statedIn settings: Settings) -> [Metric] { stated(settings) }

  /// The same for rules that go into profiles whose settings are not known: none of its metrics is switched off.
  public var unbounded: SensorKind {
    SensorKind(
      name: name, summary: summary, sources: sources, lane: lane, everySeconds: everySeconds, settings: settings,
      metrics: metrics, check: check, stated: stated)
  }

  /// All metrics it can report under these settings.
  public func metrics(under settings: Settings) -> [Metric] { metrics + stated(settings) }
}
