extension StatusReport {
  /// The link to the broker.
  public struct Uplink: Sendable, Equatable, Codable {
    /// Whether the profile names a broker.
    public var configured = false
    /// Its address, without credentials.
    public var broker: String?
    /// `off` (none is configured), `connecting`, `connected`, `waiting` (for the next attempt) or `stopped`.
    public var state = "off"
    /// Since when it is so, wall time.
    public var since: String?
    /// Attempts to connect since the last success.
    public var attempts: UInt64 = 0
    /// Why the last attempt or connection ended.
    public var lastError: String?
    /// What makes the link less safe than it looks.
    public var warning: String?
    /// Ticks acknowledged by the broker since the agent's start.
    public var delivered: UInt64 = 0
    /// Stored ticks that wait for delivery.
    public var owed: UInt64 = 0
    /// Ticks that were evicted before they were delivered.
    public var lost: UInt64 = 0
    /// From a publish to its acknowledgement, milliseconds, the last one.
    public var roundTripMilliseconds: Double?

    /// No uplink.
    public init() {}

    private enum CodingKeys: String, CodingKey {
      case configured, broker, state, since, attempts
      case lastError = "last_error"
      case warning, delivered, owed, lost
      case roundTripMilliseconds = "rtt_ms"
    }
  }

  /// One sensor's condition.
  public struct Sensor: Sendable, Equatable, Codable {
    /// The kind's name.
    public var name: String
    /// A word of `SensorOutcome`: `ok`, `partial`, `absent`, `failed`, `timed out` or `starting`.
    public var state: String
    /// Milliseconds between samples.
    public var everyMilliseconds = 0
    /// Seconds since the last sample that gave values; nil before the first.
    public var ageSeconds: Double?
    /// How long the last sample took, milliseconds.
    public var durationMilliseconds = 0.0
    /// Values in the last sample.
    public var values = 0
    /// Samples that failed or timed out since the agent's start.
    public var failures: UInt64 = 0
    /// The last problem.
    public var problem: String?

    /// A sensor in a state.
    public init(name: String, state: String) {
      self.name = name
      self.state = state
    }

    private enum CodingKeys: String, CodingKey {
      case name, state
      case everyMilliseconds = "every_ms"
      case ageSeconds = "age_s"
      case durationMilliseconds = "duration_ms"
      case values, failures, problem
    }
  }

  /// An alert that is not `ok`.
  public struct Alert: Sendable, Equatable, Codable {
    /// The rule's name.
    public var rule: String
    /// `info`, `warning` or `critical`; `unknown` from a buffer whose profile is not at hand.
    public var severity: String
    /// `pending`, `firing` or `clearing`.
    public var state: String
    /// The series' key.
    public var series: String
    /// The value seen last; nil when none was.
    public var value: Double?
    /// Since when it is pending or firing, wall time; nil when that was before a restart.
    public var since: String?
    /// The rule's message.
    public var message: String

    /// An alert.
    public init(
      rule: String, severity: String, state: String, series: String, value: Double?, since: String?, message: String
    ) {
      self.rule = rule
      self.severity = severity
      self.state = state
      self.series = series
      self.value = value
      self.since = since
      self.message = message
    }
  }

  /// An alert that ended although its condition was not seen to clear.
  public struct Ending: Sendable, Equatable, Codable {
    /// The rule's name.
    public var rule: String
    /// `info`, `warning` or `critical`.
    public var severity: String
    /// The series' key.
    public var series: String
    /// The last value; nil when there was none.
    public var value: Double?
    /// `gone`: its sensor no longer reports the series.
    public var reason: String
    /// When it ended, wall time.
    public var at: String

    /// An ending.
    public init(rule: String, severity: String, series: String, value: Double?, reason: String, at: String) {
      self.rule = rule
      self.severity = severity
      self.series = series
      self.value = value
      self.reason = reason
      self.at = at
    }
  }

  /// An output.
  public struct Output: Sendable, Equatable, Codable {
    /// Its name.
    public var name: String
    /// What is driven; nil while it is not known.
    public var on: Bool?
    /// What it is to be.
    public var wanted: Bool
    /// What decides: `alert`, `heartbeat`, `command`, or `rest` when nothing does.
    public var driver: String
    /// Why it is not driven.
    public var problem: String?

    /// An output.
    public init(name: String, on: Bool?, wanted: Bool, driver: String, problem: String? = nil) {
      self.name = name
      self.on = on
      self.wanted = wanted
      self.driver = driver
      self.problem = problem
    }
  }

  /// The hardware watchdog.
  public struct Watchdog: Sendable, Equatable, Codable {
    /// Its device file.
    public var device: String
    /// `fed`, or `waiting` while it cannot be opened.
    public var state: String
    /// The driver's name for it.
    public var identity: String?
    /// The timeout that holds; nil while none is known.
    public var timeoutSeconds: Int?
    /// Why it is not fed.
    public var problem: String?

    /// A watchdog in a state.
    public init(device: String, state: String) {
      self.device = device
      self.state = state
    }

    private enum CodingKeys: String, CodingKey {
      case device, state, identity
      case timeoutSeconds = "timeout_s"
      case problem
    }
  }

  /// The shutdown at low charge.
  public struct Shutdown: Sendable, Equatable, Codable {
    /// `armed`, `grace`, `committing`, `requested`, `accepted` or `failed`.
    public var state: String
    /// Why the device could not be switched off.
    public var problem: String?

    /// A shutdown in a state.
    public init(state: String, problem: String? = nil) {
      self.state = state
      self.problem = problem
    }
  }
}
