import Platform
import Sensors
import Telemetry

/// A sensor of this machine with a fake library, sampled at times of the test's choice.
struct SensorBench {
  private let type: any Sensor.Type
  private let context: SensorContext
  private let settings: Settings
  private var sensor: (any Sensor)?
  private(set) var readings = Readings()
  private(set) var seconds: Int64 = 0
  var hosts: SensorHostHistory { context.hosts }

  /// Starts nothing yet.
  init(_ type: any Sensor.Type, library: String, answerWithin milliseconds: Int = 10_000, processes: Int = 8) {
    self.type = type
    context = SensorContext(host: Host())
    settings = Settings(
      type.kind.settings,
      ["library": .text(library), "answer_within": .milliseconds(milliseconds), "processes": .integer(processes)])
  }

  /// One sample, so many seconds after the one before; the error when there was one. As in the agent, a sensor that failed is made anew.
  @discardableResult
  mutating func sample(after seconds: Int64 = 1) -> SensorError? {
    self.seconds += seconds
    readings.begin(nanoseconds: self.seconds * 1_000_000_000)
    do throws(SensorError) {
      if sensor == nil { sensor = try type.init(context: context, settings: settings, readings: &readings) }
      try sensor?.sample(into: &readings)
      return nil
    } catch {
      sensor = nil
      return error
    }
  }

  /// The sensor is let go.
  mutating func end() { sensor = nil }

  /// What was read, by key, rounded as it is stored.
  var values: [String: Double] {
    var values: [String: Double] = [:]
    for (series, value) in zip(readings.series, readings.values) where !value.isMissing { values[series.key] = value }
    return values
  }
}
