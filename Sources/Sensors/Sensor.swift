public import Platform
public import Telemetry

/// What a sensor is made with.
public struct SensorContext: Sendable {
  /// The device it reads.
  public let host: Host
  /// The agent's own figures, for the `self` sensor.
  public let statistics: AgentStatistics
  /// How the processes of device libraries fared.
  public let hosts: SensorHostHistory
  /// The packages as they were last read.
  public let packages: PackageHistory
  /// Where it tells of what happened.
  public let events: SensorEvents

  /// Brings together what sensors read.
  public init(
    host: Host, statistics: AgentStatistics = AgentStatistics(), hosts: SensorHostHistory = SensorHostHistory(),
    packages: PackageHistory = PackageHistory(), events: SensorEvents = SensorEvents()
  ) {
    self.host = host
    self.statistics = statistics
    self.hosts = hosts
    self.packages = packages
    self.events = events
  }
}

/// Reads one family of metrics. One file, one line in `SensorCatalogue`, one case folder under `Tests/SensorsTests/Cases`.
///
/// A sensor lives on one thread, from `init` on. It knows nothing of storage, alerts or links.
public protocol Sensor {
  /// What the catalogue and the profile know of it.
  static var kind: SensorKind { get }

  /// Finds the hardware and names the series that are known beforehand. Opens nothing that a later `sample` could not open again.
  ///
  /// - Throws: `absent` when the device has none of it: the sensor is then asked again at long intervals.
  init(context: SensorContext, settings: Settings, readings: inout Readings) throws(SensorError)

  /// Takes one sample: sets the values that could be read, notes problems that cost single values.
  /// Rates are missing in the first sample, and in the one after a counter was reset.
  ///
  /// - Throws: when nothing could be read.
  mutating func sample(into readings: inout Readings) throws(SensorError)
}
