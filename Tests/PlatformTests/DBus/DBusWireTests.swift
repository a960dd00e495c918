import Foundation
import Telemetry
import Testing

@testable import Platform

/// Messages by hand, byte for byte as the D-Bus Specification draws them, and what is made of such that break its rules.
@Suite struct DBusWireTests {
  /// A method return with serial 2 that answers the call 1; fields: REPLY_SERIAL (5, u) and SIGNATURE (8, g).
  static func answer(_ signature: String, _ body: [UInt8], big: Bool = false, type: UInt8 = 2, to serial: UInt8 = 1) -> [UInt8] {
    func number(_ value: Int) -> [UInt8] {
      let bytes = (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
      return big ? bytes.reversed() : bytes
    }
    var fields: [UInt8] = [5, 1, UInt8(ascii: "u"), 0] + number(Int(serial))
    fields += [8, 1, UInt8(ascii: "g"), 0, UInt8(signature.utf8.count)] + Array(signature.utf8) + [0]
    let head: [UInt8] = [UInt8(ascii: big ? "B" : "l"), type, 1, 1]
    let padding = [UInt8](repeating: 0, count: -fields.count & 7)
    return head + number(body.count) + number(2) + number(fields.count) + fields + padding + body
  }

  @Test func aCallIsLaidOutAsTheSpecificationDraws() {
    let object = DBusObject("a.b", "/c", "d.e")
    let expected: [UInt8] =
      [0x6C, 1, 2, 1, 7, 0, 0, 0, 3, 0, 0, 0, 0x49, 0, 0, 0]
      + [1, 1, 0x6F, 0, 2, 0, 0, 0, 0x2F, 0x63, 0, 0, 0, 0, 0, 0]
      + [2, 1, 0x73, 0, 3, 0, 0, 0, 0x64, 0x2E, 0x65, 0, 0, 0, 0, 0]
      + [3, 1, 0x73, 0, 1, 0, 0, 0, 0x46, 0, 0, 0, 0, 0, 0, 0]
      + [6, 1, 0x73, 0, 3, 0, 0, 0, 0x61, 0x2E, 0x62, 0, 0, 0, 0, 0]
      + [8, 1, 0x67, 0, 1, 0x73, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0].prefix(7)
      + [UInt8](repeating: 0, count: 1) + [2, 0, 0, 0, 0x68, 0x69, 0]
    // The fields take four times 16 bytes and 7 more: 0x47.
    var message = expected
    message[12] = 0x47
    #expect(DBusMessage.call(object, "F", ["hi"], serial: 3, isBus: true) == message)
  }

  @Test(arguments: [false, true]) func numbersOfBothOrders(big: Bool) throws {
    // (nqixtd)yb: a structure is aligned to 8, each number to its size.
    let little: [[UInt8]] = [
      [0xFE, 0xFF], [0xFF, 0xFF], [0xFD, 0xFF, 0xFF, 0xFF], [0xFC, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
      [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], [0, 0, 0, 0, 0, 0, 0xF8, 0xBF],
    ]
    let structure: [UInt8] = little.flatMap { (bytes: [UInt8]) -> [UInt8] in big ? bytes.reversed() : bytes }
    let body = structure + [7, 0, 0, 0] + (big ? [0, 0, 0, 1] : [1, 0, 0, 0])
    let message = try #require(DBusMessage(Self.answer("(nqixtd)yb", body, big: big)))
    #expect(message.isAnswer && !message.isError && message.replySerial == 1)
    let value = try #require(message.value)
    #expect(value.items.map { $0.number } == [-2, 65535, -3, -4, 0x1p64, -1.5])
    #expect(value.item(4)?.unsigned == .max && value.item(3)?.unsigned == nil && value.item(6) == nil)
    #expect(value.number == nil && value.text == nil)
  }

  @Test(arguments: [false, true]) func dictionariesAndVariants(big: Bool) throws {
    func length(_ value: UInt8) -> [UInt8] { big ? [0, 0, 0, value] : [value, 0, 0, 0] }
    // a{sv}: "ab" → variant of variant of y 9; "cdefghi" → an empty ax, whose padding is there all the same.
    let first = length(2) + [0x61, 0x62, 0] + [1, 0x76, 0, 1, 0x79, 0, 9, 0, 0]
    let second = length(7) + Array("cdefghi".utf8) + [0, 2, 0x61, 0x78, 0] + length(0) + [0, 0, 0, 0]
    let entries = first + second
    let message = try #require(
      DBusMessage(Self.answer("a{sv}", length(UInt8(entries.count)) + [0, 0, 0, 0] + entries, big: big)))
    let value = try #require(message.value)
    #expect(value["ab"]?.unsigned == 9)
    #expect(value["cdefghi"] != nil && value["cdefghi"]?.items.map { $0 }.isEmpty == true)
    #expect(value["d"] == nil)
    #expect(value.items.map { $0.item(0)?.text } == ["ab", "cdefghi"])
    #expect(value.item(0)?.item(0)?.isText("ab") == true && value.item(0)?.item(0)?.isText("abc") == false)
  }

  /// Each breaks one rule; the first is whole.
  @Test(
    arguments: [
      ("s", [3, 0, 0, 0, 0x61, 0x62, 0x63, 0], true), ("s", [3, 0, 0, 0, 0x61, 0x62, 0x63, 1], false),
      ("s", [4, 0, 0, 0, 0x61, 0x62, 0x63, 0], false), ("s", [255, 255, 255, 255, 0, 0, 0, 0], false), ("s", [], false),
      ("b", [2, 0, 0, 0], false), ("u", [1, 0, 0, 0, 0], false), ("u", [1, 0, 0], false),
      ("ai", [8, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0], true), ("ai", [6, 0, 0, 0, 1, 0, 0, 0, 2, 0], false),
      ("ai", [12, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0], false), ("as", [5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], false),
      ("a", [0, 0, 0, 0], false), ("(", [1], false), ("()", [0], false), ("(y", [1], false), ("y)", [1], false),
      ("q}", [1, 0], false),
      ("a{vs}", [0, 0, 0, 0, 0, 0, 0, 0], true), ("a{sv", [0, 0, 0, 0], false), ("{ss}", [0, 0, 0, 0], false),
      ("v", [1, 0x79, 0, 5], true), ("v", [2, 0x79, 0x79, 0, 5, 5], false), ("v", [0, 0], false), ("v", [1, 0x79, 1, 5], false),
      ("v", [200, 0x79, 0, 5], false), ("g", [1, 0x79, 0], true), ("z", [1], false), ("yy", [1], false), ("y", [1, 1], false),
    ] as [(String, [UInt8], Bool)])
  func whatBreaksTheRulesIsRefused(signature: String, body: [UInt8], isGood: Bool) {
    #expect((DBusMessage(Self.answer(signature, body)) != nil) == isGood)
  }

  @Test func depthIsBounded() {
    func nested(_ depth: Int) -> [UInt8] {
      // Variants in one another, and a byte.
      Self.answer("v", (0..<depth - 1).flatMap { _ in [1, 0x76, 0] as [UInt8] } + [1, 0x79, 0, 5])
    }
    #expect(DBusMessage(nested(32))?.value?.unsigned == 5)
    #expect(DBusMessage(nested(33)) == nil)
    // Types of values that are not there are walked, too.
    #expect(DBusMessage(Self.answer(String(repeating: "a", count: 33) + "y", [0, 0, 0, 0])) == nil)
    #expect(DBusMessage(Self.answer("a" + String(repeating: "(", count: 200), [0, 0, 0, 0])) == nil)
  }

  @Test func aHeadTellsTheLength() {
    let message = Self.answer("y", [1])
    #expect(DBusMessage.length(Array(message.prefix(16))) == message.count)
    #expect(DBusMessage.length(Array(message.prefix(15))) == nil)
    var other = message
    other[0] = UInt8(ascii: "x")
    #expect(DBusMessage.length(other) == nil)
    other = message
    other[3] = 2
    #expect(DBusMessage.length(other) == nil, "a later version of the protocol")
    other = message
    other.replaceSubrange(4..<8, with: [255, 255, 255, 255])
    #expect(DBusMessage.length(other) == nil)
    other.replaceSubrange(4..<8, with: [0, 0, 64, 0])
    #expect(DBusMessage.length(other) == nil, "larger than is taken")
  }

  @Test func aBodyWithoutASignatureIsNone() throws {
    var message = Self.answer("y", [])
    // The code of SIGNATURE becomes one that nobody knows.
    message[24] = 77
    #expect(try #require(DBusMessage(message)).value == nil)
  }
}
