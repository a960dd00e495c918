import Foundation
import Glibc
import Platform
import Telemetry
import Testing

@testable import Sensors

/// What a case folder cannot show of GPUs and accelerators: cards that are pulled out, and drivers that refuse.
@Suite struct GPUTests {
  typealias Tree = HotPlugTests.Tree

  private static func v3d(_ tree: Tree, _ card: String, _ device: String) throws {
    try tree.write("sys/devices/platform/\(device)/gpu_stats", "queue\ttimestamp\tjobs\truntime\nbin\t1000\t1\t10\n")
    try tree.write("sys/class/drm/\(card)/dev", "226:0\n")
    let links = [
      ("sys/class/drm/\(card)/device", "../../../devices/platform/\(device)"),
      ("sys/devices/platform/\(device)/driver", "../../../bus/platform/drivers/v3d"),
    ]
    for (path, target) in links {
      try FileManager.default.createSymbolicLink(atPath: tree.root.appendingPathComponent(path).path, withDestinationPath: target)
    }
  }

  private static func gpus(_ readings: Readings) -> Set<String> {
    Set(zip(readings.series, readings.values).filter { !$0.1.isMissing }.compactMap { $0.0.label("gpu") })
  }

  @Test func aCardThatIsPulledOutIsForgottenAndComesBack() throws {
    let tree = Tree()
    try Self.v3d(tree, "card0", "1002000000.v3d")
    try Self.v3d(tree, "card1", "1003000000.v3d")
    var readings = Readings()
    let context = SensorContext(host: Host(root: tree.root.path))
    var sensor = try GPUSensor(context: context, settings: Settings(GPUSensor.kind.settings), readings: &readings)
    func afterALook() throws -> Set<String> {
      for step in 1...HotPlug.samplesBetweenLooks {
        readings.begin(nanoseconds: Int64(step) * 1_000_000_000)
        try sensor.sample(into: &readings)
      }
      return Self.gpus(readings)
    }
    // Two of a kind: the second keeps its address.
    #expect(try afterALook() == ["v3d", "1003000000.v3d"])
    try tree.remove("sys/class/drm/card1")
    try tree.remove("sys/devices/platform/1003000000.v3d")
    #expect(try afterALook() == ["v3d"])
    try Self.v3d(tree, "card2", "1003000000.v3d")
    #expect(try afterALook() == ["v3d", "1003000000.v3d"])
    try tree.remove("sys/class/drm/card0")
    try tree.remove("sys/class/drm/card2")
    #expect(throws: SensorError.absent(DRMCard.directory)) { _ = try afterALook() }
  }

  @Test func ratesGoOnWhenDevicesAreLookedForAnew() throws {
    let tree = Tree()
    try Self.v3d(tree, "card0", "1002000000.v3d")
    var readings = Readings()
    let context = SensorContext(host: Host(root: tree.root.path))
    var sensor = try GPUSensor(context: context, settings: Settings(GPUSensor.kind.settings), readings: &readings)
    let samples = HotPlug.samplesBetweenLooks * HotPlug.looksBetweenRefreshes
    var withUsage = 0
    for step in 1...samples + 5 {
      let text = "queue\ttimestamp\tjobs\truntime\nbin\t\(step * 1000)\t1\t\(step * 500)\n"
      // In place: the sensor keeps the file open.
      let file = try FileHandle(forWritingTo: tree.root.appendingPathComponent("sys/devices/platform/1002000000.v3d/gpu_stats"))
      try file.write(contentsOf: Data(text.utf8))
      try file.close()
      readings.begin(nanoseconds: Int64(step) * 1_000_000_000)
      try sensor.sample(into: &readings)
      let usage = zip(readings.series, readings.values).first { $0.0.metric == GPUMetrics.usage }?.1
      if usage == 50 { withUsage += 1 }
    }
    // All but the first.
    #expect(withUsage == samples + 4)
  }

  @Test func aDriverThatRefusesIsNoProblem() {
    var readings = Readings()
    for code in [EOPNOTSUPP, EINVAL, EPERM, EBUSY, ENODATA, EAGAIN] {
      #expect(DeviceAttributes.note(.io(path: "/sys/x", errno: code), into: &readings) == .nothing)
    }
    #expect(readings.problem == nil)
    for code in [EIO, ETIMEDOUT, EACCES] {
      #expect(DeviceAttributes.note(.io(path: "/sys/x", errno: code), into: &readings) == .failed)
    }
    #expect(DeviceAttributes.note(.absent("/sys/x"), into: &readings) == .vanished)
    #expect(readings.problemCount == 4)
  }

  @Test func aSleepingDeviceIsNotRead() throws {
    let tree = Tree()
    try tree.write("dev/power/control", "auto\n")
    try tree.write("dev/power/runtime_status", "suspended\n")
    try tree.write("dev/power/autosuspend_delay_ms", "5000\n")
    let host = Host(root: tree.root.path)
    var power = RuntimePower(device: "/dev", host: host, letSleep: true)
    #expect(power.state(at: 0) == .asleep)
    try tree.write("dev/power/runtime_status", "suspending\n")
    power = RuntimePower(device: "/dev", host: host, letSleep: true)
    #expect(power.state(at: 0) == .asleep)
    try tree.write("dev/power/runtime_status", "active\n")
    power = RuntimePower(device: "/dev", host: host, letSleep: true)
    #expect(power.state(at: 0) == .awake)
    power.rest(from: 1_000_000_000)
    // Twice the delay.
    #expect(power.state(at: 10_999_999_999) == .resting)
    #expect(power.state(at: 11_000_000_000) == .awake)
    // Unreadable, or not managed at all: read as ever.
    try tree.remove("dev/power/runtime_status")
    power = RuntimePower(device: "/dev", host: host, letSleep: true)
    #expect(power.state(at: 0) == .awake)
  }

  @Test(
    arguments: [
      ("drm-driver:\tamdgpu\ndrm-memory-vram:\t5 KiB\ndrm-resident-vram:\t4 KiB\ndrm-resident-gtt:\t1 MiB\n", 4096, 1 << 20),
      ("drm-driver: amdgpu\ndrm-memory-vram: 5 KiB\ndrm-memory-gtt: 512\n", 5120, 512),
      ("drm-driver:\ti915\ndrm-resident-local0:\t2 MiB\ndrm-total-local0:\t8 MiB\ndrm-shared-local0:\t1 MiB\n", 2 << 20, nil),
    ] as [(String, UInt64?, UInt64?)])
  func memoryIsCountedOnce(text: String, own: UInt64?, shared: UInt64?) throws {
    let client = try #require(ByteScanner.scan(text) { DRMClient(&$0) })
    #expect(client.memory.own == own && client.memory.shared == shared)
  }
}
