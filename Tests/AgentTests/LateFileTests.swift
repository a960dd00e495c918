import Foundation
import Telemetry
import Testing

@testable import Agent
@testable import Buffer

/// A file that comes when the run has begun to number by itself.
@Suite struct LateFileTests {
  private let clock = HandClock()

  private func settings(_ path: String) -> StorageThread.Settings {
    StorageThread.Settings(
      path: path, node: "edge-01", policy: RetentionPolicy(retainMilliseconds: 86_400_000, maximumBytes: 16 << 20),
      pendingBytes: 1 << 20)
  }

  /// Series in this order, an epoch, and ticks whose value i is ten times their number and i.
  private func run(_ keys: [String], _ numbers: ClosedRange<UInt64>, event: UInt64? = nil) -> BufferTransaction {
    var transaction = BufferTransaction()
    transaction.series = keys.enumerated().map {
      StoredSeries(id: $0.offset, key: $0.element, name: $0.element, labels: [], unit: "", kind: "gauge", decimals: 0)
    }
    transaction.epochs = [
      Epoch(
        id: 1, boot: "boot-1", firstSequence: numbers.lowerBound, fromMilliseconds: 0, offsetMilliseconds: 0, synced: true)
    ]
    var encoder = TickEncoder()
    encoder.learn(decimals: keys.map { _ in 0 })
    transaction.ticks = numbers.map { number in
      encoder.encode(
        sequence: number, epoch: 1, milliseconds: Int64(number) * 1_000,
        values: keys.indices.map { Double(number) * 10 + Double($0) })
    }
    if let event {
      transaction.events = [
        StoredEvent(id: event, epoch: 1, milliseconds: 1, kind: "test", severity: .info, message: "", detail: "{}")
      ]
    }
    return transaction
  }

  private func values(_ path: String, _ sequence: UInt64) throws -> [String: Double] {
    let reader = try BufferReader(path: path)
    var found: [String: Double] = [:]
    _ = try reader.ticks(sequence...sequence) { tick in
      for (id, value) in tick.values.enumerated() where !value.isMissing { found[reader.series[id].key] = value }
      return true
    }
    return found
  }

  @Test func whatOpensTooLateIsTranslated() throws {
    let folder = try TemporaryFolder()
    let path = folder.path(of: "buffer.db")
    var first = StorageState(settings: settings(path), clock: clock)
    _ = first.open()
    first.add(run(["b", "c"], 1...3))
    first.finish()
    // Another connection holds the file, until nobody waits for it any more.
    let thread = StorageThread(settings(path), clock: clock)
    do {
      let other = try Database(path: path, mode: .writer)
      try other.execute("BEGIN IMMEDIATE")
      #expect(thread.start(waitMilliseconds: 1) == nil)
      try other.execute("ROLLBACK")
    }
    #expect(thread.put(run(["a", "b"], 1_000_000_000_000...1_000_000_000_001)))
    // Whichever way it failed, the disk is tried again when its time has come.
    eventually("the ticks are on the disk") {
      clock.pass(milliseconds: Int64(AgentLimits.storageRetryMilliseconds.upperBound))
      return thread.status.committed == 1_000_000_000_001
    }
    let stopped = thread.stop(waitMilliseconds: 20_000)
    #expect(stopped)
    #expect(try values(path, 2) == ["b": 20, "c": 21])
    #expect(try values(path, 1_000_000_000_001) == ["a": 10_000_000_000_010, "b": 10_000_000_000_011])
    // Numbers that were published and not yet committed are not given out again.
    var next = StorageState(settings: settings(path), clock: clock)
    #expect(next.open()?.nextSequence ?? 0 > 1_000_000_000_001 + BufferLimits.reservedSequences / 2)
  }

  @Test func theThreadsOwnOpeningThatCameTooLateCountsForNothing() throws {
    let folder = try TemporaryFolder()
    let path = folder.path(of: "buffer.db")
    var first = StorageState(settings: settings(path), clock: clock)
    _ = first.open()
    first.add(run(["b", "c"], 1...3))
    first.finish()
    var state = StorageState(settings: settings(path), clock: clock)
    #expect(state.open() != nil)
    state.arriveLate()
    #expect(state.status.state == .memoryOnly && state.status.committed == 0)
    state.add(run(["a", "b"], 1_000_000_000_000...1_000_000_000_001))
    state.write()
    #expect(state.status.state == .ok)
    let notices = state.takeNotices()
    #expect(notices.contains { if case .inherited(_, lastSequence: 3) = $0 { true } else { false } })
    state.finish()
    #expect(try values(path, 3) == ["b": 30, "c": 31])
    #expect(try values(path, 1_000_000_000_000) == ["a": 10_000_000_000_000, "b": 10_000_000_000_001])
  }

  @Test func aRunBelowTheFilesNumbersGoesOnAboveThem() throws {
    let folder = try TemporaryFolder()
    let path = folder.path(of: "later/buffer.db")
    var state = StorageState(settings: settings(path), clock: clock)
    #expect(state.open() == nil)
    // Made meanwhile, as a card that is put in: an earlier run's numbers are higher.
    try FileManager.default.createDirectory(atPath: folder.path(of: "later"), withIntermediateDirectories: true)
    var first = StorageState(settings: settings(path), clock: clock)
    _ = first.open()
    first.add(run(["b"], 1...60, event: 1))
    first.finish()
    state.add(run(["a"], 50...55, event: 1))
    clock.pass(milliseconds: Int64(AgentLimits.storageRetryMilliseconds.upperBound))
    state.write()
    #expect(state.status.state == .ok && state.status.pendingTicks == 0)
    var next: UInt64 = 0
    var dropped = 0
    for notice in state.takeNotices() {
      if case .outnumbered(let sequence, _) = notice { next = sequence }
      if case .dropped(let range) = notice { dropped += range.count }
    }
    #expect(next > 60)
    #expect(dropped == 6)
    // One that was under way still, then the first that knows.
    var under = run(["a"], 56...56)
    (under.series, under.epochs) = ([], [])
    state.add(under)
    var above = run(["a"], next...next)
    (above.series, above.epochs) = ([], [])
    state.add(above)
    state.finish()
    #expect(try values(path, 50) == ["b": 500])
    #expect(try values(path, 56) == ["b": 560])
    #expect(try values(path, next) == ["a": Double(next) * 10])
    let reader = try BufferReader(path: path)
    #expect(reader.epochs.map(\.id) == [1, 2])
  }
}
