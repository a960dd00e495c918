import Foundation
import Platform
import Telemetry
import Testing

@testable import Sensors

/// What is said of a disk that sleeps; its values are in Cases/smart/ata.
@Suite struct SleepingDiskTests {
  /// The samples of that case: `sdd` sleeps, is awake, sleeps again.
  @Test func onlyADiskThatNeverWasAwakeIsPassedOver() throws {
    let tree = FileManager.default.temporaryDirectory.appendingPathComponent("sleeping-disk-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: tree) }
    let folder = CaseTests.folder.appendingPathComponent("smart/ata")
    try FileManager.default.copyItem(at: folder.appendingPathComponent("input"), to: tree)
    let context = SensorContext(host: Host(root: tree.path))
    var readings = Readings()
    var sensor = try SmartSensor(context: context, settings: Settings(SmartSensor.kind.settings), readings: &readings)
    let answer = ".host/programs/smartctl/--json=c -a -n standby \\057dev\\057sdd"
    let passedOver = try [nil, "input.2", "input.3"].map { (step: String?) in
      if let step {
        let bytes = try Data(contentsOf: folder.appendingPathComponent(step).appendingPathComponent(answer))
        try bytes.write(to: tree.appendingPathComponent(answer))
      }
      readings.begin(nanoseconds: 0)
      try sensor.sample(into: &readings)
      return readings.passedOver
    }
    #expect(passedOver == [1, 0, 0])
  }
}
