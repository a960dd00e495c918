import Foundation
import Platform
import Profile
import Telemetry
import Testing

@testable import godwit

@Suite struct I2CReadTests {
  private static var files: ChipFiles {
    ChipFiles(
      HardwareFolders([URL(fileURLWithPath: #filePath).appendingPathComponent("../../../hardware").standardizedFileURL.path]))
  }

  /// Reads a chip on a recorded bus 1; `links` are symbolic links of its sysfs.
  private static func reading(
    _ name: String, _ recording: String?, options: [String: String] = [:], links: [String: String] = [:]
  ) throws -> I2CReading {
    let root = FileManager.default.temporaryDirectory.appendingPathComponent("godwit-i2c-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: root) }
    let folder = root.appendingPathComponent(".host/i2c")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    if let recording { try recording.write(to: folder.appendingPathComponent("1"), atomically: true, encoding: .utf8) }
    for (path, target) in links {
      let link = root.appendingPathComponent(path)
      try FileManager.default.createDirectory(at: link.deletingLastPathComponent(), withIntermediateDirectories: true)
      try FileManager.default.createSymbolicLink(atPath: link.path, withDestinationPath: target)
    }
    guard case .chip(let chip) = files.chip(name) else { throw Failure("no chip \(name)") }
    let (device, faults) = chip.device(address: nil, options: options)
    try #require(faults.isEmpty)
    var reading = I2CReading(chip: chip, device: device, bus: 1)
    reading.take(Platform.Host(root: root.path))
    return reading
  }

  /// INA219 data sheet SBOS448, table 8, here with a shunt of 0.1 Ω.
  private static let ina219 = "at 40\nregister 00 = 39 9F\nregister 01 = 07 D0\nregister 02 = 5D 98\n"

  @Test func eachValueHasItsUnit() throws {
    let reading = try Self.reading("ina219", Self.ina219, options: ["shunt_ohms": "0.1"])
    #expect(
      reading.lines(withTransfers: true) == [
        "INA219, bus 1, 0x40",
        "  write 00 39 9f",
        "  write 01, read 07 d0",
        "  write 02, read 5d 98",
        "  voltage  shunt   0.020000  V",
        "  voltage  bus    11.980000  V",
        "  current  load    0.200000  A",
        "  power    load    2.396000  W",
      ])
    #expect(reading.lines(withTransfers: false).count == 5)
    #expect(reading.problem == nil && !reading.isPartial)
  }

  @Test func theObjectSaysTheSame() throws {
    let reading = try Self.reading("ds3231", "at 68\nregisters 0F = 08 00 80 00\n")
    let text = String(decoding: reading.json(withTransfers: true), as: UTF8.self)
    #expect(
      text
        == #"{"chip":"ds3231","bus":1,"address":"0x68","problem":null,"values":[{"metric":"i2c.temperature_celsius","channel":"die","#
        + #""problem":"-128.000 is beyond what the chip can measure","unit":"°C"},{"metric":"i2c.flag","channel":"oscillator_stopped","#
        + #""value":0,"unit":""}],"transfers":["write 0f, read 08 00 80 00"]}"# + "\n")
    #expect(reading.isPartial)
  }

  @Test func faultsAreToldWithWhatToDo() throws {
    let silent = try Self.reading("tmp102", "at 49\nregister 00 = 00 00\n")
    #expect(silent.problem?.contains("check wiring, power and address pins") == true)
    #expect(silent.lines(withTransfers: true).last?.hasPrefix("  write 00, read 2, no acknowledgement") == true)
    let other = try Self.reading("bmp280", "at 76\nregisters D0 = 60\n")
    #expect(other.problem == "another chip answers: it is 0x60, expected 0x58")
    let none = try Self.reading("tmp102", nil, links: ["sys/bus/i2c/devices/i2c-7": "../../../devices/i2c-7"])
    #expect(none.problem == "no such bus; there are 7")
    let stuck = try Self.reading("tmp102", "timeout\n")
    #expect(stuck.problem?.contains("the bus is stuck") == true)
  }

  @Test func aKernelDriversNodesAreNamed() throws {
    let reading = try Self.reading(
      "lm75", "at 48\nregister 00 = 19 00\n",
      links: [
        "sys/bus/i2c/devices/1-0048/driver": "../../drivers/lm75", "sys/bus/i2c/devices/1-0048/hwmon/hwmon3": "../x",
      ])
    #expect(reading.problem?.contains("the kernel driver lm75 has this address") == true)
    #expect(reading.problem?.hasSuffix("; here: /sys/class/hwmon/hwmon3") == true)
    #expect(reading.transfers.count == 1)
  }
}
