import Foundation
import Platform
import Profile
import Sensors
import Telemetry
import Testing

@testable import godwit

@Suite struct DetectionTests {
  static let cases = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("SensorsTests/Cases")

  static func detection(_ path: String) -> Detection {
    let host = Host(root: cases.appendingPathComponent(path).path)
    var sampling = DeviceSampling(host: host)
    sampling.sampleTwice(intervalMilliseconds: 1000)
    return Detection(parts: sampling.parts, model: Detection.model(host))
  }

  static func parse(_ text: String) throws -> Profile {
    try Profile.parse(
      files: [("detected.yaml", Array(text.utf8))], catalogue: SensorCatalogue.kinds,
      environment: ProfileEnvironment(hostName: "edge-01"))
  }

  /// This machine, a tree with sensors and one without.
  @Test(arguments: ["/", "cpu/two-cores/input"])
  func theDetectedProfileIsGood(path: String) throws {
    let text = path == "/" ? Self.thisMachine().profile() : Self.detection(path).profile()
    let profile = try Self.parse(text)
    #expect(profile.node == "edge-01")
    #expect(profile.sensors.contains { $0.kind == "cpu" })
  }

  static func thisMachine() -> Detection {
    var sampling = DeviceSampling(host: Host())
    sampling.sampleTwice(intervalMilliseconds: 10)
    return Detection(parts: sampling.parts, model: nil)
  }

  @Test func everyCandidateIsGoodWhereItsMetricExists() throws {
    for candidate in Detection.candidates {
      let metrics = SensorCatalogue.kinds.flatMap(\.metrics)
      guard let metric = metrics.first(where: { $0.name == candidate.metric }) else { continue }
      let labels = metric.labels.map { Label($0, candidate.label?.patterns.last ?? "x") }
      let lines = try #require(candidate.rule([(series: Series(metric, labels), value: 1)]))
      let profile = try Self.parse((["alerts:"] + lines).map { $0 + "\n" }.joined())
      #expect(profile.alerts.map(\.name) == [candidate.name])
    }
  }

  @Test func theBestPatternThatMatchesIsTaken() throws {
    let candidate = try #require(Detection.candidates.first { $0.name == "cpu-hot" })
    let metric = Metric("thermal.temperature_celsius", unit: .celsius, labels: ["zone"], help: "")
    func when(_ zones: [String]) -> String? {
      candidate.rule(zones.map { (series: Series(metric, [Label("zone", $0)]), value: 1) })?[1]
    }
    #expect(when(["acpitz", "x86_pkg_temp"]) == #"    when: 'thermal.temperature_celsius{zone="x86_pkg_temp*"} > 80'"#)
    #expect(when(["gpu-thermal", "cpu-thermal"]) == #"    when: 'thermal.temperature_celsius{zone="cpu-thermal*"} > 80'"#)
    #expect(when(["other"]) == #"    when: 'thermal.temperature_celsius{zone="*"} > 80'"#)
    #expect(when([]) == nil)
  }

  @Test func sampleJSONHoldsTheValuesAsOnTheWire() throws {
    let detection = Self.detection("cpu/two-cores/input")
    let json = SampleText.json(detection.parts, time: "2026-11-20T22:40:01.000Z")
    let object = try #require(try JSONSerialization.jsonObject(with: Data(json)) as? [String: Any])
    let values = try #require(object["m"] as? [String: Double])
    #expect(object["t"] as? String == "2026-11-20T22:40:01.000Z")
    #expect(values["cpu.context_switches_per_second"] == 0)
    #expect(SampleText.table(detection.parts).contains("cpu.context_switches_per_second   0.0  1/s"))
  }

  @Test func theCatalogueIsValidJSON() throws {
    let array = try JSONSerialization.jsonObject(with: Data(CatalogueText.json(SensorCatalogue.kinds))) as? [[String: Any]]
    #expect(array?.compactMap { $0["name"] as? String } == SensorCatalogue.kinds.map(\.name))
  }
}
