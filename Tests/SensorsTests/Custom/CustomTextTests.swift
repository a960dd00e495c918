import Foundation
import Platform
import Telemetry
import Testing

@testable import Sensors

@Suite struct CustomTextTests {
  @Test(arguments: [
    ("1", 1), ("-0.5", -0.5), ("+3e2", 300), (".5", 0.5), ("5.", 5), ("inf", nil), ("nan", nil), ("0x10", nil), ("1e999", nil),
    ("", nil), ("1 ", nil), ("e", nil), ("--1", nil), ("1,5", nil),
  ])
  func onlyDecimalNumbersAreNumbers(text: String, value: Double?) {
    #expect(CustomText.number(Array(text.utf8)) == value)
  }

  @Test(arguments: [
    ("load_percent", "load_percent"), ("Package id 0", "package_id_0"), ("/", ""), ("/boot", "boot"), ("a..b--c", "a_b_c"),
    ("_x_", "x"), ("Ü", ""), ("rtaMs", "rtams"),
  ])
  func namesBecomeThoseOfMetrics(text: String, name: String) {
    #expect(CustomText.name(text.utf8) == name)
  }

  @Test(
    arguments: [
      (Telemetry.Unit.seconds, 1.0, Telemetry.Unit.milliseconds, 1000.0), (.seconds, 1e-3, .seconds, 1e-3),
      (.milliseconds, 1, .seconds, 1e-3),
      (.bytes, 1024, .bytes, 1024), (.bytes, 1, .seconds, nil), (.seconds, 1, .none, nil), (.percent, 1, .percent, 1),
    ] as [(Telemetry.Unit, Double, Telemetry.Unit, Double?)])
  func aUnitIsConvertedOrRefused(from: Telemetry.Unit, factor: Double, to: Telemetry.Unit, value: Double?) {
    #expect(CustomUnit(unit: from, factor: factor).value(1, in: to) == value)
  }

  @Test(arguments: [
    "x", "x ", "{a=\"b\"} 1", "x{a=b} 1", "x{a=\"b} 1", "x{a=\"b\" 1", "x{a=\"b\",a=\"c\"} 1", "x 1 z", "x 1 2 3", "1x 1",
    "x{,} 1", "# TYPE x", "x{a=\"1\",b=\"1\",c=\"1\",d=\"1\",e=\"1\",f=\"1\",g=\"1\",h=\"1\",i=\"1\"} 1",
  ])
  func whatIsNoOpenMetricsIsRefusedWithItsLine(text: String) throws {
    let error = #expect(throws: CustomFault.self) { try OpenMetricsText.samples(Array("good 1\n\(text)\n".utf8)) }
    guard case .malformed(line: 2, _) = error else {
      Issue.record("\(text): \(String(describing: error))")
      return
    }
  }

  @Test(arguments: ["a", "a b=1", "'a=1", "'a'1", "=1", "a=", "a=x", "a=1z", "a=1;2;3;4;5;6;7"])
  func whatIsNoPerformanceDataIsRefused(text: String) {
    #expect(throws: CustomFault.self) { try NagiosAnswer.samples(Array("OK | \(text)".utf8)) }
  }

  @Test func aPlugInWithoutPerformanceDataHasNoValues() throws {
    #expect(try NagiosAnswer.samples(Array("OK - all is well\nmore\n".utf8)).isEmpty)
    #expect(try NagiosAnswer.samples(Array("OK |\n".utf8)).isEmpty)
  }

  /// A FIFO would keep its reader waiting; a directory has no text.
  @Test func onlyOrdinaryFilesAreRead() throws {
    let root = FileManager.default.temporaryDirectory.appendingPathComponent("godwit-textfile-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: root) }
    try FileManager.default.createDirectory(at: root.appendingPathComponent("d/dir.prom"), withIntermediateDirectories: true)
    #expect(mkfifo(root.appendingPathComponent("d/fifo.prom").path, 0o600) == 0)
    try Data(repeating: 0x23, count: CustomLimits.fileBytes + 1).write(to: root.appendingPathComponent("d/large.prom"))
    var settings: [String: SettingValue] = ["directory": .text("/d")]
    settings["accept"] = .text("any")
    var readings = Readings()
    readings.begin(nanoseconds: 1)
    var sensor = try TextfileSensor(
      context: SensorContext(host: Host(root: root.path)), settings: Settings(TextfileSensor.kind.settings, settings),
      readings: &readings)
    try sensor.sample(into: &readings)
    let up = zip(readings.series, readings.values).filter { $0.0.metric.name == "custom.up" }
    #expect(up.map { $0.0.label("source") } == ["dir", "fifo", "large"])
    #expect(up.allSatisfy { $0.1 == 0 })
    #expect(readings.problemCount == 3)
  }

  /// Programs are really run, and one that hangs keeps nobody waiting longer than a sample may take.
  @Test func programsRunBesideEachOther() throws {
    func command(_ name: String, _ command: [String]) -> SettingValue {
      let metric = Settings(CustomMetrics.specs, ["name": .text("x")])
      guard case .items(let specs) = ExecSensor.kind.settings[0].type else { return .items([]) }
      return .items([
        Settings(
          specs,
          [
            "name": .text(name), "command": .list(command), "format": .text("json"), "metrics": .items([metric]),
            "timeout": .milliseconds(10_000), "every": .milliseconds(1_000),
          ])
      ])
    }
    guard case .items(let quick) = command("quick", ["/bin/echo", "{\"x\": 5}"]),
      case .items(let slow) = command("slow", ["/bin/sleep", "600"])
    else { return }
    var readings = Readings()
    readings.begin(nanoseconds: 1)
    let settings = Settings(ExecSensor.kind.settings, ["commands": .items(slow + quick)])
    var sensor = try ExecSensor(context: SensorContext(host: Host()), settings: settings, readings: &readings)
    // A bound, not a timing: programs take what the machine gives them.
    for second in 0..<60 {
      readings.begin(nanoseconds: Int64(second) * 1_000_000_000)
      try sensor.sample(into: &readings)
      if readings.problem != nil { break }
    }
    let values = Dictionary(
      zip(readings.series.map(\.key), readings.values).filter { !$0.1.isMissing }, uniquingKeysWith: { _, new in new })
    #expect(values["custom.quick_x"] == 5)
    #expect(values["custom.slow_x"] == nil)
    #expect(readings.problem == .device("slow", what: "killed after 10s"))
  }
}
