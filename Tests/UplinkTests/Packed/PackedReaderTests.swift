import Buffer
import Randomness
import Telemetry
import Testing

@testable import Uplink

@Suite struct PackedReaderTests {
  /// A key, a delta on it, a block as it lies in the buffer and one made anew, with what they hold.
  private static func messages() throws -> [(bytes: [UInt8], ticks: [ExpectedTick])] {
    let feed = try PackedFeed(seed: 50)
    try feed.ticks(400)
    try feed.seal(200)
    var backlog = PackedBacklog(try BufferReader(path: feed.path))
    var encoder = PackedLiveEncoder(boot: "boot")
    encoder.learn(PackedFeed.series)
    var messages: [[UInt8]] = (1...2).map {
      encoder.encode(LiveTick(sequence: $0, wallMilliseconds: 5, synced: true, values: feed.values()))
    }
    for owed in [1...400, 3...12] as [ClosedRange<UInt64>] {
      if case .message(_, _, let bytes) = try backlog.message(owed) { messages.append(bytes) }
    }
    try #require(backlog.wholeBlocks == 1 && messages.count == 4)
    var reader = try PackedFeed.packedReader()
    return try messages.map { ($0, try reader.ticks($0)) }
  }

  /// One to four changes: bits, bytes, lengths, pieces moved.
  private static func mutate(_ bytes: [UInt8], _ random: inout SplitMix64) -> [UInt8] {
    var bytes = bytes
    func place() -> Int { Int(random.next() % UInt64(max(bytes.count, 1))) }
    for _ in 0...random.next() % 4 where !bytes.isEmpty {
      switch random.next() % 6 {
      case 0: bytes[place()] ^= 1 << UInt8(random.next() % 8)
      case 1: bytes[place()] = UInt8(truncatingIfNeeded: random.next())
      case 2: bytes.removeSubrange(place()...)
      case 3: bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: place())
      case 4: bytes.remove(at: place())
      default:
        // The head is where the numbers are.
        bytes[min(place() % 64, bytes.count - 1)] = [0, 0x7F, 0x80, 0xFF][Int(random.next() % 4)]
      }
    }
    return bytes
  }

  private static func sealed(_ bytes: [UInt8]) -> [UInt8] {
    var bytes = Array(bytes.dropLast(PackedFormat.checksumBytes))
    let check = WireNumber.checksum(bytes)
    for shift in [0, 8, 16, 24] as [UInt32] { bytes.append(UInt8(check >> shift & 0xFF)) }
    return bytes
  }

  @Test(arguments: [61, 62] as [UInt64]) func aChangedMessageIsNeverTakenForTrue(seed: UInt64) throws {
    print("seed \(seed)")
    var random = SplitMix64(seed: seed)
    let messages = try Self.messages()
    var reader = try PackedFeed.packedReader()
    _ = try reader.ticks(messages[0].bytes)
    let fresh = reader
    var refused = 0
    for round in 0..<5_000 {
      let message = messages[round % messages.count]
      let changed = Self.mutate(message.bytes, &random)
      reader = fresh
      do {
        #expect(try reader.ticks(changed) == message.ticks)
        #expect(changed == message.bytes)
      } catch {
        refused += 1
      }
      // What was refused leaves nothing behind.
      if round % 100 < 4 { #expect(try reader.ticks(message.bytes) == message.ticks) }
    }
    #expect(refused > 4_900)
  }

  /// With the right checksum a message may say what it likes: it is read within bounds, or refused.
  @Test(arguments: [71, 72] as [UInt64]) func aCraftedMessageDoesNoHarm(seed: UInt64) throws {
    print("seed \(seed)")
    var random = SplitMix64(seed: seed)
    let messages = try Self.messages()
    let fresh = try PackedFeed.packedReader()
    var (refused, read) = (0, 0)
    for round in 0..<5_000 {
      var reader = fresh
      if round % 2 == 0 { _ = try reader.ticks(messages[0].bytes) }
      let message = messages[round % messages.count]
      do {
        for tick in try reader.ticks(Self.sealed(Self.mutate(message.bytes, &random))) { #expect(tick.bits.count <= 40) }
        read += 1
      } catch {
        refused += 1
      }
    }
    #expect(refused > 2_000 && read > 0)
  }

  @Test func whatItDoesNotKnowIsAnError() throws {
    let message = try Self.messages()[2].bytes
    var reader = try PackedFeed.packedReader()
    func fault(_ change: (inout [UInt8]) -> Void) -> PackedFault? {
      var bytes = message
      change(&bytes)
      let crafted = Self.sealed(bytes)
      do throws(PackedFault) { _ = try reader.ticks(crafted) } catch { return error }
      return nil
    }
    #expect(fault { $0[0] = 0x7B } == .notPacked)
    #expect(fault { $0[0] = 0xB2 } == .unknownVersion(2))
    #expect(fault { $0[1] = 4 } == .damaged)
    #expect(fault { $0[1] |= PackedFormat.synced } == .damaged)
    #expect(fault { $0[1] |= 0x80 } == .damaged)
    #expect(fault { _ in } == nil)
    #expect(throws: PackedFault.notPacked) { try reader.ticks([]) }
    for length in 1..<12 {
      #expect(throws: PackedFault.damaged) { try reader.ticks(Array(message.prefix(length))) }
    }
  }
}
