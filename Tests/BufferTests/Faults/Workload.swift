import CFaultVFS
import Foundation
import Randomness

@testable import Buffer
@testable import Telemetry

/// Uses a buffer as the agent does, only faster: ticks, epochs, events, positions, sealing, rollups, merging, retention and checkpoints,
/// by a seed. Notes what was handed out and what was acknowledged at which recorded call.
final class Workload {
  /// Something that was handed to a commit.
  struct Entry {
    /// Calls recorded when it was handed out.
    var begun: Int
    /// Calls recorded when its commit returned.
    var committed = Int.max
    /// Calls recorded when making room that evicted it began.
    var evicted = Int.max
    var step = 0
  }

  struct Tick: Hashable {
    var sequence: UInt64
    var epoch: Int
    var milliseconds: Int64
    var wallMilliseconds: Int64
    var bits: [UInt64]
  }

  static let seriesCount = 3
  let policy = RetentionPolicy(retainMilliseconds: 150_000, maximumBytes: 4 << 20, retainMinutesMilliseconds: 4_000_000)
  /// Blocks are sealed and merged under this one, as if the profile went to and fro: under the other no four blocks are short enough to
  /// become one.
  private let patient = RetentionPolicy(retainMilliseconds: 1 << 40, maximumBytes: 4 << 20)
  let writer: BufferWriter
  /// Whether raw blocks were merged.
  private(set) var hasMerged = false
  var hasEvicted: Bool { ticks.values.contains { $0.entry.evicted < .max } }
  private(set) var ticks: [UInt64: (tick: Tick, entry: Entry)] = [:]
  private(set) var events: [UInt64: Entry] = [:]
  /// Positions acknowledged, with the calls recorded before and after.
  private(set) var positions: [(next: UInt64, begun: Int, committed: Int)] = []
  private var random: SplitMix64
  private var encoder = TickEncoder()
  private var pending = BufferTransaction()
  private var step = 0
  private var sequence: UInt64
  private var event: UInt64
  private var reserved: UInt64 = 0
  private var epoch = 0
  private var boot = "boot-a"
  private var milliseconds: Int64 = 0
  private var offset: Int64 = 1_700_000_000_000

  static var calls: Int { fault_recorded() }

  init(path: String, seed: UInt64) throws {
    random = SplitMix64(seed: seed)
    writer = try BufferWriter(path: path, node: "edge-01", policy: policy)
    sequence = writer.opening.nextSequence
    event = writer.opening.nextEvent
    // A short log, so that it is copied back in the middle of things.
    try writer.database.execute("PRAGMA wal_autocheckpoint = 40")
    pending.series = (0..<Self.seriesCount).map { id in
      StoredSeries(
        id: id, key: "t.value{n=\"\(id)\"}", name: "t.value", labels: [Label("n", "\(id)")], unit: "°C", kind: "gauge",
        decimals: 1)
    }
    encoder.learn(decimals: pending.series.map(\.decimals))
    reserve()
    beginEpoch()
  }

  /// Runs so many steps: each adds ticks and commits, and perhaps does some of the upkeep.
  func run(steps: Int) throws {
    for _ in 0..<steps {
      prepare()
      try commit()
      try keepUp()
    }
  }

  /// Gathers what the next commit writes.
  func prepare() {
    if random.next() % 16 == 0 {
      boot += "x"
      offset += milliseconds
      milliseconds = Int64(random.next() % 1_000)
      beginEpoch()
    } else if random.next() % 12 == 0 {
      offset += Int64(random.next() % 20_000) - 10_000
      beginEpoch()
    }
    for _ in 0..<(1 + random.next() % 14) {
      if random.next() % 20 == 0 { encoder.beginGroup() }
      let values = (0..<Self.seriesCount).map { _ in random.value(decimals: 1) }
      let tick = encoder.encode(sequence: sequence, epoch: epoch, milliseconds: milliseconds, values: values)
      pending.ticks.append(tick)
      let seen = Tick(
        sequence: sequence, epoch: epoch, milliseconds: milliseconds, wallMilliseconds: milliseconds + offset,
        bits: values.map(\.bitPattern))
      ticks[sequence] = (seen, Entry(begun: Self.calls, step: step))
      sequence += 1
      milliseconds += 1_000
    }
    if random.next() % 3 == 0 {
      pending.events.append(
        StoredEvent(
          id: event, epoch: epoch, milliseconds: milliseconds, kind: "alert", severity: .info, message: "event \(event)"))
      events[event] = Entry(begun: Self.calls, step: step)
      event += 1
    }
    if random.next() % 2 == 0, sequence > 10 {
      pending.deliveries["mqtt"] = DeliveryPosition(next: sequence - 5, event: event - 1)
    }
    // Before the numbers run out, as the agent does.
    if sequence + 40 > reserved { reserve() }
  }

  func commit() throws {
    let begun = Self.calls
    try writer.commit(pending)
    for tick in pending.ticks { ticks[tick.sequence]?.entry.committed = Self.calls }
    for event in pending.events { events[event.id]?.committed = Self.calls }
    if let position = pending.deliveries["mqtt"] { positions.append((position.next, begun, Self.calls)) }
    pending = BufferTransaction()
    step += 1
  }

  /// Sealing, making room and copying back, each now and then.
  func keepUp() throws {
    if random.next() % 4 == 0 { try seal(atLeast: 25) }
    if random.next() % 6 == 0 {
      let begun = Self.calls
      let before = try BufferReader(path: writer.path).extent()?.lowerBound ?? 1
      let evictions = try writer.makeRoom(policy, now: milliseconds + offset, boot: boot, bootNow: milliseconds)
      for eviction in evictions {
        for gone in min(before, eviction.range.lowerBound)...eviction.range.upperBound { ticks[gone]?.entry.evicted = begun }
      }
    }
    if random.next() % 10 == 0 { try writer.checkpoint() }
  }

  func seal(atLeast ticks: Int) throws {
    try writer.adopt(patient)
    _ = try writer.seal(atLeast: ticks)
    if try writer.database.integer("SELECT max(seals) FROM block") ?? 0 > 1 { hasMerged = true }
  }

  private func reserve() {
    reserved = sequence + 200
    pending.reservedSequence = reserved
    pending.reservedEvent = event + 200
  }

  private func beginEpoch() {
    epoch += 1
    encoder.beginGroup()
    pending.epochs.append(
      Epoch(
        id: epoch, boot: boot, firstSequence: sequence, fromMilliseconds: milliseconds, offsetMilliseconds: offset, synced: true))
  }
}

/// Where the fault tests put their files: in memory where that is possible, for they sync without end.
func makeFaultFolder() throws -> String {
  let base = FileManager.default.isWritableFile(atPath: "/dev/shm") ? "/dev/shm/" : NSTemporaryDirectory()
  let folder = base + "godwit-faults-" + UUID().uuidString
  try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  return folder
}
