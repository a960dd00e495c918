import Foundation
import Telemetry
import Testing

@testable import Profile

/// What writers of chip files are told.
@Suite struct ChipDecoderTests {
  /// A good description; the tests change one line of it.
  private static let good = """
    name: X1
    description: A chip.
    datasheet: none
    addresses: [0x20, 0x21]
    identify: {write: [0xD0], equals: [0x58]}
    options:
      shunt_ohms: {help: The shunt., range: [0.001, 10]}
      gain: {help: The gain., default: 2, choices: {1: 0x00, 2: 0x10}}
    start:
      - {write: [0x01, 0x80 | gain]}
      - {wait: 5ms}
    steps:
      - {write: [0x02], read: 6, name: both, checksum: {polynomial: 0x31, initial: 0xFF, every: 2}}
      - {read: 2, name: more}
    values:
      - {quantity: voltage, channel: bus, from: both, at: 3, type: u16, byte_order: little, scale: 1/256, multiply_by: gain}
      - {quantity: current, channel: load, product: voltage.bus, divide_by: shunt_ohms, range: [-5, 5]}
      - {quantity: power, channel: load, product: [voltage.bus, current.load]}
      - {quantity: raw, channel: curve, from: more, type: s16, shift: 4, bits: 10, invalid: 0x8000, table: {-5: 1, 0x10: 2.5}}

    """

  private func parse(_ text: String, id: String = "x1") throws(ProfileProblems) -> ChipDescription {
    try ChipFiles.parse(Array(text.utf8), id: id, file: "x1.yaml")
  }

  @Test func aGoodOneIsRead() throws {
    let chip = try parse(Self.good)
    #expect(chip.addresses == [0x20, 0x21])
    #expect(chip.identity == ChipDescription.Identity(write: [0xD0], equals: [0x58]))
    #expect(chip.start == [.transfer(write: [ChipByte(1), ChipByte(0x80, options: ["gain"])], read: nil), .wait(5)])
    #expect(chip.options.map(\.fallback) == [nil, 2])
    #expect(
      chip.values[0].source
        == .field(ChipField(read: "both", at: 3, width: 2, isLittleEndian: true, scale: 1.0 / 256, factors: ["gain"])))
    #expect(chip.values[1].range == -5...5)
    #expect(chip.values[2].source == .product(ChipProduct(values: [0, 1])))
    let points = [ChipField.Point(count: -5, number: 1), ChipField.Point(count: 16, number: 2.5)]
    #expect(
      chip.values[3].source
        == .field(ChipField(read: "more", width: 2, isSigned: true, shift: 4, bits: 10, invalid: [0x8000], table: points)))
  }

  @Test(arguments: [
    ("name: X1", "nane: X1", "x1.yaml:1:1: error: unknown key 'nane'; did you mean 'name'?"),
    ("0x21]", "0x7F]", "x1.yaml:4:19: error: addresses: '0x7F' is out of range; use 8 to 119"),
    ("0x21]", "pins]", "x1.yaml:4:19: error: addresses: 'pins' is no whole number; write one as 12 or 0x0C"),
    ("equals: [0x58]", "equals: []", "identify.equals: it has no bytes; write one to four: 'equals: [0xD0]'"),
    ("{write: [0x01, 0x80 | gain]}", "{write: []}", "start[1] does nothing; write 'write: [bytes]'"),
    ("equals: [0x58]", "value: 0x58", "unknown key 'identify.value'; use one of write, equals"),
    ("range: [0.001, 10]", "range: [10, 1]", "options.shunt_ohms.range: it has no lower and higher end; write both: [-40, 125]"),
    ("default: 2", "default: 3", "options.gain.default: '3' is not one of its values; use 1, 2"),
    ("0x80 | gain", "0x80 | gian", "'gian' is neither a byte nor an option with choices"),
    ("0x80 | gain", "0x80 | shunt_ohms", "'shunt_ohms' is neither a byte nor an option with choices"),
    ("wait: 5ms", "wait: 5", "start[2].wait: '5' is no wait; write 1ms to 1000ms"),
    ("wait: 5ms", "wait: 5ms, read: 2", "start[2].read: it stands in a step that waits; make it a step of its own"),
    ("read: 6", "read: 5", "steps[1].read: 5 bytes are no groups of 2 and a checksum; read a multiple of 3"),
    ("read: 6", "read: 600", "steps[1].read: '600' is out of range; use 1 to 128"),
    ("name: more", "name: both", "steps[2]: a read 'both' is there already; give each its own 'name'"),
    ("quantity: voltage", "quantity: voltag", "values[1].quantity: 'voltag' is not one of its values; did you mean 'voltage'?"),
    ("from: both, at: 3", "at: 3", "values[1] has no 'from'; say which read: both, more"),
    ("from: both", "from: bath", "values[1].from: there is no read 'bath'; did you mean 'both'?"),
    ("at: 3", "at: 5", "values[1]: bytes 5 to 6 are past the end of 'both'; it has 6 bytes, numbered from 0"),
    ("at: 3", "at: 1", "values[1]: a checksum lies among its bytes; every byte 2 of 3 is one, counted from 0"),
    ("type: u16", "type: u12", "values[1].type: 'u12' is not one of its values"),
    ("scale: 1/256", "scale: 1/0", "values[1].scale: '1/0' is no number; write one as 0.0625, 2.5e-6 or 175/65535"),
    ("multiply_by: gain", "multiply_by: gains", "values[1].multiply_by: there is no option 'gains'; did you mean 'gain'?"),
    ("[0.001, 10]", "[0, 10]", "values[2].divide_by: 'shunt_ohms' may be 0; give the option a range above 0"),
    ("product: voltage.bus,", "product: power.load,", "there is no earlier value 'power.load'"),
    ("product: voltage.bus,", "type: u8, product: voltage.bus,", "values[2] is made in 2 ways"),
    (
      "channel: load, product: [", "channel: load, at: 2, product: [",
      "values[3].at: it means nothing beside 'product'; remove it"
    ),
    ("shift: 4", "shift: 16", "values[4].shift: '16' is out of range; use 0 to 15"),
    ("{-5: 1, 0x10: 2.5}", "{5: 1, 2: 2.5}", "values[4].table: 2 stands behind 5; write the counts in rising order"),
    (
      "product: [voltage.bus, current.load]", "formula: bmp280_pressure", "bmp280_pressure needs a read 'calibration' of 24 bytes"
    ),
    ("quantity: power, channel: load", "quantity: current, channel: load", "values[3]: current.load is there already"),
    ("steps:", "stops:", "the description has no 'steps'; write 'steps:'; hardware/chips/README.md shows how"),
  ])
  func aMistakeIsToldWithItsRemedy(old: String, new: String, message: String) throws {
    let range = try #require(Self.good.range(of: old))
    let text = Self.good.replacingCharacters(in: range, with: new)
    do throws(ProfileProblems) {
      _ = try parse(text)
      Issue.record("'\(new)' passes")
    } catch {
      #expect(error.description.contains(message), "\(error)")
    }
  }

  @Test func theFileNameIsTheChipsName() {
    #expect(throws: ProfileProblems.self) { try parse(Self.good, id: "X 1") }
  }

  @Test func waitsAreBoundedTogether() {
    let text = Self.good.replacingOccurrences(of: "  - {wait: 5ms}", with: "  - {wait: 600ms}\n  - {wait: 600ms}")
    do throws(ProfileProblems) {
      _ = try parse(text)
      Issue.record("1.2 s pass")
    } catch {
      #expect(error.description.contains("start: its waits take 1200 ms together; use at most 1000 ms"), "\(error)")
    }
  }
}
