import Foundation
import Platform
import Telemetry
import Testing

@testable import Sensors

/// A machine of many processes, scanned again and again.
@Suite struct ProcessTableTests {
  private static let count: Int32 = 400
  private let root = FileManager.default.temporaryDirectory.appendingPathComponent("godwit-\(UUID().uuidString)")

  private func write(_ id: Int32, _ state: String, ticks: Int) throws {
    let folder = root.appendingPathComponent("proc/\(id)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let text = "\(id) (p\(id)) \(state) 1 1 1 0 -1 4194560 0 0 0 0 \(ticks) 0 0 0 20 0 1 0 50 4096 1 0\n"
    try Data(text.utf8).write(to: folder.appendingPathComponent("stat"))
  }

  @Test func amongManyThoseThatSleepTakeTurnsAndNothingOfTheirsIsLost() throws {
    defer { try? FileManager.default.removeItem(at: root) }
    for id in 1...Self.count { try write(id, "S", ticks: 10) }
    let files = ProcessFiles(host: Host(root: root.path))
    var table = ProcessTable(ticksPerSecond: 100)
    var now: Int64 = 0
    func scan() throws {
      now += 10_000_000_000
      try table.scan(files, at: now) { Issue.record("\($0)") }
    }
    try scan()
    table.watch([7])
    for _ in 0..<3 { try scan() }
    for id in 1...Self.count { try write(id, "R", ticks: 50) }
    var used: [Int32: UInt64] = [:]
    var looked: [Int32: Int] = [:]
    for round in 1...4 {
      try scan()
      #expect(table.ids == Array(1...Self.count), "all are seen in each scan")
      for id in 1...Self.count where looked[id] == nil {
        let process = try #require(table.processes[id])
        guard process.stat.ticks == 50 else { continue }
        (looked[id], used[id]) = (round, process.usedTicks)
      }
    }
    #expect(looked[7] == 1 && used[7] == 40, "one of a watched group is looked at in each scan")
    #expect(looked.count == Int(Self.count), "each had its turn")
    for round in 1...4 {
      let share = looked.values.filter { $0 == round }.count
      #expect((99...101).contains(share), "a quarter at a time")
    }
    // Forty ticks within at most four intervals since the last look, the first of them before the ticks were used.
    #expect(used.values.allSatisfy { (10...40).contains($0) })

    // What works is looked at each time.
    for id in 1...Self.count { try write(id, "R", ticks: 60) }
    try scan()
    #expect(table.processes.values.allSatisfy { $0.usedTicks == 10 })
    // One that ended is gone at once, asleep or not.
    for id in 1...Self.count { try write(id, "S", ticks: 60) }
    for _ in 0..<3 { try scan() }
    try FileManager.default.removeItem(at: root.appendingPathComponent("proc/200"))
    try scan()
    #expect(table.processes[200] == nil && table.ids.count == Int(Self.count) - 1)
  }
}
