import Platform
import Sensors
import Telemetry
import Testing

/// NVML, through the real program and the real loader, as the fake library's source has it.
@Suite struct NVMLTests {
  private static let first = #"gpu="0000:01:00.0""#
  private static let second = #"gpu="0000:65:00.0""#

  @Test func readsTwoGPUs() throws {
    let fake = try FakeLibrary("nvml")
    var bench = SensorBench(NVIDIASensor.self, library: fake.path)
    #expect(bench.sample() == nil)
    #expect(bench.readings.problem == nil)
    let gib = 1_073_741_824.0
    let first = [
      #"gpu.info{driver="570.86.15",firmware="",gpu="0000:01:00.0",model="NVIDIA RTX A2000"}"#: 1,
      "gpu.usage_percent{\(Self.first)}": 37, "gpu.memory_busy_percent{\(Self.first)}": 12,
      #"gpu.engine_usage_percent{engine="encoder",\#(Self.first)}"#: 5,
      "gpu.memory_used_bytes{\(Self.first)}": 2.5 * gib, "gpu.memory_total_bytes{\(Self.first)}": 12 * gib,
      "gpu.memory_usage_percent{\(Self.first)}": 20.8,
      #"gpu.temperature_celsius{\#(Self.first),sensor="gpu"}"#: 45,
      #"gpu.temperature_critical_celsius{\#(Self.first),sensor="gpu"}"#: 95,
      "gpu.power_watts{\(Self.first)}": 23.46, "gpu.power_limit_watts{\(Self.first)}": 70,
      #"gpu.fan_percent{fan="fan1",\#(Self.first)}"#: 30,
      #"gpu.clock_hertz{clock="graphics",\#(Self.first)}"#: 1.000e9, #"gpu.clock_hertz{clock="sm",\#(Self.first)}"#: 1.001e9,
      #"gpu.clock_hertz{clock="memory",\#(Self.first)}"#: 1.002e9, #"gpu.clock_hertz{clock="video",\#(Self.first)}"#: 1.003e9,
      #"gpu.clock_max_hertz{clock="graphics",\#(Self.first)}"#: 2.000e9,
      #"gpu.clock_max_hertz{clock="sm",\#(Self.first)}"#: 2.001e9,
      #"gpu.clock_max_hertz{clock="memory",\#(Self.first)}"#: 2.002e9,
      #"gpu.clock_max_hertz{clock="video",\#(Self.first)}"#: 2.003e9,
      #"gpu.throttled{\#(Self.first),reason="power"}"#: 1, #"gpu.throttled{\#(Self.first),reason="thermal"}"#: 1,
      #"gpu.throttled{\#(Self.first),reason="hardware"}"#: 0, #"gpu.throttled{\#(Self.first),reason="power_brake"}"#: 0,
      #"gpu.throttled{\#(Self.first),reason="sync_boost"}"#: 0,
      #"gpu.ecc_errors{\#(Self.first),kind="corrected"}"#: 7, #"gpu.ecc_errors{\#(Self.first),kind="uncorrected"}"#: 1,
      "gpu.pcie_link_width{\(Self.first)}": 8, "gpu.pcie_link_width_max{\(Self.first)}": 16,
      "gpu.pcie_link_transfers_per_second{\(Self.first)}": 8e9, "gpu.pcie_link_transfers_per_second_max{\(Self.first)}": 16e9,
      // The third of its processes has no known memory.
      "gpu.processes{\(Self.first)}": 3, #"gpu.process_memory_bytes{\#(Self.first),process="train"}"#: 3 * gib / 1024,
    ]
    let mine = bench.values.filter { $0.key.contains("0000:01:00.0") }
    #expect(mine == first)
    let other = bench.values.filter { $0.key.contains("0000:65:00.0") }
    #expect(other["gpu.usage_percent{\(Self.second)}"] == 38)
    // NVML_ERROR_NOT_SUPPORTED: no power, no ECC, and nothing wrong.
    #expect(other["gpu.power_watts{\(Self.second)}"] == nil)
    #expect(!other.keys.contains { $0.hasPrefix("gpu.ecc_errors") })
    #expect(other["gpu.processes{\(Self.second)}"] == 0)
  }

  @Test func aMissingSymbolCostsOnlyItsValue() throws {
    let whole = try FakeLibrary("nvml")
    let fake = try FakeLibrary("nvml", ["WITHOUT_POWER", "WITHOUT_MEMORY_V2", "OLD_PROCESSES"])
    var bench = SensorBench(NVIDIASensor.self, library: fake.path)
    var reference = SensorBench(NVIDIASensor.self, library: whole.path)
    #expect(bench.sample() == nil)
    #expect(reference.sample() == nil)
    #expect(bench.readings.problem == nil)
    #expect(Set(reference.values.keys).subtracting(bench.values.keys) == ["gpu.power_watts{\(Self.first)}"])
    // The first form counts what the driver keeps for itself as used.
    #expect(bench.values["gpu.memory_used_bytes{\(Self.first)}"] == 3_221_225_472.0)
    #expect(bench.values[#"gpu.process_memory_bytes{\#(Self.first),process="train"}"#] == 1_073_741_824.0)
  }

  @Test func aLibraryWithoutWhatIsNeededFails() throws {
    let fake = try FakeLibrary("nvml", ["WITHOUT_COUNT"])
    var bench = SensorBench(NVIDIASensor.self, library: fake.path)
    let error = bench.sample()
    guard case .device("nvidia", let what) = error else { throw Unexpected(error) }
    #expect(what.contains("nvmlDeviceGetCount_v2"))
  }

  @Test func garbageIsNamedAndReportedNowhere() throws {
    let fake = try FakeLibrary("nvml")
    try fake.become("garbage")
    var bench = SensorBench(NVIDIASensor.self, library: fake.path)
    #expect(bench.sample() == nil)
    #expect(bench.readings.problemCount >= 6)
    let values = bench.values
    for name in ["usage", "memory_used", "temperature_celsius", "power_watts", "pcie_link_transfers_per_second{"] {
      #expect(!values.keys.contains { $0.hasPrefix("gpu.\(name)") }, "\(name)")
    }
    #expect(values["gpu.pcie_link_width{\(Self.first)}"] == 8)
    #expect(values.allSatisfy { $0.value.isFinite })
  }

  @Test func aThousandProcessesAreSummed() throws {
    let fake = try FakeLibrary("nvml")
    try fake.become("many")
    var bench = SensorBench(NVIDIASensor.self, library: fake.path, processes: 3)
    #expect(bench.sample() == nil)
    let unit = 1_048_576.0
    let users = bench.values.filter { $0.key.hasPrefix("gpu.process_memory_bytes") }
    #expect(
      users == [
        #"gpu.process_memory_bytes{\#(Self.first),process="worker-1999"}"#: 1000 * unit,
        #"gpu.process_memory_bytes{\#(Self.first),process="worker-1998"}"#: 999 * unit,
        #"gpu.process_memory_bytes{\#(Self.first),process="worker-1997"}"#: 998 * unit,
        #"gpu.process_memory_bytes{\#(Self.first),process="other"}"#: (1000 * 1001 / 2 - 2997) * unit,
      ])
    #expect(bench.values["gpu.processes{\(Self.first)}"] == 1000)
  }

  @Test func belowZeroIsNoLargeNumber() throws {
    let fake = try FakeLibrary("nvml")
    try fake.become("cold")
    var bench = SensorBench(NVIDIASensor.self, library: fake.path)
    #expect(bench.sample() == nil)
    #expect(bench.values[#"gpu.temperature_celsius{\#(Self.first),sensor="gpu"}"#] == -20)
  }

  @Test func oneLostGPUCostsOnlyItself() throws {
    let fake = try FakeLibrary("nvml")
    try fake.become("one-lost")
    var bench = SensorBench(NVIDIASensor.self, library: fake.path)
    #expect(bench.sample() == nil)
    #expect(bench.readings.problem == .device("nvidia", what: "GPU 1: the GPU has fallen off the bus"))
    #expect(bench.values["gpu.usage_percent{\(Self.first)}"] == 37)
  }

  @Test(arguments: [
    ("lost", SensorError.device("nvidia", what: "GPU 0: the GPU has fallen off the bus")),
    ("mismatch", .device("nvidia", what: "nvmlInit_v2: driver and library are of different versions")),
    ("absent", .absent("nvmlInit_v2: the driver is not loaded")),
  ])
  func whatStopsTheWholeLibraryIsTyped(state: String, error: SensorError) throws {
    let fake = try FakeLibrary("nvml")
    try fake.become(state)
    var bench = SensorBench(NVIDIASensor.self, library: fake.path)
    #expect(bench.sample() == error)
    #expect(Processes.eventually { Processes.hosts(of: fake.path).isEmpty })
  }
}

/// What a test did not expect.
struct Unexpected: Error {
  let value: String

  init(_ value: some Any) { self.value = "\(value)" }
}
