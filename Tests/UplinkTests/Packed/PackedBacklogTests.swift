import Buffer
import Randomness
import Telemetry
import Testing

@testable import Uplink

@Suite struct PackedBacklogTests {
  /// Takes all of a range; checks that each message answers for what follows on.
  private func drain(
    _ backlog: inout PackedBacklog, _ owed: ClosedRange<UInt64>, mostBytes: Int = UplinkLimits.packedMessageBytes,
    mostTicks: UInt64 = .max
  ) throws -> (ticks: [ExpectedTick], messages: [[UInt8]]) {
    var reader = try PackedFeed.packedReader()
    var (ticks, messages): ([ExpectedTick], [[UInt8]]) = ([], [])
    var from = owed.lowerBound
    while from <= owed.upperBound {
      switch try backlog.message(from...owed.upperBound, mostBytes: mostBytes, mostTicks: mostTicks) {
      case .message(let range, let count, let bytes):
        let read = try reader.ticks(bytes)
        #expect(range.lowerBound == from && read.count == Int(count) && read.last?.sequence == range.upperBound)
        #expect(bytes.count <= mostBytes || count == 1)
        #expect(count <= mostTicks)
        ticks += read
        messages.append(bytes)
        from = range.upperBound + 1
      case .gone(let range, let count):
        #expect(range == from...owed.upperBound && count == UInt64(range.count))
        return (ticks, messages)
      }
    }
    return (ticks, messages)
  }

  @Test(arguments: [1, 2] as [UInt64]) func everyStoredValueArrivesBitForBit(seed: UInt64) throws {
    let feed = try PackedFeed(seed: seed)
    try feed.fill()
    var backlog = PackedBacklog(try BufferReader(path: feed.path))
    let drained = try drain(&backlog, 1...feed.last)
    #expect(drained.ticks == feed.expected)
    // Sealed blocks go as they are, the rest in few messages.
    let sealed = try BufferReader(path: feed.path).tierSizes().first { $0.tier == .raw }?.blocks ?? 0
    #expect(sealed > 1 && backlog.wholeBlocks == sealed)
    #expect(drained.messages.count <= Int(backlog.wholeBlocks) + 2)
    #expect(backlog.damagedValues == 0)
  }

  @Test(arguments: [21, 22, 23] as [UInt64]) func anyRangeInMessagesOfAnySize(seed: UInt64) throws {
    print("seed \(seed)")
    let feed = try PackedFeed(seed: seed)
    try feed.fill()
    var random = SplitMix64(seed: seed)
    var backlog = PackedBacklog(try BufferReader(path: feed.path))
    for _ in 0..<12 {
      let low = random.next() % feed.last + 1
      let range = low...min(low + random.next() % 2_000, feed.last + 10)
      let mostBytes = [100, 3_000, 20_000, 60_000][Int(random.next() % 4)]
      let mostTicks = [7, 100, UInt64.max][Int(random.next() % 3)]
      // A message a tick is slow to read here.
      let few = mostBytes == 100 ? range.lowerBound...min(range.lowerBound + 20, range.upperBound) : range
      let drained = try drain(&backlog, few, mostBytes: mostBytes, mostTicks: mostTicks)
      #expect(drained.ticks == feed.expected.filter { few.contains($0.sequence) })
    }
  }

  @Test func whatIsSealedMeanwhileComesOnce() throws {
    let feed = try PackedFeed(seed: 31)
    try feed.ticks(1_200)
    let reader = try BufferReader(path: feed.path)
    var backlog = PackedBacklog(reader)
    let first = try drain(&backlog, 1...300, mostTicks: 90)
    try feed.seal(250)
    #expect(try reader.tierSizes().contains { $0.tier == .raw && $0.ticks > 500 })
    let second = try drain(&backlog, 301...feed.last)
    #expect(first.ticks + second.ticks == feed.expected)
  }

  @Test func correctedTimesAreThoseOfSending() throws {
    let feed = try PackedFeed(seed: 32)
    try feed.ticks(30)
    var backlog = PackedBacklog(try BufferReader(path: feed.path))
    let before = try drain(&backlog, 1...30)
    try feed.synchronize(movedBy: 12_345)
    let after = try drain(&backlog, 1...30)
    #expect(before.ticks.allSatisfy { !$0.synced } && after.ticks.allSatisfy { $0.synced })
    #expect(zip(before.ticks, after.ticks).allSatisfy { $1.wall - $0.wall == 12_345 && $0.bits == $1.bits })
  }

  @Test func aDamagedColumnIsLeftOutAndCounted() throws {
    let feed = try PackedFeed(seed: 33)
    try feed.ticks(600)
    try feed.seal(500)
    // The columns lie at the end: the last byte is that of the last series.
    try feed.change("UPDATE block SET data = flip(data, length(data) - 1)")
    var backlog = PackedBacklog(try BufferReader(path: feed.path))
    var reader = try PackedFeed.packedReader()
    guard case .message(let range, let ticks, let bytes) = try backlog.message(1...feed.last) else {
      Issue.record("no message")
      return
    }
    #expect(range.lowerBound == 1 && backlog.wholeBlocks == 0)
    #expect(backlog.damagedValues == ticks)
    let read = try reader.ticks(bytes)
    #expect(reader.damagedValues == ticks)
    for (tick, expected) in zip(read, feed.expected) {
      #expect(tick.bits == Array(expected.bits[..<tick.bits.count]) && tick.bits.count == 39)
    }
  }

  @Test func aDamagedDirectoryCostsItsBlock() throws {
    let feed = try PackedFeed(seed: 34)
    try feed.fill()
    try feed.change("UPDATE block SET data = flip(data, 40) WHERE first = (SELECT min(first) FROM block)")
    var backlog = PackedBacklog(try BufferReader(path: feed.path))
    let drained = try drain(&backlog, 1...feed.last)
    let first = try #require(drained.ticks.first)
    #expect(first.sequence > 400)
    #expect(drained.ticks == feed.expected.filter { $0.sequence >= first.sequence })
  }

  @Test func ticksWithoutAnEpochAreLeftOut() throws {
    let feed = try PackedFeed(seed: 35)
    try feed.fill()
    try feed.change("DELETE FROM epoch WHERE id = 4")
    var backlog = PackedBacklog(try BufferReader(path: feed.path))
    let drained = try drain(&backlog, 1...feed.last)
    #expect(drained.ticks == feed.expected.filter { !(1_301...2_500).contains($0.sequence) })
  }

  @Test func whatIsNotThereIsGone() throws {
    let feed = try PackedFeed(seed: 36)
    feed.skip(50)
    try feed.ticks(10)
    var backlog = PackedBacklog(try BufferReader(path: feed.path))
    guard case .gone(3...50, ticks: 48) = try backlog.message(3...50) else {
      Issue.record("not gone")
      return
    }
    guard case .message(40...60, ticks: 10, _) = try backlog.message(40...100) else {
      Issue.record("the message does not answer for what is lacking before it")
      return
    }
  }

  @Test func aBlockOfALaterVersionIsAnError() throws {
    let feed = try PackedFeed(seed: 37)
    try feed.ticks(600)
    try feed.seal(500)
    // Version 9 and the right CRC of the head.
    let reader = try BufferReader(path: feed.path)
    var block = try #require(try reader.part(of: 1...feed.last, mostBytes: .max, mostTicks: .max)).bytes
    block[0] = 9
    var head = Array(block[..<24])
    let check = WireNumber.checksum(head)
    for shift in [0, 8, 16, 24] as [UInt32] { head.append(UInt8(check >> shift & 0xFF)) }
    let hex = head.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    try feed.change("UPDATE block SET data = CAST(x'\(hex)' || substr(data, 29) AS BLOB)")
    var backlog = PackedBacklog(reader)
    #expect(throws: BufferError.self) { _ = try backlog.message(1...feed.last) }
  }
}
