import Buffer
import Randomness
import Testing

@testable import Uplink

/// A ledger that keeps a place for every single tick.
private struct NaiveLedger {
  enum Place: Equatable {
    case owed
    case inFlight
    case delivered
    case lost
  }

  var places: [UInt64: Place] = [:]
  var next: UInt64

  mutating func note(_ sequence: UInt64, _ place: Place) {
    guard sequence >= next else { return }
    for skipped in next..<sequence { places[skipped] = .owed }
    places[sequence] = place
    next = sequence + 1
  }

  mutating func move(_ range: ClosedRange<UInt64>, to place: Place) {
    for sequence in range { places[sequence] = place }
  }

  func ticks(_ place: Place) -> [UInt64] { places.filter { $0.value == place }.keys.sorted() }
}

@Suite struct LedgerTests {
  private func ticks(_ ranges: [ClosedRange<UInt64>]) -> [UInt64] { ranges.flatMap { Array($0) }.sorted() }

  private func check(_ ledger: DeliveryLedger, _ naive: NaiveLedger, _ step: String) {
    #expect(ticks(ledger.owed) == naive.ticks(.owed), "\(step)")
    #expect(ticks(ledger.inFlight) == naive.ticks(.inFlight), "\(step)")
    #expect(ledger.next == naive.next, "\(step)")
    #expect(ledger.owedTicks == UInt64(naive.ticks(.owed).count), "\(step)")
    // Ascending and apart: neighbours are one range.
    for (left, right) in zip(ledger.owed, ledger.owed.dropFirst()) {
      #expect(left.upperBound + 1 < right.lowerBound, "\(step)")
    }
  }

  @Test(arguments: 1...12 as ClosedRange<UInt64>)
  func everyTickIsInOnePlace(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    var naive = NaiveLedger(next: 1)
    var ledger = DeliveryLedger(position: nil, lastCommitted: nil, firstOfRun: 1)
    var delivered: UInt64 = 0
    var lost: UInt64 = 0
    for step in 0..<400 {
      let flight = ledger.inFlight.randomElement(using: &random)
      switch Int.random(in: 0..<9, using: &random) {
      case 0, 1:
        let sequence = naive.next + UInt64.random(in: 0...2, using: &random)
        ledger.send(live: sequence)
        naive.note(sequence, .inFlight)
      case 2:
        // An old number is nothing new.
        let sequence = naive.next &- UInt64.random(in: 0...1, using: &random)
        ledger.owe(live: sequence)
        naive.note(sequence, .owed)
      case 3, 4:
        let committed = naive.next &- UInt64.random(in: 0...5, using: &random)
        guard let owed = ledger.firstOwed(committed: committed) else { continue }
        #expect(owed.upperBound <= committed)
        let part = owed.lowerBound...UInt64.random(in: owed, using: &random)
        ledger.send(owed: part)
        naive.move(part, to: .inFlight)
      case 5, 6:
        guard let flight else { continue }
        ledger.acknowledge(flight, ticks: UInt64(flight.count))
        naive.move(flight, to: .delivered)
        delivered += UInt64(flight.count)
      case 7:
        guard let flight else { continue }
        if Bool.random(using: &random) {
          ledger.lose(flight)
          naive.move(flight, to: .owed)
        } else {
          ledger.abandon(flight, ticks: UInt64(flight.count))
          naive.move(flight, to: .lost)
          lost += UInt64(flight.count)
        }
      default:
        if Int.random(in: 0..<4, using: &random) == 0 {
          let position = ledger.position(event: 0)
          #expect(ticks(position.owed) == (naive.ticks(.owed) + naive.ticks(.inFlight)).sorted())
          let last = naive.next - 1
          guard last > 0 else { continue }
          // The next run's numbers begin after those that were reserved ahead.
          let first = naive.next + UInt64.random(in: 0...3, using: &random)
          for sequence in naive.ticks(.inFlight) { naive.places[sequence] = .owed }
          naive.next = first
          ledger = DeliveryLedger(position: position, lastCommitted: last, firstOfRun: first)
          (delivered, lost) = (0, 0)
        } else {
          ledger.loseAll()
          for sequence in naive.ticks(.inFlight) { naive.places[sequence] = .owed }
        }
      }
      check(ledger, naive, "seed \(seed), step \(step)")
      #expect(ledger.delivered == delivered && ledger.lost == lost, "seed \(seed), step \(step)")
    }
  }

  @Test func theNewestOwedAreTheLastThatAreCommitted() {
    let ledger = DeliveryLedger(
      position: DeliveryPosition(next: 90, owed: [10...20, 60...70]), lastCommitted: 89, firstOfRun: 90)
    #expect(ledger.lastOwed(committed: 89, ticks: 4) == 67...70)
    #expect(ledger.lastOwed(committed: 65, ticks: 100) == 60...65)
    #expect(ledger.lastOwed(committed: 59, ticks: 1) == 20...20)
    #expect(ledger.lastOwed(committed: 9, ticks: 1) == nil)
  }

  @Test func aBufferWithoutAPositionIsOwedWhole() {
    let ledger = DeliveryLedger(position: nil, lastCommitted: 500, firstOfRun: 100_501)
    #expect(ledger.owed == [1...500])
    #expect(ledger.next == 100_501)
  }

  @Test func aPositionThatContradictsTheBufferIsCutToIt() {
    // Ticks that were sent and never committed exist no more; numbers of this run are not owed by the last one.
    let position = DeliveryPosition(next: 90, owed: [10...20, 60...70, 150...160])
    #expect(DeliveryLedger(position: position, lastCommitted: 65, firstOfRun: 155).owed == [10...20, 60...65])
    #expect(DeliveryLedger(position: position, lastCommitted: nil, firstOfRun: 1).owed.isEmpty)
    #expect(DeliveryLedger(position: position, lastCommitted: 0, firstOfRun: 1).owed.isEmpty)
  }

  @Test func whatWasRefusedForWantOfRoomIsOwed() {
    var ledger = DeliveryLedger(position: nil, lastCommitted: nil, firstOfRun: 10)
    ledger.send(live: 10)
    ledger.send(live: 14)
    #expect(ledger.owed == [11...13])
    #expect(ledger.inFlight == [10...10, 14...14])
  }

  @Test func theNumberOfRangesIsBounded() {
    var ledger = DeliveryLedger(position: nil, lastCommitted: nil, firstOfRun: 1)
    let count = UInt64(BufferLimits.owedRanges) + 200
    for index in 0..<count {
      ledger.send(live: 2 * index + 1)
      ledger.acknowledge((2 * index + 1)...(2 * index + 1), ticks: 1)
      ledger.owe(live: 2 * index + 2)
    }
    #expect(ledger.owed.count <= BufferLimits.owedRanges)
    // Joined ranges cover what was delivered between them; nothing owed is forgotten.
    let all = Set(ledger.owed.flatMap { Array($0) })
    for index in 0..<count { #expect(all.contains(2 * index + 2)) }
  }

  @Test func onlyWhatIsCommittedIsTaken() {
    var ledger = DeliveryLedger(position: nil, lastCommitted: nil, firstOfRun: 1)
    ledger.owe(live: 1)
    ledger.owe(live: 5)
    #expect(ledger.firstOwed(committed: 0) == nil)
    #expect(ledger.firstOwed(committed: 3) == 1...3)
    #expect(ledger.firstOwed(committed: 9) == 1...5)
  }

  @Test func aStrayAcknowledgementChangesNothing() {
    var ledger = DeliveryLedger(position: nil, lastCommitted: nil, firstOfRun: 1)
    ledger.send(live: 1)
    let before = ledger.changes
    ledger.acknowledge(2...2, ticks: 1)
    ledger.lose(7...9)
    #expect(ledger.inFlight == [1...1])
    #expect(ledger.delivered == 0)
    #expect(ledger.changes == before)
  }
}
