public import Telemetry

/// The hardware watchdog that the agent feeds.
public struct WatchdogProfile: Sendable, Equatable {
  /// Its device file; absolute.
  public var device: String
  /// After how long without a tick the device is reset; whole seconds, at least three ticks.
  public var timeoutSeconds: Int
}

/// A line that the agent drives.
public struct OutputProfile: Sendable, Equatable {
  /// Unique in the profile: lower-case letters, digits, `-` and `_`.
  public var name: String
  /// The line's name, or its number on the chip.
  public var line: String
  /// The chip's label or name; nil: the chip that has a line of that name.
  public var chip: String?
  /// Whether it is on at the lower level.
  public var isActiveLow: Bool
  /// Whether it is on while nobody drives it.
  public var safe: Bool
  /// Names or patterns of the alerts that switch it on.
  public var onAlert: [String]
  /// How long an alert switches it on at most, milliseconds; 0: as long as it fires.
  public var forMilliseconds: Int
  /// Between two changes of a heartbeat, milliseconds; nil when it is none.
  public var heartbeatMilliseconds: Int?
  /// Whether commands may switch it.
  public var takesCommands: Bool
}

/// When the device is switched off. The condition itself is the alert `shutdown`.
public struct ShutdownProfile: Sendable, Equatable {
  /// The name of its alert.
  public static let rule = "shutdown"

  /// How long after the agent's start nothing is switched off, milliseconds.
  public var graceMilliseconds: Int
  /// What keeps the device on while it holds: mains that are there. It tells nobody.
  public var unless: AlertRule?
}
