import Buffer
import Foundation
import Telemetry
import Testing

@testable import Uplink

@Suite struct BundleTests {
  /// The check value of CRC-32/ISO-HDLC.
  @Test func theChecksumIsThatOfZlib() {
    var checksum = CRC32()
    #expect(checksum.text == "00000000")
    checksum.add(Array("1234".utf8))
    checksum.add(Array("56789".utf8))
    #expect(checksum.text == "cbf43926")
  }

  private func request(_ arguments: String) throws -> CommandRequest {
    let payload = #"{"command":"export-bundle","t":"2026-01-01","args":\#(arguments)}"#
    return try CommandRequest(id: "b1", payload: Array(payload.utf8))
  }

  private func fault(_ arguments: String, _ path: String) throws -> String? {
    let request = try request(arguments)
    do throws(CommandFault) { _ = try TickBundle(request, buffer: path) } catch { return error.reason }
    return nil
  }

  @Test func chunksAreWholeLinesInOrder() throws {
    let feed = try BufferFeed()
    try feed.ticks(500)
    let bundle = try TickBundle(try request(#"{"first":101,"last":400}"#), buffer: feed.path)
    var text: [UInt8] = []
    var lost: TickBundle.Chunk?
    while let chunk = try bundle.next(bytes: 2_000) {
      #expect(chunk.bytes.last == UInt8(ascii: "\n") && chunk.bytes.count < 2_300)
      // The third is lost once, and comes again before the rest.
      if chunk.number == 2, lost == nil {
        lost = chunk
        bundle.lose(chunk)
        continue
      }
      text += chunk.bytes
      bundle.acknowledge()
    }
    #expect(lost != nil && bundle.isDone && bundle.ticks == 300 && bundle.bytes == UInt64(text.count))
    let sequences = try text.split(separator: UInt8(ascii: "\n")).map { line in
      try #require(try JSONSerialization.jsonObject(with: Data(line)) as? [String: Any])["seq"] as? Int
    }
    #expect(sequences == Array(101...400))
  }

  @Test func refusals() throws {
    let feed = try BufferFeed()
    try feed.ticks(10)
    #expect(try fault(#"{"first":1,"last":5,"format":"csv"}"#, feed.path) == #"'format' can only be "jsonl""#)
    #expect(try fault(#"{"first":11,"last":15}"#, feed.path) == "the buffer holds nothing of the range")
    #expect(try fault(#"{"from":"2020-01-01","to":"2020-01-02"}"#, feed.path) == "the buffer holds nothing of the range")
    #expect(try fault(#"{"first":1,"last":5}"#, feed.path + ".none")?.hasPrefix("the buffer cannot be read: ") == true)
    feed.skip(2_000_000)
    try feed.ticks(1)
    // Numbers that were never ticks do not count against the bound.
    #expect(try fault(#"{"first":1,"last":3000000}"#, feed.path) == nil)
    #expect(try fault(#"{"first":1,"last":5}"#, feed.path) == nil)
  }

  @Test func ticksAreOwedOnceMore() {
    var ledger = DeliveryLedger(position: DeliveryPosition(next: 101), lastCommitted: 100, firstOfRun: 101)
    for sequence in 101...110 as ClosedRange<UInt64> { ledger.send(live: sequence) }
    ledger.acknowledge(101...101, ticks: 1)
    ledger.owe(again: 50...60)
    #expect(ledger.owed == [50...60])
    // Those in flight, and those not taken yet, come anyway.
    ledger.owe(again: 95...200)
    #expect(ledger.owed == [50...60, 95...101])
    ledger.owe(again: 55...70)
    ledger.owe(again: 300...400)
    #expect(ledger.owed == [50...70, 95...101] && ledger.next == 111)
  }
}

/// A bundle over a real link that breaks.
@Suite struct BundleDeliveryTests {
  @Test func aBundleArrivesWholeOverABrokenLink() throws {
    let broker = try Broker(.init(extraLines: ["max_packet_size 8000"]))
    let relay = try Relay(to: broker.port)
    let bench = try Bench(port: relay.port, stored: 2_000) {
      $0.commands = [.exportBundle]
      $0.drainBytesPerSecond = 50_000
    }
    let subscriber = try Subscriber(["godwit/v1/edge-01/cmd/+/status"], to: broker)
    let data = try Subscriber(["godwit/v1/edge-01/cmd/b1/data/+"], to: broker)
    try bench.start(position: DeliveryPosition(next: 2_001))
    eventually("it is connected") { bench.isConnected }
    try bench.tick(1)
    eventually("it listens") { bench.isAllDelivered }
    let folder = try TemporaryFolder()
    let payload = #"{"command":"export-bundle","t":"2026-01-01","expires":"never","args":{"first":1,"last":2000}}"#
    _ = try ChildProcess.run(
      "mosquitto_pub",
      ["-h", "127.0.0.1", "-p", String(broker.port), "-q", "1", "-t", "godwit/v1/edge-01/cmd/b1", "-m", payload], in: folder)
    for (number, count) in [1, 20, 40].enumerated() {
      eventually("chunk \(count)", timeout: 30) { Set(data.messages.map(\.topic)).count >= count }
      relay.cut()
      eventually("it is back", timeout: 30) { bench.isConnected && bench.status.connections > number + 1 }
    }
    eventually("the end", timeout: 60) { subscriber.messages.last?.payload.contains(#""state":"successful""#) ?? false }
    let last = try #require(subscriber.messages.last)
    let status = try JSONSerialization.jsonObject(with: Data(last.payload.utf8)) as? [String: Any]
    let result = try #require(status?["result"] as? [String: Any])
    #expect(result["ticks"] as? Int == 2_000)
    let chunks = try #require(result["chunks"] as? Int)
    eventually("all chunks") { Set(data.messages.map(\.topic)).count == chunks }
    #expect(bench.status.connections > 3)
  }
}
