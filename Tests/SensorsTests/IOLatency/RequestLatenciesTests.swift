import Foundation
import Platform
import Randomness
import Synchronization
import Telemetry
import Testing

@testable import Sensors

/// What begins and ends of requests say together, and probes that hang.
@Suite struct RequestLatenciesTests {
  private static func issue(_ time: UInt64, _ device: UInt32 = 1, _ sector: UInt64 = 8, write: Bool = false) -> BlockRequest {
    BlockRequest(nanoseconds: time, device: device, sector: sector, isWrite: write, isDone: false)
  }

  private static func done(_ time: UInt64, _ device: UInt32 = 1, _ sector: UInt64 = 8, write: Bool = false) -> BlockRequest {
    BlockRequest(nanoseconds: time, device: device, sector: sector, isWrite: write, isDone: true)
  }

  /// Requests made up by a generator, each with its own time; told shuffled and over several samples. What is put together must be what was
  /// made, as often, and nothing else.
  @Test func allPairsAreFoundWhateverTheOrder() {
    let seed: UInt64 = 20_261_125
    var generator = SplitMix64(seed: seed)
    for round in 0..<200 {
      var recorded: [BlockRequest] = []
      var expected: [[UInt64]] = [[], []]
      for place in 0..<UInt64.random(in: 1...40, using: &generator) {
        var clock = UInt64.random(in: 0...1_000, using: &generator)
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
          let (writes, took) = (Bool.random(using: &generator), UInt64.random(in: 1...50_000_000, using: &generator))
          recorded.append(Self.issue(clock, 7, place, write: writes))
          recorded.append(Self.done(clock + took, 7, place, write: writes))
          expected[writes ? 1 : 0].append(took)
          clock += took + 1
        }
      }
      recorded.shuffle(using: &generator)
      var latencies = RequestLatencies()
      latencies.take(recorded)
      for writes in [false, true] {
        let times = expected[writes ? 1 : 0].sorted()
        let figures = latencies.figures(of: 7, isWrite: writes)
        #expect((figures == nil) == times.isEmpty)
        guard let figures, let longest = times.last else { continue }
        #expect(figures.longest == Double(longest) / 1e6, "seed \(seed), round \(round)")
        // Nearest rank: the smallest that at least so many are not above.
        for (percent, value) in [(50.0, figures.p50), (95, figures.p95), (99, figures.p99)] {
          let nanoseconds = UInt64((value * 1e6).rounded())
          let notAbove = times.count { $0 <= nanoseconds }
          let below = times.count { $0 < nanoseconds }
          #expect(Double(notAbove) >= Double(times.count) * percent / 100 && Double(below) < Double(times.count) * percent / 100)
        }
        let mean = times.reduce(0.0) { $0 + Double($1) } / Double(times.count) / 1e6
        #expect((figures.mean - mean).magnitude < 1e-6)
      }
      #expect(latencies.pending.isEmpty)
      #expect(latencies.figures(of: 8, isWrite: false) == nil)
    }
  }

  @Test func whatIsOpenWaitsAndWhatNeverBeganHasNoTime() {
    var latencies = RequestLatencies()
    latencies.take([Self.done(5), Self.issue(10, 1, 16), Self.issue(20, 1, 24, write: true), Self.done(30, 1, 24)])
    #expect(latencies.figures(of: 1, isWrite: false) == nil)
    #expect(latencies.pending.map(\.sector) == [16, 24])
    latencies.take([Self.done(2_000_010, 1, 16)])
    #expect(latencies.figures(of: 1, isWrite: false)?.p50 == 2)
    // One that never ends is not kept for ever.
    latencies.take([Self.issue(IOLatencyLimits.pendingNanoseconds + 100, 2)])
    #expect(latencies.pending.map(\.device) == [2])
  }

  /// A ring that is full loses what came last: here an end, then a beginning at the same place. What is left is no request of 20 s.
  @Test func whatWasLostGivesNoTimes() {
    var latencies = RequestLatencies()
    latencies.take([Self.issue(0, 1, 16), Self.done(1_000_000, 1, 16), Self.issue(2_000_000, 1, 8)], isComplete: false)
    #expect(latencies.figures(of: 1, isWrite: false)?.longest == 1)
    latencies.take([Self.issue(10_000_000_000, 1, 24)], isComplete: false)
    latencies.take([Self.done(20_000_000_000, 1, 8), Self.done(20_000_000_000, 1, 24)])
    #expect(latencies.figures(of: 1, isWrite: false) == nil)
  }

  @Test func noMoreAreKeptThanTheBound() {
    var latencies = RequestLatencies()
    for _ in 0..<2 { latencies.take((0..<10_000).map { Self.issue(UInt64($0), 1, UInt64($0)) }) }
    #expect(latencies.pending.count == IOLatencyLimits.pending)
  }

  @Test func anyRequestsComeBackWithTimesThatAreOnes() {
    let seed: UInt64 = 20_261_126
    var generator = SplitMix64(seed: seed)
    var latencies = RequestLatencies()
    var found = 0
    for _ in 0..<500 {
      latencies.take(
        (0..<20).map { _ in
          BlockRequest(
            nanoseconds: Bool.random(using: &generator) ? .random(in: 0...100, using: &generator) : generator.next(),
            device: .random(in: 0...2, using: &generator), sector: .random(in: 0...3, using: &generator),
            isWrite: .random(using: &generator), isDone: .random(using: &generator))
        })
      for device in 0...2 as ClosedRange<UInt32> {
        guard let figures = latencies.figures(of: device, isWrite: true) else { continue }
        found += 1
        let (p50, p95, p99) = (figures.p50, figures.p95, figures.p99)
        #expect(0 <= p50 && p50 <= p95 && p95 <= p99 && p99 <= figures.longest && figures.mean <= figures.longest)
      }
    }
    #expect(found > 0, "seed \(seed)")
  }
}

/// A disk that does not answer a probe.
@Suite struct StorageProbeTests {
  final class Disk: AbsentCalls {
    private let state = Mutex((isStalled: true, asked: 0))
    var asked: Int { state.withLock { $0.asked } }
    func recover() { state.withLock { $0.isStalled = false } }

    func time(_ probe: DiskProbe) throws(SensorError) -> Int64 {
      state.withLock { $0.asked += 1 }
      while state.withLock({ $0.isStalled }) { usleep(1000) }
      return 3_000_000
    }
  }

  /// Two that share a probe, as a sensor does with the one that it takes the place of.
  @Test func anAnswerThatAnotherTookIsAskedForAgain() throws {
    let disk = Disk()
    disk.recover()
    let host = Host(root: "/nowhere-\(UUID().uuidString)", calls: disk)
    let item = Settings(StorageProbe.specs, ["path": .text("/dev/sda"), "every": .milliseconds(1_000)])
    var readings = [Readings(), Readings()]
    var probes = readings.indices.map { StorageProbe(item, &readings[$0]) }
    var told = [0, 0]
    for second in 1...40 as ClosedRange<Int64> {
      for index in probes.indices { probes[index].ask(on: host, at: second * 1_000_000_000, clock: SystemClock()) }
      let end = SystemClock.bootMilliseconds + 5_000
      // Each is the first in every second sample.
      for index in second % 2 == 0 ? [0, 1] : [1, 0] {
        readings[index].begin(nanoseconds: second * 1_000_000_000)
        probes[index].report(at: second * 1_000_000_000, waitingUntil: end, into: &readings[index])
        if readings[index].values.contains(3) { told[index] += 1 }
        #expect(readings[index].problem == nil)
      }
    }
    #expect(told.allSatisfy { $0 > 10 }, "\(told)")
  }

  @Test func aHungProbeIsAloneAndTheRestGoesOn() throws {
    let root = FileManager.default.temporaryDirectory.appendingPathComponent("godwit-hung-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: root.appendingPathComponent("proc"), withIntermediateDirectories: true)
    try FileManager.default.createDirectory(at: root.appendingPathComponent("sys/block/sda"), withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: root) }
    try " 8 0 sda 1 1 1 1 1 1 1 1 1 1 1\n".write(
      to: root.appendingPathComponent("proc/diskstats"), atomically: true, encoding: .utf8)
    let disk = Disk()
    let item = Settings(StorageProbe.specs, ["path": .text("/dev/sda"), "every": .milliseconds(1_000)])
    let settings = Settings(IOLatencySensor.kind.settings, ["probes": .items([item])])
    let context = SensorContext(host: Host(root: root.path, calls: disk))
    var readings = Readings()
    var sensor: IOLatencySensor?
    func value(_ name: String) -> Double? {
      zip(readings.series, readings.values).first { $0.0.metric.name == "io_latency.\(name)" && !$0.1.isMissing }?.1
    }
    func sample() throws {
      readings.begin(nanoseconds: readings.nanoseconds + 4_000_000_000)
      if sensor == nil { sensor = try IOLatencySensor(context: context, settings: settings, readings: &readings) }
      try sensor?.sample(into: &readings)
      #expect(value("source") == 1)
    }
    try sample()
    #expect(value("probe_responding") == nil, "4 s are not yet too long")
    try sample()
    try sample()
    #expect(value("probe_responding") == 0)
    #expect(readings.problem == .device("/dev/sda", what: "a probe does not come back"))
    // Nor is it asked twice by a sensor that is made anew.
    sensor = nil
    for _ in 0..<3 { try sample() }
    #expect(value("probe_responding") == 0)
    #expect(disk.asked == 1)
    disk.recover()
    for _ in 0..<5000 where value("probe_responding") != 1 { try sample() }
    #expect(value("probe_responding") == 1)
    #expect(value("probe_milliseconds") == 3)
  }
}
