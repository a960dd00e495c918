import Foundation
import Sensors
import Telemetry
import Testing

@testable import Profile

/// Every `Cases/<name>.yaml` is a profile with mistakes, and `Cases/<name>.expected` what its reader is told.
/// A line `#### FILE` begins a drop-in. Refreshed with GODWIT_REFRESH=1, then read by a person.
@Suite struct CaseTests {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Cases")

  static var names: [String] {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return files.filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(5)) }.sorted()
  }

  @Test(arguments: names)
  func tellsWhatIsExpected(name: String) throws {
    let data = try Data(contentsOf: Self.folder.appendingPathComponent("\(name).yaml"))
    let actual: String
    // Devices with chips are checked against the descriptions that are shipped.
    var environment = Fixture.environment
    environment.hardware = HardwareFolders([ReferenceTests.root.appendingPathComponent("hardware").path])
    let kinds = SensorCatalogue.kinds.filter { kind in !Fixture.catalogue.contains { $0.name == kind.name } }
    let catalogue =
      Fixture.catalogue + kinds.filter { name.hasPrefix($0.name + "-") && $0.name != ExecSensor.kind.name }
      + (name.hasPrefix("exec-") ? [ExecSensor.kind, TextfileSensor.kind, PushSensor.kind] : [])
    do throws(ProfileProblems) {
      let profile = try Profile.parse(files: Self.split(data), catalogue: catalogue, environment: environment)
      let hardware = profile.hardwareProblems.map { "\($0)\n" }.joined()
      actual = hardware.isEmpty ? "no problem\n" : hardware
    } catch {
      actual = error.description + "\n"
    }
    let expected = Self.folder.appendingPathComponent("\(name).expected")
    if ProcessInfo.processInfo.environment["GODWIT_REFRESH"] != nil {
      try actual.write(to: expected, atomically: true, encoding: .utf8)
    }
    #expect(
      actual == (try String(contentsOf: expected, encoding: .utf8)), "\(name): other problems than in Cases/\(name).expected")
    #expect(actual != "no problem\n", "\(name): its mistake is not seen")
  }

  @Test func thereAreEnough() {
    #expect(Self.names.count >= 50)
  }

  private static func split(_ data: Data) -> [(name: String, text: [UInt8])] {
    var files: [(name: String, text: [UInt8])] = [("profile.yaml", [])]
    for line in data.split(separator: 0x0A, omittingEmptySubsequences: false) {
      if line.starts(with: Data("#### ".utf8)) {
        files.append((String(decoding: line.dropFirst(5), as: UTF8.self), []))
      } else {
        files[files.count - 1].text += line + [0x0A]
      }
    }
    return files
  }
}
