import Buffer
import Randomness
import Telemetry
import Testing

@testable import Uplink

@Suite struct PackedLiveTests {
  private static let boot = "be154352-07bb-4ae6-8774-e214869e617b"

  /// Live ticks of the feed's values with their messages.
  private static func stream(seed: UInt64, ticks: Int, keyEvery: Int = 30) throws -> [(tick: ExpectedTick, message: [UInt8])] {
    let feed = try PackedFeed(seed: seed)
    var encoder = PackedLiveEncoder(boot: boot, keyEvery: keyEvery)
    encoder.learn(PackedFeed.series)
    return (1...UInt64(ticks)).map { number in
      let values = feed.values()
      feed.skip(1)
      let tick = LiveTick(
        sequence: 2_000_000 + number, wallMilliseconds: 1_767_225_600_000 + Int64(number) * 1_001, synced: number % 7 > 0,
        values: values)
      return (ExpectedTick(tick.sequence, boot, tick.wallMilliseconds, tick.synced, values), encoder.encode(tick))
    }
  }

  @Test(arguments: [1, 2, 3] as [UInt64]) func everyValueArrivesBitForBit(seed: UInt64) throws {
    var reader = try PackedFeed.packedReader()
    for (tick, message) in try Self.stream(seed: seed, ticks: 200) { #expect(try reader.ticks(message) == [tick]) }
  }

  @Test func keysComeInTurnAndWhenRequired() throws {
    var encoder = PackedLiveEncoder(boot: "boot", keyEvery: 5)
    encoder.learn(Array(PackedFeed.series.prefix(2)))
    func isKey(_ sequence: UInt64) -> Bool {
      let tick = LiveTick(sequence: sequence, wallMilliseconds: 0, synced: true, values: [1, 2])
      return encoder.encode(tick)[1] & 0x0F == PackedFormat.key
    }
    #expect((1...11).map { isKey($0) } == [true, false, false, false, false, true, false, false, false, false, true])
    #expect(encoder.keySequence == 11)
    #expect(!isKey(12))
    encoder.requireKey()
    #expect(isKey(13) && !isKey(14))
    encoder.learn([PackedFeed.series[2]])
    #expect(isKey(15) && !isKey(20))
    // Numbers that step back are no continuation.
    #expect(isKey(3))
  }

  @Test(arguments: [11, 12, 13, 14] as [UInt64]) func whatIsLostOrOutOfTurnIsNoticed(seed: UInt64) throws {
    print("seed \(seed)")
    var random = SplitMix64(seed: seed)
    let stream = try Self.stream(seed: seed, ticks: 600, keyEvery: 20)
    var reader = try PackedFeed.packedReader()
    var (read, refused) = (0, 0)
    var order = Array(stream.indices)
    for _ in 0..<40 {
      let place = Int(random.next() % UInt64(order.count - 1))
      switch random.next() % 3 {
      case 0: order.remove(at: place)
      case 1: order.swapAt(place, place + 1)
      default: order.insert(order[place], at: min(place + Int(random.next() % 3), order.count))
      }
    }
    for place in order {
      do {
        #expect(try reader.ticks(stream[place].message) == [stream[place].tick])
        read += 1
      } catch {
        guard case .missingBase = error else {
          Issue.record("\(error)")
          continue
        }
        #expect(stream[place].message[1] & 0x0F == PackedFormat.delta)
        refused += 1
      }
    }
    #expect(refused > 0 && read > refused)
  }

  @Test func aLostMessageCostsNoMoreThanUpToTheNextKey() throws {
    let stream = try Self.stream(seed: 5, ticks: 40, keyEvery: 10)
    var reader = try PackedFeed.packedReader()
    for place in stream.indices where place != 13 {
      if (14..<20).contains(place) {
        #expect(throws: PackedFault.missingBase(stream[place].tick.sequence - 1)) { try reader.ticks(stream[place].message) }
      } else {
        #expect(try reader.ticks(stream[place].message) == [stream[place].tick])
      }
    }
  }

  @Test func aRepeatIsGivenOutAgainAndUndoesNothing() throws {
    let stream = try Self.stream(seed: 6, ticks: 6)
    var reader = try PackedFeed.packedReader()
    for place in [0, 0, 1, 1, 2, 0, 3, 4, 4, 5] {
      #expect(try reader.ticks(stream[place].message) == [stream[place].tick])
    }
  }

  @Test func anotherCatalogueIsNoticed() throws {
    var encoder = PackedLiveEncoder(boot: "boot")
    encoder.learn(PackedFeed.series)
    let tick = LiveTick(sequence: 1, wallMilliseconds: 2, synced: true, values: [1])
    let message = encoder.encode(tick)
    var reader = PackedReader()
    #expect(throws: PackedFault.wrongCatalogue(40)) { try reader.ticks(message) }
    var catalogue = SeriesCatalogue(seriesPerChunk: 100)
    // Other decimals would make other values.
    var others = PackedFeed.series
    let first = others[0]
    others[0] = StoredSeries(
      id: 0, key: first.key, name: first.name, labels: first.labels, unit: first.unit, kind: first.kind, decimals: 3)
    _ = catalogue.learn(others)
    try reader.learn(catalogue: catalogue.json(0))
    #expect(reader.series.count == 40)
    #expect(throws: PackedFault.wrongCatalogue(40)) { try reader.ticks(message) }
    reader = try PackedFeed.packedReader()
    #expect(try reader.ticks(message) == [ExpectedTick(1, "boot", 2, true, [1])])
  }

  @Test func bootsOfAllFormsComeBack() throws {
    let long = String(repeating: "ä", count: 200)
    for boot in [Self.boot, Self.boot.uppercased(), "boot-1", "x", long] {
      var encoder = PackedLiveEncoder(boot: boot)
      var reader = PackedReader()
      let message = encoder.encode(LiveTick(sequence: .max, wallMilliseconds: .min, synced: false, values: []))
      #expect(try reader.ticks(message) == [ExpectedTick(.max, String(boot.prefix(127)), .min, false, [])])
    }
  }

  /// Series as an edge device has them: 130 with noise, counters, steps and bursts, one message a second.
  @Test func aValueTakesFewBytes() {
    var random = SplitMix64(seed: 9)
    let decimals = (0..<130).map { $0 % 5 == 0 ? 1 : 0 }
    var encoder = PackedLiveEncoder(boot: Self.boot)
    encoder.learn(
      decimals.enumerated().map {
        StoredSeries(id: $0, key: "t.v\($0)", name: "t.v\($0)", labels: [], unit: "", kind: "gauge", decimals: $1)
      })
    var values = [Double](repeating: 1_000, count: 130)
    // Topic, its length, packet id, properties, type and length of PUBLISH in MQTT 5.
    let around = "godwit/v1/edge-01/packed".utf8.count + 2 + 2 + 1 + 3
    var bytes = 0
    for sequence in 1...600 as ClosedRange<UInt64> {
      for id in 0..<130 {
        switch id % 5 {
        case 0: values[id] = (Double(random.next() % 1_000)) / 10
        case 1: values[id] += Double(random.next() % 400)
        case 2: if random.next() % 10 == 0 { values[id] = Double(random.next() % 20_000) }
        default: if random.next() % 100 == 0 { values[id] += 1 }
        }
      }
      bytes +=
        around
        + encoder.encode(
          LiveTick(sequence: 5_000_000 + sequence, wallMilliseconds: Int64(sequence) * 1_000, synced: true, values: values)
        ).count
    }
    #expect(Double(bytes) / 600 / 130 <= 2)
  }
}
