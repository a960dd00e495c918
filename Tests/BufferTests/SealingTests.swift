import CSQLite
import Foundation
import Randomness
import Testing

@testable import Buffer
@testable import Telemetry

@Suite struct SealingTests {
  /// A tick as it has to stay over sealing; values beyond the end are missing.
  struct Seen: Hashable {
    var sequence: UInt64
    var epoch: Int
    var milliseconds: Int64
    var bits: [UInt64]
  }

  private static func seen(_ tick: borrowing StoredTick, _ width: Int) -> Seen {
    let values = tick.values + Array(repeating: Double.missing, count: max(0, width - tick.values.count))
    return Seen(
      sequence: tick.sequence, epoch: tick.epoch.id, milliseconds: tick.milliseconds, bits: values.prefix(width).map(\.bitPattern)
    )
  }

  static func all(_ scratch: Scratch, width: Int = 4) throws -> [Seen] {
    let reader = try BufferReader(path: scratch.path)
    var all: [Seen] = []
    let damage = try reader.ticks(0...(.max)) {
      all.append(seen($0, width))
      return true
    }
    #expect(damage.isNone)
    return all
  }

  /// Odd values, unused numbers, several boots and epochs.
  private static func eventful(_ scratch: Scratch, seed: UInt64, ticks: Int = 2_400) throws -> Recorder {
    var random = SplitMix64(seed: seed)
    var recorder = try Recorder(scratch)
    recorder.begin(boot: "a", offset: 1_700_000_000_000, synced: true)
    var left = ticks
    while left > 0 {
      let count = min(Int(random.next() % 400) + 1, left)
      try recorder.tick(count) { _ in (0..<4).map { _ in random.value(decimals: 1) } }
      left -= count
      switch random.next() % 3 {
      case 0: recorder.sequence += random.next() % 5_000
      case 1:
        recorder.begin(
          boot: "b\(left)", offset: 1_700_000_000_000 + Int64(random.next() % 4_000_000) - 2_000_000, synced: true,
          at: Int64(random.next() % 90_000))
      default: break
      }
    }
    try recorder.commit()
    return recorder
  }

  @Test(arguments: [1, 2, 3, 4] as [UInt64]) func nothingIsOtherwiseAfterSealing(seed: UInt64) throws {
    let scratch = try Scratch()
    let recorder = try Self.eventful(scratch, seed: seed)
    let before = try Self.all(scratch)
    let reader = try BufferReader(path: scratch.path)
    let wallBefore = try wallTimes(reader, .min ... .max)
    let extent = try recorder.writer.wallExtent()
    var random = SplitMix64(seed: seed + 50)
    while try !recorder.writer.seal(atLeast: Int(random.next() % 500) + 1).isEmpty {}
    while try !recorder.writer.seal(atLeast: 1).isEmpty {}
    #expect(try Self.all(scratch) == before)
    #expect(try recorder.writer.wallExtent() == extent)
    #expect(try wallTimes(reader, .min ... .max) == wallBefore)
    for _ in 0..<30 {
      let low = before[Int(random.next() % UInt64(before.count))].sequence
      let range = low...(low + random.next() % 3_000)
      let expected = before.map(\.sequence).filter { range.contains($0) }
      #expect(try sequences(reader, range).found == expected)
      #expect(try reader.count(range) == UInt64(expected.count))
      let wall = wallBefore[Int(random.next() % UInt64(wallBefore.count))]
      let span = wall...(wall + Int64(random.next() % 400_000))
      #expect(try wallTimes(reader, span) == wallBefore.filter { span.contains($0) })
    }
    #expect(try recorder.writer.database.integer("SELECT count(*) FROM tick") ?? 0 <= 250)
  }

  @Test func theNextNumberIsKnownWhenAllRowsAreSealed() throws {
    let scratch = try Scratch()
    do {
      let recorder = try Self.eventful(scratch, seed: 9)
      _ = try recorder.writer.seal(atLeast: 300)
      try recorder.writer.database.execute("DELETE FROM tick")
    }
    let opening = try BufferWriter(path: scratch.path, node: "edge-01", policy: Recorder.roomy).opening
    let last = try #require(try Self.all(scratch).last)
    #expect(opening.lastSequence == last.sequence)
    #expect(opening.nextSequence == last.sequence + 1)
  }

  @Test func aReaderGoesOnWhileRowsAreSealedUnderIt() throws {
    let scratch = try Scratch()
    var recorder = try Recorder(scratch)
    recorder.begin(boot: "a", offset: 0, synced: true)
    try recorder.tick(3_000)
    let reader = try BufferReader(path: scratch.path)
    var found: [UInt64] = []
    let damage = try reader.ticks(1...3_000) { tick in
      found.append(tick.sequence)
      let isRight = tick.values == Recorder.values(tick.sequence, 4)
      #expect(isRight)
      if tick.sequence % 300 == 0 { _ = try? recorder.writer.seal(atLeast: 250) }
      return true
    }
    #expect(damage.isNone)
    #expect(found == Array(1...3_000))
  }

  @Test func damagedRowsAreCountedWhenSealed() throws {
    let scratch = try Scratch()
    var recorder = try Recorder(scratch)
    recorder.begin(boot: "a", offset: 0, synced: true)
    try recorder.tick(1_000)
    try recorder.writer.database.execute("DELETE FROM tick WHERE seq = 300")
    let sealings = try recorder.writer.seal(atLeast: 700)
    #expect(sealings == [Sealing(range: 1...750, ticks: 549, damaged: 200)])
  }

  /// Interrupts the n-th few operations of SQLite's machine, for n = 1, 2, … until sealing comes through.
  @Test func sealingThatFailsAnywhereChangesNothing() throws {
    let scratch = try Scratch()
    let recorder = try Self.eventful(scratch, seed: 5, ticks: 700)
    let before = try Self.all(scratch)
    let database = recorder.writer.database
    var operations: Int32 = 1
    var failures = 0
    while true {
      // Fires once after so many operations, then stops the statement that runs.
      sqlite3_progress_handler(database.handle, operations, { _ in 1 }, nil)
      defer { sqlite3_progress_handler(database.handle, 0, nil, nil) }
      do {
        _ = try recorder.writer.seal(atLeast: 100)
        break
      } catch {
        failures += 1
      }
      sqlite3_progress_handler(database.handle, 0, nil, nil)
      #expect(try Self.all(scratch) == before, "after \(operations) operations")
      operations += operations < 200 ? 1 : operations / 20
    }
    #expect(failures > 20)
    #expect(try Self.all(scratch) == before)
    #expect(try database.integer("SELECT count(*) FROM block") ?? 0 > 0)
  }

  @Test(arguments: [61, 62] as [UInt64]) func aKillAtAnyByteOfTheLogLosesNothingBySealing(seed: UInt64) throws {
    let source = try Scratch()
    let recorder = try Self.eventful(source, seed: seed, ticks: 1_500)
    try recorder.writer.checkpoint()
    let before = try Self.all(source)
    while try !recorder.writer.seal(atLeast: 200).isEmpty {}
    let log = try source.load("-wal")
    var random = SplitMix64(seed: seed)
    for _ in 0..<40 {
      let cut = Int(random.next() % UInt64(log.count + 1))
      let target = try Scratch()
      try source.copy([""], to: target)
      try target.store(Array(log.prefix(cut)), "-wal")
      #expect(try Self.all(target) == before, "seed \(seed), cut at \(cut)")
      let writer = try BufferWriter(path: target.path, node: "edge-01", policy: Recorder.roomy)
      while try !writer.seal(atLeast: 200).isEmpty {}
      #expect(try Self.all(target) == before, "seed \(seed), cut at \(cut)")
    }
  }

  @Test func aFileOfVersionOneIsReadAndBroughtUpToDate() throws {
    let scratch = try Scratch()
    let recorder = try Self.eventful(scratch, seed: 8)
    let before = try Self.all(scratch)
    let database = recorder.writer.database
    // Rows of that time: formats 1 and 2 without a checksum.
    try database.execute(
      """
      UPDATE tick SET [values] = CAST((CASE back WHEN 0 THEN X'01' ELSE X'02' END) || substr([values], 2, length([values]) - 5) AS BLOB)
      """)
    try Scratch.dropChecksums(database)
    try database.execute("DROP TABLE block; DROP TABLE minute; DROP TABLE hour; PRAGMA user_version = 1")
    let old = try BufferReader(path: scratch.path)
    #expect(try sequences(old).found == before.map(\.sequence))
    #expect(try old.samples(series: 1, wall: 0...(1 << 50), tier: .hour).rollups.isEmpty == false)
    #expect(try old.count(0...(.max)) == UInt64(before.count))
    let writer = try BufferWriter(path: scratch.path, node: "edge-01", policy: Recorder.roomy)
    #expect(try writer.database.integer("PRAGMA user_version") == Schema.version)
    #expect(try Self.all(scratch) == before)
    while try !writer.seal(atLeast: 300).isEmpty {}
    #expect(try Self.all(scratch) == before)
    // The reader that was there before follows.
    #expect(try sequences(old).found == before.map(\.sequence))
  }
}
