import Platform
import Telemetry
import Testing

@testable import Sensors

/// What the case folders cannot show: they run with an agent whose figures are all zero.
@Suite struct SelfSensorTests {
  private static let second: Int64 = 1_000_000_000

  private static func figures() -> AgentStatistics {
    let statistics = AgentStatistics()
    statistics.update { figures in
      figures.ticks = 86_400
      figures.skippedTicks = 3
      figures.latenessP50Milliseconds = 0.0614
      figures.latenessP99Milliseconds = 1.25
      figures.latenessMaxMilliseconds = 17.5
      figures.bufferBytes = 41_943_040
      figures.uncommittedTicks = 7
      figures.unstoredTicks = 1
      figures.queuedTicks = 120
      figures.deliveredTicks = 86_200
      figures.lostTicks = 2
      var cpu = AgentStatistics.SensorFigures(name: "cpu")
      cpu.durationSeconds = 0.000_031_4
      cpu.outcome = .ok
      cpu.sampledAtNanoseconds = 99 * Self.second
      var disk = AgentStatistics.SensorFigures(name: "disk")
      disk.outcome = .timedOut
      disk.durationSeconds = 5
      disk.sampledAtNanoseconds = 90 * Self.second + Self.second / 2
      figures.sensors = [cpu, disk, AgentStatistics.SensorFigures(name: "hwmon")]
    }
    return statistics
  }

  private static func values(_ readings: Readings) -> [String: Double] {
    var values: [String: Double] = [:]
    for (series, value) in zip(readings.series, readings.values) where !value.isMissing { values[series.key] = value }
    return values
  }

  private static func context(_ statistics: AgentStatistics) -> SensorContext {
    SensorContext(host: Host(root: "/no/such/root"), statistics: statistics)
  }

  @Test func reportsTheAgentsFigures() throws {
    var readings = Readings()
    readings.begin(nanoseconds: 100 * Self.second)
    var sensor = try SelfSensor(
      context: Self.context(Self.figures()), settings: Settings(SelfSensor.kind.settings), readings: &readings)
    try sensor.sample(into: &readings)
    #expect(readings.problem == nil)
    #expect(
      Self.values(readings) == [
        "godwit.ticks": 86_400, "godwit.skipped_ticks": 3, "godwit.tick_lateness_p50_milliseconds": 0.061,
        "godwit.tick_lateness_p99_milliseconds": 1.25, "godwit.tick_lateness_max_milliseconds": 17.5,
        "godwit.buffer_bytes": 41_943_040, "godwit.uncommitted_ticks": 7, "godwit.unstored_ticks": 1, "godwit.queued_ticks": 120,
        "godwit.delivered_ticks": 86_200, "godwit.lost_ticks": 2,
        #"godwit.sensor_duration_seconds{sensor="cpu"}"#: 0.000_031, #"godwit.sensor_outcome{sensor="cpu"}"#: 0,
        #"godwit.sensor_age_seconds{sensor="cpu"}"#: 1,
        #"godwit.sensor_duration_seconds{sensor="disk"}"#: 5, #"godwit.sensor_outcome{sensor="disk"}"#: 4,
        #"godwit.sensor_age_seconds{sensor="disk"}"#: 9.5,
        #"godwit.sensor_duration_seconds{sensor="hwmon"}"#: 0, #"godwit.sensor_outcome{sensor="hwmon"}"#: 5,
      ])
  }

  @Test func followsAReloadThatChangesTheSensors() throws {
    let statistics = Self.figures()
    var readings = Readings()
    readings.begin(nanoseconds: 100 * Self.second)
    var sensor = try SelfSensor(
      context: Self.context(statistics), settings: Settings(SelfSensor.kind.settings), readings: &readings)
    try sensor.sample(into: &readings)
    statistics.update { figures in
      figures.sensors.removeFirst()
      figures.sensors[0].outcome = .ok
    }
    readings.begin(nanoseconds: 101 * Self.second)
    try sensor.sample(into: &readings)
    let values = Self.values(readings)
    #expect(values[#"godwit.sensor_outcome{sensor="cpu"}"#] == nil)
    #expect(values[#"godwit.sensor_outcome{sensor="disk"}"#] == 0)
    #expect(values[#"godwit.sensor_age_seconds{sensor="disk"}"#] == 10.5)
    #expect(values[#"godwit.sensor_outcome{sensor="hwmon"}"#] == 5)
  }

  @Test func aSampleFromTheFutureHasNoNegativeAge() throws {
    var readings = Readings()
    readings.begin(nanoseconds: 98 * Self.second)
    var sensor = try SelfSensor(
      context: Self.context(Self.figures()), settings: Settings(SelfSensor.kind.settings), readings: &readings)
    try sensor.sample(into: &readings)
    #expect(Self.values(readings)[#"godwit.sensor_age_seconds{sensor="cpu"}"#] == 0)
  }
}
