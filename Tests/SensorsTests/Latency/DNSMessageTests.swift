import Platform
import Testing

@testable import Sensors

@Suite struct DNSMessageTests {
  /// A record whose name is a pointer to the question's.
  static func record(type: UInt8, seconds: Int, _ data: [UInt8]) -> [UInt8] {
    [0xC0, 12, 0, type, 0, 1] + (0..<4).map { UInt8(seconds >> (24 - 8 * $0) & 255) } + [0, UInt8(data.count)] + data
  }

  static func answer(to query: [UInt8], code: UInt8 = 0, isTruncated: Bool = false, records: [[UInt8]]) -> [UInt8] {
    query[0..<2] + [isTruncated ? 0x83 : 0x81, 0x80 | code, 0, 1, 0, UInt8(records.count), 0, 0, 0, 0] + query[12...]
      + records.flatMap { $0 }
  }

  /// The packet of RFC 1035's form for `example.com`, as dig sends it without EDNS.
  @Test func aQuestionIsEncodedAsInTheRFC() {
    let expected: [UInt8] =
      [0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 7] + Array("example".utf8) + [3] + Array("com".utf8) + [0, 0, 28, 0, 1]
    #expect(DNSMessage.query(id: 0x1234, name: "example.com", type: .AAAA) == expected)
    #expect(DNSMessage.query(id: 0x1234, name: "example.com.", type: .AAAA) == expected)
  }

  @Test(arguments: [
    "", "..", "a..b", String(repeating: "a", count: 64), "a b", "ä.org", String(repeating: "abc.", count: 64) + "d",
  ])
  func whatIsNoNameIsNotAsked(name: String) {
    #expect(DNSMessage.query(id: 1, name: name, type: .A) == nil)
  }

  @Test func addressesBehindAnAliasAreFound() throws {
    let query = try #require(DNSMessage.query(id: 9, name: "www.example.org", type: .A))
    let alias: [UInt8] = [3, 0x77, 0x65, 0x62, 0xC0, 16]
    let bytes = Self.answer(
      to: query,
      records: [Self.record(type: 5, seconds: 60, alias), Self.record(type: 1, seconds: 70_000, [192, 0, 2, 7])])
    let answer = try #require(try DNSMessage(bytes, to: query, type: .A))
    #expect(answer.addresses.map(\.description) == ["192.0.2.7"])
    #expect(answer.found == 1 && answer.seconds == 60 && answer.code == 0)
  }

  @Test func theLettersOfAnEchoedNameDoNotMatter() throws {
    let query = try #require(DNSMessage.query(id: 9, name: "example.org", type: .TXT))
    let upper = try #require(DNSMessage.query(id: 9, name: "EXAMPLE.ORG", type: .TXT))
    #expect(try DNSMessage(Self.answer(to: upper, code: 3, records: []), to: query, type: .TXT)?.code == 3)
  }

  @Test func answersToOtherQuestionsArePassedOver() throws {
    let query = try #require(DNSMessage.query(id: 9, name: "example.org", type: .A))
    for other in [
      DNSMessage.query(id: 10, name: "example.org", type: .A), DNSMessage.query(id: 9, name: "example.com", type: .A),
      DNSMessage.query(id: 9, name: "example.org", type: .AAAA),
    ] {
      let other = try #require(other)
      #expect(try DNSMessage(Self.answer(to: other, records: []), to: query, type: .A) == nil)
    }
    #expect(try DNSMessage(query, to: query, type: .A) == nil, "a question is no answer")
  }

  /// A name that points at itself or forward, a label of the reserved kind, a record longer than the packet.
  @Test(
    arguments: [
      [0xC0, 29, 0, 1, 0, 1, 0, 0, 0, 1, 0, 0], [0xC0, 60, 0, 1, 0, 1, 0, 0, 0, 1, 0, 0],
      [0x80, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0, 0], [0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0xFF, 0xFF, 1, 2, 3, 4],
      [0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 3, 1, 2, 3],
    ] as [[UInt8]]) func hostileRecordsAreRefused(record: [UInt8]) throws
  {
    let query = try #require(DNSMessage.query(id: 9, name: "example.org", type: .A))
    #expect(query.count == 29)
    let bytes = Self.answer(to: query, records: [record])
    #expect(throws: NetworkFailure.self) { try DNSMessage(bytes, to: query, type: .A) }
  }
}
