import ArgumentParser
import Foundation
import Telemetry
import Testing

@testable import Buffer
@testable import godwit

@Suite struct SQLTests {
  private func ask(_ query: BufferQuery, _ sql: String) throws -> [[SQLValue]] {
    var rows: [[SQLValue]] = []
    try query.run(sql) {
      rows.append($0)
      return true
    }
    return rows
  }

  @Test(arguments: [true, false]) func samplesAreThereAsRows(sealed: Bool) throws {
    let scratch = try AnalysisScratch(seal: sealed)
    let query = try BufferQuery(path: scratch.path)
    #expect(
      try ask(query, "SELECT metric, count(*), min(time), max(time), max(value) FROM samples GROUP BY 1 ORDER BY 1") == [
        [.text("cpu.usage_percent"), .integer(1_800), .real(1_795_212_000), .real(1_795_220_995), .real(99.5)],
        [.text("network.receive_bytes_total"), .integer(9_000), .real(1_795_212_000), .real(1_795_220_999), .real(899_900)],
        [.text("thermal.temperature_celsius"), .integer(9_000), .real(1_795_212_000), .real(1_795_220_999), .real(46.9)],
      ])
    #expect(
      try ask(query, "SELECT time, labels, unit, labels ->> '$.zone' FROM samples WHERE metric GLOB 'therm*' LIMIT 1 OFFSET 1")
        == [
          [.real(1_795_212_001), .text(#"{"zone":"cpu \"0\""}"#), .text("°C"), .text("cpu \"0\"")]
        ])
  }

  /// A condition that is pushed down must give what SQLite alone gives; `+` keeps it from being pushed.
  @Test(arguments: [
    "time > 1795212010 AND time <= 1795212020.0", "time BETWEEN 1795212010 AND 1795212020", "time = 1795212010",
    "time >= 1795220990", "time < 1795212003", "1795220990 < time", "time > 9e15", "time < -9e15", "time > '2026'", "time > NULL",
    "metric = 'cpu.usage_percent'", "metric = 'CPU.usage_percent' COLLATE NOCASE", "metric = 5", "metric GLOB '*usage*'",
    "metric GLOB 'cpu.[a-u]*'", "metric GLOB '?pu*'", "metric IN ('cpu.usage_percent', 'none')", "metric LIKE 'CPU.%'",
    "labels = '{}'", "series = 2", "series IN (0, 2) AND time < 1795212010", "series = '1' AND time > 1795220000",
    "metric = 'cpu.usage_percent' OR time = 1795212001",
  ])
  func aPushedConditionChangesNothing(condition: String) throws {
    let scratch = try AnalysisScratch()
    let query = try BufferQuery(path: scratch.path)
    let total = "SELECT count(*), total(value), min(time), max(time) FROM "
    let pushed = try ask(query, total + "samples WHERE " + condition)
    let plain = try ask(
      query,
      total
        + "(SELECT +time AS time, +metric AS metric, value, +labels AS labels, +series AS series FROM samples LIMIT -1 OFFSET 0) WHERE "
        + condition)
    // A column under `+` has no affinity, so a number in quotes compares otherwise.
    if condition.contains("series = '1'") || condition.contains("metric = 5") || condition.contains("time > '2026'") { return }
    #expect(pushed == plain, "\(condition)")
  }

  @Test func aNarrowQuestionReadsLittle() throws {
    let scratch = try AnalysisScratch()
    for (condition, most) in [
      ("metric = 'cpu.usage_percent' AND time BETWEEN 1795212000 AND 1795212059", 12),
      ("time BETWEEN 1795212000 AND 1795212059", 132), ("metric GLOB 'cpu*'", 1_800), ("labels = '{}'", 1_800),
      ("series = 1", 9_000),
      ("metric = 'none'", 0), ("time > 1795299999", 0),
    ] {
      let query = try BufferQuery(path: scratch.path)
      _ = try ask(query, "SELECT count(*) FROM samples WHERE " + condition)
      // One millisecond on either side is left to SQLite.
      let read = query.tables.reduce(0) { $0 + $1.pointsRead }
      #expect(read <= most, "\(condition): \(read)")
    }
  }

  @Test func rollupsSeriesAndEvents() throws {
    let scratch = try AnalysisScratch()
    let query = try BufferQuery(path: scratch.path)
    #expect(
      try ask(query, "SELECT time, value, least, most, last, count FROM minutes WHERE series = 1 ORDER BY time LIMIT 1") == [
        [.real(1_795_212_000), .real(2_950), .real(0), .real(5_900), .real(5_900), .integer(60)]
      ])
    #expect(
      try ask(query, "SELECT sum(count), count(*) FROM hours WHERE metric = 'thermal.temperature_celsius'") == [
        [.integer(9_000), .integer(3)]
      ])
    #expect(
      try ask(query, "SELECT e.kind, e.message, e.time, (SELECT count(*) FROM series) FROM events e") == [
        [.text("started"), .text("it's up, \"again\""), .real(1_795_217_001), .integer(3)]
      ])
    #expect(
      try ask(
        query,
        "SELECT key, n FROM series JOIN (SELECT series, count(*) n FROM samples GROUP BY 1) c ON c.series = id ORDER BY id LIMIT 1"
      )
        == [[.text(AnalysisScratch.temperature.key), .integer(9_000)]])
  }

  @Test(arguments: [
    "DELETE FROM series", "INSERT INTO series(id) VALUES(9)", "DROP TABLE events", "CREATE TABLE t(a)",
    "ATTACH ':memory:' AS other",
    "PRAGMA user_version = 9", "UPDATE samples SET value = 1", "BEGIN", "VACUUM", "SELECT load_extension('x')", "SELECT",
    "SELECT 1; SELECT 2",
    "", "SELECT * FROM nowhere", "CREATE VIRTUAL TABLE v USING samples", "REINDEX", "ANALYZE", "EXPLAIN DELETE FROM series",
  ])
  func whatIsNoQuestionIsRefused(sql: String) throws {
    let scratch = try AnalysisScratch(seal: false)
    let before = try Data(contentsOf: URL(filePath: scratch.path))
    do {
      try scratch.run(["sql", "--buffer", scratch.path, sql])
      Issue.record("it was taken")
    } catch let failure as Failure {
      #expect(failure.status == 2)
    }
    #expect(try Data(contentsOf: URL(filePath: scratch.path)) == before)
  }

  @Test(arguments: [
    "DELETE FROM series", "DELETE FROM samples", "UPDATE samples SET value = 1", "INSERT INTO minutes VALUES(1)",
    "DROP TABLE events",
    "CREATE TEMP TABLE t(a)", "ATTACH 'x' AS y", "PRAGMA user_version", "BEGIN", "VACUUM", "REINDEX", "ANALYZE", "SAVEPOINT s",
    "WITH a AS (SELECT 1) DELETE FROM samples",
  ])
  func allThatIsNoReadingIsRefusedInTheSameWords(sql: String) throws {
    let scratch = try AnalysisScratch(seal: false)
    do {
      try scratch.run(["sql", "--buffer", scratch.path, sql])
      Issue.record("it was taken")
    } catch let failure as Failure {
      #expect(failure.description == "stored values can only be read: ask with one SELECT")
      #expect(failure.status == 2)
    }
  }

  @Test func noBuffer() throws {
    let scratch = try AnalysisScratch(seal: false)
    do {
      try scratch.run(["sql", "--buffer", scratch.folder + "/none.db", "SELECT 1"])
      Issue.record("there is none")
    } catch let failure as Failure {
      #expect(failure.status == 1)
      #expect(failure.description.contains("--buffer FILE"))
    }
    #expect(!FileManager.default.fileExists(atPath: scratch.folder + "/none.db"))
  }

  @Test func aWriterBesideSeesNothingOfIt() throws {
    let scratch = try AnalysisScratch(seal: false)
    let writer = try BufferWriter(
      path: scratch.path, node: "edge-01", policy: RetentionPolicy(retainMilliseconds: 86_400_000, maximumBytes: 64 << 20))
    let query = try BufferQuery(path: scratch.path)
    var seen = 0
    // The agent seals while the answer is being read: no value comes twice and none is lost.
    try query.run("SELECT value FROM samples WHERE series = 1") { _ in
      seen += 1
      if seen == 10 { #expect(throws: Never.self) { while try !writer.seal().isEmpty {} } }
      return true
    }
    #expect(seen == 9_000)
    #expect(try ask(query, "SELECT count(*) FROM samples WHERE series = 1") == [[.integer(9_000)]])
  }

  private func written(_ form: SQLCommand.Form, _ rows: [[SQLValue]]) -> String {
    var bytes: [UInt8] = []
    withoutActuallyEscaping({ (part: [UInt8]) in bytes += part }) { put in
      var writer = RowWriter(form, style: .plain, put: put)
      writer.begin(["a", "b"])
      for row in rows { _ = writer.add(row) }
      writer.end()
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  @Test func forms() {
    let rows: [[SQLValue]] = [[.text("x,\"y\""), .real(1.5)], [.null, .integer(-3)], [.blob([1, 0xFF]), .real(.infinity)]]
    #expect(written(.csv, rows) == "a,b\r\n\"x,\"\"y\"\"\",1.5\r\n,-3\r\n01ff,Inf\r\n")
    #expect(written(.json, rows) == "[{\"a\":\"x,\\\"y\\\"\",\"b\":1.5},\n{\"a\":null,\"b\":-3},\n{\"a\":\"01ff\",\"b\":null}]\n")
    #expect(written(.json, []) == "[]\n")
    #expect(written(.table, rows) == "a        b\nx,\"y\"  1.5\n        -3\n01ff   Inf\n")
  }
}
