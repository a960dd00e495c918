/// What a node says of itself: the answer of the agent's control socket, and what `godwit status --json` prints.
/// The keys are stable within a version and described in `docs/status.md`.
public struct StatusReport: Sendable, Equatable, Codable {
  /// Who made the report.
  public enum Source: String, Sendable, Codable {
    /// The running agent.
    case agent
    /// Whoever read the buffer file of an agent that does not answer.
    case buffer
  }

  /// The version of this form.
  public static let currentVersion = 1

  /// The version of the report's form; a new one when a key changes its meaning or goes, not when one is added.
  public var version = currentVersion
  /// Who made it.
  public var source: Source
  /// The node's name.
  public var node: String
  /// The node's labels.
  public var labels: [String: String] = [:]
  /// The kernel's boot id.
  public var boot: String?
  /// Seconds since the device was booted.
  public var uptimeSeconds: Double?
  /// When the agent was started, wall time.
  public var started: String?
  /// When the report was made, or the last tick was taken if it is from a buffer; wall time.
  public var time: String
  /// The wall clock.
  public var clock = Clock()
  /// The sampling.
  public var tick = Tick()
  /// The store.
  public var buffer = Buffer()
  /// The link.
  public var uplink = Uplink()
  /// The sensors in the order of the profile.
  public var sensors: [Sensor] = []
  /// Alerts that are not `ok`, the gravest first.
  public var alerts: [Alert] = []
  /// Alerts that ended within a day because their series is gone, the latest first; nil from an agent that knows none.
  public var ended: [Ending]? = []
  /// The outputs in the order of the profile; nil from an agent that knows none.
  public var outputs: [Output]? = []
  /// The hardware watchdog; nil when none is configured.
  public var watchdog: Watchdog?
  /// The shutdown at low charge; nil when none is configured.
  public var shutdown: Shutdown?
  /// The newest values by series key. What is missing or not finite is left out.
  public var values: [String: Double] = [:]
  /// The units of the metrics among the values, by the metric's name; a metric without unit is left out.
  public var units: [String: String] = [:]

  /// A report without figures.
  public init(source: Source, node: String, time: String) {
    self.source = source
    self.node = node
    self.time = time
  }

  /// The wall clock.
  public struct Clock: Sendable, Equatable, Codable {
    /// Whether the kernel holds it for synchronised; nil when nobody knows.
    public var synced: Bool?
    /// How far it is off as the kernel estimates, seconds.
    public var offsetSeconds: Double?

    /// Nothing known.
    public init() {}

    private enum CodingKeys: String, CodingKey {
      case synced
      case offsetSeconds = "offset_s"
    }
  }

  /// The sampling.
  public struct Tick: Sendable, Equatable, Codable {
    /// Milliseconds between ticks.
    public var everyMilliseconds = 0
    /// The newest sequence number.
    public var seq: UInt64 = 0
    /// Ticks taken since the agent's start.
    public var ticks: UInt64 = 0
    /// Ticks skipped since the agent's start.
    public var skipped: UInt64 = 0
    /// How late ticks begin: the median, milliseconds.
    public var lateP50Milliseconds = 0.0
    /// How late ticks begin: 99 of 100 were better.
    public var lateP99Milliseconds = 0.0
    /// How late ticks begin: the worst.
    public var lateMaxMilliseconds = 0.0

    /// All zero.
    public init() {}

    private enum CodingKeys: String, CodingKey {
      case everyMilliseconds = "every_ms"
      case seq, ticks, skipped
      case lateP50Milliseconds = "late_p50_ms"
      case lateP99Milliseconds = "late_p99_ms"
      case lateMaxMilliseconds = "late_max_ms"
    }
  }

  /// The store.
  public struct Buffer: Sendable, Equatable, Codable {
    /// The file.
    public var path = ""
    /// Bytes of its files.
    public var bytes: UInt64 = 0
    /// Bytes it may have.
    public var maxBytes: UInt64 = 0
    /// Ticks in it.
    public var ticks: UInt64 = 0
    /// The time of the oldest tick in it, wall time.
    public var first: String?
    /// The time of the newest tick in it, wall time.
    public var last: String?
    /// Ticks taken but not written yet.
    public var uncommitted: UInt64 = 0
    /// `opening`, `ok`, `memory-only` (nothing can be written, the newest ticks are kept in memory) or `read-only` (opened by the command
    /// line).
    public var state = "ok"
    /// What is wrong.
    public var problem: String?

    /// All zero.
    public init() {}

    private enum CodingKeys: String, CodingKey {
      case path, bytes
      case maxBytes = "max_bytes"
      case ticks, first, last, uncommitted, state, problem
    }
  }

  private enum CodingKeys: String, CodingKey {
    case version, source, node, labels, boot
    case uptimeSeconds = "uptime_s"
    case started, time, clock, tick, buffer, uplink, sensors, alerts, ended, outputs, watchdog, shutdown
    case values = "m"
    case units
  }
}
