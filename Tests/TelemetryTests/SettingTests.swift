import Telemetry
import Testing

@Suite struct SettingTests {
  @Test(arguments: [("12.5", 12.5), ("-1e-3", -0.001), ("+4", 4), (".5", 0.5)])
  func numbersAreDecimal(text: String, value: Double) {
    #expect(Quantity.number(text) == value)
  }

  // Double.init takes these: C99 hexadecimal floats and the names of what is no number.
  @Test(arguments: ["0x10", "inf", "nan", "Infinity", "1e999", "", " 1", "1_000", "e", ".", "--1"])
  func otherSpellingsAreNone(text: String) {
    #expect(Quantity.number(text) == nil)
    #expect(Quantity.percent(text) == nil)
    #expect(Quantity.celsius(text) == nil)
    #expect(throws: SettingError.self) { try SettingType.number.parse(text) }
  }

  @Test func aLeadingZeroIsNotGuessed() throws {
    #expect(try SettingType.integer(-100...100).parse("0") == .integer(0))
    #expect(try SettingType.integer(-100...100).parse("-7") == .integer(-7))
    for text in ["010", "-07", "00"] {
      #expect(throws: SettingError.self) { try SettingType.integer(-100...100).parse(text) }
    }
  }

  @Test func settingsGiveTheirValuesByType() {
    let specs = [
      SettingSpec("size", .size(0...1 << 30), default: "1MiB", help: ""),
      SettingSpec("rate", .rate, default: "unlimited", help: ""),
      SettingSpec("share", .percent, default: "12.5%", help: ""),
    ]
    let settings = Settings(specs, ["size": .bytes(7)])
    #expect(settings.bytes("size") == 7)
    #expect(settings.bytes("rate") == Int.max)
    #expect(settings.number("share") == 12.5)
    #expect(settings.number("size") == 0)
  }
}
