import Foundation
import Telemetry
import Testing

@testable import Platform

/// What the text of a recorded bus means.
@Suite struct I2CRecordingTests {
  static func port(_ text: String) throws -> RecordedI2CPort {
    RecordedI2CPort(try I2CRecording(text, path: "/bus"))
  }

  @Test func byteRegistersAreWalkedAlong() throws {
    let port = try Self.port("# a BME280\nat 76\nregisters D0 = 60\nregisters F2 = 00 01 02 # ctrl_hum on\n")
    #expect(try port.attempt(0x76, [.write([0xD0]), .read(1)]) == [0x60])
    #expect(try port.attempt(0x76, [.write([0xF2]), .read(3)]) == [0, 1, 2])
    // A write goes on from its register, a read without one from where the last transfer ended.
    #expect(try port.attempt(0x76, [.write([0xF3, 0xAA, 0xBB])]) == [])
    #expect(try port.attempt(0x76, [.write([0xF2]), .read(1)]) == [0])
    #expect(try port.attempt(0x76, [.read(2)]) == [0xAA, 0xBB])
  }

  @Test func aRegisterOfSeveralBytesIsStayedIn() throws {
    let port = try Self.port("at 48\nregister 00 = 19 00\nregister 01 = 60 A0\n")
    // The pointer's first place is the lowest register.
    #expect(try port.attempt(0x48, [.read(2)]) == [0x19, 0])
    #expect(try port.attempt(0x48, [.read(2)]) == [0x19, 0])
    #expect(
      try port.attempt(0x48, [.write([1, 0x61, 0xA1]), .write([0]), .read(2), .write([1]), .read(2)]) == [0x19, 0, 0x61, 0xA1])
    #expect(try port.attempt(0x48, [.write([1]), .read(1)]) == [0x61])
  }

  @Test func aWriteMayChangeAnotherRegister() throws {
    let port = try Self.port(
      """
      at 48
      register 00 = 00 00
      register 01 = 85 83
      registers 10 = 07
      after 01 C3 83 register 00 = 12 34
      after 01 D3 83 register 00 = 22 34
      after 01 D3 83 register 10 = 08
      """)
    _ = try port.attempt(0x48, [.write([1, 0xC3, 0x83])])
    #expect(try port.attempt(0x48, [.write([0]), .read(2)]) == [0x12, 0x34])
    _ = try port.attempt(0x48, [.write([1, 0xD3, 0x83])])
    #expect(try port.attempt(0x48, [.write([0]), .read(2)]) == [0x22, 0x34])
    #expect(try port.attempt(0x48, [.write([0x10]), .read(1)]) == [8])
  }

  @Test func listedTransfersAnswerInTurnAndTheLastStays() throws {
    let port = try Self.port(
      "at 44\nw 24 00\nr 6 = BE EF 92 80 00 A2\nr 6 -> nak\nr 6 = BE EF 93 80 00 A2\nw 2C 06 -> lost\nw 40 r 2 = 00 7F\n")
    #expect(try port.attempt(0x44, [.write([0x24, 0])]) == [])
    #expect(try port.attempt(0x44, [.read(6)]) == [0xBE, 0xEF, 0x92, 0x80, 0, 0xA2])
    #expect(throws: I2CError.noAcknowledge) { try port.attempt(0x44, [.read(6)]) }
    for _ in 0..<3 { #expect(try port.attempt(0x44, [.read(6)])[2] == 0x93) }
    #expect(throws: I2CError.arbitrationLost) { try port.attempt(0x44, [.write([0x2C, 6])]) }
    #expect(try port.attempt(0x44, [.write([0x40]), .read(2)]) == [0, 0x7F])
  }

  @Test(arguments: [
    ("nak", I2CError.noAcknowledge), ("lost", .arbitrationLost), ("timeout", .timedOut), ("hang 1", .timedOut),
    ("busy", .busy(driver: nil)), ("busy lm75", .busy(driver: "lm75")), ("errno 71", .io(errno: EPROTO)),
    ("unsupported", .unsupported),
  ])
  func faults(line: String, error: I2CError) throws {
    let whole = try Self.port("at 48\nregisters 00 = 01\n\(line)\n")
    #expect(throws: error) { try whole.attempt(0x48, [.write([0]), .read(1)]) }
    let single = try Self.port("at 48\nregisters 00 = 01\nw 05 -> \(line)\n")
    #expect(throws: error) { try single.attempt(0x48, [.write([5])]) }
    #expect(try single.attempt(0x48, [.write([0]), .read(1)]) == [1])
    let bus = try Self.port("\(line)\nat 48\nregisters 00 = 01\n")
    #expect(throws: error) { try bus.attempt(0x48, [.write([0]), .read(1)]) }
  }

  /// A recording invents nothing.
  @Test(arguments: [
    [I2CMessage.write([0x20]), .read(1)], [.write([0x0F]), .read(3)], [.write([0x10, 1, 2])], [.write([0x05]), .read(3)],
    [.write([0x05, 1])],
  ])
  func whatIsNotToldFails(messages: [I2CMessage]) throws {
    let port = try Self.port("at 48\nregisters 0F = 01 02\nregister 05 = 01 02\n")
    #expect(throws: I2CError.io(errno: ENODATA)) { try port.attempt(0x48, messages) }
  }

  @Test func otherAddressesAndAnEmptyBusDoNotAcknowledge() throws {
    #expect(throws: I2CError.noAcknowledge) { try Self.port("at 48\n").attempt(0x49, [.write([])]) }
    #expect(throws: I2CError.noAcknowledge) { try Self.port("").attempt(0x49, [.read(1)]) }
    #expect(try Self.port("at 48\n").attempt(0x48, [.write([])]) == [])
  }

  @Test func anAdapterOfSMBusTakesItsTransfersOnly() throws {
    let port = try Self.port("functions smbus\nat 48\nregisters 00 = 01 02 03\nr 6 = 01 02 03 04 05 06\n")
    #expect(try port.attempt(0x48, [.write([0]), .read(3)]) == [1, 2, 3])
    #expect(throws: I2CError.unsupported) { try port.attempt(0x48, [.read(6)]) }
  }

  @Test(arguments: [
    ("at 80", "line 1: an address has 7 bits"), ("at 4", "line 1: a byte of two hexadecimal digits is wanted"),
    ("at 48\nregisters FF = 01 02", "line 2: a register past FF, or one that is already told"),
    ("at 48\nregister 01 = 01 02\nregisters 00 = 01 02", "line 3: a register past FF, or one that is already told"),
    ("at 48\nregister 01", "line 2: = is wanted"),
    ("at 48\nregister 01 = 1", "line 2: a byte of two hexadecimal digits is wanted"),
    ("at 48\n\n# note\nr 6 = 01", "line 4: 6 bytes are read, 1 are told"),
    ("at 48\nr 0", "line 2: a number from 1 to 512 is wanted"),
    ("at 48\nw 01 -> explode", "line 2: 'explode' is no line of a recorded bus"),
    ("at 48\nw 01 = 02", "line 2: '=' is not understood here"), ("functions i2c", "line 1: functions is followed by smbus"),
    ("registers 00 = 01", "line 1: 'registers' is no line of a recorded bus"),
    ("nak nak", "line 1: 'nak' is not understood here"),
    ("at 48\nafter register 01 = 02", "line 2: after is followed by bytes and register"),
    ("hang 60001", "line 1: a number from 1 to 60000 is wanted"), ("at 48 49", "line 1: '49' is not understood here"),
  ])
  func whatIsNotUnderstoodIsMalformed(text: String, what: String) throws {
    #expect(throws: SensorError.malformed(path: "/bus", what: what)) { try I2CRecording(text, path: "/bus") }
  }
}

/// Which transfers are SMBus (Documentation/i2c/smbus-protocol.rst).
@Suite struct SMBusTransferTests {
  @Test func theShapes() {
    #expect(SMBusTransfer([.write([])]) == .quick)
    #expect(SMBusTransfer([.write([5])]) == .send(5))
    #expect(SMBusTransfer([.read(1)]) == .receive)
    #expect(SMBusTransfer([.write([5, 6])]) == .write(command: 5, data: [6]))
    #expect(SMBusTransfer([.write([5]), .read(8)]) == .read(command: 5, count: 8))
    let block = [UInt8](repeating: 0, count: 33)
    #expect(SMBusTransfer([.write(block)]) == .write(command: 0, data: [UInt8](repeating: 0, count: 32)))
    #expect(SMBusTransfer([.write([5]), .read(32)]) == .read(command: 5, count: 32))
  }

  @Test(arguments: [
    [], [I2CMessage.read(2)], [.write([0x2C, 6]), .read(6)], [.write([5]), .read(33)], [.write([5]), .write([6])],
    [.read(1), .write([5])], [.write([5]), .read(1), .read(1)], [.write([UInt8](repeating: 0, count: 34))],
    [.write([]), .read(1)],
  ])
  func whatIsNone(messages: [I2CMessage]) {
    #expect(SMBusTransfer(messages) == nil)
  }
}
