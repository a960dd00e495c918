import Foundation
import Platform
import Profile
import Testing

@testable import godwit

/// `godwit i2c scan` over recorded buses.
@Suite struct I2CScanTests {
  /// Writes a tree and scans its buses.
  static func scan(
    _ files: [String: String], drivers: [String: String] = [:], chips: [UInt8: [String]] = [:]
  ) throws -> [I2CScan] {
    let root = FileManager.default.temporaryDirectory.appendingPathComponent("godwit-scan-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: root) }
    for (path, text) in files {
      let file = root.appendingPathComponent(path)
      try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try text.write(to: file, atomically: true, encoding: .utf8)
    }
    for (device, driver) in drivers {
      let folder = root.appendingPathComponent("sys/bus/i2c/devices/\(device)")
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      try FileManager.default.createSymbolicLink(
        atPath: folder.path + "/driver", withDestinationPath: "../../../../bus/i2c/drivers/\(driver)")
    }
    let host = Platform.Host(root: root.path)
    return host.i2cAdapters().map { I2CScan($0, host: host, chips: chips) }
  }

  static func bus(_ number: Int, _ recording: String?) -> [String: String] {
    var files = ["sys/bus/i2c/devices/i2c-\(number)/name": "adapter \(number)\n"]
    files[".host/i2c/\(number)"] = recording
    return files
  }

  static let zeros = "registers 00 = 00\n"

  @Test func chipsDriversAndBuses() throws {
    let recording = ["40", "48", "51", "77", "78", "07"].map { "at \($0)\n\(Self.zeros)" }.joined()
    let files = Self.bus(1, recording).merging(Self.bus(2, "")) { $1 }.merging(Self.bus(3, nil)) { $1 }
      .merging(["sys/bus/i2c/devices/1-0048/hwmon/hwmon3/temp1_input": "25500\n"]) { $1 }
    let scans = try Self.scan(
      files, drivers: ["1-0048": "lm75", "3-0068": "rtc-ds1307"],
      chips: [0x40: ["ina219", "ina226"], 0x41: ["ina219"], 0x48: ["tmp102"]])
    #expect(
      I2CScanText.lines(scans) == [
        "bus 1: adapter 1",
        "  0x40  answers; may be ina219, ina226",
        "  0x48  kernel driver lm75: /sys/class/hwmon/hwmon3",
        "  0x51  answers",
        "  0x77  answers",
        "bus 2: adapter 2",
        "  nothing answers",
        "bus 3: adapter 3",
        "  0x68  kernel driver rtc-ds1307",
        "  ! programs cannot reach it: modprobe i2c-dev",
      ])
    let json = try #require(
      try JSONSerialization.jsonObject(with: Data(I2CScanText.json(scans))) as? [String: [[String: Any]]])
    let buses = try #require(json["buses"])
    #expect(buses.map { $0["bus"] as? Int } == [1, 2, 3])
    let found = try #require(buses[0]["found"] as? [[String: Any]])
    #expect(found.map { $0["address"] as? String } == ["0x40", "0x48", "0x51", "0x77"])
    #expect(found[1]["driver"] as? String == "lm75")
    #expect(found[1]["nodes"] as? [String] == ["/sys/class/hwmon/hwmon3"])
    #expect(found[0]["driver"] is NSNull)
    #expect(found.map { $0["chips"] as? [String] } == [["ina219", "ina226"], [], [], []])
    #expect(buses[2]["problem"] as? String == "programs cannot reach it: modprobe i2c-dev")
  }

  /// EEPROMs are asked by a read; all others by their address alone.
  @Test func nothingIsWrittenAndEEPROMsAreRead() throws {
    // A chip answers one of the two only: any other transfer would fail with another error, or not at all.
    let text = (0x08...0x77).map { address -> String in
      let isRead = (0x30...0x37).contains(address) || (0x50...0x5F).contains(address)
      return "at \(String(format: "%02X", address))\n" + (isRead ? "w -> errno 1\nr 1 = 00\n" : "r 1 -> errno 1\nw\n")
    }.joined()
    let scan = try #require(try Self.scan(Self.bus(1, text)).first)
    #expect(scan.problem == nil)
    #expect(scan.found.map(\.address) == Array(0x08...0x77))
    #expect(scan.found.allSatisfy { $0.problem == nil })
  }

  @Test func anAdapterWithoutTheBareAddressIsReadFrom() throws {
    let scan = try #require(try Self.scan(Self.bus(1, "at 40\nw -> unsupported\nr 1 = 00\n")).first)
    #expect(scan.found.map(\.address) == [0x40])
    #expect(scan.problem == nil)
  }

  @Test func aChipThatFailsIsShown() throws {
    let scan = try #require(try Self.scan(Self.bus(1, "at 40\nw -> errno 71\nat 41\nbusy ina2xx\n")).first)
    #expect(
      I2CScanText.lines([scan]) == [
        "bus 1: adapter 1", "  0x40  Protocol error", "  0x41  the kernel driver ina2xx has this address",
      ])
  }

  @Test func aStuckBusIsGivenUp() throws {
    let scan = try #require(try Self.scan(Self.bus(1, "timeout\n")).first)
    #expect(scan.found.map(\.address) == [0x08, 0x09, 0x0A])
    #expect(scan.problem == "it is stuck or too slow: given up after 0x0a")
    // Some time-outs, none of them three in a row, are chips.
    let some = "at 08\ntimeout\nat 09\ntimeout\nat 0B\ntimeout\nat 0C\n\(Self.zeros)"
    let other = try #require(try Self.scan(Self.bus(1, some)).first)
    #expect(other.found.map(\.address) == [0x08, 0x09, 0x0B, 0x0C])
    #expect(other.problem == nil)
  }

  @Test func aBusThatCannotBeOpenedStillShowsItsDrivers() throws {
    let scan = try #require(try Self.scan(Self.bus(1, "at nowhere\n"), drivers: ["1-0048": "lm75"]).first)
    #expect(
      I2CScanText.lines([scan]) == [
        "bus 1: adapter 1", "  0x48  kernel driver lm75",
        "  ! the recording /.host/i2c/1 has a mistake: line 1: a byte of two hexadecimal digits is wanted",
      ])
  }

  /// The chips that are shipped, at the addresses of their datasheets.
  @Test func theShippedChipsByAddress() {
    let hardware = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("hardware").path
    let chips = I2CScanCommand.byAddress(ChipFiles(HardwareFolders([hardware])))
    #expect(chips[0x76]?.filter { $0.hasSuffix("280") } == ["bme280", "bmp280"])
    #expect(chips[0x68]?.contains("ds3231") == true)
    #expect(chips[0x08] == nil)
  }

  @Test func withoutBuses() throws {
    #expect(
      I2CScanText.lines(try Self.scan([:])) == [
        "no I2C bus; docs/i2c.md says how to switch one on"
      ])
  }
}
