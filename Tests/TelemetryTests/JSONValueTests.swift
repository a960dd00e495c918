import Testing

@testable import Telemetry

@Suite struct JSONValueTests {
  private static func parse(_ text: String) -> JSONValue? { try? JSONValue(parsing: Array(text.utf8)) }

  @Test func everyKindOfValueIsRead() throws {
    let value = try #require(
      Self.parse(#" {"a" : [1, -2.5e3, 0, true, false, null, "x", {}, []] , "b":"ä\"\\\/\b\f\n\r\t\u00e4\ud83d\ude00"} "#))
    #expect(
      value["a"]?.elements == [
        .number(1), .number(-2_500), .number(0), .bool(true), .bool(false), .null, .string("x"), .object([]), .array([]),
      ])
    #expect(value["b"]?.text == "ä\"\\/\u{8}\u{c}\n\r\tä😀")
    #expect(value["c"] == nil)
    #expect(value.members?.map(\.key) == ["a", "b"])
  }

  @Test func countsAreWholeAndExact() {
    for (text, count) in [
      ("0", 0), ("4294967295", 4_294_967_295), ("9007199254740992", 9_007_199_254_740_992), ("1e3", 1_000), ("-1", nil),
      ("1.5", nil), ("1e300", nil), ("\"1\"", nil),
    ] as [(String, Int?)] {
      #expect(Self.parse(text)?.count == count, "\(text)")
    }
  }

  /// By the grammar of RFC 8259.
  @Test(arguments: [
    "", " ", "{", "[", "[1,]", "{\"a\":1,}", "{\"a\"}", "{a:1}", "01", "1.", ".5", "+1", "-", "1e", "tru", "nulll", "\"",
    "\"\\x\"", "\"\\u12g4\"", "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\\udc00\"", "\"a\nb\"", "1 2", "[1 2]", "1e999", "NaN",
  ]) func whatIsNoJSONIsRefused(text: String) {
    #expect(Self.parse(text) == nil)
  }

  @Test func invalidUTF8IsRefused() {
    #expect((try? JSONValue(parsing: [0x22, 0xFF, 0x22])) == nil)
    #expect((try? JSONValue(parsing: [0x22, 0xC3, 0xA4, 0x22])) == .string("ä"))
  }

  @Test func depthIsBounded() {
    func nested(_ depth: Int) -> String { String(repeating: "[", count: depth) + String(repeating: "]", count: depth) }
    #expect(Self.parse(nested(JSONValue.mostDepth)) != nil)
    #expect(Self.parse(nested(JSONValue.mostDepth + 1)) == nil)
    #expect(Self.parse(String(repeating: "[", count: 100_000)) == nil)
  }

  @Test func itsFaultsSayWhere() {
    #expect(throws: JSONValue.Fault(position: 4)) { try JSONValue(parsing: Array("[1, x]".utf8)) }
  }

  @Test func whatTheWriterWritesComesBack() throws {
    var writer = JSONWriter()
    writer.beginObject()
    writer.member("text", "a\u{1}\"\\\n\u{1f}ö")
    writer.member("number", 12.375)
    writer.member("whole", 9_007_199_254_740_991)
    writer.endObject()
    let value = try JSONValue(parsing: writer.bytes)
    #expect(value["text"]?.text == "a\u{1}\"\\\n\u{1f}ö")
    #expect(value["number"] == .number(12.375))
    #expect(value["whole"]?.count == 9_007_199_254_740_991)
  }
}
