import Foundation
import Glibc
import Platform
import Synchronization
import Telemetry
import Testing

@testable import Sensors

/// The thread that takes edges between samples.
@Suite(.serialized) struct GPIOWatchTests {
  /// A line with the kernel's short queue and its manner: what does not fit is lost.
  final class Line: GPIOInputs {
    static let capacity = 16
    let bell = Bell()
    private let queue = Mutex<(edges: [GPIOEdge], level: Bool, isGone: Bool)>(([], false, false))
    private let released: @Sendable () -> Void

    init(released: @escaping @Sendable () -> Void) { self.released = released }
    deinit { released() }

    var descriptors: [Int32] { [bell.descriptor] }
    var waiting: Int { queue.withLock { $0.edges.count } }

    func edge(_ level: Bool, at nanoseconds: Int64) {
      queue.withLock { queue in
        queue.level = level
        guard queue.edges.count < Self.capacity else { return }
        queue.edges.append(GPIOEdge(index: 0, isRising: level, nanoseconds: nanoseconds))
      }
      bell.ring()
    }

    func unplug() {
      queue.withLock { $0.isGone = true }
      bell.ring()
    }

    func takeEdges() throws(GPIOError) -> GPIOEdges {
      bell.silence()
      let (edges, isGone) = queue.withLock { queue in
        defer { queue.edges = [] }
        return (queue.edges, queue.isGone)
      }
      if isGone { throw .absent("gpiochip0 is gone") }
      var taken = GPIOEdges()
      taken.edges = edges
      if edges.count == Self.capacity { taken.fullQueues = [0] }
      return taken
    }

    func isActive(_ index: Int) throws(GPIOError) -> Bool { queue.withLock { $0.level } }
  }

  /// A chip of one line, DOOR.
  final class Chip: AbsentCalls, GPIOChips {
    private struct State {
      weak var line: Line?
      var releases = 0
    }

    private let state = Mutex(State())
    var line: Line? { state.withLock { $0.line } }
    var releases: Int { state.withLock { $0.releases } }

    var gpio: any GPIOChips { self }
    let debounces = false
    let queuedEdges = Line.capacity
    func chips() throws(GPIOError) -> [GPIOChip] { [GPIOChip(name: "gpiochip0", label: "bank", lineCount: 1)] }
    func lines(of chip: String) throws(GPIOError) -> [GPIOLine] { [GPIOLine(offset: 0, name: "DOOR")] }

    func request(chip: String, inputs: [GPIOInput], consumer: String) throws(GPIOError) -> any GPIOInputs {
      let line = Line { [weak self] in self?.state.withLock { $0.releases += 1 } }
      state.withLock { $0.line = line }
      return line
    }

    func request(chip: String, outputs: [GPIOOutput], consumer: String) throws(GPIOError) -> any GPIOOutputs {
      throw .unsupported(line: "DOOR", what: "an input")
    }
  }

  static func settings(_ more: [String: SettingValue] = [:]) -> Settings {
    var item: [String: SettingValue] = ["name": .text("door"), "line": .text("DOOR"), "active": .text("high")]
    item["debounce"] = .milliseconds(0)
    item.merge(more) { _, new in new }
    return Settings(GPIOSensor.kind.settings, ["inputs": .items([Settings(GPIOInputSettings.specs, item)])])
  }

  static func sensor(_ chip: Chip, _ readings: inout Readings) throws(SensorError) -> GPIOSensor {
    readings.begin(nanoseconds: 0)
    let context = SensorContext(host: Host(root: "/nowhere", calls: chip))
    return try GPIOSensor(context: context, settings: settings(), readings: &readings)
  }

  static func value(_ metric: String, _ readings: Readings) -> Double? {
    zip(readings.series, readings.values).first { $0.0.metric.name == metric && !$0.1.isMissing }?.1
  }

  /// How many threads of this process carry the watch's name.
  static var threads: Int {
    let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
    return tasks.count { (try? String(contentsOfFile: "/proc/self/task/\($0)/comm", encoding: .utf8)) == "gpio\n" }
  }

  static func wait(_ what: String, until isDone: () -> Bool) {
    for _ in 0..<5000 {
      if isDone() { return }
      usleep(1000)
    }
    Issue.record("\(what): not within the bound")
  }

  @Test func moreEdgesThanTheQueueHoldsAreTakenBetweenTwoSamples() throws {
    let chip = Chip()
    var readings = Readings()
    var sensor = try Self.sensor(chip, &readings)
    let line = try #require(chip.line)
    for number in 0..<400 {
      // Never more than the queue holds, so that only the thread can make room.
      Self.wait("the thread takes edges") { line.waiting < Line.capacity - 1 }
      line.edge(number % 2 == 0, at: Int64(number + 1) * 1_000_000)
    }
    readings.begin(nanoseconds: 1_000_000_000)
    try sensor.sample(into: &readings)
    #expect(Self.value("gpio.activations_total", readings) == 200)
    #expect(Self.value("gpio.active_seconds_total", readings) == 0.2)
    #expect(Self.value("gpio.lost_edges_total", readings) == 0)
    #expect(Self.value("gpio.was_active", readings) == 1)
    #expect(Self.value("gpio.active", readings) == 0)
  }

  @Test func aQueueThatOverflowedIsNoticedAndTheLevelReadAgain() throws {
    let chip = Chip()
    // Held by the watch's lock while it overflows: the thread cannot help.
    let watch = GPIOWatch([GPIOInputSettings(Self.settings().items("inputs")[0])], gpio: chip, at: 0)
    let line = try #require(chip.line)
    var values: LevelTally.Values?
    var lost: UInt64 = 0
    watch.sample(at: 0) { _, _ in
      for number in 0..<31 { line.edge(number % 2 == 0, at: Int64(number + 1)) }
    }
    Self.wait("the queue is emptied") { line.waiting == 0 }
    watch.sample(at: 1000) { _, input in
      lost = input.lostEdges
      values = input.level(at: 1000)
    }
    #expect(lost == 1)
    #expect(values?.isActive == true)
    #expect(values?.wasActive == true)
  }

  @Test func theThreadEndsAndTheLineIsFreeWhenTheSensorIsDropped() throws {
    let chip = Chip()
    Self.wait("no thread is left over") { Self.threads == 0 }
    for round in 1...20 {
      var readings = Readings()
      var sensor: GPIOSensor? = try Self.sensor(chip, &readings)
      try sensor?.sample(into: &readings)
      // A thread names itself, and is listed until the kernel has put it away.
      Self.wait("one thread runs") { Self.threads == 1 }
      sensor = nil
      #expect(chip.releases == round)
      #expect(chip.line == nil)
    }
    Self.wait("the threads are gone") { Self.threads == 0 }
  }

  @Test func aChipThatWasUnpluggedIsToldAndItsThreadEndsToo() throws {
    let chip = Chip()
    var readings = Readings()
    var sensor: GPIOSensor? = try Self.sensor(chip, &readings)
    chip.line?.unplug()
    Self.wait("the line is let go") { chip.line == nil }
    readings.begin(nanoseconds: 1)
    #expect(throws: SensorError.absent("input 'door': gpiochip0 is gone")) { try sensor?.sample(into: &readings) }
    sensor = nil
    Self.wait("the thread is gone") { Self.threads == 0 }
  }
}
