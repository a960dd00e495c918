import Platform
import Profile
import Telemetry
import Testing

@testable import Sensors

@Suite struct ChipProgramTests {
  /// Answers from a list, and keeps what was asked and how it was held.
  private final class ListedBus: I2CBus {
    var answers: [Result<[UInt8], I2CError>]
    var asked: [[I2CMessage]] = []
    var holds = 0
    var isHeld = false

    init(_ answers: [Result<[UInt8], I2CError>]) { self.answers = answers }

    func hold() throws(I2CError) {
      holds += 1
      isHeld = true
    }

    func release() { isHeld = false }

    func transfer(_ address: UInt8, _ messages: [I2CMessage]) throws(I2CError) -> [UInt8] {
      if !isHeld { Issue.record("a transfer outside of the hold") }
      asked.append(messages)
      guard !answers.isEmpty else { return [] }
      return try answers.removeFirst().get()
    }
  }

  private func program(_ name: String, _ options: [String: String] = [:]) throws -> ChipProgram {
    let chip = try ShippedChips.chip(name)
    return ChipProgram(chip, device: chip.device(address: nil, options: options).device) { _ in }
  }

  /// ADS1115 data sheet, table "Config Register Field Descriptions": a single shot of input 0 at ±0.256 V is 0xCB83.
  @Test func bitsOfOptionsGoIntoWhatIsWritten() throws {
    let bus = ListedBus([])
    var program = try program("ads1115", ["full_scale_volts": "0.256"])
    _ = try? program.read(bus)
    #expect(bus.asked.first == [.write([0x01, 0xCB, 0x83])])
  }

  @Test func theStartIsDoneOnceAndAgainAfterAFault() throws {
    let start: [I2CMessage] = [.write([0x00, 0x39, 0x9F])]
    let bus = ListedBus([
      .success([]), .success([0, 1]), .success([0, 8]), .success([0, 1]), .success([0, 8]), .failure(.noAcknowledge),
      .success([]),
      .success([0, 1]), .success([0, 8]),
    ])
    var program = try program("ina219", ["shunt_ohms": "0.1"])
    _ = try program.read(bus)
    _ = try program.read(bus)
    #expect(bus.asked.count { $0 == start } == 1)
    #expect(throws: ChipFault.bus(.noAcknowledge)) { _ = try program.read(bus) }
    #expect(!bus.isHeld)
    _ = try program.read(bus)
    #expect(bus.asked.count { $0 == start } == 2)
    #expect(bus.holds == 4)
  }

  @Test func anotherChipIsNotRead() throws {
    let bus = ListedBus([.success([0x60])])
    var program = try program("bmp280")
    #expect(throws: ChipFault.identity(expected: [0x58], found: [0x60])) { _ = try program.read(bus) }
    #expect(bus.asked == [[.write([0xD0]), .read(1)]])
  }

  @Test func aReadThatIsCutShortIsAFault() throws {
    let bus = ListedBus([.success([0x19])])
    var program = try program("tmp102")
    #expect(throws: ChipFault.short(read: "data", wanted: 2, got: 1)) { _ = try program.read(bus) }
  }

  /// SHT3x data sheet, section 4.12: BE EF has 92.
  @Test func aChecksumThatDoesNotFitIsTriedOnceMore() throws {
    let good: [UInt8] = [0xBE, 0xEF, 0x92, 0xBE, 0xEF, 0x92]
    let bad: [UInt8] = [0xBE, 0xEF, 0x92, 0xBE, 0xEE, 0x92]
    let returns = ListedBus([.success([]), .success(bad), .success([]), .success(good)])
    var program = try program("sht3x")
    #expect(try program.read(returns).count == 2)
    #expect(returns.asked.count == 4)
    let stays = ListedBus([.success([]), .success(bad), .success([]), .success(bad)])
    #expect(throws: ChipFault.checksum(read: "data")) { _ = try program.read(stays) }
    #expect(stays.asked.count == 4, "no more than twice")
  }
}
