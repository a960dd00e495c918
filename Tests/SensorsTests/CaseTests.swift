import Foundation
import Platform
import Profile
import Telemetry
import Testing

@testable import Sensors

/// Runs every folder `Cases/<kind>/<case>/`:
///
/// ```
/// input/         a host's tree, or a file `fixture` that names one under Tests/Fixtures
/// input.2/ …     laid over the tree before the 2nd … sample; a file `.removed` lists paths that vanish
/// hardware/      descriptions beside those that are shipped (optional)
/// settings       what stands under `sensors.<kind>:` in a profile (optional)
/// seconds        between samples (optional, 1)
/// README         what it shows, and where the form of the files comes from (optional)
/// expected       what each sample gives; refreshed with GODWIT_REFRESH=1, then read by a person
/// ```
@Suite struct CaseTests {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Cases")
  static let fixtures = folder.deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Fixtures")

  static func folders(in url: URL) -> [URL] {
    let entries = (try? FileManager.default.contentsOfDirectory(at: url, includingPropertiesForKeys: [.isDirectoryKey])) ?? []
    return entries.filter { $0.hasDirectoryPath }.sorted { $0.path < $1.path }
  }

  static var cases: [String] {
    folders(in: folder).flatMap { kind in folders(in: kind).map { "\(kind.lastPathComponent)/\($0.lastPathComponent)" } }
  }

  @Test(arguments: cases)
  func matchesItsExpectedSamples(name: String) throws {
    let actual = try CaseRun(folder: Self.folder.appendingPathComponent(name), fixtures: Self.fixtures).report()
    let expected = Self.folder.appendingPathComponent(name).appendingPathComponent("expected")
    if ProcessInfo.processInfo.environment["GODWIT_REFRESH"] != nil {
      try actual.write(to: expected, atomically: true, encoding: .utf8)
    }
    let wanted = try String(contentsOf: expected, encoding: .utf8)
    #expect(actual == wanted, "\(name): the samples differ from Cases/\(name)/expected")
  }

  @Test func everyKindHasCases() {
    for kind in SensorCatalogue.kinds {
      let count = Self.folders(in: Self.folder.appendingPathComponent(kind.name)).count
      #expect(count >= 3, "\(kind.name) has \(count) cases; it needs at least a real device, absent and malformed")
    }
  }

  @Test func everyReportedMetricIsInTheCatalogue() throws {
    for name in Self.cases {
      let run = try CaseRun(folder: Self.folder.appendingPathComponent(name), fixtures: Self.fixtures)
      _ = try run.report()
      let settings = try run.settings()
      let declared = Set(run.kind.metrics(under: settings))
      for series in run.readings.series where !(run.acceptsAny && series.metric.name.hasPrefix("custom.")) {
        #expect(declared.contains(series.metric), "\(name): \(series.metric.name) is not declared in its kind")
        #expect(
          series.labels.map(\.key) == series.metric.labels.sorted(), "\(name): \(series.key) has other labels than declared")
      }
    }
  }
}

/// One case: samples a copy of its tree, step by step.
final class CaseRun {
  let folder: URL
  let kind: SensorKind
  private let type: any Sensor.Type
  private let fixtures: URL
  private(set) var readings = Readings()
  /// Values that take the place of the case's own.
  var overrides: [String: SettingValue] = [:]

  /// What is shipped.
  static let hardware = CaseTests.folder.appendingPathComponent("../../../hardware").standardizedFileURL.path

  init(folder: URL, fixtures: URL) throws {
    self.folder = folder
    self.fixtures = fixtures
    let name = folder.deletingLastPathComponent().lastPathComponent
    type = try #require(SensorCatalogue.type(named: name), "no sensor of the kind \(name)")
    kind = type.kind
  }

  func report() throws -> String {
    let root = FileManager.default.temporaryDirectory.appendingPathComponent("godwit-case-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: root) }
    try lay(source, over: root)
    let context = SensorContext(host: Host(root: root.path))
    readings = Readings()
    readings.begin(nanoseconds: 0)
    var sensor: (any Sensor)?
    var report = ""
    let seconds = Double(text("seconds") ?? "1") ?? 1
    let settings = try settings()
    for step in 1...9 {
      if step > 1 {
        let overlay = folder.appendingPathComponent("input.\(step)")
        guard FileManager.default.fileExists(atPath: overlay.path) else { break }
        try lay(overlay, over: root)
      }
      report += "# sample \(step)\n"
      readings.begin(nanoseconds: Int64(Double(step) * seconds * 1e9))
      do throws(SensorError) {
        if sensor == nil { sensor = try type.init(context: context, settings: settings, readings: &readings) }
        try sensor?.sample(into: &readings)
        report += lines()
        if let problem = readings.problem { report += "problem \(problem) (\(readings.problemCount))\n" }
      } catch {
        report += "error \(error)\n"
      }
    }
    return report
  }

  private var source: URL {
    guard let fixture = text("fixture") else { return folder.appendingPathComponent("input") }
    return fixtures.appendingPathComponent(fixture)
  }

  private func text(_ name: String) -> String? {
    let text = try? String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
    return text?.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// Whether a source of it takes names that the profile does not state.
  var acceptsAny: Bool { text("settings")?.contains("accept: any") == true }

  /// As a profile would give them, defaults included.
  func settings() throws(ProfileProblems) -> Settings {
    let given = (text("settings") ?? "").split(separator: "\n").map { "    \($0)\n" }.joined()
    let profile = try Profile.parse(
      files: [("settings", Array("node: case\nsensors:\n  \(kind.name):\n\(given)".utf8))], catalogue: [kind],
      environment: ProfileEnvironment(
        hostName: "case", hardware: HardwareFolders([folder.appendingPathComponent("hardware").path, Self.hardware])))
    let settings = profile.sensors.first?.settings ?? Settings(kind.settings)
    guard !overrides.isEmpty else { return settings }
    var values = overrides
    for spec in kind.settings where values[spec.key] == nil { values[spec.key] = settings[spec.key] }
    return Settings(kind.settings, values)
  }

  private func lines() -> String {
    var lines: [String] = []
    for (series, value) in zip(readings.series, readings.values) where !value.isMissing {
      lines.append("\(series.key) \(value == value.rounded() && value.magnitude < 1e15 ? "\(Int64(value))" : "\(value)")")
    }
    return lines.sorted(by: naturallyPrecedes).map { $0 + "\n" }.joined()
  }

  /// Copies in place, so that descriptors kept open see the new text, as with a pseudo-file.
  private func lay(_ tree: URL, over root: URL) throws {
    let files = FileManager.default
    try files.createDirectory(at: root, withIntermediateDirectories: true)
    guard let walk = files.enumerator(atPath: tree.path) else { return }
    for case let path as String in walk {
      let from = tree.appendingPathComponent(path)
      let to = root.appendingPathComponent(path)
      if path == ".removed" {
        for gone in try String(contentsOf: from, encoding: .utf8).split(separator: "\n") {
          try files.removeItem(at: root.appendingPathComponent(String(gone)))
        }
        continue
      }
      let kind = try files.attributesOfItem(atPath: from.path)[.type] as? FileAttributeType
      if kind == .typeSymbolicLink {
        try? files.removeItem(at: to)
        try files.createSymbolicLink(atPath: to.path, withDestinationPath: files.destinationOfSymbolicLink(atPath: from.path))
      } else if kind == .typeDirectory {
        try files.createDirectory(at: to, withIntermediateDirectories: true)
      } else if files.fileExists(atPath: to.path) {
        let handle = try FileHandle(forWritingTo: to)
        let data = try Data(contentsOf: from)
        try handle.truncate(atOffset: 0)
        try handle.write(contentsOf: data)
        try handle.close()
      } else {
        try files.copyItem(at: from, to: to)
      }
    }
  }
}
