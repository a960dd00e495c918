import Platform
import Sensors
import Telemetry
import Testing

/// HailoRT, through the real program and the real loader, as the fake library's source has it.
@Suite struct HailoTests {
  private static let device = #"device="0000:01:00.0""#

  private static func expected(model: String) -> [String: Double] {
    [
      #"accelerator.info{device="0000:01:00.0",driver="",firmware="4.20.0",model="\#(model)"}"#: 1,
      #"accelerator.temperature_celsius{\#(device),sensor="ts0"}"#: 51.5,
      #"accelerator.temperature_celsius{\#(device),sensor="ts1"}"#: 52.3,
      #"accelerator.throttled{\#(device),reason="protection"}"#: 1, "accelerator.power_watts{\(device)}": 2.75,
      "accelerator.clock_hertz{\(device)}": 400e6,
    ]
  }

  @Test(arguments: [(["MAJOR=4"], "Hailo-8"), (["MAJOR=5", "PRODUCT=\"HAILO-8L AI ACC M.2\""], "HAILO-8L AI ACC M.2")])
  func readsADevice(defines: [String], model: String) throws {
    let fake = try FakeLibrary("hailort", defines)
    var bench = SensorBench(HailoSensor.self, library: fake.path)
    #expect(bench.sample() == nil)
    #expect(bench.readings.problem == nil)
    #expect(bench.values == Self.expected(model: model))
  }

  @Test func aMissingSymbolCostsOnlyItsValue() throws {
    let fake = try FakeLibrary("hailort", ["WITHOUT_TEMPERATURE"])
    var bench = SensorBench(HailoSensor.self, library: fake.path)
    #expect(bench.sample() == nil)
    #expect(bench.readings.problem == nil)
    let without = Self.expected(model: "Hailo-8").filter { !$0.key.contains("temperature") }
    #expect(bench.values == without)
  }

  @Test func anUnknownVersionIsRefused() throws {
    let fake = try FakeLibrary("hailort", ["MAJOR=6"])
    var bench = SensorBench(HailoSensor.self, library: fake.path)
    let error = bench.sample()
    guard case .device("hailo", let what) = error else { throw Unexpected(error) }
    #expect(what.contains("6.22.0"))
  }

  @Test func garbageIsNamedAndReportedNowhere() throws {
    let fake = try FakeLibrary("hailort")
    try fake.become("garbage")
    var bench = SensorBench(HailoSensor.self, library: fake.path)
    // A count beyond the list that was asked with: the other ids are empty, and no device has them.
    #expect(bench.sample() == nil)
    #expect(bench.readings.problemCount >= 3)
    #expect(!bench.values.keys.contains { $0.contains("temperature") || $0.contains("power") })
    #expect(bench.values["accelerator.clock_hertz{\(Self.device)}"] == 400e6)
  }

  @Test(arguments: ["absent", "none"])
  func withoutADeviceItIsAbsent(state: String) throws {
    let fake = try FakeLibrary("hailort")
    try fake.become(state)
    var bench = SensorBench(HailoSensor.self, library: fake.path)
    guard case .absent = bench.sample() else { throw Unexpected(bench.readings) }
    #expect(Processes.eventually { Processes.hosts(of: fake.path).isEmpty })
  }

  @Test func aDeviceThatFailsIsOpenedAnew() throws {
    let fake = try FakeLibrary("hailort")
    var bench = SensorBench(HailoSensor.self, library: fake.path)
    #expect(bench.sample() == nil)
    try fake.become("lost")
    bench.sample()
    #expect(bench.readings.problem == .device("hailo", what: "0000:01:00.0: hailo_get_chip_temperature: status 36"))
    try fake.become("normal")
    bench.sample(after: 300)
    #expect(bench.values == Self.expected(model: "Hailo-8"))
  }
}
