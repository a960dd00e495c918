import Foundation
import Testing

/// A buffer with undelivered ticks that cannot be opened when the agent starts, and appears later: the card that is mounted late, the
/// file system that came up read-only after a power cut. Nothing of the earlier run is lost, nor of this one.
@Suite struct LateBufferTests {
  /// An offline run that leaves ticks that nobody got.
  private func runOffline(_ device: Device, _ broker: Broker, killed: Bool) throws -> [WireTick] {
    broker.stop()
    try device.start(.init(commit: "200ms", broker: broker.url))
    try device.takeTicks(15)
    if killed { device.agent.kill() } else { #expect(device.agent.terminate(within: 20) == .exited(0)) }
    try broker.start()
    return try device.export()
  }

  private func expectAll(_ device: Device, _ subscriber: Subscriber, _ earlier: [WireTick]) throws {
    try device.eventuallyStatus("it resumes", timeout: 60) { $0.buffer.state == "ok" && $0.buffer.problem == nil }
    try device.takeTicks(10)
    #expect(device.agent.terminate(within: 20) == .exited(0))
    let all = try device.export()
    #expect(all.prefix(earlier.count).map(\.seq) == earlier.map(\.seq))
    #expect(all.prefix(earlier.count).map(\.m) == earlier.map(\.m))
    #expect(Set(all.map(\.id)).count == all.count && all.count > earlier.count + 10)
    try device.agent.start()
    var missing: [UInt64] = []
    try eventually("everything stored arrives", timeout: 30, every: 0.2) {
      let received = Set(try subscriber.messages.flatMap(WireTick.ticks).map(\.id))
      missing = all.filter { !received.contains($0.id) }.map(\.seq)
      return missing.isEmpty
    }
    #expect(missing.isEmpty, "\(missing.count) of \(all.count) missing: \(missing.prefix(20)); \(earlier.count) earlier")
    let stored = Dictionary(all.map { ($0.id, $0.m) }) { first, _ in first }
    let other = try subscriber.messages.flatMap(WireTick.ticks).filter { stored[$0.id] != nil && stored[$0.id] != $0.m }
    #expect(other.isEmpty, "published with other values than stored: \(other.prefix(10).map(\.seq))")
  }

  @Test func aDirectoryThatAppearsLate() throws {
    let broker = try Broker()
    let device = try Device()
    let earlier = try runOffline(device, broker, killed: false)
    let subscriber = try Subscriber(["godwit/v1/edge/#"], to: broker)
    try FileManager.default.moveItem(atPath: device.data, toPath: device.data + ".away")
    try device.agent.start()
    try device.eventuallyStatus("memory only") { $0.buffer.state == "memory-only" && $0.buffer.problem != nil }
    try eventually("live ticks") { try subscriber.messages.flatMap(WireTick.ticks).count > 5 }
    try FileManager.default.moveItem(atPath: device.data + ".away", toPath: device.data)
    try expectAll(device, subscriber, earlier)
  }

  @Test(.enabled(if: SmallDisk.isPermitted, "mounting a tmpfs needs root"))
  func aDiskThatIsReadOnlyAfterAPowerCut() throws {
    let disk = try SmallDisk(bytes: 8 << 20)
    let broker = try Broker()
    let device = try Device(data: disk.folder.path)
    let earlier = try runOffline(device, broker, killed: true)
    let subscriber = try Subscriber(["godwit/v1/edge/#"], to: broker)
    try disk.remount("ro")
    try device.agent.start()
    try device.eventuallyStatus("memory only") { $0.buffer.state == "memory-only" && $0.buffer.problem != nil }
    try eventually("live ticks") { try subscriber.messages.flatMap(WireTick.ticks).count > 5 }
    try disk.remount("rw")
    try expectAll(device, subscriber, earlier)
  }
}
