import Platform
import Sensors
import Synchronization
import Telemetry
import Testing

@testable import Agent

/// An I2C bus that hangs, below a slow sensor on its real thread.
@Suite struct HungBusTests {
  /// Reads one register of one chip.
  struct BusSensor: Sensor {
    static let kind = SensorKind(name: "s", summary: "", sources: [], metrics: [])
    private let host: Platform.Host
    private let begun: Begun
    private let slot: Slot

    init(context: SensorContext, settings: Settings, readings: inout Readings) throws(SensorError) { throw .absent("a bus") }

    init(_ host: Platform.Host, _ begun: Begun, _ readings: inout Readings) {
      (self.host, self.begun) = (host, begun)
      slot = readings.slot(Metric("s.value", unit: .none, decimals: 1, help: ""))
    }

    mutating func sample(into readings: inout Readings) throws(SensorError) {
      do throws(I2CError) {
        let bus = try host.i2cBus(1)
        begun.count.add(1, ordering: .releasing)
        readings.set(slot, Double(try bus.transfer(0x48, [.write([0]), .read(1)])[0]))
      } catch {
        throw .timedOut
      }
    }
  }

  /// How many transfers began.
  final class Begun: Sendable {
    let count = Atomic<Int>(0)
  }

  static func bench(_ recording: String, in folder: TemporaryFolder, _ begun: Begun) throws -> Bench {
    try folder.write(".host/i2c/1", recording)
    let host = Platform.Host(root: folder.path)
    return try Bench(
      "sensors: {a: , b: , s: {every: 1s, deadline: 2s}}\nlog: {level: error}\nbuffer: {path: /nowhere/b.db}\n",
      slow: { (_, _, readings) throws(SensorError) in BusSensor(host, begun, &readings) })
  }

  @Test func delaysNoOtherSensor() throws {
    let folder = try TemporaryFolder()
    let begun = Begun()
    let bench = try Self.bench("hang 10000\n", in: folder, begun)
    bench.tick()
    try #require(eventually("the transfer begins") { begun.count.load(ordering: .acquiring) == 1 })
    // The transfer stands still for ten seconds: its sensor is given up, and the ticks of a minute go by meanwhile.
    bench.tick(3)
    #expect(bench.figures("s")?.outcome == .timedOut)
    bench.tick(57)
    #expect(bench.script("a").now.sampled == 61)
    #expect(bench.script("b").now.sampled == 61)
    #expect(bench.sent("a.value") == [Double?](repeating: 1, count: 61))
    #expect(bench.sent("s.value").allSatisfy { $0 == nil })
    #expect(bench.figures("a")?.failures == 0)
    #expect((bench.figures("s")?.failures ?? 0) > 0)
  }

  /// The same bench with a bus that answers: the test above does not pass for another reason.
  @Test func aBusThatAnswersIsRead() throws {
    let folder = try TemporaryFolder()
    let begun = Begun()
    let bench = try Self.bench("at 48\nregisters 00 = 2A\n", in: folder, begun)
    bench.tick()
    try #require(eventually("the sample is there") { begun.count.load(ordering: .acquiring) == 1 })
    try #require(
      eventually("its value is shown") {
        bench.tick()
        return bench.live("s.value") == 42
      })
  }
}
