import Foundation
import Randomness
import Telemetry
import Testing

@Suite struct JSONWriterTests {
  static func written(_ body: (inout JSONWriter) -> Void) -> String {
    var json = JSONWriter()
    body(&json)
    return String(decoding: json.bytes, as: UTF8.self)
  }

  static func number(_ value: Double) -> String { written { $0.number(value) } }

  @Test(arguments: [
    (0.0, "0"), (-0.0, "-0.0"), (1, "1"), (-1, "-1"), (10, "10"), (0.1, "0.1"), (-0.5, "-0.5"), (12.4, "12.4"), (0.05, "0.05"),
    (99.99, "99.99"), (1e-9, "0.000000001"), (123_456_789.123, "123456789.123"), (1e15, "1000000000000000"),
    (9_007_199_254_740_991, "9007199254740991"), (9_007_199_254_740_992, "9007199254740992"), (1e16, "1e+16"), (1e300, "1e+300"),
    (.leastNonzeroMagnitude, "5e-324"), (1.0 / 3, "0.3333333333333333"), (0.1 + 0.2, "0.30000000000000004"), (.nan, "null"),
    (.missing, "null"),
    (.infinity, "null"), (-.infinity, "null"),
  ])
  func numbers(value: Double, text: String) {
    #expect(Self.number(value) == text)
  }

  @Test(arguments: [
    (Int64.min, "-9223372036854775808"), (.max, "9223372036854775807"), (0, "0"), (-7, "-7"), (1000, "1000"),
  ])
  func integers(value: Int64, text: String) {
    #expect(Self.written { $0.integer(value) } == text)
  }

  @Test func theLargestInteger() {
    #expect(Self.written { $0.integer(UInt64.max) } == "18446744073709551615")
  }

  @Test(arguments: [
    ("", #""""#), ("a\"b\\c", #""a\"b\\c""#), ("\n\r\t\u{1}\u{1f}\u{7f}", "\"\\n\\r\\t\\u0001\\u001f\u{7f}\""),
    ("é🐦/", "\"é🐦/\""),
  ])
  func strings(text: String, json: String) throws {
    let written = Self.written { $0.string(text) }
    #expect(written == json)
    let array = try JSONSerialization.jsonObject(with: Data("[\(written)]".utf8)) as? [String]
    #expect(array == [text])
  }

  @Test func commasStandBetweenMembersAndElements() {
    let text = Self.written { json in
      json.beginObject()
      json.member("a", 1)
      json.key("b")
      json.beginArray()
      json.number(1.5)
      json.beginObject()
      json.endObject()
      json.raw(Array("[2]".utf8))
      json.beginArray()
      json.endArray()
      json.bool(true)
      json.endArray()
      json.member("c", String?.none)
      json.member("d", false)
      json.member("e", Double?.none)
      json.endObject()
    }
    #expect(text == #"{"a":1,"b":[1.5,{},[2],[],true],"c":null,"d":false,"e":null}"#)
  }

  @Test func clearBeginsAnew() {
    let text = Self.written { json in
      json.number(1)
      json.clear()
      json.number(2)
    }
    #expect(text == "2")
  }

  /// 100,000 doubles, a third each: any bits, readings of a few decimals, near neighbours of such readings.
  @Test(arguments: [UInt64(2026)])
  func everyDoubleParsesBackToTheSameBits(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    var values: [Double] = []
    while values.count < 100_000 {
      let reading = Double.random(in: -1e6...1e6, using: &random).rounded(decimals: Int.random(in: 0...9, using: &random))
      let value: Double =
        switch values.count % 3 {
        case 0: Double(bitPattern: random.next())
        case 1: reading
        default: Bool.random(using: &random) ? reading.nextUp : reading.nextDown
        }
      if value.isFinite { values.append(value) }
    }
    var json = JSONWriter()
    json.beginArray()
    for value in values { json.number(value) }
    json.endArray()
    // JSONSerialization takes more than 15 digits through NSDecimalNumber, which loses the last bits; the decoder does not.
    let parsed = try JSONDecoder().decode([Double].self, from: Data(json.bytes))
    #expect(parsed.count == values.count)
    for (value, number) in zip(values, parsed) where number.bitPattern != value.bitPattern {
      Issue.record("seed \(seed): \(value) was written as \(Self.number(value)), which is \(number)")
    }
  }

  @Test func readingsTakeNoMoreDigitsThanTheirShortestText() {
    var random = SplitMix64(seed: 7)
    for _ in 0..<10_000 {
      let value = Double.random(in: -1e6...1e6, using: &random).rounded(decimals: Int.random(in: 0...6, using: &random))
      let shortest = value.description.hasSuffix(".0") ? String(value.description.dropLast(2)) : value.description
      guard !shortest.contains("e") else { continue }
      #expect(Self.number(value) == shortest)
    }
  }
}
