import Testing

@testable import Uplink

@Suite struct OutboxTests {
  private func drain(_ outbox: inout Outbox) -> [UInt64] {
    var ids: [UInt64] = []
    while let event = outbox.takeEvent() { ids.append(event.id) }
    return ids
  }

  @Test func eventsKeepTheirOrderAndCountFromTheFirstUnacknowledged() {
    var outbox = Outbox(deliveredEvent: 0, nextEvent: 1)
    for id in 1...4 as ClosedRange<UInt64> { outbox.put(event: [UInt8(id)], id: id) }
    let taken = drain(&outbox)
    #expect(taken == [1, 2, 3, 4])
    outbox.acknowledge(event: 2)
    outbox.acknowledge(event: 4)
    #expect(outbox.deliveredEvent == 0)
    outbox.acknowledge(event: 1)
    #expect(outbox.deliveredEvent == 2)
    // A new connection: from the first that was not acknowledged, whatever came after it.
    outbox.connected()
    let again = drain(&outbox)
    #expect(again == [3, 4])
    outbox.acknowledge(event: 3)
    outbox.acknowledge(event: 4)
    #expect(outbox.deliveredEvent == 4)
  }

  @Test func afterARestartOlderEventsComeFromTheBuffer() {
    var outbox = Outbox(deliveredEvent: 7, nextEvent: 10)
    #expect(outbox.olderEventsBelow == 10)
    outbox.put(event: [1], id: 10)
    #expect(outbox.olderEventsBelow == 10)
    outbox.taken(8)
    outbox.taken(9)
    #expect(outbox.olderEventsBelow == nil)
    let next = outbox.takeEvent()
    #expect(next?.id == 10)
  }

  @Test func nothingOlderNothingRead() {
    let fresh = Outbox(deliveredEvent: 0, nextEvent: 1)
    #expect(fresh.olderEventsBelow == nil)
  }

  @Test func whatMemoryCannotHoldComesFromTheBuffer() {
    var outbox = Outbox(deliveredEvent: 0, nextEvent: 1)
    let count = UInt64(UplinkLimits.eventsInMemory) + 5
    for id in 1...count { outbox.put(event: [], id: id) }
    #expect(outbox.olderEventsBelow == 6)
    outbox.skipEvents(below: 6)
    let taken = drain(&outbox)
    #expect(taken == Array(6...count))
  }

  @Test func anEventThatHadNoRoomOnItsWayComesFromTheBuffer() {
    var outbox = Outbox(deliveredEvent: 0, nextEvent: 1)
    outbox.put(event: [], id: 1)
    outbox.put(event: [], id: 4)
    #expect(outbox.olderEventsBelow == 4)
    for id in 1...3 as ClosedRange<UInt64> { outbox.taken(id) }
    let next = outbox.takeEvent()
    #expect(next?.id == 4)
  }

  @Test func onlyTheNewestStateOfARuleIsSent() {
    var outbox = Outbox(deliveredEvent: 0, nextEvent: 1)
    outbox.put(alert: [1], rule: "hot")
    outbox.put(alert: [9], rule: "full")
    outbox.put(alert: [2], rule: "hot")
    let first = outbox.takeAlert()
    let second = outbox.takeAlert()
    let third = outbox.takeAlert()
    #expect(first?.rule == "hot" && first?.json == [2])
    #expect(second?.rule == "full")
    #expect(third == nil)
  }

  @Test func statesAreSentAgainOnANewConnection() {
    var outbox = Outbox(deliveredEvent: 0, nextEvent: 1)
    outbox.put(alert: [1], rule: "hot")
    outbox.put(info: [5])
    let alert = outbox.takeAlert()
    let info = outbox.takeInfo()
    let none = outbox.takeInfo()
    #expect(alert != nil && info?.json == [5] && none == nil)
    outbox.acknowledge(alert: "hot", generation: alert?.generation ?? -1)
    outbox.connected()
    let alertAgain = outbox.takeAlert()
    let infoAgain = outbox.takeInfo()
    #expect(alertAgain?.json == [1])
    #expect(infoAgain?.json == [5])
  }

  @Test func aRemovedRuleStaysUntilItsTopicIsEmpty() {
    var outbox = Outbox(deliveredEvent: 0, nextEvent: 1)
    outbox.put(alert: [1], rule: "hot")
    outbox.put(alert: [], rule: "hot")
    let emptied = outbox.takeAlert()
    #expect(emptied?.json == [])
    // The connection broke before the broker had it.
    outbox.connected()
    let again = outbox.takeAlert()
    #expect(again?.json == [])
    outbox.acknowledge(alert: "hot", generation: again?.generation ?? -1)
    outbox.connected()
    let gone = outbox.takeAlert()
    #expect(gone == nil)
  }

  @Test func aRuleThatCameBackIsNotRemovedByALateAcknowledgement() {
    var outbox = Outbox(deliveredEvent: 0, nextEvent: 1)
    outbox.put(alert: [], rule: "hot")
    let emptied = outbox.takeAlert()
    outbox.put(alert: [3], rule: "hot")
    outbox.acknowledge(alert: "hot", generation: emptied?.generation ?? -1)
    let back = outbox.takeAlert()
    #expect(back?.json == [3])
    outbox.connected()
    let again = outbox.takeAlert()
    #expect(again?.json == [3])
  }

  @Test func rulesAreBounded() {
    var outbox = Outbox(deliveredEvent: 0, nextEvent: 1)
    for number in 0..<(UplinkLimits.alerts + 10) { outbox.put(alert: [1], rule: "r\(number)") }
    var count = 0
    while outbox.takeAlert() != nil { count += 1 }
    #expect(count == UplinkLimits.alerts)
  }

  @Test func aLostMessageIsSentAgain() {
    var outbox = Outbox(deliveredEvent: 0, nextEvent: 1)
    outbox.put(event: [], id: 1)
    outbox.put(info: [1])
    _ = outbox.takeEvent()
    let info = outbox.takeInfo()
    outbox.lose(.event(1))
    outbox.lose(.info(generation: info?.generation ?? 0))
    let event = outbox.takeEvent()
    let again = outbox.takeInfo()
    #expect(event?.id == 1)
    #expect(again?.json == [1])
  }
}
