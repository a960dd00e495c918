public import Telemetry

/// What a device measures, when it alarms and where it reports: the typed, checked form of `profile.yaml` and its drop-ins.
public struct Profile: Sendable, Equatable {
  /// The node id, resolved: 1 to 64 bytes without `+`, `#`, `/` and blanks.
  public var node: String
  /// Of the node; sorted by key.
  public var labels: [Label]
  /// Between ticks: 100…3 600 000.
  public var tickMilliseconds: Int
  /// The enabled ones in the order of the catalogue; never empty.
  public var sensors: [SensorProfile]
  /// In the order of the profile.
  public var alerts: [AlertRule]
  /// The lines that the agent drives, in the order of the profile.
  public var outputs: [OutputProfile]
  /// The hardware watchdog that it feeds; nil: none.
  public var watchdog: WatchdogProfile?
  /// When it switches the device off, by the last of the alerts; nil: never.
  public var shutdown: ShutdownProfile?
  /// What it tells of the system that it runs on; nil: nothing.
  public var identity: IdentityProfile?
  /// Where and how much is stored.
  public var buffer: BufferProfile
  /// Where it reports; nil when it does not.
  public var uplink: UplinkProfile?
  /// How the command line reaches the agent.
  public var control: ControlProfile
  /// What the agent writes about itself.
  public var log: LogProfile
  /// What is wrong with files that describe hardware: the devices that need them are not read, all else works.
  public var hardwareProblems: [ProfileProblem]

  /// The texts that the agent tells others of itself: its names.
  public var told: [String] {
    var told = [node] + labels.map(\.value)
    if let uplink { told += [uplink.clientID, uplink.username ?? "", uplink.topicPrefix, uplink.sparkplug?.group ?? ""] }
    return told
  }
}

/// One enabled sensor.
public struct SensorProfile: Sendable, Equatable {
  /// The kind's name in the catalogue.
  public var kind: String
  /// Between samples; a multiple of the tick.
  public var everyMilliseconds: Int
  /// How long a sample in the slow lane may take before the sensor is abandoned.
  public var deadlineMilliseconds: Int
  /// The kind's own settings, defaults included.
  public var settings: Settings
}

/// Where and how much is stored.
public struct BufferProfile: Sendable, Equatable {
  /// The database file; absolute.
  public var path: String
  /// What the buffer's files may take together; at least 1 MiB.
  public var maximumBytes: Int
  /// Between commits: 100…600 000. A power cut costs at most this much.
  public var commitEveryMilliseconds: Int
  /// Older ticks are evicted.
  public var retainMilliseconds: Int
  /// Age in milliseconds at which rollups of a minute are evicted.
  public var retainMinutesMilliseconds: Int
  /// Age in milliseconds at which rollups of an hour are evicted.
  public var retainHoursMilliseconds: Int
  /// What is kept in memory while the disk refuses.
  public var pendingBytes: Int
}

/// What the agent tells of the system that it runs on.
public struct IdentityProfile: Sendable, Equatable {
  /// What becomes of what is private.
  public var privateFacts: PrivateFacts
  /// A file with the key for digests; nil: the machine id is the key.
  public var keyFile: String?
  /// Between two looks, milliseconds.
  public var everyMilliseconds: Int
}

/// How the command line reaches the agent.
public struct ControlProfile: Sendable, Equatable {
  /// A Unix socket; absolute.
  public var socketPath: String
}

/// What the agent writes about itself.
public struct LogProfile: Sendable, Equatable {
  /// From chatty to terse.
  public enum Level: String, Sendable, CaseIterable, Comparable {
    case debug
    case info
    case warning
    case error

    /// From chatty to terse.
    public static func < (left: Level, right: Level) -> Bool { left.rank < right.rank }

    private var rank: Int {
      switch self {
      case .debug: 0
      case .info: 1
      case .warning: 2
      case .error: 3
      }
    }
  }

  /// How a line is written.
  public enum Format: String, Sendable, CaseIterable {
    /// Text on a terminal, journal fields under systemd.
    case auto
    case text
    case json
  }

  /// The least level that is written.
  public var level: Level
  /// How a line is written.
  public var format: Format
}
