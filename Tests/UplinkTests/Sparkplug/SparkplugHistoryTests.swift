import Buffer
import Randomness
import Telemetry
import Testing

@testable import Uplink

@Suite struct SparkplugHistoryTests {
  private static let series = [
    StoredSeries.test(0, "cpu.usage_percent"), StoredSeries.test(1, "memory.used_bytes", unit: "B", decimals: 0),
  ]

  private func started() throws -> SparkplugBench {
    var bench = try SparkplugBench()
    bench.node.learn(SparkplugHistoryTests.series)
    bench.node.learn(stored: SparkplugHistoryTests.series)
    bench.connect()
    bench.tick([1, 2])
    return bench
  }

  @Test func owedTicksComeMarkedAndApart() throws {
    var bench = try started()
    let before = bench.host.metrics
    let messages = try bench.drain([
      (101, 1_000, [10, 20]), (102, 2_000, [10, 21]), (103, 3_000, [.missing, 21]), (104, 4_000, [11, 21]),
    ])
    #expect(messages.map(\.cargo) == [.backlog(101...104, ticks: 4)])
    #expect(
      bench.host.historical == [
        .init(name: "cpu/usage_percent", milliseconds: 1_000, value: 10),
        .init(name: "memory/used_bytes", milliseconds: 1_000, value: 20),
        .init(name: "memory/used_bytes", milliseconds: 2_000, value: 21),
        .init(name: "cpu/usage_percent", milliseconds: 4_000, value: 11),
      ])
    // Late values are not the current ones, neither there nor here.
    #expect(bench.host.metrics == before)
    let answer1 = bench.tick([1, 2])
    #expect(answer1.isUnchanged)
    #expect(bench.host.offences == [])
  }

  @Test(arguments: 1_000...1_030) func messagesStayWithinTheirBound(bound: Int) throws {
    var bench = try started()
    bench.node.dataBytes = bound
    // Numbers above 127 take a byte more.
    for count in 0..<130 { bench.tick([Double(count) + 5, 2]) }
    let ticks = (0..<2_000).map { count -> (sequence: UInt64, wall: Int64, values: [Double]) in
      (UInt64(count) + 1, Int64(count) * 1_000, [Double(count), Double(count * 7)])
    }
    let messages = try bench.drain(ticks)
    #expect(messages.allSatisfy { $0.payload.count <= bound })
    // All of a size, none of a remainder of the one before.
    #expect(messages.dropLast().allSatisfy { $0.payload.count > 900 })
    var next: UInt64 = 1
    var count: UInt64 = 0
    for message in messages {
      guard case .backlog(let range, let ticks) = message.cargo else {
        Issue.record("\(message.cargo)")
        continue
      }
      #expect(range.lowerBound == next)
      next = range.upperBound + 1
      count += ticks
    }
    #expect(next == 2_001 && count == 2_000)
    #expect(bench.host.historical.count == 4_000)
    #expect(bench.host.offences == [])
  }

  @Test func aTickThatIsTooLargeIsSplit() throws {
    var bench = try SparkplugBench()
    let many = (0..<300).map { StoredSeries.test($0, "disk.busy_percent", [Label("device", "d\($0)")]) }
    bench.node.learn(many)
    bench.node.learn(stored: many)
    bench.node.dataBytes = 1_500
    bench.connect()
    bench.tick(Array(repeating: 1, count: 300))
    let messages = try bench.drain([(7, 1_000, (0..<300).map(Double.init)), (8, 2_000, (0..<300).map(Double.init))])
    #expect(messages.count > 3)
    #expect(messages.filter { $0.cargo != .part }.map(\.cargo) == [.backlog(7...7, ticks: 1), .backlog(8...8, ticks: 1)])
    #expect(messages.allSatisfy { $0.payload.count <= 1_500 })
    #expect(bench.host.historical.count == 600)
    #expect(bench.host.offences == [])
  }

  @Test func seriesOfTheFileAreBornFirst() throws {
    var bench = try started()
    // The file has others at the same places, for it is not of this run.
    bench.node.forgetStored()
    bench.node.learn(
      stored: [.test(0, "fan.speed_rpm", unit: "rpm", decimals: 0), SparkplugHistoryTests.series[0]].enumerated().map {
        StoredSeries.test($0.offset, $0.element.name, unit: $0.element.unit, decimals: $0.element.decimals)
      })
    #expect(bench.node.history(at: bench.now) == nil)
    bench.milliseconds += 1_000
    bench.host.take(bench.node.pendingBirth(at: bench.now))
    #expect(bench.host.births == 2)
    #expect(bench.host.value(of: "fan/speed_rpm") == .some(nil))
    _ = try bench.drain([(5, 1_000, [900, 33])])
    #expect(
      bench.host.historical == [
        .init(name: "fan/speed_rpm", milliseconds: 1_000, value: 900),
        .init(name: "cpu/usage_percent", milliseconds: 1_000, value: 33),
      ])
    #expect(bench.host.offences == [])
  }

  @Test func aSeriesNamedWhileItIsReadWaits() throws {
    var bench = try started()
    var history = try #require(bench.node.history(at: bench.now))
    let (first, second) = (
      history.append([5, 6], sequence: 10, wallMilliseconds: 1_000),
      history.append([5, 6, 7], sequence: 11, wallMilliseconds: 2_000)
    )
    #expect(first && !second)
    #expect(history.needsSeries)
    let messages = bench.node.messages(of: history, from: 9)
    #expect(messages.map(\.cargo) == [.backlog(9...10, ticks: 1)])
    bench.host.take(messages)
    #expect(bench.host.offences == [])
  }

  @Test func ticksWithoutValuesSendNothing() throws {
    let bench = try started()
    var node = bench.node
    var history = try #require(node.history(at: bench.now))
    let hasRoom = history.append([.missing, .missing], sequence: 10, wallMilliseconds: 1_000)
    #expect(hasRoom)
    #expect(history.isEmpty && history.lastSequence == 10 && history.ticks == 1)
    let messages = node.messages(of: history, from: 10)
    #expect(messages.isEmpty)
    #expect(node.sequence == bench.node.sequence)
  }

  /// Everything in any order: the host never sees a broken rule, and what it holds is what was measured.
  @Test(arguments: 1...40 as ClosedRange<UInt64>) func anyOrderOfThings(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    var bench = try SparkplugBench(primaryHost: seed % 2 == 0 ? "scada" : nil, last: UInt8(truncatingIfNeeded: random.next()))
    bench.node.dataBytes = 60 + Int(random.next() % 400)
    var series = SparkplugHistoryTests.series
    bench.node.learn(series)
    bench.node.learn(stored: series)
    var newest: [Double] = [.missing, .missing]
    var state: UInt64 = 1_000
    for step in 0..<1_500 {
      switch random.next() % 40 {
      case 0: bench.node.disconnected()
      case 1, 2: if !bench.node.isConnected { bench.connect(to: random.next() % 3 == 0 ? "two" : "one") }
      case 3: try bench.askForRebirth()
      case 4 where series.count < 30:
        let one = StoredSeries.test(series.count, "disk.busy_percent", [Label("device", "d\(series.count)")])
        series.append(one)
        newest.append(.missing)
        bench.node.learn([one])
        bench.node.learn(stored: [one])
      case 5, 6:
        state += random.next() % 100
        bench.state(online: true, state)
      case 7: if bench.state(online: false, state - random.next() % 3).disconnects { bench.node.disconnected() }
      case 8: bench.host.take(bench.node.pendingBirth(at: bench.now))
      case 9 where bench.node.isReady:
        let first = random.next() % 10_000
        _ = try bench.drain((0..<5).map { (first + $0, Int64(first + $0) * 1_000, [Double(random.next() % 9), 2]) })
      case 11: bench.step += Int64(random.next() % 7_200_000) - 3_600_000
      case 10: if random.next() % 4 == 0, let death = bench.node.farewell(at: bench.now) { bench.host.take(death) }
      default:
        for index in newest.indices where random.next() % 3 == 0 { newest[index] = Double(random.next() % 50) }
        // Now and then one is not in the tick: its sensor has its own time.
        bench.tick(newest.map { random.next() % 5 == 0 ? .missing : $0 }, after: 50 + Int64(random.next() % 1_000))
      }
      try #require(bench.host.offences == [], "seed \(seed), step \(step)")
    }
    // In the end it comes to rest.
    bench.node.disconnected()
    bench.connect(to: "one")
    bench.state(online: true, state + 1)
    bench.tick(newest, after: 2_000)
    for (index, one) in series.enumerated() {
      let value = bench.host.value(of: SparkplugMetricTable.name(of: one))
      #expect(value == .some(newest[index].isMissing ? nil : newest[index]), "seed \(seed), \(one.key)")
    }
    #expect(bench.host.offences == [], "seed \(seed)")
    #expect(bench.host.births > 3, "seed \(seed)")
  }
}
