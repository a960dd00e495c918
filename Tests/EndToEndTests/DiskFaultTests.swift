import Foundation
import Testing

/// Disks that fill, refuse or belong to somebody else: sampling and live publishing go on, the state says so, and storage resumes
/// by itself.
@Suite struct DiskFaultTests {
  /// Live ticks come on.
  private func expectLive(_ subscriber: Subscriber, sourceLocation: SourceLocation = #_sourceLocation) {
    let before = subscriber.messages.count { $0.topic.hasSuffix("/metrics") }
    eventually("live ticks go on", sourceLocation: sourceLocation) {
      subscriber.messages.count { $0.topic.hasSuffix("/metrics") } >= before + 5
    }
  }

  private func expectEvent(_ subscriber: Subscriber, _ words: String, sourceLocation: SourceLocation = #_sourceLocation) {
    eventually("an event: \(words)", sourceLocation: sourceLocation) {
      (try? WireEvent.events(subscriber.messages).contains { $0.kind == "buffer" && $0.message.contains(words) }) ?? false
    }
  }

  @Test(.enabled(if: SmallDisk.isPermitted, "mounting a tmpfs needs root"))
  func aDiskThatFillsCostsNothingAndStorageResumes() throws {
    let disk = try SmallDisk(bytes: 4 << 20)
    let broker = try Broker()
    let subscriber = try Subscriber(["godwit/v1/edge/#"], to: broker)
    let device = try Device(data: disk.folder.path)
    try device.start(.init(commit: "200ms", broker: broker.url))
    try device.eventuallyStatus("stored") { $0.buffer.state == "ok" && $0.buffer.ticks > 0 }
    try disk.fill()
    let full = try device.eventuallyStatus("memory only") { $0.buffer.state == "memory-only" }
    #expect(full.buffer.problem?.contains("full") == true, "\(full.buffer.problem ?? "no reason")")
    expectEvent(subscriber, "ticks are kept in memory")
    expectLive(subscriber)
    let later = try device.takeTicks(15)
    #expect(later.buffer.uncommitted >= 15)
    disk.empty()
    try device.eventuallyStatus("it resumes", timeout: 60) { $0.buffer.state == "ok" && $0.buffer.problem == nil }
    expectEvent(subscriber, "the disk takes ticks again")
    #expect(device.agent.terminate(within: 20) == .exited(0))
    let all = try device.export().map(\.seq)
    #expect(all.count > 15)
    #expect(all == Array(1...UInt64(max(all.count, 1))), "nothing was lost")
    // Said once, however often the disk refused.
    #expect(device.log.components(separatedBy: "ticks are kept in memory").count == 2)
  }

  @Test(.enabled(if: SmallDisk.isPermitted, "mounting a tmpfs needs root"))
  func aDiskThatIsFullAtTheStartIsTakenWhenItHasRoom() throws {
    let disk = try SmallDisk(bytes: 2 << 20)
    try disk.fill()
    let broker = try Broker()
    let subscriber = try Subscriber(["godwit/v1/edge/#"], to: broker)
    let device = try Device(data: disk.folder.path)
    try device.start(.init(commit: "200ms", broker: broker.url))
    try device.eventuallyStatus("memory only") { $0.buffer.state == "memory-only" && $0.buffer.problem != nil }
    expectLive(subscriber)
    disk.empty()
    try device.eventuallyStatus("it resumes", timeout: 60) { $0.buffer.state == "ok" && $0.buffer.ticks > 0 }
    #expect(device.agent.terminate(within: 20) == .exited(0))
    try checkAllStored(device, subscriber, from: 0)
  }

  @Test(.enabled(if: SmallDisk.isPermitted, "mounting a tmpfs needs root"))
  func aReadOnlyDiskIsTakenWhenItCanBeWritten() throws {
    let disk = try SmallDisk(bytes: 4 << 20)
    let broker = try Broker()
    let subscriber = try Subscriber(["godwit/v1/edge/#"], to: broker)
    let device = try Device(data: disk.folder.path)
    try device.start(.init(commit: "200ms", broker: broker.url))
    try device.takeTicks(5)
    #expect(device.agent.terminate(within: 20) == .exited(0))
    let before = try device.export().map(\.seq)
    try disk.remount("ro")
    // The command line reads it there.
    try #expect(device.export().map(\.seq) == before)
    try #expect(device.status()?.source == "buffer")
    try device.agent.start()
    let status = try device.eventuallyStatus("memory only") { $0.buffer.state == "memory-only" && $0.buffer.problem != nil }
    #expect(status.buffer.problem?.isEmpty == false)
    expectEvent(subscriber, "ticks are kept in memory")
    expectLive(subscriber)
    try disk.remount("rw")
    try device.eventuallyStatus("it resumes", timeout: 60) { $0.buffer.state == "ok" && $0.buffer.ticks > UInt64(before.count) }
    expectEvent(subscriber, "the disk takes ticks again")
    #expect(device.agent.terminate(within: 20) == .exited(0))
    try checkAllStored(device, subscriber, from: before.count)
  }

  /// Every tick that was published is stored, the later ones without a hole between them.
  private func checkAllStored(_ device: Device, _ subscriber: Subscriber, from earlier: Int) throws {
    let all = try device.export()
    let late = all.dropFirst(earlier).map(\.seq)
    let first = try #require(late.first)
    #expect(late == Array(first..<(first + UInt64(late.count))))
    let sent = try Set(subscriber.messages.flatMap(WireTick.ticks).map(\.seq))
    #expect(sent.subtracting(all.map(\.seq)).isEmpty)
    let stored = Dictionary(all.map { ($0.seq, $0.m) }) { first, _ in first }
    let other = try subscriber.messages.flatMap(WireTick.ticks).filter { stored[$0.seq] != $0.m }.map(\.seq)
    #expect(other.isEmpty, "stored with other values than published: \(other.prefix(10))")
  }

  @Test func aUserWithoutPrivilegesRunsOnItsOwnDirectory() throws {
    let probe = try TemporaryFolder()
    guard let launcher = try Nobody.launcher(in: probe) else { return }
    let device = try Device(launcher: launcher)
    chmod(device.folder.path, 0o755)
    try Nobody.own(device.data)
    try Nobody.own(device.folder.path(of: "run"))
    try device.start(.init(commit: "200ms", sensors: ["cpu:", "memory:", "disk:", "network:", "system: {every: 1s}", "self:"]))
    let status = try device.eventuallyStatus("stored") { $0.buffer.state == "ok" && $0.buffer.ticks > 5 }
    for sensor in status.sensors { #expect(sensor.state != "failed" && sensor.state != "timed out", "\(sensor)") }
    #expect(owner(device.bufferPath) == Nobody.id)
    #expect(device.agent.terminate(within: 20) == .exited(0))
    #expect(!device.log.contains(" error "), "\(device.log)")
  }

  @Test func aDirectoryThatMayNotBeWrittenKeepsTicksInMemory() throws {
    let probe = try TemporaryFolder()
    guard let launcher = try Nobody.launcher(in: probe) else { return }
    let broker = try Broker()
    let subscriber = try Subscriber(["godwit/v1/edge/#"], to: broker)
    let device = try Device(launcher: launcher)
    chmod(device.folder.path, 0o755)
    chmod(device.data, 0o755)
    try Nobody.own(device.folder.path(of: "run"))
    try device.start(.init(commit: "200ms", broker: broker.url))
    let status = try device.eventuallyStatus("memory only") { $0.buffer.state == "memory-only" && $0.buffer.problem != nil }
    #expect(status.buffer.problem?.contains(device.bufferPath) == true)
    expectLive(subscriber)
    try device.takeTicks(10)
    // Somebody puts it right.
    chown(device.data, Nobody.id, Nobody.id)
    try device.eventuallyStatus("it resumes", timeout: 60) { $0.buffer.state == "ok" && $0.buffer.ticks > 0 }
    #expect(device.agent.terminate(within: 20) == .exited(0))
    try checkAllStored(device, subscriber, from: 0)
  }

  private func owner(_ path: String) -> UInt32? {
    var status = stat()
    return stat(path, &status) == 0 ? status.st_uid : nil
  }
}
