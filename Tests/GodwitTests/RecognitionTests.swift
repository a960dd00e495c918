import Foundation
import Platform
import Profile
import Sensors
import Telemetry
import Testing

@testable import godwit

/// Which board and which add-ons a device is said to have. The devices are files in a folder of their own.
@Suite struct RecognitionTests {
  /// A device of these files.
  static func device(_ files: [String: String]) throws -> DeviceHardware {
    let root = FileManager.default.temporaryDirectory.appendingPathComponent("godwit-device-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: root) }
    try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
    for (path, text) in files {
      let file = root.appendingPathComponent(path)
      try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try text.write(to: file, atomically: true, encoding: .utf8)
    }
    return DeviceHardware(host: Host(root: root.path))
  }

  static func board(_ file: String, _ recognise: String) throws -> Board {
    let text = "board: \(file)\nsources: [s]\nrecognise: \(recognise)\ni2c_bus: 1\n"
    return try #require(HardwareDecoder.board(path: file, text: Array(text.utf8), catalogue: SensorCatalogue.kinds).board)
  }

  static func hat(_ name: String, _ recognise: String) throws -> Hat {
    let text = "hat: \(name)\nsources: [s]\nrecognise: \(recognise)\n"
    return try #require(HardwareDecoder.hat(path: name, text: Array(text.utf8), catalogue: SensorCatalogue.kinds).hat)
  }

  @Test func theParticularWinsOverTheGeneral() throws {
    let device = try Self.device([
      "proc/device-tree/compatible": "maker,board\0maker,chip\0", "proc/device-tree/model": "Board\0",
    ])
    let chip = try Self.board("a-chip", "[{compatible: 'maker,chip'}]")
    let board = try Self.board("b-board", "[{compatible: 'maker,b*'}]")
    let model = try Self.board("c-model", "[{model: '*'}]")
    #expect(Recognition(device, boards: [chip, board, model], hats: []).board?.name == "b-board")
    #expect(Recognition(device, boards: [model, chip], hats: []).board?.name == "a-chip")
    let both = try Self.board("d-both", "[{compatible: 'maker,board', model: Board}]")
    #expect(Recognition(device, boards: [board, both], hats: []).board?.name == "d-both")
    #expect(Recognition(device, boards: [try Self.board("e", "[{compatible: other}]")], hats: []).board == nil)
  }

  @Test func allOfAnItemMustHold() throws {
    let device = try Self.device(["sys/class/dmi/id/sys_vendor": "Maker", "sys/class/dmi/id/product_name": "One"])
    #expect(Recognition(device, boards: [try Self.board("a", "[{dmi_vendor: Maker, dmi_product: Two}]")], hats: []).board == nil)
    #expect(Recognition(device, boards: [try Self.board("a", "[{dmi_product: Two}, {dmi_vendor: M*}]")], hats: []).board != nil)
    // What a device does not say matches nothing.
    #expect(Recognition(device, boards: [try Self.board("a", "[{model: '*'}]")], hats: []).board == nil)
  }

  /// Vendor and product must be of one EEPROM, not of two HATs.
  @Test func aHATIsOneHAT() throws {
    let device = try Self.device([
      "proc/device-tree/hat/vendor": "A\0", "proc/device-tree/hat/product": "First\0",
      "proc/device-tree/hat_1/vendor": "B\0", "proc/device-tree/hat_1/product": "Second\0",
    ])
    func found(_ recognise: String) throws -> [Bool] {
      Recognition(device, boards: [], hats: [try Self.hat("h", recognise)]).hats.map(\.isCertain)
    }
    #expect(try found("[{hat_vendor: B, hat_product: Second}]") == [true])
    #expect(try found("[{hat_vendor: A, hat_product: Second}]") == [])
    #expect(try found("[{hat_product: Fir*}]") == [true])
  }

  @Test func anAddressAloneProvesNothing() throws {
    let device = try Self.device([
      "sys/bus/i2c/devices/i2c-1/name": "header", "sys/bus/i2c/devices/1-0036/name": "gauge",
      "sys/bus/i2c/devices/i2c-13/name": "hdmi", "sys/bus/i2c/devices/13-0042/name": "display",
      "sys/bus/pci/devices/0001:01:00.0/vendor": "0x1e60", "sys/bus/pci/devices/0001:01:00.0/device": "0x2864",
      "proc/device-tree/model": "Board\0",
    ])
    let board = try Self.board("b", "[{model: Board}]")
    func found(_ recognise: String) throws -> [Bool] {
      Recognition(device, boards: [board], hats: [try Self.hat("h", recognise)]).hats.map(\.isCertain)
    }
    #expect(try found("[{i2c: '0x36'}]") == [false])
    #expect(try found("[{i2c: '0x42'}]") == [], "it is on another bus than the header")
    #expect(try found("[{i2c: '0x36'}, {pci: '1E60:2864'}]") == [true])
  }
}
