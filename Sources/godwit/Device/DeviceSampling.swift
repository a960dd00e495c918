import Platform
import Sensors
import Telemetry

/// Sensors of a device, made and sampled by hand: without an agent, without a buffer.
struct DeviceSampling {
  /// One sensor, its newest readings and what went wrong.
  struct Part {
    let kind: SensorKind
    let type: any Sensor.Type
    let settings: Settings
    var sensor: (any Sensor)?
    var readings = Readings()
    var problem: SensorError?

    /// The reason when the hardware is not there.
    var absence: String? {
      if case .absent(let what) = problem { what } else { nil }
    }
  }

  private(set) var parts: [Part]
  private let context: SensorContext

  /// Takes sensors of the catalogue with their settings; nothing is opened yet.
  init(_ sensors: [(type: any Sensor.Type, settings: Settings)], host: Host) {
    context = SensorContext(host: host)
    parts = sensors.map { Part(kind: $0.type.kind, type: $0.type, settings: $0.settings) }
  }

  /// All sensors of the catalogue with their defaults, or those named.
  init(kinds: [String] = [], host: Host) {
    let wanted = SensorCatalogue.all.filter { kinds.isEmpty || kinds.contains($0.kind.name) }
    self.init(wanted.map { (type: $0, settings: Settings($0.kind.settings)) }, host: host)
  }

  /// Samples every sensor once, and makes those that are not made yet.
  mutating func sample(nanoseconds: Int64) {
    for index in parts.indices { Self.sample(&parts[index], context, nanoseconds) }
  }

  private static func sample(_ part: inout Part, _ context: SensorContext, _ nanoseconds: Int64) {
    part.readings.begin(nanoseconds: nanoseconds)
    part.problem = nil
    do throws(SensorError) {
      if part.sensor == nil {
        part.sensor = try part.type.init(context: context, settings: part.settings, readings: &part.readings)
      }
      try part.sensor?.sample(into: &part.readings)
    } catch {
      part.problem = error
    }
  }

  /// Samples twice, so that rates exist. A recorded tree does not change: there no time has to pass, and rates are 0.
  mutating func sampleTwice(intervalMilliseconds: Int) {
    if context.host.root.isEmpty {
      let clock = SystemClock()
      sample(nanoseconds: clock.bootNanoseconds())
      Thread.sleep(milliseconds: intervalMilliseconds)
      sample(nanoseconds: clock.bootNanoseconds())
    } else {
      sample(nanoseconds: 1_000_000_000)
      sample(nanoseconds: 1_000_000_000 + Int64(intervalMilliseconds) * 1_000_000)
    }
  }
}

extension Readings {
  /// The series that have a value, in the order of their keys as people count.
  var sorted: [(series: Series, value: Double)] {
    zip(series, values).filter { !$0.1.isMissing }.map { (series: $0.0, value: $0.1) }
      .sorted { naturallyPrecedes($0.series.key, $1.series.key) }
  }
}
