import ArgumentParser
import Foundation
import Platform
import Telemetry
import Testing

@testable import Buffer
@testable import godwit

@Suite struct BufferCommandTests {
  @Test func infoCountsWhatIsThere() throws {
    let scratch = try AnalysisScratch()
    let found = try BufferReader(path: scratch.path).inventory()
    let raw = try #require(found.parts.first { $0.tier == .raw })
    #expect(raw.rows + found.unsealed.rows == 9_000)
    #expect(raw.values + found.unsealed.values == 9_000 + 9_000 + 1_800)
    #expect(found.unsealed.rows > 0 && raw.blocks > 0)
    #expect(found.pending == ["mqtt": 20])
    #expect(found.series == 3 && found.events == 1)
    #expect(raw.wall?.lowerBound == AnalysisScratch.start)
    #expect(found.unsealed.wall?.upperBound == AnalysisScratch.start + 8_999_000)
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(InventoryText.json(found, path: "/b.db"))) as? [String: Any])
    let tiers = try #require(object["tiers"] as? [String: [String: Any]])
    #expect(Set(tiers.keys) == ["unsealed", "raw", "minute", "hour"])
    #expect(tiers["raw"]?["first"] as? String == "2026-11-20T22:00:00.000Z")
    #expect(tiers["raw"]?["rows"] as? Int == raw.rows)
    let text = InventoryText.lines(found, path: "/b.db").joined(separator: "\n")
    #expect(text.contains("mqtt: 20 ticks pending"))
  }

  @Test func aGoodFileIsGood() throws {
    for seal in [true, false] {
      let scratch = try AnalysisScratch(seal: seal)
      let found = try BufferReader(path: scratch.path).verify()
      #expect(found.isGood && found.findings.isEmpty)
      #expect((found.blocks > 0) == seal)
      #expect(found.ticks > 0)
      try scratch.run(["buffer", "verify", "--buffer", scratch.path])
    }
  }

  @Test(arguments: [
    ("UPDATE block SET data = CAST(substr(data, 1, 4) || X'55' || substr(data, 6) AS BLOB) WHERE first = 1", "head or directory"),
    (
      "UPDATE block SET data = CAST(substr(data, 1, length(data) - 1) || X'55' AS BLOB) WHERE first = 1",
      "the column of cpu.usage_percent"
    ),
    ("UPDATE block SET rows = 7 WHERE first = 1", "was noted with 7"),
    ("UPDATE block SET last = last + 5 WHERE first = 1", "overlaps"),
    ("UPDATE tick SET [values] = X'FF' WHERE seq = (SELECT max(seq) FROM tick)", "its values are damaged"),
    ("DELETE FROM tick WHERE seq = (SELECT max(seq) - 1 FROM tick)", "the tick it follows is lacking"),
    ("DELETE FROM epoch WHERE id = 1", "epoch 1 is not there"),
    ("UPDATE delivery SET next = next + 1", "what was delivered"),
  ])
  func damageIsFoundAndNamed(damage: String, finding: String) throws {
    let scratch = try AnalysisScratch()
    _ = try AnalysisScratch.python(
      "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); db.execute(sys.argv[2]); db.commit(); print(1)", scratch.path,
      damage)
    let found = try BufferReader(path: scratch.path).verify()
    #expect(found.findings.contains { $0.what.contains(finding) }, "\(found.findings)")
    #expect(found.findings.allSatisfy { !$0.cost.isEmpty })
    do {
      try scratch.run(["buffer", "verify", "--buffer", scratch.path])
      Issue.record("it is damaged")
    } catch let failure as Failure {
      #expect(failure.status == 1)
    }
  }

  @Test func compactingSealsAndShrinks() throws {
    let scratch = try AnalysisScratch(seal: false)
    let before = try BufferReader(path: scratch.path).inventory()
    try scratch.run(["buffer", "compact", "--buffer", scratch.path])
    let reader = try BufferReader(path: scratch.path)
    let after = try reader.inventory()
    #expect(before.parts.allSatisfy { $0.blocks == 0 })
    #expect(after.unsealed.rows < 1_500)
    #expect(after.pageBytes < before.pageBytes && after.freeBytes == 0 && after.logBytes == 0)
    #expect(after.pending == before.pending)
    #expect(try reader.verify().isGood)
    #expect(try reader.state().node == "edge-01")
    var values: [Double] = []
    _ = try reader.ticks(0...(.max)) {
      values.append($0.values[1])
      return true
    }
    #expect(values == (0..<9_000).map { Double($0 * 100) })
    #expect(try reader.database.integer("PRAGMA auto_vacuum") == 2)
  }

  @Test func compactingRefusesBesideAnAgent() throws {
    let scratch = try AnalysisScratch(seal: false)
    let lock = try FileLock(path: scratch.path + ".lock")
    let before = try Data(contentsOf: URL(filePath: scratch.path))
    do {
      try scratch.run(["buffer", "compact", "--buffer", scratch.path])
      Issue.record("an agent holds it")
    } catch let failure as Failure {
      #expect(failure.description.contains("process \(ProcessInfo.processInfo.processIdentifier)"))
      #expect(failure.description.contains("systemctl stop godwitd"))
    }
    #expect(try Data(contentsOf: URL(filePath: scratch.path)) == before)
    withExtendedLifetime(lock) {}
    // Reading goes on.
    try scratch.run(["buffer", "info", "--buffer", scratch.path])
    try scratch.run(["buffer", "verify", "--buffer", scratch.path])
  }

  /// Else an agent of that user could not take the lock when it starts again.
  @Test(.enabled(if: getuid() == 0, "only root can give files away")) func theLockBelongsToTheBuffersOwner() throws {
    let scratch = try AnalysisScratch(seal: false)
    try #require(chown(scratch.path, 65_534, 65_534) == 0)
    try scratch.run(["buffer", "compact", "--buffer", scratch.path])
    var status = stat()
    try #require(stat(scratch.path + ".lock", &status) == 0)
    #expect(status.st_uid == 65_534 && status.st_gid == 65_534)
  }

  @Test func noBufferAndNoneOfOurs() throws {
    let scratch = try AnalysisScratch(seal: false)
    let foreign = scratch.folder + "/foreign.db"
    _ = try AnalysisScratch.python(
      "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('CREATE TABLE t(a)'); print(1)", foreign)
    for subcommand in ["info", "verify", "compact"] {
      for path in [scratch.folder + "/none.db", foreign] {
        #expect(throws: Failure.self) { try scratch.run(["buffer", subcommand, "--buffer", path]) }
        #expect(!FileManager.default.fileExists(atPath: path + ".lock"))
      }
    }
  }

  @Test func historyTakesTheTierThatFits() throws {
    let scratch = try AnalysisScratch()
    let span = try StoredSpan(path: scratch.path, since: .back(9_000_000))
    let series = span.reader.series[1]
    for (parts, step, tier) in [
      (24, nil, Tier.minute), (500, nil, .raw), (24, "10s", .raw), (24, "5m", .minute), (24, "1h", .hour),
    ]
      as [(Int, String?, Tier)]
    {
      let (history, chosen, damaged) = try HistoryCommand.history(of: series, span, parts: parts, step: step)
      #expect(chosen == tier && damaged.isEmpty)
      #expect(history.parts.reduce(0) { $0 + $1.count } == 9_000)
      #expect(history.minimum == 0 && history.maximum == 899_900)
    }
    try scratch.run(["history", "network.*", "--buffer", scratch.path, "--since", "2h", "--step", "30m", "--table"])
  }

  /// The time begins at 22:49:59, a minute of the rollups at 22:49:00.
  @Test func stepsOfAHistoryBeginWhereRollupsDo() throws {
    let scratch = try AnalysisScratch()
    let span = try StoredSpan(path: scratch.path, since: .back(6_000_000))
    let series = span.reader.series[1]
    for seconds in [10, 60, 90, 420, 3_600] as [Int64] {
      let milliseconds = seconds * 1_000
      let (history, tier, _) = try HistoryCommand.history(of: series, span, parts: 24, step: "\(seconds)s")
      for (index, part) in history.parts.enumerated() where part.count > 0 {
        let start = history.start(of: index)
        #expect(start % milliseconds == 0)
        // The counter is a hundred a second since the buffer's first tick.
        let least = Double(start - AnalysisScratch.start) / 10
        #expect(part.minimum >= least && part.maximum < least + Double(milliseconds) / 10, "\(seconds) s from \(tier)")
      }
    }
  }

  @Test func moreStepsThanAreShownAreTakenTogether() throws {
    let scratch = try AnalysisScratch()
    let span = try StoredSpan(path: scratch.path, since: .back(6_000_000))
    let (plotted, _, _) = try HistoryCommand.history(of: span.reader.series[1], span, parts: 64, step: "1s", limit: 64)
    #expect(plotted.parts.count <= 64 && plotted.parts.reduce(0) { $0 + $1.count } == 6_001)
    let history = History(from: 1_000_500, to: 1_999_500, stepMilliseconds: 1_000, limit: 100)
    #expect(history.parts.count == 92 && history.from == 990_000 && history.start(of: 1) == 1_001_000)
    #expect(history.to >= 1_999_500)
  }
}
