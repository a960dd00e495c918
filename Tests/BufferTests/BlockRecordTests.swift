import Testing

@testable import Buffer
@testable import Telemetry

/// What stands beside a block's data is under no checksum: numbers and times of its ends.
@Suite struct BlockRecordTests {
  private static let everything: ClosedRange<Int64> = 0...(1 << 50)

  /// Blocks of ticks 1…500, 501…1000 and 1001…1500, and rows up to 1700.
  private static func sealed(_ scratch: Scratch) throws -> Recorder {
    var recorder = try Recorder(scratch, series: 1)
    recorder.begin(boot: "a", offset: 1_700_000_000_000, synced: true)
    try recorder.tick(1_700)
    _ = try recorder.writer.seal(atLeast: 500)
    return recorder
  }

  /// Each bit of each number is another once: nothing is lost of it, or it is told.
  @Test(arguments: ["last", "rows", "epoch", "at", "until_epoch", "until_at"])
  func aFlippedBitOfARecordHidesNothing(column: String) throws {
    let scratch = try Scratch()
    let recorder = try Self.sealed(scratch)
    let database = recorder.writer.database
    let good = try database.integer("SELECT \(column) FROM block WHERE first = 501") ?? 0
    for bit in 0..<62 {
      try database.execute("UPDATE block SET \(column) = \(good ^ (1 << Int64(bit))) WHERE first = 501")
      let reader = try BufferReader(path: scratch.path)
      let isFound = try !reader.verify().isGood
      #expect(isFound, "bit \(bit)")
      do {
        let all = try sequences(reader)
        #expect(all.found == Array(1...1_700) || all.damaged > 0, "bit \(bit)")
        #expect(try wallTimes(reader, Self.everything).count == 1_700, "bit \(bit)")
        for place in 0..<6 {
          let begin = 1_700_000_000_000 + Int64(place) * 250_000
          let window = begin...(begin + 299_999)
          #expect(try wallTimes(reader, window).count == 300, "bit \(bit), window \(place)")
          #expect(try reader.samples(series: 0, wall: window, tier: .raw).values.count == 300, "bit \(bit), window \(place)")
        }
      } catch let error as BufferError {
        #expect(error.kind == .corrupt, "bit \(bit)")
      }
    }
  }

  /// Ticks do not age by it.
  @Test func aFlippedBitOfATimeMakesNothingOld() throws {
    let scratch = try Scratch()
    let recorder = try Self.sealed(scratch)
    try recorder.writer.database.execute(
      "UPDATE block SET until_at = -(1 << 40) WHERE first = 1; UPDATE minute SET until_at = -(1 << 40)")
    let policy = RetentionPolicy(
      retainMilliseconds: 1_650_000, maximumBytes: 64 << 20, retainMinutesMilliseconds: 1_650_000,
      retainHoursMilliseconds: 1_650_000)
    let before = try recorder.writer.database.integer("SELECT count(*) FROM minute")
    let gone = try recorder.writer.makeRoom(policy, now: nil, boot: "a", bootNow: 1_700_000)
    #expect(gone == [])
    #expect(try recorder.writer.database.integer("SELECT count(*) FROM minute") == before)
  }

  /// Numbers as large as a file can hold them.
  @Test func mergingAddsNothingBeyondAllNumbers() throws {
    let scratch = try Scratch()
    var recorder = try Recorder(scratch, series: 1)
    recorder.begin(boot: "a", offset: 0, synced: true)
    for _ in 0..<21 {
      try recorder.tick(250)
      _ = try recorder.writer.seal(atLeast: 250)
      try recorder.writer.database.execute("UPDATE block SET seals = \(Int64.max)")
    }
    #expect(try recorder.writer.compactBlocks() > 1)
    #expect(try sequences(BufferReader(path: scratch.path)).found == Array(1...5_250))
  }

  @Test func aRollupOfMoreTicksThanThereCanBeIsDamage() throws {
    for (count, isGood) in [(BufferLimits.ticksPerRollup, true), (BufferLimits.ticksPerRollup + 1, false), (.max, false)] {
      var rollup = Rollup()
      rollup.add(4, scale: 1)
      rollup.count = count
      var encoder = ColumnEncoder()
      var bytes: [UInt8] = []
      // One row: its total adds it to nothing.
      let form = encoder.append(RollupColumn(rows: [rollup]), digits: 0, to: &bytes)
      var decoder = ColumnDecoder()
      var column = RollupColumn()
      let isRead = bytes.withUnsafeBytes { decoder.read($0, form: form, rows: 1, to: &column) }
      #expect(isRead == isGood)
    }
  }

  /// A clock of the far past, where a step back leaves all numbers.
  @Test func theTierIsChosenAtTheEndOfAllNumbers() throws {
    let scratch = try Scratch()
    let recorder = try Self.sealed(scratch)
    var correction = BufferTransaction()
    correction.epochs = try StoredState.epochs(recorder.writer.database)
    for index in correction.epochs.indices { correction.epochs[index].offsetMilliseconds = .min + 30_000 }
    try recorder.writer.commit(correction)
    let reader = try BufferReader(path: scratch.path)
    #expect(try reader.tier(stepMilliseconds: 60_000, from: .min) == .minute)
  }
}
