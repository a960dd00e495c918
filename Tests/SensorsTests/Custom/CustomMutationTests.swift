import Foundation
import Platform
import Randomness
import Telemetry
import Testing

@testable import Sensors

/// Texts of the formats that come from outside, cut short and changed by a seeded generator: a parser may refuse them, but comes back
/// with what fits.
@Suite struct CustomMutationTests {
  static let seed: UInt64 = 20_261_121

  /// What the case folders of `exec` hold for a format.
  static let texts: [(format: ExecFormat, path: String)] = [
    (.json, "json/input/.host/programs/ups-status/--json \\057dev\\057ttyUSB0"),
    (.keyValue, "key-value/input/.host/programs/status/no arguments"),
    (.openmetrics, "openmetrics/input/.host/programs/curl/-s --max-time 5 http:\\057\\057localhost:9100\\057metrics"),
    (.nagios, "nagios/input/.host/programs/check_disk/-w 10% -c 10%"),
    (
      .nagios,
      "nagios/input/.host/programs/check_ping/-H 192.0.2.1 -w 100,20% -c 500,60%"
    ),
  ]

  @Test(arguments: texts.indices)
  func comesBackFromAnyBytes(index: Int) throws {
    let (format, path) = Self.texts[index]
    let bytes = [UInt8](try Data(contentsOf: CaseTests.folder.appendingPathComponent("exec/\(path)")))
    #expect(try !format.samples(bytes).isEmpty)
    let stated = Metric("custom.a_x", unit: .bytes, labels: ["a"], help: "")
    let settings = Settings(CustomMetrics.sourceSpecs, ["max_series": .integer(20), "accept": .text("any")])
    var taken = 0
    func run(_ bytes: [UInt8]) {
      guard let samples = try? format.samples(bytes) else { return }
      taken += 1
      #expect(samples.count <= 5 * CustomLimits.samples)
      var source = CustomSource(
        kind: "exec", source: "a", prefix: "a_", settings: settings, staleMilliseconds: 1, more: ["x": stated])
      var readings = Readings()
      readings.begin(nanoseconds: 1)
      var others: Set<Slot> = []
      source.take(samples, at: 1, besides: &others, into: &readings)
      source.report(into: &readings)
      #expect(readings.series.count <= 23)
      for (series, value) in zip(readings.series, readings.values) {
        #expect(value.isMissing || value.isFinite, "\(series.key)")
        #expect(series.metric.name.utf8.count <= 200)
      }
    }
    for length in 0...bytes.count { run(Array(bytes[0..<length])) }
    var generator = SplitMix64(seed: Self.seed + UInt64(index))
    for _ in 0..<10_000 { run(Self.mutated(bytes, using: &generator)) }
    #expect(taken > 100, "seed \(Self.seed): hardly any text was taken")
  }

  /// Bytes changed, taken out, doubled.
  static func mutated(_ bytes: [UInt8], using generator: inout SplitMix64) -> [UInt8] {
    var changed = bytes
    for _ in 0..<Int.random(in: 1...6, using: &generator) where !changed.isEmpty {
      let at = Int.random(in: changed.indices, using: &generator)
      switch Int.random(in: 0..<6, using: &generator) {
      case 0: changed[at] = UInt8.random(in: 0...255, using: &generator)
      case 1: changed.remove(at: at)
      case 2: changed.insert(contentsOf: Array("{}=\",;|'#\n 0e.-".utf8).shuffled(using: &generator).prefix(2), at: at)
      case 3: changed.insert(contentsOf: changed[at..<min(at + 40, changed.count)], at: at)
      case 4: changed[at] = bytes[Int.random(in: bytes.indices, using: &generator)]
      default: changed.removeSubrange(at..<min(at + 12, changed.count))
      }
    }
    return changed
  }
}
