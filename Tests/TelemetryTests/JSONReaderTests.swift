import Foundation
import Randomness
import Telemetry
import Testing

@Suite struct JSONReaderTests {
  static let limits = JSONReader.Limits(bytes: 4_096, depth: 8, values: 200)

  static func read(_ text: String) throws(JSONError) -> JSONValue { try JSONReader.read(Array(text.utf8), limits: limits) }

  static func fault(_ bytes: [UInt8], limits: JSONReader.Limits = limits) -> JSONError? {
    do throws(JSONError) { _ = try JSONReader.read(bytes, limits: limits) } catch { return error }
    return nil
  }

  @Test func values() throws {
    let text = #" { "a" : [1, -2.5, 1e3, true, false, null, "x"], "b":{"c":{}}, "d":[] } "#
    let expected = JSONValue.object([
      .init("a", .array([.number(1), .number(-2.5), .number(1000), .bool(true), .bool(false), .null, .string("x")])),
      .init("b", .object([.init("c", .object([]))])), .init("d", .array([])),
    ])
    #expect(try Self.read(text) == expected)
    #expect(expected["b"]?["c"] == .object([]))
    #expect(expected["b"]?["x"] == nil && expected["a"]?["b"] == nil && expected["a"]?.text == nil)
  }

  @Test(arguments: [
    ("9007199254740993", JSONValue.number(9_007_199_254_740_992)), ("-17", .number(-17)),
    ("9223372036854775808", .number(9_223_372_036_854_775_808)), ("0", .number(0)), ("-0", .number(-0.0)),
    ("0.5", .number(0.5)), ("1E+2", .number(100)), ("1e-400", .number(0)),
    (#""\u00e9\ud83d\udc26\n\/\"\\\b\f\r\t""#, .string("é🐦\n/\"\\\u{8}\u{c}\r\t")),
    (#""é""#, .string("é")), ("\"\u{7f}\"", .string("\u{7f}")),
  ])
  func scalars(text: String, value: JSONValue) throws {
    #expect(try Self.read(text) == value)
  }

  @Test(arguments: [
    "", " ", "{", "[", "[1", "[1,", "[1,]", "[,1]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{\"a\":1,\"a\":2}", "01", "-",
    "1.", ".5", "1e", "+1", "1e999", "tru", "nul", "\"",
    "\"\\x\"", "\"\\u12\"", "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\\udc00\"",
    "\"\n\"", "1 2", "{} x", "NaN", "'a'", "[1]]",
  ])
  func refuses(text: String) {
    #expect(Self.fault(Array(text.utf8)) != nil)
  }

  @Test func refusesWhatIsNoUTF8() {
    for bytes in [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xE2, 0x82]] as [[UInt8]] {
      #expect(Self.fault([0x22] + bytes + [0x22]) != nil)
    }
  }

  @Test func boundsAreKept() throws {
    let deep = String(repeating: "[", count: 8) + String(repeating: "]", count: 8)
    #expect(Self.fault(Array(deep.utf8)) == nil)
    #expect(Self.fault(Array("[\(deep)]".utf8))?.what == "more than 8 levels")
    let many = "[" + String(repeating: "1,", count: 198) + "1]"
    #expect(Self.fault(Array(many.utf8)) == nil)
    #expect(Self.fault(Array(many.replacingOccurrences(of: "[1", with: "[1,1").utf8))?.what == "more than 200 values")
    let long = "\"" + String(repeating: "x", count: 4_094) + "\""
    #expect(Self.fault(Array(long.utf8)) == nil)
    #expect(Self.fault(Array((long + " ").utf8))?.what == "the text is longer than 4096 bytes")
  }

  @Test func whatWasReadCanBeWritten() throws {
    let text = #"{"a":[1,-2.5,true,false,null,"x\"y"],"b":{}}"#
    var writer = JSONWriter()
    writer.value(try Self.read(text))
    #expect(String(decoding: writer.bytes, as: UTF8.self) == text)
  }

  private static let sample =
    #"{"command":"silence","args":{"rule":"cpu-hot","duration":"30m","n":[1,-2.5e3,true,null,"\u00e9"]},"t":"2026-11-20T22:40:01Z"}"#
  private static let pieces: [[UInt8]] = [
    "{", "}", "[", "]", ":", ",", "\"", "\\", "\\u00e9", "\\ud83d\\udc26", "0", "-1", "1e5", "1.25", "true", "null", " ", "\n",
    "é",
    "[[", "]]", "\"a\":", "99999999999999999999",
  ].map { Array($0.utf8) }

  /// What this reader takes, Foundation's takes with the same meaning; what it refuses, Foundation's refuses, too, save bounds, keys that
  /// are there twice, and Foundation's own leniencies.
  @Test func tenThousandMutationsMeanTheSameToFoundation() throws {
    let given = ProcessInfo.processInfo.environment["GODWIT_SEED"].flatMap { UInt64($0) }
    let seed = given ?? UInt64.random(in: 1...UInt64.max)
    print("JSON mutations: GODWIT_SEED=\(seed)")
    var random = SplitMix64(seed: seed)
    var taken = 0
    for round in 0..<10_000 {
      let text = Self.mutate(random: &random)
      let theirs = try? JSONSerialization.jsonObject(with: Data(text), options: .fragmentsAllowed)
      do throws(JSONError) {
        let ours = try JSONReader.read(text, limits: Self.limits)
        taken += 1
        let isSame = theirs.map { Self.isSame(ours, $0) } ?? false
        if !isSame { Issue.record("seed \(seed), round \(round): \(String(decoding: text, as: UTF8.self)) differs") }
      } catch {
        guard theirs != nil, !Self.isOurs(error, text) else { continue }
        Issue.record("seed \(seed), round \(round): \(String(decoding: text, as: UTF8.self)): refused alone: \(error)")
      }
    }
    #expect(taken > 500, "mutations that are JSON still")
  }

  private static func isOurs(_ error: JSONError, _ text: [UInt8]) -> Bool {
    if error.what.hasPrefix("more than") || error.what == "a key is there twice" || error.what == "the number is too large" {
      return true
    }
    // Foundation takes a comma before a closing bracket, against RFC 8259, 5.
    let before = text[..<error.offset].last { !" \n\r\t".utf8.contains($0) }
    return error.offset < text.count && before == UInt8(ascii: ",") && "]}".utf8.contains(text[error.offset])
  }

  private static func mutate(random: inout SplitMix64) -> [UInt8] {
    var text = Array(sample.utf8)
    for _ in 0..<Int.random(in: 1...3, using: &random) {
      let at = Int.random(in: 0..<max(text.count, 1), using: &random)
      switch Int.random(in: 0..<4, using: &random) {
      case 0: text.insert(contentsOf: pieces.randomElement(using: &random) ?? [], at: min(at, text.count))
      case 1: if at < text.count { text.remove(at: at) }
      case 2: if at < text.count { text[at] = UInt8.random(in: 0...255, using: &random) }
      default:
        let end = min(at + Int.random(in: 0...24, using: &random), text.count)
        if at < end { text.replaceSubrange(at..<end, with: pieces.randomElement(using: &random) ?? []) }
      }
    }
    return text
  }

  private static func isSame(_ ours: JSONValue, _ theirs: Any) -> Bool {
    switch ours {
    case .null: theirs is NSNull
    case .bool(let value): (theirs as? NSNumber).map { isBool($0) && $0.boolValue == value } ?? false
    case .number(let value): (theirs as? NSNumber).map { !isBool($0) && $0.doubleValue == value } ?? false
    case .string(let text): (theirs as? String).map { Array($0.unicodeScalars) == Array(text.unicodeScalars) } ?? false
    case .array(let elements):
      (theirs as? [Any]).map { $0.count == elements.count && zip(elements, $0).allSatisfy { isSame($0, $1) } } ?? false
    case .object(let members):
      (theirs as? [String: Any]).map { object in
        object.count == members.count
          && members.allSatisfy { member in object[member.key].map { isSame(member.value, $0) } ?? false }
      } ?? false
    }
  }

  private static func isBool(_ number: NSNumber) -> Bool { String(cString: number.objCType) == "c" }
}
