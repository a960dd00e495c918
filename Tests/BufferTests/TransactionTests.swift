import Testing

@testable import Buffer
@testable import Telemetry

@Suite struct TransactionTests {
  private static func tick(_ sequence: UInt64, back: Int, bytes: Int = 28) -> EncodedTick {
    EncodedTick(sequence: sequence, epoch: 1, milliseconds: 0, back: back, bytes: [UInt8](repeating: 0, count: bytes))
  }

  private static func event(_ id: UInt64) -> StoredEvent {
    StoredEvent(id: id, epoch: 1, milliseconds: 0, kind: "alert", severity: .info, message: "m")
  }

  @Test func theLaterOneWins() {
    var first = BufferTransaction()
    first.epochs = [Epoch(id: 1, boot: "a", firstSequence: 1, fromMilliseconds: 0, offsetMilliseconds: 0, synced: false)]
    first.ticks = [Self.tick(1, back: 0)]
    first.deliveries = ["mqtt": DeliveryPosition(next: 1)]
    first.alerts = []
    first.notes = ["a": "1", "b": "2"]
    first.reservedSequence = 100
    var later = BufferTransaction()
    later.epochs = [
      Epoch(id: 1, boot: "a", firstSequence: 1, fromMilliseconds: 0, offsetMilliseconds: 99, synced: true),
      Epoch(id: 2, boot: "a", firstSequence: 2, fromMilliseconds: 5, offsetMilliseconds: 0, synced: true),
    ]
    later.ticks = [Self.tick(2, back: 1)]
    later.notes = ["b": "3"]
    later.deliveries = ["mqtt": DeliveryPosition(next: 2), "other": DeliveryPosition(next: 1)]
    first.append(later)
    #expect(first.notes == ["a": "1", "b": "3"])
    #expect(first.epochs == later.epochs)
    #expect(first.ticks.map(\.sequence) == [1, 2])
    #expect(first.deliveries == later.deliveries)
    #expect(first.alerts == [])
    #expect(first.reservedSequence == 100)
    #expect(!first.isEmpty)
  }

  @Test func wholeGroupsAreDroppedAndTheNewestStays() {
    var transaction = BufferTransaction()
    // 28 bytes and 72 more: each weighs 100. The first two belong to a group that began in an earlier commit.
    transaction.ticks = [(5, 4), (6, 5), (7, 0), (8, 1), (9, 2), (20, 0), (21, 1)].map { Self.tick($0.0, back: $0.1) }
    #expect(transaction.weight == 700)
    var untouched = transaction
    #expect(untouched.dropOldest(toWeight: 700) == nil)
    var one = transaction
    #expect(one.dropOldest(toWeight: 699) == 5...6)
    var more = transaction
    #expect(more.dropOldest(toWeight: 450) == 5...9)
    #expect(more.ticks.map(\.sequence) == [20, 21])
    #expect(more.dropOldest(toWeight: 0) == nil)
    #expect(transaction.dropHeadless() == 5...6)
    #expect(transaction.dropHeadless() == nil)
  }

  @Test func waitingEventsAreBounded() {
    var transaction = BufferTransaction()
    for id in 1...UInt64(BufferLimits.waitingEvents + 5) {
      var later = BufferTransaction()
      later.events = [Self.event(id)]
      transaction.append(later)
    }
    #expect(transaction.events.count == BufferLimits.waitingEvents)
    #expect(transaction.events.first?.id == 6)
    #expect(transaction.droppedEvents == 5)
  }

  @Test func largeRowsEndAGroupEarly() {
    var encoder = TickEncoder()
    encoder.learn(decimals: [Int](repeating: 0, count: 2_000))
    var bytes = 0
    for sequence in 1...200 as ClosedRange<UInt64> {
      let row = encoder.encode(
        sequence: sequence, epoch: 1, milliseconds: 0, values: (0..<2_000).map { Double(sequence) * Double($0) * 0.37 })
      bytes = row.back == 0 ? row.bytes.count : bytes + row.bytes.count
      #expect(bytes - row.bytes.count < BufferLimits.groupBytes)
    }
  }
}
