import Buffer
import Telemetry
import Testing

@testable import Uplink

@Suite struct CommandRangeTests {
  /// Numbers step forward after a kill, since they are reserved ahead: what was never a tick is not asked for.
  @Test func numbersThatWereNeverTicksAreLeftOut() throws {
    let feed = try BufferFeed()
    try feed.ticks(1_200)
    try feed.seal()
    feed.skip(100_000)
    try feed.ticks(30)
    let reader = try BufferReader(path: feed.path)
    let all = try JSONValue(parsing: Array(#"{"first":5,"last":200000}"#.utf8))
    #expect(try CommandRange(all).stored(in: reader) == [5...1_200, 101_201...101_230])
    #expect(try CommandRange(all).stored(in: reader, mostTicks: 1_226).count == 2)
    #expect(throws: CommandFault("the range has more than 1225 ticks: take it in parts")) {
      try CommandRange(all).stored(in: reader, mostTicks: 1_225)
    }
    let times = try JSONValue(parsing: Array(#"{"from":"2026-01-01T00:00:10Z","to":"2027-01-01T00:00:00Z"}"#.utf8))
    #expect(try CommandRange(times).stored(in: reader) == [10...1_200, 101_201...101_230])
    let none = try JSONValue(parsing: Array(#"{"first":2000,"last":90000}"#.utf8))
    #expect(throws: CommandFault.self) { try CommandRange(none).stored(in: reader) }
  }
}
