import Buffer
import Foundation
import Telemetry
import Testing

@testable import Uplink

/// The backlog over a real buffer file.
@Suite struct BacklogTests {
  private struct Sent {
    var range: ClosedRange<UInt64>
    var ticks: UInt64
    var message: BacklogMessage
    var bytes: Int
  }

  /// A feed of JSON over a file, as the session has it.
  private struct Backlog {
    var feed = TickFeed(.json, ledger: DeliveryLedger(position: nil, lastCommitted: nil, firstOfRun: 1))
    let source: BufferSource

    init(_ path: String) { source = BufferSource(path: path) }

    mutating func message(_ owed: ClosedRange<UInt64>) throws(BufferError) -> BacklogPiece {
      try feed.backlog(owed, from: source)
    }
  }

  private func take(_ backlog: inout Backlog, _ owed: ClosedRange<UInt64>) throws -> Sent {
    guard case .message(let range, let ticks, _, let json) = try backlog.message(owed) else {
      throw ChildProcess.Failure(description: "no message over \(owed)")
    }
    return Sent(range: range, ticks: ticks, message: try .decode(json), bytes: json.count)
  }

  private func backlog(_ feed: BufferFeed) -> Backlog { Backlog(feed.path) }

  /// Damage may leave any number in a row: no sum with it may end the agent.
  @Test func anEventsTimeMayBeAnything() {
    let epoch = Epoch(id: 1, boot: "boot-1", firstSequence: 1, fromMilliseconds: 0, offsetMilliseconds: .max, synced: true)
    let event = StoredEvent(id: 1, epoch: 1, milliseconds: .max, kind: "test", severity: .info, message: "", detail: "{}")
    #expect(String(decoding: EventJSON.encode(event, epoch: epoch), as: UTF8.self).hasPrefix("{\"id\":1,\"t\":\""))
  }

  @Test func aMessageHoldsTheTicksOfItsRange() throws {
    let feed = try BufferFeed()
    try feed.ticks(20)
    var backlog = backlog(feed)
    let sent = try take(&backlog, 5...8)
    #expect(sent.range == 5...8 && sent.ticks == 4)
    #expect(sent.message.first == 5 && sent.message.last == 8)
    #expect(sent.message.ticks.map(\.seq) == [5, 6, 7, 8])
    let tick = try #require(sent.message.ticks.first)
    #expect(tick.t == "2026-01-01T00:00:05.000Z")
    #expect(tick.boot == "boot-1" && tick.q == "synced")
    #expect(tick.m == ["t": ["value": ["0": 5, "1": 6]]])
  }

  @Test func longRangesGoInBoundedMessagesWithoutAHole() throws {
    let feed = try BufferFeed(series: 20)
    let last = try feed.ticks(2_500)
    var backlog = backlog(feed)
    var seen: [UInt64] = []
    var messages = 0
    var from: UInt64 = 1
    while from <= last {
      let sent = try take(&backlog, from...last)
      #expect(sent.range.lowerBound == from)
      #expect(sent.message.ticks.count <= UplinkLimits.backlogMessageTicks)
      #expect(sent.bytes <= UplinkLimits.backlogMessageBytes + 2_000)
      seen += sent.message.ticks.map(\.seq)
      from = sent.range.upperBound + 1
      messages += 1
    }
    #expect(seen == Array(1...last))
    #expect(messages > 5)
  }

  @Test func theNumberOfTicksIsBoundedToo() throws {
    let feed = try BufferFeed(series: 1)
    try feed.ticks(1_200)
    var backlog = backlog(feed)
    backlog.feed.size.limit(toTicks: 7)
    let sent = try take(&backlog, 1...1_200)
    #expect(sent.range == 1...7)
    backlog.feed.size.limit(toTicks: 0)
    let single = try take(&backlog, 8...1_200)
    #expect(single.range == 8...8)
    backlog.feed.size = MessageSize()
    let fresh = try take(&backlog, 9...1_200)
    #expect(fresh.ticks > 500)
  }

  @Test func whatTheBufferNoLongerHoldsIsGone() throws {
    let feed = try BufferFeed()
    feed.skip(100)
    try feed.ticks(10)
    var backlog = backlog(feed)
    guard case .gone(let range, let ticks) = try backlog.message(1...50) else {
      Issue.record("not gone")
      return
    }
    #expect(range == 1...50 && ticks == 50)
    // The head is missing: the message answers for it, and says which ticks are really there.
    let sent = try take(&backlog, 90...105)
    #expect(sent.range == 90...105 && sent.ticks == 5)
    #expect(sent.message.first == 101)
  }

  @Test func valuesOfADamagedColumnAreLackingAndTheMessageSaysSo() throws {
    let feed = try BufferFeed()
    try feed.ticks(400)
    #expect(try feed.writer.seal(atLeast: 100).isEmpty == false)
    var before = backlog(feed)
    #expect(try take(&before, 1...10).message.damaged_columns == nil)
    // A block's last byte is one of its last column.
    let code = """
      import sqlite3, sys
      db = sqlite3.connect(sys.argv[1])
      data = bytearray(db.execute("SELECT data FROM block WHERE first = 1").fetchone()[0])
      data[-1] ^= 1
      db.execute("UPDATE block SET data = ? WHERE first = 1", (bytes(data),))
      db.commit()
      """
    let answer = try ChildProcess.run("python3", ["-c", code, feed.path], in: feed.folder)
    try #require(answer.end == .exited(0), "\(answer.errors)")
    var backlog = backlog(feed)
    let sent = try take(&backlog, 1...10)
    #expect(sent.ticks == 10 && sent.message.damaged_columns == 1)
    #expect(sent.message.ticks.allSatisfy { $0["0"] == Double($0.seq) && $0["1"] == nil })
    // The next message is read from the same block, which is decoded once.
    #expect(try take(&backlog, 11...20).message.damaged_columns == 1)
  }

  @Test func aDamagedRowIsLeftOut() throws {
    let feed = try BufferFeed()
    try feed.ticks(10)
    let code = """
      import sqlite3, sys
      db = sqlite3.connect(sys.argv[1])
      db.execute("UPDATE tick SET [values] = x'ff' WHERE seq = 4")
      db.commit()
      """
    let answer = try ChildProcess.run("python3", ["-c", code, feed.path], in: feed.folder)
    try #require(answer.end == .exited(0), "\(answer.errors)")
    var backlog = backlog(feed)
    // Rows after it in its group build on it: the range is answered for in whole, as sent or as gone.
    var sent: [UInt64] = []
    var gone: UInt64 = 0
    var from: UInt64 = 1
    while from <= 10 {
      switch try backlog.message(from...10) {
      case .message(let range, let ticks, _, let json):
        let message = try BacklogMessage.decode(json)
        #expect(message.ticks.allSatisfy { $0["0"] == Double($0.seq) })
        sent += message.ticks.map(\.seq)
        gone += UInt64(range.count) - ticks
        from = range.upperBound + 1
      case .gone(let range, let ticks):
        gone += ticks
        from = range.upperBound + 1
      }
    }
    #expect(sent.starts(with: [1, 2, 3]) && !sent.contains(4))
    #expect(UInt64(sent.count) + gone == 10)
  }

  @Test func anotherFileUnderThePathIsOpened() throws {
    let feed = try BufferFeed()
    try feed.ticks(5)
    var backlog = backlog(feed)
    _ = try take(&backlog, 1...5)
    _ = try Quarantine.setAside(path: feed.path, wallMilliseconds: 1_767_225_600_000)
    let fresh = try BufferFeed(series: 1, in: feed.folder, first: 101)
    try fresh.ticks(3)
    let sent = try take(&backlog, 1...103)
    #expect(sent.message.ticks.map(\.seq) == [101, 102, 103])
    #expect(sent.message.ticks.allSatisfy { $0["0"] == Double($0.seq) && $0["1"] == nil })
  }

  @Test func aMissingOrForeignFileIsUnreadableAndComesBack() throws {
    let folder = try TemporaryFolder()
    var backlog = Backlog(folder.path(of: "buffer.db"))
    #expect(throws: BufferError.self) { try backlog.source.open() }
    let none = backlog.source.event(after: 0, below: 10)
    #expect(none == nil)
    let feed = try BufferFeed(in: folder)
    try feed.ticks(5)
    let sent = try take(&backlog, 1...5)
    #expect(sent.ticks == 5)
  }

  @Test func eventsComeOneByOneBelowTheirBound() throws {
    let feed = try BufferFeed()
    for id in [1, 2, 5] as [UInt64] { try feed.event(id) }
    let backlog = backlog(feed)
    let first = backlog.source.event(after: 0, below: 5)
    let second = backlog.source.event(after: 1, below: 5)
    let third = backlog.source.event(after: 2, below: 5)
    #expect(first?.id == 1 && second?.id == 2 && third == nil)
    let object = try JSONSerialization.jsonObject(with: Data(first?.json ?? [])) as? [String: Any]
    #expect(object?["t"] as? String == "2026-01-01T00:00:01.000Z")
    #expect(object?["boot"] as? String == "boot-1")
    #expect((object?["detail"] as? [String: Any])?["n"] as? Int == 1)
  }

  @Test func aLiveTickLeavesOutWhatIsMissing() throws {
    let feed = try BufferFeed()
    var json = TickFeed(.json, ledger: DeliveryLedger(position: nil, lastCommitted: nil, firstOfRun: 1))
    json.learn(feed.stored)
    let tick = LiveTick(sequence: 3, wallMilliseconds: 1_767_225_603_000, synced: false, values: [.missing, 7])
    let text = String(decoding: json.live(tick, boot: "boot-1"), as: UTF8.self)
    #expect(
      text == #"{"t":"2026-01-01T00:00:03.000Z","boot":"boot-1","seq":3,"q":"unsynced","m":{"t":{"value":{"1":7}}}}"#)
  }
}
