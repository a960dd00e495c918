import Foundation
import Testing

/// The promise: every committed tick arrives, whatever dies in between.
@Suite struct DeliveryTests {
  /// A minute at ten ticks a second, in which the broker dies three times without a word and the agent once.
  @Test func everyCommittedTickArrivesOverDeathsOfBrokerAndAgent() throws {
    // The broker remembers the subscriber's session over its deaths: else what arrives before the subscriber is back would go
    // to nobody, acknowledged all the same.
    let broker = try Broker(.init(persistence: true))
    let subscriber = try Subscriber(["godwit/v1/edge/#"], to: broker, session: "watcher")
    let device = try Device()
    try device.start(
      .init(commit: "2s", sensors: ["cpu: {per_core: usage}", "memory:", "network:", "self:"], broker: broker.url))
    try device.takeTicks(100)
    for round in 1...3 {
      broker.crash(after: [subscriber])
      try device.takeTicks(60)
      try broker.start()
      try subscriber.waitForSubscription(number: round + 1)
      if round < 3 { try device.takeTicks(60) }
    }
    let taken = try #require(try device.status()).tick.ticks
    // Killed while it drains what it owes from the last outage, and between two commits.
    device.agent.kill()
    let before = try device.export().map(\.seq)
    try device.agent.start()
    try device.takeTicks(taken < 500 ? 600 - taken : 100)
    let end = device.agent.terminate(within: 20)
    #expect(end == .exited(0), "\(device.log.suffix(2000))")
    let committed = try device.export()
    // What the goodbye left owed goes out after the next start.
    try device.agent.start()

    var received: [WireTick] = []
    var missing: Set<WireTick.ID> = []
    eventually("every committed tick arrives", timeout: 60, every: 0.5) {
      received = (try? subscriber.messages.flatMap(WireTick.ticks)) ?? []
      missing = Set(committed.map(\.id)).subtracting(received.map(\.id))
      return missing.isEmpty
    }
    #expect(missing.isEmpty, "missing: \(missing.sorted().prefix(20).map(\.seq))")
    #expect(committed.count > 500)
    try checkNumbers(committed.map(\.seq), killedAfter: before)
    checkRepeats(received, committed: committed)
    let lost = try device.eventuallyStatus("nothing owed") { $0.uplink.owed < 30 }.uplink.lost
    #expect(lost == 0)
  }

  /// The numbers of each of the two runs are without a hole, and none was used twice.
  private func checkNumbers(_ all: [UInt64], killedAfter before: [UInt64]) throws {
    let last = try #require(before.last)
    let first = try #require(before.first)
    #expect(before == Array(first...last))
    #expect(Array(all.prefix(before.count)) == before)
    let after = Array(all.dropFirst(before.count))
    let next = try #require(after.first)
    #expect(next > last)
    #expect(after == Array(next..<(next + UInt64(after.count))))
  }

  /// Whatever came more than once says the same each time, and as the buffer.
  private func checkRepeats(_ received: [WireTick], committed: [WireTick]) {
    var known = Dictionary(committed.map { ($0.id, $0.m) }) { first, _ in first }
    var different: [UInt64] = []
    for tick in received {
      if let values = known[tick.id] {
        if values != tick.m { different.append(tick.seq) }
      } else {
        known[tick.id] = tick.m
      }
    }
    #expect(different.isEmpty, "same number, other values: \(different.prefix(10))")
    let distinct = Set(received.map(\.id)).count
    let repeats = received.count - distinct
    let share = Double(repeats) * 100 / Double(max(received.count, 1))
    let uncommitted = Set(received.map(\.id)).subtracting(committed.map(\.id)).count
    print(
      "delivery: \(committed.count) ticks committed, \(received.count) received, \(repeats) repeats "
        + "(\(String(format: "%.1f", share)) %), \(uncommitted) received but not committed")
  }
}
