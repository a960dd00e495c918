import Randomness
import Telemetry
import Testing

@testable import Buffer

/// Blocks from elsewhere: most of what they may get wrong is tried by changing messages, in PackedReaderTests.
@Suite struct ReceivedBlockTests {
  private static func block(rows: Int, series: [Int]) -> [UInt8] {
    let numbers = (1...Int64(rows)).map { $0 }
    let times = BlockTimes(sequences: numbers, epochs: Array(repeating: 1, count: rows), milliseconds: numbers)
    var encoder = BlockEncoder(.raw, times)
    var columns = ColumnEncoder()
    let values = [Double](repeating: 7, count: rows)
    for id in series { encoder.add(id, values[...], digits: 0, &columns) }
    return encoder.finish()
  }

  @Test func aBlockComesBack() throws {
    let block = try ReceivedBlock(Self.block(rows: 3, series: [1, 4]))
    #expect(block.sequences == [1, 2, 3] && block.epochs == [1, 1, 1] && block.milliseconds == [1, 2, 3])
    #expect(block.width == 5)
    #expect(block.values(ofRow: 2).map(\.isMissing) == [true, false, true, true, false])
  }

  /// Few bytes can ask for very much memory.
  @Test(arguments: [(65_536, Array(0..<17)), (200, [9_999]), (1, [10_000])])
  func whatIsTooLargeIsRefused(rows: Int, series: [Int]) {
    let bytes = Self.block(rows: rows, series: series)
    #expect(bytes.count < 2_000)
    #expect(throws: ReceivedBlock.Fault.tooLarge) { try ReceivedBlock(bytes) }
  }

  @Test func theLargestIsTaken() throws {
    let block = try ReceivedBlock(Self.block(rows: 65_536, series: Array(0..<16)))
    #expect(block.values(ofRow: 65_535) == Array(repeating: 7, count: 16))
  }

  @Test func otherVersionsAndTiersAreRefused() {
    func crafted(_ place: Int, _ byte: UInt8) -> [UInt8] {
      var bytes = Self.block(rows: 3, series: [0])
      bytes[place] = byte
      LittleEndian.put(Checksum.of(bytes, 0..<24), at: 24, in: &bytes)
      return bytes
    }
    #expect(throws: ReceivedBlock.Fault.unknownVersion(2)) { try ReceivedBlock(crafted(0, 2)) }
    #expect(throws: ReceivedBlock.Fault.damaged) { try ReceivedBlock(crafted(1, 1)) }
    #expect(throws: ReceivedBlock.Fault.damaged) { try ReceivedBlock([]) }
  }

  @Test func numbersThatDoNotAscendAreDamage() {
    for sequences in [[2, 1], [1, 1], [-1, 1], [1, Int64(BufferLimits.largestNumber)]] as [[Int64]] {
      let times = BlockTimes(sequences: sequences, epochs: [1, 1], milliseconds: [1, 2])
      let bytes = BlockEncoder(.raw, times).finish()
      #expect(throws: ReceivedBlock.Fault.damaged) { try ReceivedBlock(bytes) }
    }
  }

  /// Columns of every coding, some with missing rows.
  private static func varied(_ random: inout SplitMix64) -> [UInt8] {
    let numbers = (1...Int64(120)).map { $0 * 3 }
    let times = BlockTimes(sequences: numbers, epochs: numbers.map { $0 < 200 ? 1 : 4 }, milliseconds: numbers.map { $0 * 1_001 })
    var encoder = BlockEncoder(.raw, times)
    var columns = ColumnEncoder()
    for id in 0..<12 {
      let values = (0..<120).map { row -> Double in
        switch id % 6 {
        case 0: random.value(decimals: 2)
        case 1: Double(bitPattern: random.next())
        case 2: row % 7 < 3 ? .missing : Double(row)
        case 3: [1, 90_000, 3, 7_777][row % 4]
        case 4: Double(random.next() % 1_000) / 100
        default: 5
        }
      }
      encoder.add(id * 2, values[...], digits: 2, &columns)
    }
    return encoder.finish()
  }

  private static func change(_ bytes: inout [UInt8], _ range: Range<Int>, _ random: inout SplitMix64) {
    for _ in 0...random.next() % 3 where !range.isEmpty {
      let place = range.lowerBound + Int(random.next() % UInt64(range.count))
      bytes[place] = random.next() % 2 == 0 ? [0, 1, 0x7F, 0x80, 0xFF][Int(random.next() % 5)] : UInt8(random.next() & 0xFF)
    }
  }

  /// With all its checksums right a block may say what it likes: it is read within bounds, or refused.
  @Test(arguments: [1, 2, 3] as [UInt64]) func aCraftedBlockDoesNoHarm(seed: UInt64) throws {
    print("seed \(seed)")
    var random = SplitMix64(seed: seed)
    let block = Self.varied(&random)
    let directory = try BlockDirectory(try BlockHead(block, blobBytes: block.count), block)
    let middle = BlockFormat.headBytes..<BlockFormat.headBytes + directory.head.directoryBytes
    var (read, refused) = (0, 0)
    for round in 0..<1_500 {
      var bytes = block
      switch round % 3 {
      case 0: Self.change(&bytes, 0..<20, &random)
      case 1: Self.change(&bytes, middle, &random)
      default:
        let entry = directory.entries[Int(random.next() % UInt64(directory.entries.count))]
        Self.change(&bytes, entry.bytes, &random)
        // Its checksum stands somewhere in the directory.
        let check = withUnsafeBytes(of: entry.checksum.littleEndian) { Array($0) }
        let place = try #require(middle.dropLast(3).first { Array(bytes[$0..<$0 + 4]) == check })
        LittleEndian.put(Checksum.of(bytes, entry.bytes), at: place, in: &bytes)
      }
      LittleEndian.put(Checksum.of(bytes, middle), at: 20, in: &bytes)
      LittleEndian.put(Checksum.of(bytes, 0..<24), at: 24, in: &bytes)
      do {
        let received = try ReceivedBlock(bytes)
        #expect(received.width * received.sequences.count <= BufferLimits.valuesPerPart)
        for row in received.sequences.indices { #expect(received.values(ofRow: row).count == received.width) }
        read += 1
      } catch {
        refused += 1
      }
    }
    #expect(read > 100 && refused > 300)
  }
}
