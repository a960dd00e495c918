import Testing

@testable import Buffer
@testable import Telemetry

@Suite struct RoundTripTests {
  @Test func ticksOfSeveralGroupsComeBack() throws {
    let scratch = try Scratch()
    var recorder = try Recorder(scratch)
    recorder.begin(boot: "a", offset: 1_000_000, synced: true)
    try recorder.tick(1_003)
    try recorder.commit()
    let reader = try BufferReader(path: scratch.path)
    var expected: UInt64 = 1
    let damage = try reader.ticks(1...(.max)) { tick in
      let isRight = tick.sequence == expected && tick.values == Recorder.values(expected, 4) && tick.epoch.boot == "a"
      #expect(isRight)
      #expect(tick.wallMilliseconds == 1_000_000 + Int64(expected - 1) * 1_000)
      expected += 1
      return true
    }
    #expect(damage.isNone)
    #expect(expected == 1_004)
    #expect(try reader.extent() == 1...1_003)
    #expect(try reader.count(100...199) == 100)
    #expect(reader.series.map(\.labels) == (0..<4).map { [Label("n", "\($0)")] })
    #expect(!reader.isWithoutLog)
  }

  @Test func readingBeginsInTheMiddleOfAGroupAndStopsWhenAsked() throws {
    let scratch = try Scratch()
    var recorder = try Recorder(scratch)
    recorder.begin(boot: "a", offset: 0, synced: true)
    try recorder.tick(600)
    let reader = try BufferReader(path: scratch.path)
    for first in [1, 2, 249, 250, 251, 252, 400, 600] as [UInt64] {
      var found: [UInt64] = []
      let damage = try reader.ticks(first...600) { tick in
        found.append(tick.sequence)
        let isRight = tick.values == Recorder.values(tick.sequence, 4)
        #expect(isRight)
        return found.count < 5
      }
      #expect(damage.isNone)
      #expect(found == Array(first...min(first + 4, 600)))
    }
  }

  @Test func aRowLostInTheMiddleCostsTheRestOfItsGroup() throws {
    let scratch = try Scratch()
    var recorder = try Recorder(scratch)
    recorder.begin(boot: "a", offset: 0, synced: true)
    try recorder.tick(600)
    try recorder.writer.database.execute("DELETE FROM tick WHERE seq = 300")
    let reader = try BufferReader(path: scratch.path)
    let all = try sequences(reader)
    #expect(all.found == Array(1...299) + Array(501...600))
    #expect(all.damaged == 200)
  }

  @Test func readerFollowsSeriesAndEpochsThatComeLater() throws {
    let scratch = try Scratch()
    var recorder = try Recorder(scratch, series: 2)
    recorder.begin(boot: "a", offset: 0, synced: false)
    try recorder.tick(10)
    let reader = try BufferReader(path: scratch.path)
    recorder.transaction.series = [
      StoredSeries(id: 2, key: "late", name: "late", labels: [], unit: "", kind: "gauge", decimals: 3)
    ]
    recorder.encoder.learn(decimals: [3])
    recorder.begin(boot: "a", offset: 5_000, synced: true)
    try recorder.tick(10) { [Double($0), 2, 0.125] }
    var last: [Double] = []
    let damage = try reader.ticks(1...20) {
      last = $0.values
      return true
    }
    #expect(damage.isNone)
    #expect(last == [20, 2, 0.125])
    #expect(reader.series.count == 3)
    #expect(reader.epochs.count == 2)
  }

  @Test func numbersReservedAheadAreNotGivenOutAgain() throws {
    let scratch = try Scratch()
    do {
      var recorder = try Recorder(scratch)
      recorder.begin(boot: "a", offset: 0, synced: true)
      recorder.transaction.reservedSequence = 4_097
      recorder.transaction.reservedEvent = 65
      try recorder.tick(10)
    }
    let opening = try BufferWriter(path: scratch.path, node: "edge-02", policy: Recorder.roomy).opening
    #expect(opening.nextSequence == 4_097)
    #expect(opening.nextEvent == 65)
    #expect(opening.lastSequence == 10)
    #expect(opening.node == "edge-01")
    #expect(opening.lastEpoch == 1)
    #expect(opening.boots == 1)
    let again = try BufferWriter(path: scratch.path, node: "edge-02", policy: Recorder.roomy).opening
    #expect(again.node == "edge-02")
  }

  @Test func positionsEventsAndAlertsComeBack() throws {
    let scratch = try Scratch()
    let position = DeliveryPosition(next: 90, owed: [3...5, 7...7, 20...29], event: 4)
    let alerts = [
      StoredAlert(rule: "hot", series: "t{zone=\"a\"}", state: "firing", value: 81.5, sinceMilliseconds: 77),
      StoredAlert(rule: "hot", series: "t{zone=\"b\"}", state: "ok", value: .nan, sinceMilliseconds: 78),
    ]
    let event = StoredEvent(
      id: 3, epoch: 1, milliseconds: 9, kind: "alert", severity: .critical, message: "ä \"x\"", detail: "{\"a\":1}")
    do {
      let recorder = try Recorder(scratch)
      var first = BufferTransaction()
      first.deliveries = ["mqtt": DeliveryPosition(next: 50, owed: [1...5, 20...40])]
      first.alerts = [alerts[0]]
      try recorder.writer.commit(first)
      var second = BufferTransaction()
      second.deliveries = ["mqtt": position]
      second.alerts = alerts
      second.events = [event]
      try recorder.writer.commit(second)
    }
    let reader = try BufferReader(path: scratch.path)
    let state = try reader.state()
    #expect(state.deliveries == ["mqtt": position])
    #expect(state.alerts.map(\.series) == alerts.map(\.series))
    #expect(state.alerts[0] == alerts[0])
    #expect(state.alerts[1].value.isNaN)
    #expect(try reader.events(after: 0, limit: 10) == [event])
    #expect(try reader.events(after: 3, limit: 10).isEmpty)
  }

  @Test func aPositionOfTooManyRangesForgetsNothing() throws {
    let owed = (0..<6_000 as Range<UInt64>).map { ($0 * 10)...($0 * 10 + ($0 % 7)) }
    let position = DeliveryPosition(next: 100_000, owed: owed)
    let kept = position.owed(atMost: BufferLimits.owedRanges)
    #expect(kept.count == BufferLimits.owedRanges)
    var at = 0
    for range in owed {
      while kept[at].upperBound < range.lowerBound { at += 1 }
      #expect(kept[at].contains(range.lowerBound) && kept[at].contains(range.upperBound))
    }
    let scratch = try Scratch()
    let recorder = try Recorder(scratch)
    var transaction = BufferTransaction()
    transaction.deliveries = ["mqtt": position]
    try recorder.writer.commit(transaction)
    #expect(try BufferReader(path: scratch.path).state().deliveries["mqtt"]?.owed == kept)
  }

  @Test func anotherTickOfTheSameNumberIsRefusedTheSameOneIsNot() throws {
    let scratch = try Scratch()
    var recorder = try Recorder(scratch)
    recorder.begin(boot: "a", offset: 0, synced: true)
    try recorder.tick(9)
    let transaction = recorder.transaction
    try recorder.writer.commit(transaction)
    try recorder.writer.commit(transaction)
    var other = transaction
    other.ticks[3].bytes[3] ^= 2
    let error = #expect(throws: BufferError.self) { try recorder.writer.commit(other) }
    #expect(error?.kind == .busy)
    #expect(try BufferReader(path: scratch.path).count(0...100) == 9)
  }
}
