import ArgumentParser
import Buffer
import Foundation
import Telemetry
import Testing

@testable import godwit

/// Export, history and status over a buffer file.
@Suite final class StoredDataTests {
  let folder = NSTemporaryDirectory() + "godwit-stored-\(UUID().uuidString)"
  var path: String { folder + "/buffer.db" }

  /// 2026-11-20T22:40:00Z.
  static let start: Int64 = 1_795_214_400_000
  static let usage = Series(Metric("cpu.usage_percent", unit: .percent, decimals: 1, help: ""))
  static let disk = Series(
    Metric("disk.usage_percent", unit: .percent, decimals: 1, labels: ["mount"], help: ""), [Label("mount", "/a,b")])

  /// 600 ticks a second apart; the disk is seen every tenth. The second half belongs to another boot, whose clock is not synchronised.
  init() throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let writer = try BufferWriter(
      path: path, node: "edge-01", policy: RetentionPolicy(retainMilliseconds: 86_400_000, maximumBytes: 64 << 20))
    var transaction = BufferTransaction()
    transaction.series = [StoredSeries(id: 0, Self.usage), StoredSeries(id: 1, Self.disk)]
    transaction.epochs = [
      Epoch(id: 1, boot: "boot-a", firstSequence: 1, fromMilliseconds: 1000, offsetMilliseconds: Self.start - 1000, synced: true),
      Epoch(
        id: 2, boot: "boot-b", firstSequence: 301, fromMilliseconds: 0, offsetMilliseconds: Self.start + 300_000, synced: false),
    ]
    var encoder = TickEncoder()
    encoder.learn(decimals: [1, 1])
    for tick in 0..<600 {
      if tick % 100 == 0 { encoder.beginGroup() }
      let milliseconds = Int64(tick < 300 ? 1000 + tick * 1000 : (tick - 300) * 1000)
      transaction.ticks.append(
        encoder.encode(
          sequence: UInt64(tick + 1), epoch: tick < 300 ? 1 : 2, milliseconds: milliseconds,
          values: [Double(tick) / 10, tick % 10 == 0 ? 50 : .missing]))
    }
    transaction.deliveries = [
      "mqtt": DeliveryPosition(next: 591, owed: [1...5], event: 0), "packed": DeliveryPosition(next: 596, owed: [], event: 0),
    ]
    transaction.alerts = [
      StoredAlert(rule: "busy", series: "cpu.usage_percent", state: "firing", value: 97.5, sinceMilliseconds: Self.start)
    ]
    try writer.commit(transaction)
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  func exported(_ arguments: String...) throws -> String {
    let file = folder + "/out.jsonl"
    var command = try Godwit.parseAsRoot(["export", "--buffer", path, "-o", file] + arguments)
    try command.run()
    #expect(!FileManager.default.fileExists(atPath: file + ".partial"))
    return try String(contentsOfFile: file, encoding: .utf8)
  }

  /// Damage may leave any number in a row: no sum with it may end the program.
  @Test(arguments: [Int64.max, .min])
  func anEpochThatSaysAnythingEndsNothing(offset: Int64) throws {
    let policy = RetentionPolicy(retainMilliseconds: 86_400_000, maximumBytes: 64 << 20)
    let writer = try BufferWriter(path: path, node: "edge-01", policy: policy)
    var damage = BufferTransaction()
    damage.epochs = [1, 2].map {
      Epoch(id: $0, boot: "boot-a", firstSequence: 1, fromMilliseconds: 0, offsetMilliseconds: offset, synced: true)
    }
    try writer.commit(damage)
    for since in [nil, 1_000, 30 * 86_400_000, Int.max] {
      let span = try StoredSpan(path: path, sinceMilliseconds: since)
      var history = History(from: span.from, to: span.to, parts: 500)
      _ = try span.each { tick in
        history.add(1, at: tick.wallMilliseconds)
        return true
      }
      #expect(span.from <= span.to)
      #expect(history.start(of: 499) <= span.to)
    }
  }

  @Test func jsonLines() throws {
    let lines = try exported().split(separator: "\n")
    #expect(lines.count == 600)
    #expect(
      lines.first
        == #"{"t":"2026-11-20T22:40:00.000Z","boot":"boot-a","seq":1,"q":"synced","m":{"cpu.usage_percent":0,"disk.usage_percent{mount=\"/a,b\"}":50}}"#
    )
    #expect(
      lines.last == #"{"t":"2026-11-20T22:49:59.000Z","boot":"boot-b","seq":600,"q":"unsynced","m":{"cpu.usage_percent":59.9}}"#)
    for line in lines { _ = try JSONSerialization.jsonObject(with: Data(line.utf8)) }
  }

  @Test func commaSeparated() throws {
    let lines = try exported("--format", "csv").components(separatedBy: "\r\n")
    #expect(lines.count == 602)
    #expect(lines[0] == #"t,boot,seq,q,cpu.usage_percent,"disk.usage_percent{mount=""/a,b""}""#)
    #expect(lines[1] == "2026-11-20T22:40:00.000Z,boot-a,1,synced,0,50")
    #expect(lines[2] == "2026-11-20T22:40:01.000Z,boot-a,2,synced,0.1,")
    #expect(lines[601].isEmpty)
  }

  @Test(arguments: [("1m", 61), ("5m", 301), ("7d", 600)])
  func sinceCountsBackFromTheNewestTick(since: String, ticks: Int) throws {
    #expect(try exported("--since", since).split(separator: "\n").count == ticks)
  }

  @Test func aFolderThatIsNotThereIsAnError() throws {
    var command = try Godwit.parseAsRoot(["export", "--buffer", path, "-o", folder + "/no/out.csv"])
    #expect(throws: Failure.self) { try command.run() }
    var missing = try Godwit.parseAsRoot(["export", "--buffer", folder + "/none.db"])
    #expect(throws: Failure.self) { try missing.run() }
    #expect(!FileManager.default.fileExists(atPath: folder + "/none.db"))
  }

  @Test func aStatusWithoutAgent() throws {
    let (report, problem) = try ReportSource(socket: folder + "/no.sock", buffer: path).report()
    #expect(problem == "nobody listens at its socket")
    #expect(report.source == .buffer)
    #expect(report.node == "edge-01")
    #expect(report.time == "2026-11-20T22:49:59.000Z")
    #expect(report.boot == "boot-b")
    #expect(report.clock.synced == false)
    #expect(report.tick.seq == 600)
    #expect(report.buffer.ticks == 600)
    #expect(report.buffer.first == "2026-11-20T22:40:00.000Z")
    #expect(report.uplink.owed == 15)
    #expect(report.values == ["cpu.usage_percent": 59.9, Self.disk.key: 50])
    #expect(report.units == ["cpu.usage_percent": "%", "disk.usage_percent": "%"])
    #expect(report.alerts.map(\.rule) == ["busy"])
    #expect(report.alerts.map(\.severity) == ["unknown"])
    let rules = [AlertRule(name: "busy", metric: "cpu.usage_percent", when: .init(.greater, 95), severity: .critical)]
    #expect(try BufferStatus.read(path, rules: rules).alerts.map(\.severity) == ["critical"])
    #expect(throws: Failure.self) { try ReportSource(socket: self.folder + "/no.sock", buffer: nil).report() }
  }

  /// SQLite would wait for the writer of a pipe for ever.
  @Test func whatIsNoFileIsRefused() throws {
    let pipe = folder + "/pipe.db"
    #expect(mkfifo(pipe, 0o600) == 0)
    let refusals = [(pipe, "no regular file"), (folder, "a directory"), (folder + "/none.db", "--buffer FILE")]
    for (place, reason) in refusals {
      let failure = #expect(throws: Failure.self) { try ReportSource(socket: nil, buffer: place).report() }
      #expect(failure?.description.contains(reason) == true)
    }
  }

  @Test func historyOverTwoBoots() throws {
    let span = try StoredSpan(path: path, sinceMilliseconds: 599_000)
    var history = History(from: span.from, to: span.to, parts: 2)
    let damage = try span.each { tick in
      history.add(tick.values[0], at: tick.wallMilliseconds)
      return true
    }
    #expect(damage.isNone)
    #expect(history.parts.map(\.count) == [300, 300])
    #expect(history.parts[1].minimum == 30)
    #expect(history.maximum == 59.9)
  }

  @Test func anUnknownMetricSaysWhatThereIs() throws {
    var command = try Godwit.parseAsRoot(["history", "cpu.load", "--buffer", path])
    do {
      try command.run()
      Issue.record("it has no cpu.load")
    } catch let failure as Failure {
      #expect(failure.description == "the buffer has no series of 'cpu.load'; it has cpu.usage_percent")
    }
  }
}
