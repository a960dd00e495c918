import Foundation
import Testing

/// The real command line against the running agent, against the file of a dead one, and without either.
@Suite struct CommandLineTests {
  @Test func statusTellsWhoAnswers() throws {
    let device = try Device()
    try device.start(.init(sensors: ["cpu:", "memory:"]))
    let live = try device.eventuallyStatus("stored") { $0.buffer.ticks > 3 }
    #expect(live.version == 1)
    #expect(live.node == "edge")
    #expect(live.m["memory.total_bytes"] ?? 0 > 0)
    #expect(live.sensors.map(\.name) == ["cpu", "memory"])
    let text = try device.godwit("status", "--profile", device.profilePath)
    #expect(text.end == .exited(0))
    #expect(text.output.hasPrefix("edge · the running agent · "))
    #expect(!text.output.contains("\u{1B}"), "no colours in a file")

    device.agent.kill()
    let dead = try #require(try device.status())
    #expect(dead.source == "buffer" && dead.node == "edge")
    #expect(dead.buffer.state == "read-only" && dead.buffer.ticks >= live.buffer.ticks)
    #expect(dead.m["memory.total_bytes"] == live.m["memory.total_bytes"])
    let card = try device.godwit("status", "--buffer", device.bufferPath)
    #expect(card.end == .exited(0))
    #expect(card.output.contains("the buffer file, not the agent"))
    let viaProfile = try device.godwit("status", "--profile", device.profilePath)
    #expect(viaProfile.output.contains("no agent answers: nobody listens at its socket"))
    let neither = try device.godwit("status", "--socket", device.socketPath)
    #expect(neither.end == .exited(1))
    #expect(neither.errors.contains(device.socketPath))
  }

  @Test func exportAndHistoryReadWhatTheAgentStored() throws {
    let device = try Device()
    try device.start(.init(commit: "200ms", sensors: ["cpu: {per_core: off}", "memory:", "self:"]))
    try device.takeTicks(20)
    // Beside the running agent.
    try #expect(device.export().count > 10)
    let beside = try device.godwit("history", "memory.used_bytes", "--since", "1m", "--profile", device.profilePath)
    #expect(beside.end == .exited(0) && beside.output.contains("memory.used_bytes"))
    #expect(device.agent.terminate(within: 20) == .exited(0))

    let ticks = try device.export()
    #expect(ticks.map(\.seq) == Array(1...UInt64(max(ticks.count, 1))))
    try #expect(device.status()?.buffer.ticks == UInt64(ticks.count))
    #expect(ticks.allSatisfy { ["synced", "unsynced"].contains($0.q) && $0.t.hasSuffix("Z") && !$0.boot.isEmpty })
    try checkCSV(device, ticks)
    let old = try device.godwit("history", "memory.nothing", "--buffer", device.bufferPath)
    #expect(old.end == .exited(1) && old.errors.contains("memory.used_bytes"))
    let since = try device.godwit("export", "--buffer", device.bufferPath, "--since", "500ms")
    #expect((3...8).contains(since.output.split(separator: "\n").count), "5 to 6 ticks: \(since.output.count)")
  }

  /// The same ticks and values as JSON lines, in a file.
  private func checkCSV(_ device: Device, _ ticks: [WireTick]) throws {
    let path = device.folder.path(of: "ticks.csv")
    let answer = try device.godwit("export", "--buffer", device.bufferPath, "-o", path)
    #expect(answer.end == .exited(0) && answer.output.isEmpty)
    let rows = device.folder.read("ticks.csv").replacingOccurrences(of: "\r", with: "").split(separator: "\n")
      .map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }
    let head = try #require(rows.first)
    #expect(Array(head.prefix(4)) == ["t", "boot", "seq", "q"])
    #expect(rows.count == ticks.count + 1)
    let column = try #require(head.firstIndex(of: "memory.used_bytes"))
    for (row, tick) in zip(rows.dropFirst(), ticks) {
      #expect(row[2] == String(tick.seq) && row[0] == tick.t)
      #expect(Double(row[column]) == tick.m["memory.used_bytes"])
    }
  }

  @Test func sensorsSampleAndCheckNeedNoAgent() throws {
    let device = try Device()
    let list = try device.godwit("sensors")
    #expect(list.end == .exited(0))
    for kind in ["cpu", "memory", "pressure", "thermal", "hwmon", "disk", "network", "system", "self"] {
      #expect(list.output.contains("\n\(kind) ") || list.output.hasPrefix("\(kind) "), "\(kind)")
      let one = try device.godwit("sensors", kind)
      #expect(one.end == .exited(0) && one.output.contains("Metrics"))
    }
    let fixture = ((#filePath as NSString).deletingLastPathComponent as NSString).deletingLastPathComponent + "/Fixtures/pi5"
    let sample = try device.godwit("sample", "--root", fixture, "--json", "--interval", "100ms")
    #expect(sample.end == .exited(0), "\(sample.errors)")
    let values = try JSONDecoder().decode(Sample.self, from: Data(sample.output.utf8)).m
    // MemTotal of the tree, kB.
    let memory = try String(contentsOfFile: fixture + "/proc/meminfo", encoding: .utf8)
    let total = memory.split(separator: "\n").first { $0.hasPrefix("MemTotal:") }?.split(separator: " ").dropFirst().first
    #expect(values["memory.total_bytes"] == total.flatMap { Double($0) }.map { $0 * 1024 })

    let detected = try device.godwit("detect")
    #expect(detected.end == .exited(0))
    let file = try device.folder.write("detected.yaml", detected.output)
    let good = try device.godwit("check", file)
    #expect(good.end == .exited(0), "\(good.errors)")
    let bad = try device.godwit("check", try device.folder.write("bad.yaml", "tik: 1s\n"))
    #expect(bad.end == .exited(1))
    #expect(bad.errors.contains("bad.yaml:1:1: error: ") && bad.errors.contains("did you mean 'tick'"))
  }

  @Test(arguments: [
    ["check", "/none.yaml"], ["sensors", "flux"], ["history"], ["export", "--format", "xml"], ["export", "--since", "soon"],
    ["status", "--colour"], ["fly"], ["sample", "--interval", "1ms"], ["sample", "--root", "/none"],
    ["status", "--profile", "/none.yaml"],
  ])
  func unusableArgumentsExit2(_ arguments: [String]) throws {
    let folder = try TemporaryFolder()
    let answer = try ChildProcess.run(AgentProcess.program("godwit"), arguments, in: folder)
    #expect(answer.end == .exited(2), "\(answer)")
    #expect(!answer.errors.isEmpty && answer.output.isEmpty)
  }

  /// An answer that did not reach its file is told, whatever command gave it.
  @Test(arguments: [
    ["sensors"], ["sensors", "--json"], ["detect"], ["detect", "--json"], ["sample", "--sensor", "cpu", "--json"],
  ])
  func aFullDiskIsTold(_ arguments: [String]) throws {
    let folder = try TemporaryFolder()
    let answer = try ChildProcess.run(
      "sh", ["-c", "exec \"$@\" > /dev/full", "sh", AgentProcess.program("godwit")] + arguments, in: folder)
    #expect(answer.end == .exited(1) && answer.errors.hasPrefix("godwit: cannot write standard output: "), "\(answer)")
  }

  @Test func whoMayNotAskReadsTheFileOrIsToldWhy() throws {
    let device = try Device()
    guard let launcher = try Nobody.launcher(in: device.folder) else { return }
    try FileManager.default.copyItem(atPath: AgentProcess.program("godwit"), toPath: device.folder.path(of: "godwit"))
    let nobody = launcher.dropLast() + [device.folder.path(of: "godwit"), "status", "--profile", device.profilePath]
    try device.start(.init())
    try device.eventuallyStatus("stored") { $0.buffer.ticks > 0 }
    // Not the socket, but the file.
    chmod(device.data, 0o755)
    for suffix in ["", "-wal", "-shm"] { chmod(device.bufferPath + suffix, 0o644) }
    let file = try ChildProcess.run(nobody[0], Array(nobody.dropFirst()), in: device.folder)
    #expect(file.end == .exited(0), "\(file.errors)")
    #expect(file.output.contains("permission denied: only root and the group godwit may ask it"))
    // Neither.
    chmod(device.data, 0o700)
    let neither = try ChildProcess.run(nobody[0], Array(nobody.dropFirst()), in: device.folder)
    #expect(neither.end == .exited(1))
    #expect(neither.errors.contains("permission denied"), "\(neither.errors)")
  }

  @Test func runBecomesTheAgent() throws {
    let device = try Device(launcher: [AgentProcess.program("godwit"), "run"])
    try device.start(.init())
    try device.takeTicks(3)
    #expect(device.agent.terminate(within: 20) == .exited(0))
    try #expect(device.export().count >= 3)
  }
}
