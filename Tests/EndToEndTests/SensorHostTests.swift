import Foundation
import Testing

/// Device libraries that hang and crash, under the real agent: only their own values suffer.
@Suite struct SensorHostTests {
  /// The agent with both libraries, and what they are told to do.
  private final class Bench {
    let device: Device
    private let folder: String

    init() throws {
      device = try Device()
      folder = device.folder.path
      for (library, kind) in [("nvml", "nvidia"), ("hailort", "hailo")] {
        try become("normal", kind)
        let built = try ChildProcess.run(
          "cc",
          [
            "-shared", "-fPIC", "-DSTATE=\"\(folder)/\(kind).state\"", "-o", path(kind),
            Self.sources.appendingPathComponent("\(library).c").path,
          ], in: device.folder)
        try #require(built.end == .exited(0), "\(built.errors)")
      }
      let sensors = ["nvidia", "hailo"].map { "\($0): {every: 200ms, answer_within: 2s, library: \(path($0))}" }
      try device.start(.init(sensors: ["cpu: {per_core: off}"] + sensors))
    }

    func path(_ kind: String) -> String { "\(folder)/lib\(kind).so" }

    func become(_ state: String, _ kind: String) throws {
      try state.write(toFile: "\(folder)/\(kind).state", atomically: true, encoding: .utf8)
    }

    /// The processes that call the library, zombies left out.
    func hosts(_ kind: String) -> [Int32] {
      let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
      return entries.compactMap { Int32($0) }.filter { pid in
        let arguments = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") ?? Data()
        let words = String(decoding: arguments, as: UTF8.self).split(separator: "\0")
        return words.contains("sensor-host") && words.contains { $0 == path(kind) }
      }
    }

    private static let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Support/FakeLibraries")
  }

  private static let gpu = #"gpu.usage_percent{gpu="0000:01:00.0"}"#
  private static let accelerator = #"accelerator.power_watts{device="0000:01:00.0"}"#

  private static func state(_ kind: String, _ status: Status) -> String {
    status.sensors.first { $0.name == kind }?.state ?? "none"
  }

  @Test(arguments: ["crash", "hang"]) func onlyItsOwnValuesSuffer(how: String) throws {
    let bench = try Bench()
    let device = bench.device
    try device.eventuallyStatus("both libraries answer") { $0.m[Self.gpu] == 37 && $0.m[Self.accelerator] == 2.75 }
    let other = bench.hosts("hailo")
    #expect(other.count == 1)
    let agent = device.agent.pid

    try bench.become(how, "nvidia")
    let broken = try device.eventuallyStatus("the sensor fails") { Self.state("nvidia", $0) == "failed" }
    #expect(Self.state("hailo", broken) == "ok")
    #expect(Self.state("cpu", broken) == "ok")
    let later = try device.takeTicks(20)
    #expect(later.m[Self.accelerator] == 2.75)
    #expect(later.m[Self.gpu] == nil)
    #expect(bench.hosts("hailo") == other)
    #expect(device.agent.isRunning && device.agent.pid == agent)

    try bench.become("normal", "nvidia")
    try device.eventuallyStatus("its values return", timeout: 60) { $0.m[Self.gpu] == 37 && Self.state("nvidia", $0) == "ok" }
    #expect(device.agent.terminate(within: 30) == .exited(0))
    eventually("no host is left") { bench.hosts("nvidia").isEmpty && bench.hosts("hailo").isEmpty }
  }

  /// Killed, the agent cannot end anything any more.
  @Test(arguments: ["normal", "hang"]) func theDeathOfTheAgentLeavesNoHost(state: String) throws {
    let bench = try Bench()
    try bench.device.eventuallyStatus("the library answers") { $0.m[Self.gpu] == 37 }
    try bench.become(state, "nvidia")
    try bench.device.takeTicks(3)
    bench.device.agent.kill()
    eventually("no host is left") { bench.hosts("nvidia").isEmpty && bench.hosts("hailo").isEmpty }
  }
}
