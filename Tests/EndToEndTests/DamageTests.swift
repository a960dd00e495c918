import CSQLite
import Foundation
import Randomness
import Testing

/// Buffers that are damaged, or are no buffers at all, at the start.
@Suite struct DamageTests {
  /// A run that leaves a buffer of some hundred KiB, and the numbers in it.
  private func run(_ device: Device, ticks: UInt64) throws -> [UInt64] {
    try device.start(.init(commit: "200ms", sensors: ["cpu:", "memory:", "network:", "pressure:", "self:"]))
    try device.takeTicks(ticks)
    #expect(device.agent.terminate(within: 20) == .exited(0))
    return try device.export().map(\.seq)
  }

  private func bytes(_ path: String) -> Data { FileManager.default.contents(atPath: path) ?? Data() }

  private func setAside(_ device: Device) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: device.data).filter { $0.contains(".damaged-") }
  }

  /// The next run makes a fresh buffer, whose numbers lie above all that were given out.
  private func expectFreshBuffer(_ device: Device, after earlier: [UInt64]) throws {
    try device.agent.start()
    let status = try device.eventuallyStatus("stored") { $0.buffer.state == "ok" && $0.buffer.ticks > 3 }
    #expect(status.buffer.problem == nil)
    #expect(device.log.contains("the buffer was damaged and set aside as"))
    try #expect(setAside(device).isEmpty == false)
    #expect(device.agent.terminate(within: 20) == .exited(0))
    let fresh = try device.export().map(\.seq)
    let first = try #require(fresh.first)
    #expect(first > earlier.last ?? 0)
    #expect(fresh == Array(first..<(first + UInt64(fresh.count))))
    #expect(first < 1 << 53, "receivers' numbers are exact")
  }

  @Test func aBufferCutShortIsSetAside() throws {
    let broker = try Broker()
    let subscriber = try Subscriber(["godwit/v1/edge/events"], to: broker)
    let device = try Device()
    let numbers = try run(device, ticks: 20)
    #expect(truncate(device.bufferPath, 6_000) == 0)
    try device.folder.write("profile.yaml", device.profile(.init(commit: "200ms", broker: broker.url)))
    try expectFreshBuffer(device, after: numbers)
    try eventually("the event") {
      try WireEvent.events(subscriber.messages).contains { $0.kind == "buffer" && $0.message.contains("set aside") }
    }
  }

  @Test func aBufferWithAWipedHeadIsSetAside() throws {
    let device = try Device()
    let numbers = try run(device, ticks: 20)
    var content = bytes(device.bufferPath)
    #expect(content.count > 8_192)
    content.replaceSubrange(0..<4_096, with: Data(count: 4_096))
    try content.write(to: URL(fileURLWithPath: device.bufferPath))
    try expectFreshBuffer(device, after: numbers)
  }

  /// 64 KiB of noise in the middle: noticed at the start or when the page is met; sampling goes on and no number comes twice.
  @Test(arguments: [1, 2, 3]) func noiseInTheMiddleStopsNothing(_ seed: UInt64) throws {
    let broker = try Broker()
    let subscriber = try Subscriber(["godwit/v1/edge/#"], to: broker)
    let device = try Device()
    let numbers = try run(device, ticks: 40)
    var content = bytes(device.bufferPath)
    var random = SplitMix64(seed: seed)
    let length = min(65_536, content.count / 2)
    let start = Int(random.next() % UInt64(content.count - length))
    for index in start..<(start + length) { content[index] = UInt8(truncatingIfNeeded: random.next()) }
    try content.write(to: URL(fileURLWithPath: device.bufferPath))
    print("damage: seed \(seed), \(length) bytes at \(start) of \(content.count)")
    try device.folder.write("profile.yaml", device.profile(.init(commit: "200ms", broker: broker.url)))
    try device.agent.start()
    let status = try device.takeTicks(20)
    #expect(status.tick.seq > numbers.last ?? 0)
    try device.eventuallyStatus("stored again") { $0.buffer.state == "ok" && $0.buffer.problem == nil }
    try eventually("live ticks") {
      try subscriber.messages.filter { $0.topic.hasSuffix("/metrics") }.flatMap(WireTick.ticks).count > 10
    }
    let live = try subscriber.messages.filter { $0.topic.hasSuffix("/metrics") }.flatMap(WireTick.ticks).map(\.seq)
    #expect(live.allSatisfy { $0 > numbers.last ?? 0 })
    #expect(device.agent.terminate(within: 20) == .exited(0))
  }

  @Test(arguments: [false, true]) func aForeignFileIsRefusedAndNotTouched(_ isDatabase: Bool) throws {
    let broker = try Broker()
    let subscriber = try Subscriber(["godwit/v1/edge/#"], to: broker)
    let device = try Device()
    _ = try run(device, ticks: 5)
    var content = Data("This is no database, but somebody's notes.\n".utf8)
    if isDatabase {
      try makeForeignDatabase(device.folder.path(of: "other.db"))
      content = bytes(device.folder.path(of: "other.db"))
    }
    try content.write(to: URL(fileURLWithPath: device.bufferPath))
    try device.folder.write("profile.yaml", device.profile(.init(commit: "200ms", broker: broker.url)))
    try device.agent.start()
    let status = try device.eventuallyStatus("memory only") { $0.buffer.state == "memory-only" && $0.buffer.problem != nil }
    #expect(status.buffer.problem?.contains(device.bufferPath) == true)
    eventually("live ticks") { subscriber.messages.count { $0.topic.hasSuffix("/metrics") } > 5 }
    let export = try device.godwit("export", "--buffer", device.bufferPath)
    #expect(export.end == .exited(1))
    #expect(!export.errors.isEmpty)
    #expect(device.agent.terminate(within: 20) == .exited(0))
    #expect(bytes(device.bufferPath) == content)
    try #expect(setAside(device).isEmpty)
  }

  /// A good database of another program.
  private func makeForeignDatabase(_ path: String) throws {
    var handle: OpaquePointer?
    defer { sqlite3_close(handle) }
    let made = sqlite3_open(path, &handle)
    let filled = sqlite3_exec(handle, "CREATE TABLE note(text); INSERT INTO note VALUES('somebody''s')", nil, nil, nil)
    guard made == SQLITE_OK, filled == SQLITE_OK else { throw ChildProcess.Failure(description: "no database at \(path)") }
  }
}
