import Randomness
import Testing

@testable import Buffer
@testable import Telemetry

@Suite struct MergingTests {
  private static let begin: Int64 = 1_700_000_000_000
  private static let everything: ClosedRange<Int64> = 0...(1 << 50)

  /// Enough series that no more than `valuesPerBlock` / 2,000 = 65 ticks and the rest of a group are sealed at once.
  private static let many = 2_000

  /// Changes a few values a tick, with odd ones, missing ones and a series that comes late.
  private static func values(_ sequence: UInt64) -> [Double] {
    (0..<many).map { series in
      switch series % 50 {
      case 0: (Double(sequence) + Double(series) / 10).rounded(decimals: 1)
      case 1 where series < 200: sequence % 7 == 0 ? .nan : .infinity
      case 2 where series < 200: sequence < 120 ? .missing : 5
      default: Double(series)
      }
    }
  }

  private static func recorded(_ scratch: Scratch, policy: RetentionPolicy = Recorder.roomy) throws -> Recorder {
    var recorder = try Recorder(scratch, series: many, policy: policy)
    recorder.begin(boot: "a", offset: begin, synced: true)
    return recorder
  }

  /// Adds whole groups of 33 ticks.
  private static func add(_ groups: Int, to recorder: inout Recorder) throws {
    for _ in 0..<groups {
      recorder.encoder.beginGroup()
      try recorder.tick(33, values: values)
    }
    try recorder.commit()
  }

  @Test func smallBlocksBecomeLargerOnesAndNothingIsOtherwise() throws {
    let scratch = try Scratch()
    var recorder = try Self.recorded(scratch)
    let database = recorder.writer.database
    var sizes: Set<Int> = []
    for _ in 0..<10 {
      try Self.add(2, to: &recorder)
      while try !recorder.writer.seal().isEmpty {}
      sizes.formUnion(try database.blocks(.raw).map(\.seals))
    }
    try Self.add(1, to: &recorder)
    while try !recorder.writer.seal().isEmpty {}
    // 66 ticks a block; four of them are 264, and four of those would be more than 2²⁰ values.
    #expect(sizes == [1, 4])
    #expect(try database.blocks(.raw).map(\.rows) == [264, 264, 66, 66])
    let seen = try SealingTests.all(scratch, width: Self.many)
    #expect(seen.map(\.sequence) == Array(1...693))
    #expect(seen.allSatisfy { $0.bits == Self.values($0.sequence).map(\.bitPattern) })
    let reader = try BufferReader(path: scratch.path)
    #expect(try reader.verify().isGood)
    #expect(try reader.count(100...500) == 401)
    #expect(try sequences(reader, 200...300).found == Array(200...300))
    let wall = Self.begin + 99_000...Self.begin + 300_000
    #expect(try reader.samples(series: 50, wall: wall, tier: .raw).values.count == 202)
  }

  @Test func aReaderGoesOnWhileBlocksAreMergedUnderIt() throws {
    let scratch = try Scratch()
    var recorder = try Self.recorded(scratch)
    try Self.add(6, to: &recorder)
    while try !recorder.writer.seal().isEmpty {}
    let before = try recorder.writer.database.integer("SELECT count(*) FROM block")
    #expect(before == 2)
    var found: [UInt64] = []
    let damage = try BufferReader(path: scratch.path).ticks(1...264) { tick in
      found.append(tick.sequence)
      if tick.sequence == 100 {
        try? Self.add(4, to: &recorder)
        while let sealed = try? recorder.writer.seal(), !sealed.isEmpty {}
      }
      return true
    }
    #expect(try recorder.writer.database.blocks(.raw).first?.rows == 264)
    #expect(found == Array(1...264) && damage.isNone)
  }

  /// Head, directory or one column of one of the four.
  @Test(arguments: [20, 40, -1]) func aDamagedSourceIsLeftAsItIs(byte: Int) throws {
    let scratch = try Scratch()
    var recorder = try Self.recorded(scratch)
    try Self.add(6, to: &recorder)
    while try !recorder.writer.seal().isEmpty {}
    let database = recorder.writer.database
    let read = try database.prepare("SELECT data FROM block WHERE first = 67")
    _ = try read.step()
    var bytes = read.withBlob(0) { Array($0) }
    read.reset()
    bytes[byte < 0 ? bytes.count + byte : byte] ^= 4
    let put = try database.prepare("UPDATE block SET data = ? WHERE first = 67")
    put.bind(1, bytes)
    try put.run()
    try Self.add(14, to: &recorder)
    while try !recorder.writer.seal().isEmpty {}
    let blocks = try database.blocks(.raw)
    #expect(blocks.map(\.first).prefix(2) == [1, 67])
    #expect(blocks.map(\.seals).prefix(2) == [1, 0])
    #expect(blocks.map(\.seals).contains(4))
    let again = try database.prepare("SELECT data FROM block WHERE first = 67")
    _ = try again.step()
    #expect(again.withBlob(0) { Array($0) } == bytes)
    again.reset()
    let reader = try BufferReader(path: scratch.path)
    let damage = try reader.ticks(0...(.max)) { _ in true }
    #expect(damage.ticks == (byte < 0 ? 0 : 66) && damage.columns == (byte < 0 ? 1 : 0))
    // Nor does compacting touch it.
    let done = try recorder.writer.compact()
    #expect(done.rewriteProblem == nil)
    #expect(try database.integer("SELECT last FROM block WHERE first = 67") == 132)
    let after = try BufferReader(path: scratch.path).ticks(0...(.max)) { _ in true }
    #expect(after == damage)
  }

  /// A block goes as a whole, so it must not be much of what may be kept.
  @Test func aShortRetentionKeepsBlocksShort() throws {
    for (seconds, isMerged) in [(264 * 16, true), (200 * 16, false)] {
      let scratch = try Scratch()
      let policy = RetentionPolicy(retainMilliseconds: seconds * 1_000, maximumBytes: 64 << 20)
      var recorder = try Self.recorded(scratch, policy: policy)
      try Self.add(9, to: &recorder)
      while try !recorder.writer.seal().isEmpty {}
      #expect(try recorder.writer.database.blocks(.raw).map(\.seals) == (isMerged ? [4] : [1, 1, 1, 1]))
    }
    let scratch = try Scratch()
    let small = RetentionPolicy(retainMilliseconds: 1 << 50, maximumBytes: 1 << 20)
    var recorder = try Self.recorded(scratch, policy: small)
    try Self.add(9, to: &recorder)
    while try !recorder.writer.seal().isEmpty {}
    #expect(try recorder.writer.database.blocks(.raw).map(\.seals) == [1, 1, 1, 1])
    // Over a clock that was set back nothing is merged either.
    let stepped = try Scratch()
    var other = try Self.recorded(stepped)
    try Self.add(4, to: &other)
    other.begin(boot: "a", offset: Self.begin - 86_400_000, synced: true)
    try Self.add(5, to: &other)
    while try !other.writer.seal().isEmpty {}
    #expect(try other.writer.database.blocks(.raw).map(\.seals) == [1, 1, 1, 1])
  }

  @Test func compactingMergesWholeBlocks() throws {
    let scratch = try Scratch()
    var random = SplitMix64(seed: 91)
    var expected: [[Double]] = []
    do {
      var recorder = try Recorder(scratch, series: 6)
      recorder.begin(boot: "a", offset: Self.begin, synced: true)
      recorder.transaction.deliveries = ["mqtt": DeliveryPosition(next: 20_000, owed: [5_000...9_000])]
      for _ in 0..<40 {
        try recorder.tick(1_000) { _ in
          expected.append((0..<6).map { _ in random.value(decimals: 1) })
          return expected[expected.count - 1]
        }
        _ = try recorder.writer.seal()
      }
    }
    let policy = RetentionPolicy(retainMilliseconds: .max, maximumBytes: 64 << 20)
    let writer = try BufferWriter(path: scratch.path, node: "edge-01", policy: policy)
    let before = try writer.database.integer("SELECT total(length(data)) FROM block") ?? 0
    let done = try writer.compact()
    #expect(done.mergedBlocks == 39)
    #expect(try writer.database.blocks(.raw).map(\.rows) == Array(repeating: 4_000, count: 9) + [3_000])
    #expect(try writer.database.integer("SELECT total(length(data)) FROM block") ?? 0 < before)
    let again = try writer.compact()
    #expect(again.mergedBlocks == 0)
    let reader = try BufferReader(path: scratch.path)
    var next = 0
    let damage = try reader.ticks(0...(.max)) { tick in
      let isRight = tick.sequence == UInt64(next + 1) && tick.values.map(\.bitPattern) == expected[next].map(\.bitPattern)
      #expect(isRight)
      next += 1
      return isRight
    }
    #expect(next == 40_000 && damage.isNone)
    #expect(try sequences(reader, 5_000...9_000).found == Array(5_000...9_000))
    #expect(try reader.verify().isGood)
  }
}
