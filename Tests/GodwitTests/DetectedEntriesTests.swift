import Foundation
import Platform
import Profile
import Sensors
import Telemetry
import Testing

@testable import godwit

/// What add-ons bring: ready entries where they are certain and nobody else has the chip, else comments with the reason.
@Suite struct DetectedEntriesTests {
  static let hat = """
    hat: Own UPS
    sources: [measured]
    recognise: [{hat_product: Own}]
    i2c_devices:
      - {name: ups, chip: max17040, address: "0x36"}
      - {name: other, chip: nobody, address: "0x37"}
      - {name: mains, chip: ina219, address: "0x40", options: {shunt_ohms: 0.05}}
      - {name: load, chip: ina219, address: "0x41"}
    alerts:
      - {name: ups-low, when: 'i2c.charge_percent{device="ups"} < 20'}
    """

  /// A Raspberry Pi 5 with that HAT, whose chip at 0x40 a kernel driver has; `product` is what its EEPROM says.
  static func profile(product: String = "Own") throws -> (text: String, profile: Profile) {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("godwit-entries-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    let files = [
      "own/hats/own.yaml": hat, "root/proc/device-tree/compatible": "raspberrypi,5-model-b\0",
      "root/proc/device-tree/hat/product": "\(product)\0", "root/sys/bus/i2c/devices/i2c-1/name": "header",
      "root/sys/bus/i2c/devices/1-0040/name": "ina219", "root/proc/loadavg": "0.1 0.1 0.1 1/100 1\n",
    ]
    for (path, text) in files {
      let file = folder.appendingPathComponent(path)
      try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try text.write(to: file, atomically: true, encoding: .utf8)
    }
    try FileManager.default.createSymbolicLink(
      atPath: folder.appendingPathComponent("root/sys/bus/i2c/devices/1-0040/driver").path,
      withDestinationPath: "../../../../bus/i2c/drivers/ina2xx")
    let folders = HardwareFolders([folder.appendingPathComponent("own").path, HardwareFileTests.folder])
    let found = Detection(host: Host(root: folder.appendingPathComponent("root").path), folders: folders)
    #expect(found.problems.isEmpty)
    return (found.profile(), try DetectionTests.parse(found.profile()))
  }

  @Test func whatIsCertainIsReadyAndTheRestSaysWhyNot() throws {
    let (text, profile) = try Self.profile()
    let lines = [
      "  i2c:",
      "    devices:",
      "      - {name: ups, bus: 1, chip: max17040, address: 0x36}  # Own UPS",
      "    #   - {name: other, bus: 1, chip: nobody, address: 0x37}  # no file describes the chip nobody",
      "    #   - {name: mains, bus: 1, chip: ina219, address: 0x40, options: {shunt_ohms: 0.05}}"
        + "  # the kernel's driver ina2xx has it: its values are those of hwmon, power or IIO",
    ]
    #expect(text.contains(lines.joined(separator: "\n")), "\(text)")
    #expect(text.contains("    #   - {name: load, bus: 1, chip: ina219, address: 0x41}  # "), "\(text)")
    let sensor = try #require(profile.sensors.first { $0.kind == "i2c" })
    #expect(sensor.settings.items("devices").map { $0.text("name") } == ["ups"])
    #expect(profile.alerts.contains { $0.name == "ups-low" })
  }

  @Test func anotherHATBringsNothing() throws {
    let (text, profile) = try Self.profile(product: "Foreign")
    #expect(!text.contains("max17040"))
    #expect(text.contains("# HAT that no file describes: Foreign of "))
    #expect(!profile.sensors.contains { $0.kind == "i2c" })
  }
}
