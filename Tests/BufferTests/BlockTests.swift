import Foundation
import Randomness
import Testing

@testable import Buffer
@testable import Telemetry

@Suite struct BlockTests {
  private static let times = BlockTimes(sequences: [7, 8, 10], epochs: [1, 1, 2], milliseconds: [1_000, 2_000, 500])

  private static func block() -> [UInt8] {
    var block = BlockEncoder(.raw, times)
    var encoder = ColumnEncoder()
    block.add(0, [20.5, 20.5, 20.5], digits: 1, &encoder)
    block.add(1, [.missing, .missing, .missing], digits: 0, &encoder)
    block.add(3, [1, .missing, 3], digits: 0, &encoder)
    return block.finish()
  }

  private static func little(_ number: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) } }

  /// CRC-32 bit by bit, as RFC 1952 section 8 defines it.
  private static func crc(_ bytes: [UInt8]) -> [UInt8] {
    var register: UInt32 = 0xFFFF_FFFF
    for byte in bytes {
      register ^= UInt32(byte)
      for _ in 0..<8 { register = register & 1 == 1 ? register >> 1 ^ 0xEDB8_8320 : register >> 1 }
    }
    return little(~register)
  }

  /// Written down by hand from the picture in BlockLayout.
  @Test func theLayoutIsAsDrawn() {
    let first: [UInt8] = [0x00, 0x9A, 0x03, 0x00]
    // Runs 1, 1, 1; then 1 and 3: order 2 from −1 by 2, all residuals 0.
    let second: [UInt8] = [3, 1, 1, 1, 0b0000_0010, 1, 4, 0]
    var directory: [UInt8] = []
    // Sequences: middle 7 + 4/3 = 8, residuals −1, 0, 2 (4 bits); order 1: 0, 1, 2 (5 bits); order 2 from 6 by 1: 0, 0, 1
    // (2 bits); least 0, width 1.
    directory += [0b0000_0110, 12, 2, 0, 1, 0b100]
    // Epochs: middle 1, residuals 0, 0, 1: least 0, width 1.
    directory += [0b0000_0100, 2, 0, 1, 0b100]
    // Times: middle 500 + 2000/3 = 1166; bits by order: 9 + 11 + 11 = 31, 0 + 11 + 12 = 23, 0 + 0 + 13 = 13: order 2 from 0 by 1000;
    // residuals 0, 0, −2500: least −2500 (zigzag 4999), width 12: 2500, 2500, 0.
    directory += [0b0000_0110, 0, 0xD0, 0x0F, 0x87, 0x27, 12, 0xC4, 0x49, 0x9C, 0x00, 0x00]
    // Series 0: digits 1, 4 bytes, none missing, 205, 205, 615 as tokens (zigzag, then an even number): 820, 820, 2460.
    directory += [0, 1, 4, 0, 0xB4, 0x06, 0xB4, 0x06, 0x9C, 0x13] + Self.crc(first)
    // Series 3: two series skipped, digits 0, 8 bytes, 1 missing, 1, 3, 4.
    directory += [2, 0, 8, 1, 4, 12, 16] + Self.crc(second)
    var head: [UInt8] = [1, 0, 0, 0] + Self.little(2) + Self.little(3) + Self.little(UInt32(directory.count))
    head += Self.little(UInt32(28 + directory.count + 12)) + Self.crc(directory)
    head += Self.crc(head)
    #expect(Self.block() == head + directory + first + second)
  }

  @Test func everyFlippedBitIsFound() throws {
    let good = Self.block()
    for bit in 0..<good.count * 8 {
      var bad = good
      bad[bit / 8] ^= 1 << UInt8(bit % 8)
      // What lies in a column costs that column alone.
      let outcome = Result { try OpenBlock(bad) }
      #expect((try? outcome.get())?.damagedColumns ?? 1 == 1, "bit \(bit)")
      #expect((try? outcome.get()) == nil || bit / 8 >= good.count - 12, "bit \(bit)")
    }
    for count in 0..<good.count {
      #expect(throws: BlockDamage.damaged) { _ = try BlockDecoder(Array(good.prefix(count))) }
    }
  }

  @Test func aLaterLayoutIsSaidToBeOne() throws {
    var later = Self.block()
    later[0] = 2
    let sum = Self.crc(Array(later[0..<24]))
    later.replaceSubrange(24..<28, with: sum)
    #expect(throws: BlockDamage.unknownVersion(2)) { try BlockDecoder(later) }
  }

  /// A buffer of three sealed blocks and some rows.
  private static func sealed(_ scratch: Scratch) throws -> Recorder {
    var recorder = try Recorder(scratch)
    recorder.begin(boot: "a", offset: 1_000_000, synced: true)
    try recorder.tick(1_700)
    let sealings = try recorder.writer.seal(atLeast: 500)
    #expect(sealings.map(\.range) == [1...500, 501...1_000, 1_001...1_500])
    return recorder
  }

  @Test func aDamagedBlockCostsItselfAlone() throws {
    let scratch = try Scratch()
    let recorder = try Self.sealed(scratch)
    var random = SplitMix64(seed: 77)
    let database = recorder.writer.database
    let statement = try database.prepare("SELECT data FROM block WHERE first = 501")
    _ = try statement.step()
    let good = statement.withBlob(0) { Array($0) }
    statement.reset()
    var hits: Set<Bool> = []
    for _ in 0..<40 {
      var bad = good
      bad[Int(random.next() % UInt64(bad.count))] ^= 1 << UInt8(random.next() % 8)
      let put = try database.prepare("UPDATE block SET data = ? WHERE first = 501")
      put.bind(1, bad)
      try put.run()
      let reader = try BufferReader(path: scratch.path)
      let isWhole = (try? OpenBlock(bad)) == nil
      var found: [UInt64] = []
      var lacking: [Int: Int] = [:]
      let damage = try reader.ticks(0...(.max)) { tick in
        found.append(tick.sequence)
        for (series, value) in Recorder.values(tick.sequence, 4).enumerated() where tick.values[series] != value {
          lacking[series, default: 0] += tick.values[series].isMissing ? 1 : 1_000_000
        }
        return true
      }
      hits.insert(isWhole)
      #expect(found == (isWhole ? Array(1...500) + Array(1_001...1_700) : Array(1...1_700)))
      #expect(damage.ticks == (isWhole ? 500 : 0) && damage.columns == (isWhole ? 0 : 1))
      #expect(isWhole ? lacking.isEmpty : lacking.count == 1 && lacking.values.first == 500)
      #expect(try wallTimes(reader, .min ... .max).count == found.count)
      #expect(try sequences(reader, 600...699).damaged == (isWhole ? 100 : 0))
      let alone = try reader.samples(series: 0, wall: 0...(1 << 50), tier: .raw)
      #expect(alone.values.count == 1_700 - alone.damagedBlocks * 500)
      #expect(alone.damagedBlocks == (isWhole || lacking.keys.contains(0) ? 1 : 0))
      let minutes = try reader.samples(series: 0, wall: 0...(1 << 50), tier: .minute)
      #expect(minutes.rollups.reduce(0) { $0 + $1.count } == 1_700)
    }
    // Both kinds of damage were met.
    #expect(hits == [true, false])
  }

  /// A directory of a few hundred bytes can name columns by the thousand that are all constant.
  @Test func aBlockCannotAskForMoreMemoryThanSealingEverNeeds() throws {
    func block(series: [Int], rows: Int) -> [UInt8] {
      let numbers = (1...rows).map { Int64($0) }
      let times = BlockTimes(sequences: numbers, epochs: numbers.map { _ in 1 }, milliseconds: numbers)
      var block = BlockEncoder(.raw, times)
      var encoder = ColumnEncoder()
      let values = [Double](repeating: 7, count: rows)
      for id in series { block.add(id, values[...], digits: 0, &encoder) }
      return block.finish()
    }
    // A single series of a high number takes memory for itself alone.
    var sparse = try OpenBlock(block(series: [60_000], rows: BufferLimits.rowsPerBlock))
    var values: [Double] = []
    let first = sparse.next()
    sparse.fill(&values)
    #expect(first?.sequence == 1 && values.count == 60_001 && values[60_000] == 7 && values[59_999].isMissing)
    #expect(throws: BlockDamage.damaged) { try OpenBlock(block(series: [BufferLimits.rowsPerBlock], rows: 1)) }
    // The most that may be, and one more.
    let most = BufferLimits.valuesPerOpenBlock / BufferLimits.rowsPerBlock
    #expect(try OpenBlock(block(series: Array(0..<most), rows: BufferLimits.rowsPerBlock)).damagedColumns == 0)
    #expect(throws: BlockDamage.damaged) { try OpenBlock(block(series: Array(0...most), rows: BufferLimits.rowsPerBlock)) }
  }

  /// The most that sealing makes fits what is read: all series that a node may have, in rows as short as they get.
  @Test func theLargestBlockThatIsSealedCanBeRead() throws {
    let scratch = try Scratch()
    var recorder = try Recorder(scratch, series: Limits.seriesPerNode)
    recorder.begin(boot: "a", offset: 0, synced: true)
    let row = [Double](repeating: 3, count: Limits.seriesPerNode)
    try recorder.tick(600) { _ in row }
    let sealings = try recorder.writer.seal()
    #expect(sealings.count > 0 && sealings.allSatisfy { $0.damaged == 0 })
    let reader = try BufferReader(path: scratch.path)
    var count = 0
    let damage = try reader.ticks(0...(.max)) { tick in
      count += tick.values == row ? 1 : 0
      return true
    }
    #expect(count == 600 && damage.isNone)
  }

  @Test func aBlockOfALaterLayoutIsAnError() throws {
    let scratch = try Scratch()
    let recorder = try Self.sealed(scratch)
    let database = recorder.writer.database
    let statement = try database.prepare("SELECT data FROM block WHERE first = 501")
    _ = try statement.step()
    var later = statement.withBlob(0) { Array($0) }
    statement.reset()
    later[0] = 9
    later.replaceSubrange(24..<28, with: Self.crc(Array(later[0..<24])))
    let put = try database.prepare("UPDATE block SET data = ? WHERE first = 501")
    put.bind(1, later)
    try put.run()
    let reader = try BufferReader(path: scratch.path)
    let error = #expect(throws: BufferError.self) { try sequences(reader) }
    #expect(error?.kind == .newer)
    let single = #expect(throws: BufferError.self) { try reader.samples(series: 0, wall: 0...(1 << 50), tier: .raw) }
    #expect(single?.kind == .newer)
  }
}
