import Buffer
import Telemetry
import Testing

@testable import Uplink

@Suite struct SparkplugNodeTests {
  private let series = [
    StoredSeries.test(0, "cpu.usage_percent"),
    StoredSeries.test(1, "memory.used_bytes", unit: "B", decimals: 0),
    StoredSeries.test(2, "thermal.temperature_celsius", [Label("zone", "cpu-thermal")], unit: "°C"),
  ]

  private func started(primaryHost: String? = nil, last: UInt8? = nil) throws -> SparkplugBench {
    var bench = try SparkplugBench(primaryHost: primaryHost, last: last)
    bench.node.learn(series)
    return bench
  }

  @Test func aBirthSaysAllAndDataWhatChanged() throws {
    var bench = try started()
    bench.connect()
    // Nothing was measured yet.
    #expect(bench.host.births == 0)
    let first = bench.tick([12.5, 1_000_000_007, .missing])
    #expect(first.messages.map(\.cargo) == [.tick(1)])
    #expect(bench.host.births == 1)
    #expect(bench.host.texts == ["Properties/Boot": "be154352"])
    #expect(
      bench.host.metrics == [
        1: .init(name: "cpu/usage_percent", datatype: 10, value: 12.5, unit: "%"),
        2: .init(name: "memory/used_bytes", datatype: 4, value: 1_000_000_007, unit: "B"),
        3: .init(name: "thermal/temperature_celsius/cpu-thermal", datatype: 10, value: nil, unit: "°C"),
      ])
    bench.tick([12.5, 1_000_000_007, 51.2])
    #expect(
      bench.host.live == [
        .init(name: "thermal/temperature_celsius/cpu-thermal", milliseconds: UInt64(bench.now.wallMilliseconds), value: 51.2)
      ])
    let answer1 = bench.tick([12.5, 1_000_000_007, 51.2])
    #expect(answer1.isUnchanged)
    bench.tick([12.6, -5, 51.2])
    #expect(bench.host.value(of: "cpu/usage_percent") == 12.6)
    #expect(bench.host.value(of: "memory/used_bytes") == -5)
    #expect(bench.host.offences == [])
  }

  @Test func whatCannotBeExpressedIsNull() throws {
    var bench = try started()
    bench.connect()
    bench.tick([.nan, 1e300, .infinity])
    #expect(bench.host.metrics.values.allSatisfy { $0.value == nil })
    bench.tick([1, 2, 3])
    bench.tick([.nan, 2, -.infinity])
    #expect(bench.host.value(of: "cpu/usage_percent") == .some(nil))
    #expect(bench.host.value(of: "memory/used_bytes") == 2)
    #expect(bench.host.offences == [])
  }

  @Test func aSeriesThatFallsSilentBecomesNull() throws {
    var bench = try started()
    bench.connect()
    // The last one comes every tenth tick: it keeps its value in between.
    for count in 0..<40 { bench.tick([1, 2, count % 10 == 0 ? 50 : .missing]) }
    #expect(bench.host.value(of: "thermal/temperature_celsius/cpu-thermal") == 50)
    // Then the sensor is gone, and the first one, too.
    for _ in 0..<3 { bench.tick([.missing, 2, .missing]) }
    #expect(bench.host.value(of: "cpu/usage_percent") == 1)
    bench.tick([.missing, 2, .missing])
    #expect(bench.host.value(of: "cpu/usage_percent") == .some(nil))
    for _ in 0..<17 { bench.tick([.missing, 2, .missing]) }
    #expect(bench.host.value(of: "thermal/temperature_celsius/cpu-thermal") == 50)
    bench.tick([.missing, 2, .missing])
    #expect(bench.host.value(of: "thermal/temperature_celsius/cpu-thermal") == .some(nil))
    bench.tick([.missing, 2, 48])
    #expect(bench.host.value(of: "thermal/temperature_celsius/cpu-thermal") == 48)
    #expect(bench.host.offences == [])
  }

  @Test func sequencesWrap() throws {
    var bench = try started(last: 254)
    bench.connect()
    #expect(bench.node.birthDeathSequence == 255)
    for count in 0..<600 { bench.tick([Double(count), 2, 3]) }
    #expect(bench.host.number == 255)
    #expect(bench.host.births == 1)
    #expect(bench.host.live.count == 599)
    bench.node.disconnected()
    bench.connect()
    #expect(bench.node.birthDeathSequence == 0)
    #expect(bench.host.births == 2)
    #expect(bench.host.number == 0)
    #expect(bench.host.offences == [])
  }

  @Test func theFirstWillEverHasZero() throws {
    var bench = try started()
    bench.connect()
    #expect(bench.node.birthDeathSequence == 0)
    #expect(bench.node.subscriptions.map(\.topic) == ["spBv1.0/plant/NCMD/edge"])
    #expect(bench.node.subscriptions.map(\.qualityOfService) == [1])
  }

  @Test func aTickWithoutASessionIsOwed() throws {
    var bench = try started()
    let answer2 = bench.tick([1, 2, 3])
    #expect(answer2.isOwed)
    bench.connect()
    // Its values are the current ones.
    #expect(bench.host.births == 1)
    #expect(bench.host.value(of: "cpu/usage_percent") == 1)
    bench.node.disconnected()
    let answer3 = bench.tick([4, 2, 3])
    #expect(answer3.isOwed)
    #expect(bench.node.history(at: bench.now) == nil)
    bench.connect()
    #expect(bench.host.value(of: "cpu/usage_percent") == 4)
    let goodbye = bench.node.farewell(at: bench.now)
    let farewell = try #require(goodbye)
    #expect(farewell.qualityOfService == 1)
    bench.host.take(farewell)
    #expect(!bench.host.isOnline)
    let answer4 = bench.tick([5, 2, 3])
    #expect(answer4.isOwed)
    let again = bench.node.farewell(at: bench.now)
    #expect(again == nil)
    #expect(bench.host.offences == [])
  }

  @Test func aHostAsksForARebirth() throws {
    var bench = try started()
    bench.connect()
    // Before there was a birth the one that comes is enough.
    try bench.askForRebirth()
    for count in 0..<5 { bench.tick([Double(count), 2, 3]) }
    #expect(bench.host.births == 1)
    let answer5 = try bench.askForRebirth()
    #expect(answer5.messages.map(\.cargo) == [.birth])
    #expect(bench.host.births == 2)
    #expect(bench.host.number == 0)
    #expect(bench.host.value(of: "cpu/usage_percent") == 4)
    // At once after it another one waits, and no data goes out meanwhile.
    let answer6 = try bench.askForRebirth()
    #expect(answer6.messages.isEmpty)
    let answer7 = bench.tick([9, 2, 3], after: 100)
    #expect(answer7.isOwed)
    let early = bench.node.pendingBirth(at: bench.now)
    #expect(early.isEmpty)
    let answer8 = bench.tick([10, 2, 3], after: 900)
    #expect(answer8.messages.map(\.cargo) == [.tick(7)])
    #expect(bench.host.births == 3)
    #expect(bench.host.value(of: "cpu/usage_percent") == 10)
    // Without ticks the session finds it.
    try bench.askForRebirth()
    bench.milliseconds += 1_000
    bench.host.take(bench.node.pendingBirth(at: bench.now))
    #expect(bench.host.births == 4)
    let none = bench.node.pendingBirth(at: bench.now)
    #expect(none.isEmpty)
    #expect(bench.host.offences == [])
  }

  @Test func whatIsNoRebirthIsPassedOver() throws {
    var bench = try started()
    bench.connect()
    bench.tick([1, 2, 3])
    bench.milliseconds += 5_000
    let answer9 = try bench.askForRebirth(false)
    #expect(answer9.messages.isEmpty)
    let answer10 = try bench.askForRebirth(name: "Node Control/Reboot")
    #expect(answer10.messages.isEmpty)
    let answer11 = bench.hear("spBv1.0/plant/NCMD/edge", [0xFF, 0xFF])
    #expect(answer11.messages.isEmpty)
    let answer12 = bench.hear("spBv1.0/plant/NCMD/edge", [])
    #expect(answer12.messages.isEmpty)
    let answer13 = bench.hear("spBv1.0/plant/NCMD/other", Array("x".utf8))
    #expect(answer13.messages.isEmpty)
    // No primary host is configured: its state is nothing to us.
    let answer14 = bench.state(online: false, 5)
    #expect(!answer14.disconnects)
    #expect(bench.host.births == 1)
  }

  @Test func newSeriesAreBorn() throws {
    var bench = try started()
    bench.connect()
    bench.tick([1, 2, 3])
    bench.node.learn([.test(3, "disk.read_bytes_per_second", [Label("device", "sda")], unit: "B/s", decimals: 0)])
    let answer = bench.tick([1.5, 2, 3, 4_096])
    #expect(answer.messages.map(\.cargo) == [.tick(2)])
    #expect(bench.host.births == 2)
    #expect(bench.host.value(of: "disk/read_bytes_per_second/sda") == 4_096)
    #expect(bench.host.value(of: "cpu/usage_percent") == 1.5)
    #expect(bench.host.live.isEmpty)
    bench.tick([1.5, 2, 3, 8_192])
    #expect(bench.host.live.count == 1)
    #expect(bench.host.offences == [])
  }

  @Test func birthsStandInTheOrderOfTheirTimes() throws {
    var bench = try started()
    bench.connect()
    bench.tick([1, 2, 50])
    bench.tick([.missing, 3, .missing])
    bench.tick([4, .missing, .missing])
    bench.node.disconnected()
    // Set back by an hour: what was measured before is later than now.
    bench.step -= 3_600_000
    bench.connect()
    #expect(bench.host.births == 2)
    bench.tick([4, .missing, 51])
    #expect(bench.host.value(of: "thermal/temperature_celsius/cpu-thermal") == 51)
    #expect(bench.host.offences == [])
  }

  /// Bounds of all kinds, for one of them is hit exactly.
  @Test(arguments: 1_990...2_020) func largeTicksAreSplit(bound: Int) throws {
    var bench = try SparkplugBench()
    bench.node.dataBytes = bound
    let many = (0..<500).map { StoredSeries.test($0, "disk.busy_percent", [Label("device", "d\($0)")]) }
    bench.node.learn(many)
    bench.connect()
    bench.tick(Array(repeating: 1, count: 500))
    // Numbers above 127 take a byte more.
    for count in 0..<130 { bench.tick([Double(count) + 1_000] + Array(repeating: 1, count: 499)) }
    let messages = bench.tick((0..<500).map { Double($0) + 2 }).messages
    #expect(messages.count > 4)
    #expect(messages.allSatisfy { $0.payload.count <= bound })
    #expect(messages.dropLast().allSatisfy { $0.cargo == .part && $0.payload.count > bound - 30 })
    #expect(messages.last?.cargo == .tick(132))
    #expect(bench.host.value(of: "disk/busy_percent/d499") == 501)
    #expect(bench.host.live.count == 630)
    #expect(bench.host.offences == [])
  }

  @Test func nothingGoesOutUntilThePrimaryHostIsOnline() throws {
    var bench = try started(primaryHost: "scada")
    #expect(bench.node.subscriptions.map(\.topic) == ["spBv1.0/plant/NCMD/edge", "spBv1.0/STATE/scada"])
    bench.connect()
    let answer15 = bench.tick([1, 2, 3])
    #expect(answer15.isOwed)
    bench.hear("spBv1.0/STATE/scada", Array("ONLINE".utf8))
    bench.hear("spBv1.0/STATE/other", Array("{\"online\":true,\"timestamp\":1}".utf8))
    #expect(bench.host.births == 0)
    let answer16 = bench.state(online: true, 1_000)
    #expect(answer16.messages.count == 1)
    #expect(bench.host.births == 1)
    // Again online: nothing new.
    let answer17 = bench.state(online: true, 1_000)
    #expect(answer17.messages.isEmpty)
    // The will of a connection that the host has replaced.
    let answer18 = bench.state(online: false, 999)
    #expect(!answer18.disconnects)
    let answer19 = bench.tick([2, 2, 3])
    #expect(answer19.messages.count == 1)
    let reaction = bench.state(online: false, 1_000)
    #expect(reaction.disconnects)
    #expect(reaction.messages.map(\.cargo) == [.death])
    let answer20 = bench.tick([3, 2, 3])
    #expect(answer20.isOwed)
    bench.node.disconnected()
    // The broker still has the state of before, then an older one that says online.
    bench.connect()
    let answer21 = bench.state(online: true, 998)
    #expect(answer21.messages.isEmpty)
    let answer22 = bench.state(online: false, 1_000)
    #expect(answer22.disconnects)
    bench.node.disconnected()
    bench.connect()
    bench.state(online: true, 2_000)
    #expect(bench.host.births == 2)
    bench.node.disconnected()
    // Times are of one broker.
    bench.connect(to: "two")
    bench.state(online: true, 5)
    #expect(bench.host.births == 3)
    #expect(bench.host.offences == [])
  }
}
