import Buffer
import Foundation
import Telemetry
import Testing

@testable import Agent

/// Storage on a real file.
@Suite struct StorageTests {
  /// What a run hands over: its series, an epoch and ticks.
  private struct Run {
    var encoder = TickEncoder()
    var next: UInt64
    var series: [StoredSeries]
    var epoch: Int

    init(_ keys: [String], first: UInt64 = 1, epoch: Int = 1) {
      next = first
      self.epoch = epoch
      series = keys.enumerated().map {
        StoredSeries(id: $0.offset, key: $0.element, name: $0.element, labels: [], unit: "", kind: "gauge", decimals: 0)
      }
      encoder.learn(decimals: series.map(\.decimals))
    }

    /// The first transaction names everything.
    func head() -> BufferTransaction {
      var transaction = BufferTransaction()
      transaction.series = series
      transaction.epochs = [
        Epoch(id: epoch, boot: "boot-1", firstSequence: next, fromMilliseconds: 0, offsetMilliseconds: 0, synced: true)
      ]
      return transaction
    }

    mutating func ticks(_ count: Int) -> BufferTransaction {
      var transaction = BufferTransaction()
      encoder.beginGroup()
      for _ in 0..<count {
        let values = series.indices.map { Double(next) * 10 + Double($0) }
        transaction.ticks.append(
          encoder.encode(sequence: next, epoch: epoch, milliseconds: Int64(next) * 1_000, values: values))
        next += 1
      }
      return transaction
    }
  }

  private let clock = HandClock()

  private func state(_ folder: TemporaryFolder, _ name: String = "buffer.db", pending: Int = 1 << 20) -> StorageState {
    StorageState(settings: settings(folder, name, pending: pending), clock: clock)
  }

  private func settings(_ folder: TemporaryFolder, _ name: String, pending: Int = 1 << 20) -> StorageThread.Settings {
    StorageThread.Settings(
      path: folder.path(of: name), node: "edge-01",
      policy: RetentionPolicy(retainMilliseconds: 86_400_000, maximumBytes: 16 << 20), pendingBytes: pending)
  }

  /// Values by key of each tick in the file.
  private func stored(_ folder: TemporaryFolder, _ name: String = "buffer.db") throws -> [UInt64: [String: Double]] {
    let reader = try BufferReader(path: folder.path(of: name))
    var found: [UInt64: [String: Double]] = [:]
    _ = try reader.ticks(0...(.max)) { tick in
      var values: [String: Double] = [:]
      for (id, value) in tick.values.enumerated() where !value.isMissing { values[reader.series[id].key] = value }
      found[tick.sequence] = values
      return true
    }
    return found
  }

  @Test func theThreadStoresAndClosesInOrder() throws {
    let folder = try TemporaryFolder()
    let thread = StorageThread(settings(folder, "buffer.db"), clock: clock)
    let opening = thread.start()
    #expect(opening?.nextSequence == 1)
    var run = Run(["a", "b"])
    #expect(thread.put(run.head()))
    for _ in 0..<5 { #expect(thread.put(run.ticks(10))) }
    eventually("all is on the disk") { thread.status.committed == 50 }
    #expect(thread.status.state == .ok)
    _ = thread.put(run.ticks(3))
    let stopped = thread.stop(waitMilliseconds: 20_000)
    #expect(stopped)
    let found = try stored(folder)
    #expect(found.count == 53)
    #expect(found[53] == ["a": 530, "b": 531])
    // The next start begins after what was reserved, never inside.
    var next = state(folder)
    let again = next.open()
    #expect(again?.nextSequence ?? 0 > BufferLimits.reservedSequences)
    #expect(again?.lastSequence == 53)
  }

  @Test func aDamagedFileIsSetAsideAtTheStart() throws {
    let folder = try TemporaryFolder()
    try folder.write("buffer.db", String(repeating: "this is no database ", count: 500))
    var state = state(folder)
    let opening = state.open()
    let notices = state.takeNotices()
    // A file that is no database at all is somebody else's or damaged: either way nothing is lost in silence.
    if opening == nil {
      #expect(state.status.state == .memoryOnly && state.status.problem != nil)
      #expect(folder.read("buffer.db").hasPrefix("this is no database"))
    } else {
      #expect(notices.contains { if case .setAside = $0 { true } else { false } })
    }
    var run = Run(["a"], first: opening?.nextSequence ?? 1)
    state.add(run.head())
    state.add(run.ticks(3))
    state.write()
    #expect(state.status.pendingTicks == (opening == nil ? 3 : 0))
  }

  @Test func damageAtRunTimeCostsOnlyTheOldFile() throws {
    let folder = try TemporaryFolder()
    var state = state(folder)
    _ = state.open()
    var run = Run(["a", "b"])
    state.add(run.head())
    state.add(run.ticks(200))
    state.write()
    state.finish()
    // The middle of the file is overwritten while nobody holds it.
    let path = folder.path(of: "buffer.db")
    let handle = try #require(FileHandle(forUpdatingAtPath: path))
    let size = try handle.seekToEnd()
    try handle.seek(toOffset: 100)
    try handle.write(contentsOf: Data(repeating: 0xA5, count: Int(size) - 100))
    try handle.close()
    var next = self.state(folder)
    let opening = next.open()
    let notices = next.takeNotices()
    #expect(notices.contains { if case .setAside = $0 { true } else { false } }, "\(notices)")
    #expect(opening != nil)
    // Numbers that the lost file may have given out are not used again.
    #expect(opening?.nextSequence ?? 0 > 200)
    var second = Run(["a", "b"], first: opening?.nextSequence ?? 1)
    next.add(second.head())
    next.add(second.ticks(3))
    next.write()
    #expect(next.status.state == .ok)
    next.finish()
    #expect(try stored(folder).count == 3)
  }

  @Test func aDirectoryThatAppearsLater() throws {
    let folder = try TemporaryFolder()
    var state = state(folder, "later/buffer.db")
    #expect(state.open() == nil)
    #expect(state.status.state == .memoryOnly && state.status.problem != nil)
    var run = Run(["a", "b"])
    state.add(run.head())
    state.add(run.ticks(5))
    state.write()
    #expect(state.status.pendingTicks == 5)
    try FileManager.default.createDirectory(atPath: folder.path(of: "later"), withIntermediateDirectories: true)
    clock.pass(milliseconds: Int64(AgentLimits.storageRetryMilliseconds.upperBound))
    state.write()
    #expect(state.status.state == .ok)
    #expect(state.takeNotices().contains { if case .recovered = $0 { true } else { false } })
    state.finish()
    #expect(try stored(folder, "later/buffer.db")[5] == ["a": 50, "b": 51])
  }

  /// SQLite goes on writing into an unlinked file without a word.
  @Test func aFileDeletedInUseCostsNothingThatComesAfter() throws {
    let folder = try TemporaryFolder()
    var state = state(folder)
    _ = state.open()
    var run = Run(["a", "b"])
    state.add(run.head())
    for _ in 0..<2 {
      state.add(run.ticks(5))
      state.write()
    }
    for suffix in ["", "-wal", "-shm"] { try FileManager.default.removeItem(atPath: folder.path(of: "buffer.db" + suffix)) }
    state.add(run.ticks(5))
    state.write()
    #expect(state.status.state == .memoryOnly && state.status.pendingTicks == 5)
    #expect(state.takeNotices().contains { if case .trouble = $0 { true } else { false } })
    clock.pass(milliseconds: Int64(AgentLimits.storageRetryMilliseconds.upperBound))
    state.write()
    #expect(state.status.state == .ok && state.status.pendingTicks == 0)
    state.finish()
    let found = try stored(folder)
    #expect(found.keys.sorted() == Array(11...15) && found[15] == ["a": 150, "b": 151])
  }

  @Test func aFileThatComesLateKeepsItsOwnNumbering() throws {
    let folder = try TemporaryFolder()
    let hidden = folder.path(of: "hidden")
    try FileManager.default.createDirectory(atPath: hidden, withIntermediateDirectories: true)
    var first = self.state(folder, "hidden/buffer.db")
    _ = first.open()
    var old = Run(["b", "c"])
    first.add(old.head())
    first.add(old.ticks(3))
    first.write()
    first.finish()
    // The next run cannot see the card at first and numbers its series by itself.
    var state = state(folder, "card/buffer.db")
    #expect(state.open() == nil)
    var run = Run(["a", "b", "c"], first: 1_000_000)
    state.add(run.head())
    state.add(run.ticks(2))
    try FileManager.default.moveItem(atPath: hidden, toPath: folder.path(of: "card"))
    clock.pass(milliseconds: Int64(AgentLimits.storageRetryMilliseconds.upperBound))
    state.write()
    #expect(state.status.state == .ok)
    state.add(run.ticks(2))
    state.write()
    state.finish()
    let found = try stored(folder, "card/buffer.db")
    #expect(found[2] == ["b": 20, "c": 21])
    #expect(found[1_000_000] == ["a": 10_000_000, "b": 10_000_001, "c": 10_000_002])
    #expect(found[1_000_003] == ["a": 10_000_030, "b": 10_000_031, "c": 10_000_032])
    let reader = try BufferReader(path: folder.path(of: "card/buffer.db"))
    #expect(reader.epochs.map(\.id) == [1, 2])
  }

  @Test func memoryIsBoundedWhileTheDiskRefuses() throws {
    let folder = try TemporaryFolder()
    var state = state(folder, "nowhere/buffer.db", pending: 20_000)
    _ = state.open()
    _ = state.takeNotices()
    var run = Run(["a", "b"])
    state.add(run.head())
    for _ in 0..<100 { state.add(run.ticks(10)) }
    #expect(state.status.pendingTicks < 1_000 && state.status.pendingTicks > 10)
    let notices = state.takeNotices()
    let dropped = notices.reduce(0) { if case .dropped(let range) = $1 { $0 + range.count } else { $0 } }
    #expect(dropped + state.status.pendingTicks == 1_000)
  }
}
