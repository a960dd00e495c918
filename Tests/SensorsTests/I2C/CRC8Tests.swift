import Testing

@testable import Sensors

@Suite struct CRC8Tests {
  /// The catalogue of parametrised CRC algorithms (Cook): the check of "123456789" for CRC-8/NRSC-5, CRC-8/SMBUS and
  /// CRC-8/LTE, whose registers are neither reflected nor inverted.
  private static let checks: [(UInt8, UInt8, UInt8)] = [(0x31, 0xFF, 0xF7), (0x07, 0x00, 0xF4), (0x9B, 0x00, 0xEA)]

  @Test(arguments: checks)
  func knownChecks(polynomial: UInt8, initial: UInt8, check: UInt8) {
    #expect(CRC8.check("123456789".utf8, polynomial: polynomial, initial: initial) == check)
  }

  /// SHT3x data sheet, section 4.12.
  @Test func theExampleOfSensirion() {
    #expect(CRC8.check([0xBE, 0xEF], polynomial: 0x31, initial: 0xFF) == 0x92)
  }

  @Test func everyFlippedBitIsSeen() {
    let word: [UInt8] = [0xBE, 0xEF]
    for bit in 0..<16 {
      var changed = word
      changed[bit / 8] ^= 1 << (bit % 8)
      #expect(CRC8.check(changed, polynomial: 0x31, initial: 0xFF) != 0x92)
    }
  }
}
