import CFaultVFS
import Foundation
import Randomness
import Testing

@testable import Buffer
@testable import Telemetry

/// What power cuts and failing devices do to a buffer. One at a time: the VFS under them watches one database.
@Suite(.serialized) struct StorageFaultTests {
  /// Power cuts that are tried; `GODWIT_CRASH_POINTS=10000` tries so many.
  static let points = ProcessInfo.processInfo.environment["GODWIT_CRASH_POINTS"].flatMap { Int($0) } ?? 400
  /// The first seed; `GODWIT_CRASH_SEED` replays one that failed.
  static let firstSeed = ProcessInfo.processInfo.environment["GODWIT_CRASH_SEED"].flatMap { UInt64($0) } ?? 1
  private static let pointsPerWorkload = 200

  @Test func whatWasAcknowledgedSurvivesAPowerCutAnywhere() throws {
    var tally = (run: 0, lost: 0, unreadable: 0)
    var seed = Self.firstSeed
    while tally.run < Self.points {
      let folder = try makeFaultFolder()
      defer { try? FileManager.default.removeItem(atPath: folder) }
      #expect(fault_watch(folder + "/buffer.db") == 0)
      defer { fault_watch(nil) }
      let workload = try Workload(path: folder + "/buffer.db", seed: seed)
      try workload.run(steps: 60)
      for _ in 0..<12 where !workload.hasMerged || !workload.hasEvicted { try workload.run(steps: 10) }
      // Nothing is shown of what did not happen.
      #expect(workload.hasEvicted, "seed \(seed) evicts nothing")
      #expect(try workload.writer.database.integer("SELECT count(*) FROM minute") ?? 0 > 0, "seed \(seed) seals nothing")
      #expect(workload.hasMerged, "seed \(seed) merges nothing")
      var random = SplitMix64(seed: seed &+ 1_000_000)
      let calls = Workload.calls
      let count = min(Self.pointsPerWorkload, Self.points - tally.run)
      let points = (0..<count).map { _ in Int(random.next() % UInt64(calls + 1)) }.sorted()
      for (index, point) in points.enumerated() {
        let target = folder + "/cut.db"
        #expect(fault_build(point, random.next(), target) == 0)
        let verdict = PowerCut(workload, point: point, path: target).examine(goOn: index % 4 == 0)
        tally.run += 1
        tally.lost += verdict.lost
        tally.unreadable += verdict.unreadable ? 1 : 0
        if let trouble = verdict.trouble { Issue.record("seed \(seed), point \(point) of \(calls): \(trouble)") }
        for suffix in ["", "-wal", "-shm", "-journal"] { unlink(target + suffix) }
      }
      seed += 1
    }
    print(
      "power cuts: \(tally.run) points, seeds \(Self.firstSeed)..<\(seed), \(tally.lost) lost, \(tally.unreadable) unreadable")
  }
}

/// The files that a power cut left, held against what was acknowledged before it.
struct PowerCut {
  struct Verdict {
    var lost = 0
    var unreadable = false
    var trouble: String?
  }

  private let workload: Workload
  private let point: Int
  private let path: String

  init(_ workload: Workload, point: Int, path: String) {
    (self.workload, self.point, self.path) = (workload, point, path)
  }

  func examine(goOn: Bool) -> Verdict {
    var verdict = Verdict()
    do {
      let reader = try? BufferReader(path: path)
      let before = try reader.map { try found($0) }
      let writer = try BufferWriter(path: path, node: "edge-01", policy: workload.policy)
      let after = try found(BufferReader(path: path))
      // A file that no table was made in yet is none for a reader.
      if let before, before.ticks != after.ticks { verdict.trouble = "reader and writer differ" }
      check(after, writer.opening, &verdict)
      if goOn { try self.goOn(writer, after, &verdict) }
    } catch {
      verdict.unreadable = true
      verdict.trouble = "\(error)"
    }
    return verdict
  }

  private func found(_ reader: BufferReader) throws -> (ticks: [Workload.Tick], events: [UInt64], damaged: Int) {
    var ticks: [Workload.Tick] = []
    let damage = try reader.ticks(0...(.max)) { tick in
      var values = tick.values
      while values.count < Workload.seriesCount { values.append(.missing) }
      ticks.append(
        Workload.Tick(
          sequence: tick.sequence, epoch: tick.epoch.id, milliseconds: tick.milliseconds, wallMilliseconds: tick.wallMilliseconds,
          bits: values.map(\.bitPattern)))
      return true
    }
    return (ticks, try reader.events(after: 0, limit: 10_000).map(\.id), damage.ticks + damage.columns)
  }

  private func check(
    _ found: (ticks: [Workload.Tick], events: [UInt64], damaged: Int), _ opening: BufferWriter.Opening, _ verdict: inout Verdict
  ) {
    var trouble: [String] = []
    if found.damaged > 0 { trouble.append("\(found.damaged) damaged") }
    if zip(found.ticks, found.ticks.dropFirst()).contains(where: { $0.sequence >= $1.sequence }) { trouble.append("disorder") }
    let present = Set(found.ticks.map(\.sequence))
    for tick in found.ticks {
      guard let known = workload.ticks[tick.sequence], known.entry.begun <= point, known.tick == tick else {
        trouble.append("tick \(tick.sequence) was never written so")
        continue
      }
    }
    var unfinished: [Int: Set<Bool>] = [:]
    for (sequence, known) in workload.ticks where known.entry.evicted > point {
      if known.entry.committed <= point, !present.contains(sequence) { verdict.lost += 1 }
      if known.entry.committed > point { unfinished[known.entry.step, default: []].insert(present.contains(sequence)) }
    }
    if verdict.lost > 0 { trouble.append("\(verdict.lost) ticks lost") }
    if unfinished.values.contains(where: { $0.count > 1 }) { trouble.append("half a commit") }
    let events = Set(found.events)
    for (id, entry) in workload.events where entry.committed <= point && !events.contains(id) {
      trouble.append("event \(id) lost")
    }
    for id in found.events where workload.events[id].map({ $0.begun > point }) ?? true { trouble.append("event \(id) invented") }
    let acknowledged = workload.positions.last { $0.committed <= point }?.next ?? 0
    let begun = workload.positions.last { $0.begun <= point }?.next ?? 0
    let next = opening.deliveries["mqtt"]?.next ?? 0
    if next < acknowledged || next > begun { trouble.append("position \(next), acknowledged \(acknowledged)") }
    // Numbers of the first commit are given out before any reservation can be read; nobody was told of them.
    let given = workload.ticks.values.filter { $0.entry.committed <= point }.map(\.tick.sequence).max() ?? 0
    if opening.nextSequence <= given { trouble.append("number \(opening.nextSequence) given out again") }
    let told = workload.ticks.values.filter { $0.entry.begun <= point && $0.entry.step > 0 }.map(\.tick.sequence).max() ?? 0
    if opening.nextSequence <= told { trouble.append("number \(opening.nextSequence) was given out to uncommitted ticks") }
    if !trouble.isEmpty { verdict.trouble = ([verdict.trouble].compactMap { $0 } + trouble.prefix(4)).joined(separator: "; ") }
  }

  /// The agent goes on with what it found.
  private func goOn(
    _ writer: BufferWriter, _ before: (ticks: [Workload.Tick], events: [UInt64], damaged: Int), _ verdict: inout Verdict
  ) throws {
    _ = try writer.seal(atLeast: 1)
    let after = try found(BufferReader(path: path))
    let checked = try BufferReader(path: path).verify()
    if !checked.isGood { verdict.trouble = (verdict.trouble ?? "") + "; \(checked.findings.prefix(2))" }
    if after.ticks != before.ticks { verdict.trouble = (verdict.trouble ?? "") + "; sealing after it changed something" }
    var encoder = TickEncoder()
    encoder.learn(decimals: writer.opening.series.map(\.decimals))
    var transaction = BufferTransaction()
    let next = writer.opening.nextSequence
    if writer.opening.lastEpoch == 0 {
      transaction.epochs = [
        Epoch(id: 1, boot: "z", firstSequence: next, fromMilliseconds: 0, offsetMilliseconds: 0, synced: false)
      ]
    }
    let epoch = max(writer.opening.lastEpoch, 1)
    transaction.ticks = [encoder.encode(sequence: next, epoch: epoch, milliseconds: 1, values: [])]
    try writer.commit(transaction)
    let more = try found(BufferReader(path: path))
    if more.ticks.count != before.ticks.count + 1 || more.ticks.last?.sequence != next {
      verdict.trouble = (verdict.trouble ?? "") + "; a tick committed after it is not there"
    }
  }
}
