import CFaultVFS
import Foundation
import Randomness
import Testing

@testable import Buffer
@testable import Telemetry

extension StorageFaultTests {
  private static let flips = 2_000

  /// One bit of the database or its log is another: reported or harmless, but never another value.
  @Test func aFlippedBitAnywhereIsReportedOrHarmless() throws {
    let folder = try makeFaultFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    #expect(fault_watch(folder + "/buffer.db") == 0)
    defer { fault_watch(nil) }
    let workload = try Workload(path: folder + "/buffer.db", seed: Self.firstSeed)
    try workload.run(steps: 60)
    _ = try workload.writer.seal(atLeast: 40)
    #expect(try workload.writer.database.integer("SELECT sum(rows) FROM block") ?? 0 > 100)
    #expect(try workload.writer.database.integer("SELECT count(*) FROM tick") ?? 0 > 5)
    let target = folder + "/flipped.db"
    #expect(fault_build(Workload.calls, 0, target) == 0)
    let files = try ["", "-wal"].map { try Array(Data(contentsOf: URL(filePath: target + $0))) }
    let whole = try Self.look(target, workload)
    #expect(whole.wrong == 0 && !whole.isReported && whole.found > 100)
    let rollups = try Self.rollups(target)
    #expect(rollups.contains { !$0.isEmpty })
    var random = SplitMix64(seed: Self.firstSeed &+ 5)
    var tally = (reported: 0, harmless: 0, shorterLog: 0)
    for flip in 0..<Self.flips {
      var flipped = files
      let bit = random.next() % UInt64((files[0].count + files[1].count) * 8)
      let inLog = bit / 8 >= files[0].count
      let byte = Int(bit / 8) - (inLog ? files[0].count : 0)
      flipped[inLog ? 1 : 0][byte] ^= 1 << (bit % 8)
      unlink(target + "-shm")
      for (index, suffix) in ["", "-wal"].enumerated() { try Data(flipped[index]).write(to: URL(filePath: target + suffix)) }
      let seen = try Self.look(target, workload)
      #expect(seen.wrong == 0, "seed \(Self.firstSeed), flip \(flip): byte \(byte) of \(inLog ? "the log" : "the database")")
      // As text, where NaN equals itself. Without a part of the log the newest buckets have fewer ticks.
      if !inLog, !seen.isReported {
        let isRight = try zip(Self.rollups(target), rollups).allSatisfy { $0.isEmpty || "\($0)" == "\($1)" }
        #expect(isRight, "seed \(Self.firstSeed), flip \(flip): byte \(byte) makes other rollups")
      }
      if seen.isReported {
        tally.reported += 1
      } else if seen.found < whole.found {
        // A frame of the log that fails its checksum ends the log: SQLite cannot tell it from one torn by a power cut.
        #expect(inLog, "seed \(Self.firstSeed), flip \(flip): byte \(byte) costs ticks and nobody is told")
        tally.shorterLog += 1
      } else {
        tally.harmless += 1
      }
    }
    print("flipped bits: \(Self.flips), seed \(Self.firstSeed): \(tally)")
  }

  /// Whether a tick has the times and values it was given; values of a damaged column are missing, which `isReported` has to tell.
  private static func isRight(_ tick: borrowing StoredTick, _ known: Workload.Tick) -> Bool {
    tick.milliseconds == known.milliseconds && tick.epoch.id == known.epoch && tick.wallMilliseconds == known.wallMilliseconds
      && known.bits.indices.allSatisfy { series in
        let value = tick.values.indices.contains(series) ? tick.values[series] : .missing
        return value.isMissing || value.bitPattern == known.bits[series]
      }
  }

  /// All rollups: of each series those of each tier; none where a damaged block is told of.
  private static func rollups(_ path: String) throws -> [[Rollup]] {
    let reader = try BufferReader(path: path)
    return try (0..<Workload.seriesCount).flatMap { series in
      try Tier.allCases.map { try reader.samples(series: series, wall: 0...(1 << 50), tier: $0) }
        .map { $0.damaged.isEmpty ? $0.rollups : [] }
    }
  }

  /// Reads all there is.
  private static func look(_ path: String, _ workload: Workload) throws -> (found: Int, wrong: Int, isReported: Bool) {
    var seen = (found: 0, wrong: 0, isReported: false)
    do {
      let reader = try BufferReader(path: path)
      let damage = try reader.ticks(0...(.max)) { tick in
        seen.found += 1
        if let known = workload.ticks[tick.sequence]?.tick, Self.isRight(tick, known) { return true }
        seen.wrong += 1
        return true
      }
      seen.isReported = !damage.isNone
      for series in 0..<Workload.seriesCount {
        for tier in Tier.allCases { _ = try reader.samples(series: series, wall: 0...(1 << 50), tier: tier) }
      }
    } catch {
      seen.isReported = true
    }
    return seen
  }
}
