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

  static let folders = HardwareFolders([HardwareFileTests.folder])

  static func detection(_ path: String) -> Detection {
    Detection(host: Host(root: cases.appendingPathComponent(path).path), folders: folders, intervalMilliseconds: 1000)
  }

  static func parse(_ text: String) throws -> Profile {
    try Profile.parse(
      files: [("detected.yaml", Array(text.utf8))], catalogue: SensorCatalogue.kinds,
      environment: ProfileEnvironment(hostName: "edge-01", hardware: folders))
  }

  /// This machine, a tree with sensors and one without.
  @Test(arguments: ["/", "cpu/two-cores/input"])
  func theDetectedProfileIsGood(path: String) throws {
    let text = path == "/" ? Self.thisMachine().profile() : Self.detection(path).profile()
    let profile = try Self.parse(text)
    #expect(profile.node == "edge-01")
    #expect(profile.sensors.contains { $0.kind == "cpu" })
  }

  /// Each recorded tree, and the file that knows it.
  static let trees = [
    "pi3": "raspberrypi-3", "pi4": "raspberrypi-4", "pi5": "raspberrypi-5", "cm4": "raspberrypi-cm4", "cm5": "raspberrypi-cm5",
    "pi5-ai-hat": "raspberrypi-5", "pi5-ups": "raspberrypi-5", "jetson-orin": "jetson-orin-nano-nx",
    "rk3588": "rockchip-rk3588", "x86-server": "x86",
  ]

  /// Profile and JSON against texts under Golden/; refreshed with GODWIT_REFRESH=1, then read by a person.
  @Test(arguments: trees.keys.sorted())
  func aTreeGivesItsProfile(tree: String) throws {
    let root = HardwareFileTests.repository.appendingPathComponent("Tests/Fixtures/\(tree)").path
    // The UPS has no EEPROM: it shows only on its bus.
    let found = Detection(host: Host(root: root), folders: Self.folders, isProbing: tree == "pi5-ups", intervalMilliseconds: 1000)
    #expect(found.recognition.board?.file.hasSuffix("/boards/\(Self.trees[tree] ?? "").yaml") == true)
    _ = try Self.parse(found.profile())
    try Self.compare(found.profile(), with: "detect-\(tree).yaml")
    _ = try JSONSerialization.jsonObject(with: Data(found.json()))
    try Self.compare(String(decoding: found.json(), as: UTF8.self), with: "detect-\(tree).json")
  }

  static func compare(_ actual: String, with name: String) throws {
    let file = StatusScreenTests.folder.appendingPathComponent(name)
    if ProcessInfo.processInfo.environment["GODWIT_REFRESH"] != nil {
      try actual.write(to: file, atomically: true, encoding: .utf8)
    }
    #expect(try actual == String(contentsOf: file, encoding: .utf8), "the profile differs from Golden/\(name)")
  }

  @Test func noBusIsAskedUnlessWished() {
    let root = HardwareFileTests.repository.appendingPathComponent("Tests/Fixtures/pi5-ups").path
    let found = Detection(host: Host(root: root), folders: Self.folders)
    #expect(found.device.answers.isEmpty)
    #expect(found.recognition.hats.isEmpty)
    #expect(found.profile().contains("'godwit detect --probe-i2c'"))
  }

  @Test func anUnknownBoardIsToldHowToAddIt() {
    let text = Detection(host: Host(root: "/nowhere"), folders: HardwareFolders([])).profile()
    #expect(text.contains("# No file describes this board: limits are generic. hardware/README.md says how to add one.\n"))
  }

  @Test func aBadFileIsNamedAndNotUsed() throws {
    let own = FileManager.default.temporaryDirectory.appendingPathComponent("godwit-boards-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: own) }
    try FileManager.default.createDirectory(at: own.appendingPathComponent("boards"), withIntermediateDirectories: true)
    try "bord: X\n".write(to: own.appendingPathComponent("boards/x.yaml"), atomically: true, encoding: .utf8)
    let found = Detection(host: Host(root: "/nowhere"), folders: HardwareFolders([own.path]))
    let text = found.profile()
    #expect(text.contains("# not used: \(own.path)/boards/x.yaml:1:1: error: "))
    _ = try Self.parse(text)
  }

  static func thisMachine() -> Detection {
    Detection(host: Host(), folders: folders, intervalMilliseconds: 10)
  }

  @Test func everyCandidateIsGoodWhereItsMetricExists() throws {
    for candidate in DetectedRules.candidates {
      let metrics = SensorCatalogue.kinds.flatMap(\.metrics)
      guard let metric = metrics.first(where: { $0.name == candidate.metric }) else { continue }
      let labels = metric.labels.map { Label($0, candidate.label?.patterns.last ?? "x") }
      let entries = try #require(candidate.rule([Series(metric, labels)]))
      let profile = try Self.parse((["alerts:"] + YAMLText.rule(entries)).map { $0 + "\n" }.joined())
      #expect(profile.alerts.map(\.name) == [candidate.name])
    }
  }

  @Test func theBestPatternThatMatchesIsTaken() throws {
    let candidate = try #require(DetectedRules.candidates.first { $0.name == "cpu-hot" })
    let metric = Metric("thermal.temperature_celsius", unit: .celsius, labels: ["zone"], help: "")
    func when(_ zones: [String]) -> String? {
      candidate.rule(zones.map { Series(metric, [Label("zone", $0)]) })?[1].value
    }
    #expect(when(["acpitz", "x86_pkg_temp"]) == #"thermal.temperature_celsius{zone="x86_pkg_temp*"} > 80"#)
    #expect(when(["gpu-thermal", "cpu-thermal"]) == #"thermal.temperature_celsius{zone="cpu-thermal*"} > 80"#)
    #expect(when(["other"]) == #"thermal.temperature_celsius{zone="*"} > 80"#)
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
