import Foundation
import Profile
import Telemetry
import Testing

@testable import Sensors

/// The shipped descriptions against the tables and examples of the chips' data sheets.
enum ShippedChips {
  static var files: ChipFiles { ChipFiles(HardwareFolders([CaseRun.hardware])) }

  static func chip(_ name: String) throws -> ChipDescription {
    guard case .chip(let chip) = files.chip(name) else {
      throw Missing(name: name, answer: files.chip(name))
    }
    return chip
  }

  struct Missing: Error {
    let name: String
    let answer: ChipFiles.Answer
  }

  /// The values by `quantity.channel`; those that have no reading are left out.
  static func values(
    _ name: String, _ reads: [String: [UInt8]], options: [String: String] = [:]
  ) throws -> [String: Double] {
    let chip = try chip(name)
    let (device, faults) = chip.device(address: nil, options: options)
    try #require(faults.isEmpty)
    let results = ChipEvaluation(chip, options: device.options).values(of: reads)
    var values: [String: Double] = [:]
    for (value, result) in zip(chip.values, results) {
      if case .success(let number) = result { values["\(value.quantity.name).\(value.channel)"] = number }
    }
    return values
  }

  static func big(_ word: UInt16) -> [UInt8] { [UInt8(word >> 8), UInt8(word & 0xFF)] }
}

@Suite struct ChipVectorTests {
  private func close(_ left: Double?, _ right: Double, within error: Double = 1e-9) -> Bool {
    left.map { abs($0 - right) <= error } ?? false
  }

  /// TMP102 data sheet SBOS397, table 5: 12 bits, here as they lie in the register.
  private static let tmp102Table: [(UInt16, Double)] = [
    (0x7FF, 127.9375), (0x640, 100), (0x500, 80), (0x4B0, 75), (0x320, 50), (0x190, 25), (0x004, 0.25), (0x000, 0),
    (0xFFC, -0.25), (0xE70, -25), (0xC90, -55),
  ]

  @Test(arguments: tmp102Table)
  func tmp102(word: UInt16, celsius: Double) throws {
    #expect(try ShippedChips.values("tmp102", ["data": ShippedChips.big(word << 4)])["temperature.ambient"] == celsius)
  }

  /// STLM75 data sheet 13296, table 3; the seven lower bits of an LM75 are undefined.
  private static let lm75Table: [(UInt16, Double)] = [
    (0x0FA, 125), (0x032, 25), (0x001, 0.5), (0x000, 0), (0x1FF, -0.5), (0x1CE, -25), (0x1B0, -40), (0x192, -55),
  ]

  @Test(arguments: lm75Table)
  func lm75(word: UInt16, celsius: Double) throws {
    for rest: UInt16 in [0, 0x7F, 0x55] {
      let bytes = ShippedChips.big(word << 7 | rest)
      #expect(try ShippedChips.values("lm75", ["data": bytes])["temperature.ambient"] == celsius)
    }
  }

  /// LM75B data sheet of NXP, table 10.
  private static let lm75bTable: [(UInt16, Double)] = [
    (0x3F8, 127), (0x3F7, 126.875), (0x3F1, 126.125), (0x3E8, 125), (0x0C8, 25), (0x001, 0.125), (0x000, 0), (0x7FF, -0.125),
    (0x738, -25), (0x649, -54.875), (0x648, -55),
  ]

  @Test(arguments: lm75bTable)
  func lm75b(word: UInt16, celsius: Double) throws {
    let bytes = ShippedChips.big(word << 5 | 0x1F)
    #expect(try ShippedChips.values("lm75b", ["data": bytes])["temperature.ambient"] == celsius)
  }

  /// INA219 data sheet SBOS448, section 8.6.3.1 and table 8: 20 mV over 2 mΩ at 11.98 V are 10 A and 119.8 W.
  @Test func ina219() throws {
    let values = try ShippedChips.values(
      "ina219", ["shunt": ShippedChips.big(0x07D0), "bus": ShippedChips.big(0x5D98)], options: ["shunt_ohms": "0.002"])
    #expect(close(values["voltage.shunt"], 0.02))
    #expect(close(values["voltage.bus"], 11.98))
    #expect(close(values["current.load"], 10))
    #expect(close(values["power.load"], 119.8))
    let ends: [(UInt16, Double)] = [(0x8300, -0.32), (0x7D00, 0.32), (0xF060, -0.04)]
    for (word, volts) in ends {
      let reads = ["shunt": ShippedChips.big(word), "bus": [0, 0]]
      #expect(close(try ShippedChips.values("ina219", reads, options: ["shunt_ohms": "0.1"])["voltage.shunt"], volts))
    }
  }

  /// INA226 data sheet SBOS547, sections 7.6.2 and 7.6.3 and table 11.
  @Test func ina226() throws {
    let values = try ShippedChips.values(
      "ina226", ["shunt": ShippedChips.big(0x1F40), "bus": ShippedChips.big(0x2570)], options: ["shunt_ohms": "0.002"])
    #expect(close(values["voltage.shunt"], 0.02))
    #expect(close(values["voltage.bus"], 11.98))
    #expect(close(values["current.load"], 10))
    #expect(close(values["power.load"], 119.8))
    let low = try ShippedChips.values(
      "ina226", ["shunt": ShippedChips.big(0x8300), "bus": ShippedChips.big(0x7FFF)], options: ["shunt_ohms": "0.1"])
    #expect(close(low["voltage.shunt"], -0.08))
    #expect(close(low["voltage.bus"], 40.95875))
  }

  /// DS3231 data sheet 19-5170, "Temperature Registers": 0b00011001 01 is +25.25 °C.
  private static let ds3231Table: [([UInt8], Double)] = [
    ([0x19, 0x40], 25.25), ([0xFF, 0xC0], -0.25), ([0x00, 0x00], 0), ([0xD8, 0x00], -40),
  ]

  @Test(arguments: ds3231Table)
  func ds3231(bytes: [UInt8], celsius: Double) throws {
    let still = try ShippedChips.values("ds3231", ["data": [0x88, 0x00] + bytes])
    #expect(still == ["temperature.die": celsius, "flag.oscillator_stopped": 1])
    #expect(try ShippedChips.values("ds3231", ["data": [0x7F, 0xFF] + bytes])["flag.oscillator_stopped"] == 0)
  }

  /// ADS1115 data sheet SBAS444, table "Input Signal Versus Ideal Output Code": FS·(2¹⁵−1)/2¹⁵, FS/2¹⁵, 0, −FS/2¹⁵, −FS.
  private static let ads1115Table: [(UInt16, Double)] = [
    (0x7FFF, 32767.0 / 32768), (0x0001, 1.0 / 32768), (0, 0), (0xFFFF, -1.0 / 32768), (0x8000, -1),
  ]

  @Test(arguments: ads1115Table)
  func ads1115(word: UInt16, share: Double) throws {
    for full in [6.144, 4.096, 2.048, 1.024, 0.512, 0.256] {
      let values = try ShippedChips.values(
        "ads1115_differential", ["ain01": ShippedChips.big(word), "ain23": [0, 0]], options: ["full_scale_volts": "\(full)"])
      #expect(close(values["voltage.ain0_ain1"], full * share))
      let single = try ShippedChips.values(
        "ads1115", ["ain0": [0, 0], "ain1": [0, 0], "ain2": [0, 0], "ain3": ShippedChips.big(word)],
        options: ["full_scale_volts": "\(full)", "ratio_3": "11"])
      #expect(close(single["voltage.ain3"], full * share * 11))
    }
  }

  /// PCF8591 data sheet of NXP, section 8.3: a count is (VREF − VAGND) / 256.
  @Test func pcf8591() throws {
    let values = try ShippedChips.values(
      "pcf8591", ["ain0": [9, 0], "ain1": [9, 1], "ain2": [9, 128], "ain3": [9, 255]], options: ["reference_volts": "5.12"])
    #expect(close(values["voltage.ain0"], 0))
    #expect(close(values["voltage.ain1"], 0.02))
    #expect(close(values["voltage.ain2"], 2.56))
    #expect(close(values["voltage.ain3"], 5.1))
  }

  /// MAX17040 data sheet 19-5210, "VCELL Register" and "SOC Register": 1.25 mV above four unused bits; 1/256 %.
  @Test func max17040() throws {
    let values = try ShippedChips.values("max17040", ["voltage": ShippedChips.big(2960 << 4 | 15), "charge": [50, 128]])
    #expect(close(values["voltage.cell"], 3.7))
    #expect(close(values["charge.cell"], 50.5))
  }

  /// MAX17048 data sheet 19-6171, "VCELL" and "SOC": 78.125 µV a cell; 1/256 %.
  @Test func max17048() throws {
    let values = try ShippedChips.values("max17048", ["voltage": ShippedChips.big(53248), "charge": [99, 64]])
    #expect(close(values["voltage.cell"], 4.16))
    #expect(close(values["charge.cell"], 99.25))
  }

  /// SHT3x data sheet, section 4.13: the ends of the scale; +130 °C is beyond what the chip measures.
  @Test func sht3x() throws {
    let low = try ShippedChips.values("sht3x", ["data": [0x0D, 0xB7, 0, 0, 0, 0]])
    #expect(close(low["temperature.ambient"], -45 + 175 * 3511.0 / 65535))
    #expect(close(low["humidity.ambient"], 0))
    let high = try ShippedChips.values("sht3x", ["data": [0xFF, 0xFF, 0, 0xFF, 0xFF, 0]])
    #expect(high == ["humidity.ambient": 100])
  }
}
