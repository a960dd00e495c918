import Foundation
import Platform
import Sensors
import Telemetry
import Testing

/// A library that hangs or crashes takes its process along, and nothing else.
@Suite struct HostProcessTests {
  @Test func aCrashIsNoticedAndTheValuesReturn() throws {
    let fake = try FakeLibrary("nvml")
    var bench = SensorBench(NVIDIASensor.self, library: fake.path)
    #expect(bench.sample() == nil)
    try fake.become("crash")
    #expect(bench.sample() == .device("nvidia", what: "its process ended by signal \(SIGSEGV)"))
    try fake.become("normal")
    // Not before its time: the same problem is told, and no process is there.
    #expect(bench.sample(after: 0) == .device("nvidia", what: "its process ended by signal \(SIGSEGV)"))
    #expect(Processes.hosts(of: fake.path).isEmpty)
    #expect(bench.sample(after: 1) == nil)
    #expect(!bench.values.isEmpty)
  }

  @Test func aHangEndsWithTheDeadline() throws {
    let fake = try FakeLibrary("nvml")
    try fake.become("hang")
    var bench = SensorBench(NVIDIASensor.self, library: fake.path, answerWithin: 300)
    #expect(bench.sample() == .device("nvidia", what: "no answer within 300ms; its process was killed"))
    #expect(Processes.hosts(of: fake.path).isEmpty)
    try fake.become("normal")
    var patient = SensorBench(NVIDIASensor.self, library: fake.path)
    #expect(patient.sample() == nil)
  }

  /// 1, 2, 4 … 256, 300, 300 s between starts, also when it answers once in between.
  @Test func theWaitDoublesUpToItsBound() throws {
    let fake = try FakeLibrary("nvml")
    var bench = SensorBench(NVIDIASensor.self, library: fake.path)
    for wait in [Int64(1), 2, 4, 8, 16, 32, 64, 128, 256, 300, 300] {
      try fake.become("normal")
      #expect(bench.sample(after: 0) == nil)
      try fake.become("crash")
      #expect(bench.sample(after: 0) != nil)
      try fake.become("normal")
      #expect(bench.sample(after: wait - 1) != nil)
      #expect(bench.sample(after: 1) == nil, "after \(wait) s")
    }
    #expect(bench.hosts.failuresInRow("nvidia") == 11)
    // Well for as long as the longest wait: it begins anew.
    #expect(bench.sample(after: 300) == nil)
    #expect(bench.hosts.failuresInRow("nvidia") == 0)
  }

  @Test func oneLibraryDoesNotTakeTheOtherAlong() throws {
    let nvml = try FakeLibrary("nvml")
    let hailo = try FakeLibrary("hailort")
    var gpu = SensorBench(NVIDIASensor.self, library: nvml.path)
    var accelerator = SensorBench(HailoSensor.self, library: hailo.path)
    #expect(gpu.sample() == nil)
    #expect(accelerator.sample() == nil)
    let before = Processes.hosts(of: hailo.path)
    #expect(before.count == 1)
    try nvml.become("crash")
    #expect(gpu.sample() != nil)
    #expect(accelerator.sample() == nil)
    #expect(Processes.hosts(of: hailo.path) == before)
  }

  @Test func theProcessEndsWithTheSensor() throws {
    let fake = try FakeLibrary("nvml")
    var bench = SensorBench(NVIDIASensor.self, library: fake.path)
    #expect(bench.sample() == nil)
    #expect(Processes.hosts(of: fake.path).count == 1)
    bench.end()
    #expect(Processes.hosts(of: fake.path).isEmpty)
  }

  @Test func itHoldsOnlyWhatItNeeds() throws {
    let fake = try FakeLibrary("nvml")
    var bench = SensorBench(NVIDIASensor.self, library: fake.path)
    #expect(bench.sample() == nil)
    let pid = try #require(Processes.hosts(of: fake.path).first)
    let descriptors = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd")
    #expect(Set(descriptors) == ["0", "1", "2"])
    for output in ["1", "2"] {
      #expect(try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/fd/\(output)") == "/dev/null")
    }
    let environment = String(decoding: FileManager.default.contents(atPath: "/proc/\(pid)/environ") ?? Data(), as: UTF8.self)
    #expect(!environment.contains("PATH=/") || environment.hasPrefix("HAILORT_LOGGER_PATH=NONE\0LD_LIBRARY_PATH="))
    let limits = String(decoding: FileManager.default.contents(atPath: "/proc/\(pid)/limits") ?? Data(), as: UTF8.self)
    let core = limits.split(separator: "\n").first { $0.hasPrefix("Max core file size") }
    #expect(core?.split(separator: " ").dropFirst(4).prefix(2) == ["0", "0"])
    #expect(getpgid(pid) == pid)
    #expect(getpriority(__priority_which_t(PRIO_PROCESS.rawValue), id_t(pid)) >= 10)
  }

  /// Without a device nothing is started, whatever the machine that runs this has.
  @Test(arguments: ["nvidia", "hailo"]) func absenceCostsNoProcess(kind: String) throws {
    let type = try #require(SensorCatalogue.type(named: kind))
    let root = FileManager.default.temporaryDirectory.appendingPathComponent("godwit-empty-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: root) }
    var readings = Readings()
    let context = SensorContext(host: Host(root: root.path))
    #expect(throws: SensorError.self) {
      _ = try type.init(context: context, settings: Settings(type.kind.settings), readings: &readings)
    }
  }

  @Test func aLibraryThatIsNotThereIsAbsentAndNotLookedForSoon() throws {
    var bench = SensorBench(NVIDIASensor.self, library: "/no/such/libnvidia-ml.so.1")
    guard case .absent(let what) = bench.sample() else { throw Unexpected(bench.readings) }
    #expect(what.contains("/no/such/libnvidia-ml.so.1"))
    #expect(Processes.hosts(of: "/no/such/libnvidia-ml.so.1").isEmpty)
    #expect(bench.sample(after: 60) == .absent(what))
  }
}
