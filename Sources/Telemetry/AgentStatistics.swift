import Synchronization

/// The agent's own figures: written by its parts, read by the `self` sensor and by `status`. Shared between threads.
public final class AgentStatistics: Sendable {
  /// A snapshot of all figures.
  public struct Figures: Sendable {
    /// Ticks taken since the start.
    public var ticks: UInt64 = 0
    /// Boots of the machine that the buffer has seen, this one included; 0 while unknown.
    public var boots: UInt64 = 0
    /// Ticks skipped because the one before took too long, or the machine slept.
    public var skippedTicks: UInt64 = 0
    /// How late ticks of the last window began, milliseconds: half of them were better than this.
    public var latenessP50Milliseconds = 0.0
    /// 99 of 100 were better than this.
    public var latenessP99Milliseconds = 0.0
    /// The worst.
    public var latenessMaxMilliseconds = 0.0
    /// Bytes of the buffer's files.
    public var bufferBytes: UInt64 = 0
    /// Ticks taken but not committed yet.
    public var uncommittedTicks: UInt64 = 0
    /// Ticks that could not be stored for want of memory or disk.
    public var unstoredTicks: UInt64 = 0
    /// Committed ticks that wait for delivery.
    public var queuedTicks: UInt64 = 0
    /// Ticks acknowledged by the broker since the start.
    public var deliveredTicks: UInt64 = 0
    /// Ticks evicted before they were delivered.
    public var lostTicks: UInt64 = 0
    /// Per sensor, in the order of the profile.
    public var sensors: [SensorFigures] = []
    /// Per output, in the order of the profile.
    public var outputs: [OutputFigures] = []

    /// All zero.
    public init() {}
  }

  /// One output's state.
  public struct OutputFigures: Sendable {
    /// Its name.
    public var name: String
    /// What is driven; nil while it is not known.
    public var isOn: Bool?

    /// States an output's state.
    public init(name: String, isOn: Bool?) {
      self.name = name
      self.isOn = isOn
    }
  }

  /// One sensor's condition.
  public struct SensorFigures: Sendable {
    /// The kind's name.
    public var name: String
    /// How long the last sample took, seconds.
    public var durationSeconds = 0.0
    /// How the last sample ended.
    public var outcome = SensorOutcome.starting
    /// CLOCK_BOOTTIME nanoseconds of the last sample that gave values; nil before the first.
    public var sampledAtNanoseconds: Int64?
    /// The last problem, for people.
    public var problem: String?
    /// Values in the last sample.
    public var values = 0
    /// Milliseconds between samples.
    public var everyMilliseconds = 0
    /// Samples that failed or timed out since the start.
    public var failures: UInt64 = 0

    /// A sensor that has not sampled.
    public init(name: String) { self.name = name }
  }

  private let figures = Mutex(Figures())

  /// All zero.
  public init() {}

  /// Changes the figures.
  public func update(_ body: (inout sending Figures) -> Void) {
    figures.withLock { body(&$0) }
  }

  /// Reads the figures.
  public func read<Result: Sendable>(_ body: (borrowing Figures) -> Result) -> Result {
    figures.withLock { body($0) }
  }
}

/// How a sensor's last sample ended; the raw value is what `godwit.sensor_outcome` reports.
public enum SensorOutcome: Int, Sendable, CaseIterable {
  case ok = 0
  /// Some values could not be read.
  case partial = 1
  /// The hardware is not there.
  case absent = 2
  /// Nothing could be read.
  case failed = 3
  /// The deadline passed; the sensor was abandoned and will be restarted.
  case timedOut = 4
  /// No sample was asked for yet.
  case starting = 5

  /// The word that status shows.
  public var word: String {
    switch self {
    case .ok: "ok"
    case .partial: "partial"
    case .absent: "absent"
    case .failed: "failed"
    case .timedOut: "timed out"
    case .starting: "starting"
    }
  }
}
