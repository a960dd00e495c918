import ArgumentParser
import Buffer
import Foundation
import Platform
import Telemetry
import Testing

@testable import godwit

@Suite struct ExportTests {
  private func lines(_ path: String, _ separator: String = "\n") throws -> [String] {
    try String(contentsOfFile: path, encoding: .utf8).components(separatedBy: separator).filter { !$0.isEmpty }
  }

  @Test func aPlainSQLiteFile() throws {
    let scratch = try AnalysisScratch()
    let file = try scratch.export("out.sqlite")
    let found = try AnalysisScratch.python(
      """
      import sqlite3, sys
      db = sqlite3.connect(sys.argv[1])
      print(db.execute("PRAGMA integrity_check").fetchone()[0])
      for row in db.execute("SELECT id, metric, labels, unit, kind FROM series ORDER BY id"): print(*row, sep="|")
      for row in db.execute("SELECT series, count(*), min(time), max(time), min(value), max(value) FROM samples GROUP BY 1"): print(*row)
      print(*db.execute("SELECT time, value FROM samples WHERE series = 2 ORDER BY time LIMIT 1 OFFSET 1").fetchone())
      """, file)
    #expect(
      found == [
        "ok", #"0|thermal.temperature_celsius|{"zone":"cpu \"0\""}|°C|gauge"#,
        #"1|network.receive_bytes_total|{"interface":"eth0"}|B|counter"#, "2|cpu.usage_percent|{}|%|gauge",
        "0 9000 1795212000.0 1795220999.0 40.0 46.9", "1 9000 1795212000.0 1795220999.0 0.0 899900.0",
        "2 1800 1795212000.0 1795220995.0 0.0 99.5", "1795212005.0 0.5",
      ])
  }

  @Test func openMetricsIsWellFormed() throws {
    let scratch = try AnalysisScratch()
    let file = try scratch.export("out.om", "--since", "1h")
    let text = try String(contentsOfFile: file, encoding: .utf8)
    #expect(text.hasSuffix("\n# EOF\n"))
    let families = try OpenMetricsGrammar.check(text)
    #expect(families.map(\.name) == ["thermal_temperature_celsius", "network_receive_bytes", "cpu_usage_percent"])
    #expect(families.map(\.type) == ["gauge", "counter", "gauge"])
    #expect(families.map(\.unit) == ["celsius", "bytes", "percent"])
    #expect(families.map(\.samples) == [3_601, 3_601, 720])
    #expect(text.contains("thermal_temperature_celsius{zone=\"cpu \\\"0\\\"\"} 43.8 1795220998.000\n"))
    #expect(text.contains("network_receive_bytes_total{interface=\"eth0\"} 899900 1795220999.000\n"))
  }

  @Test(arguments: [true, false]) func stepsAreMeansOfGaugesAndTheLastOfCounters(sealed: Bool) throws {
    let scratch = try AnalysisScratch(seal: sealed)
    let rows = try lines(scratch.export("out.csv", "--step", "1m"), "\r\n")
    #expect(
      rows[0]
        == #"t,"thermal.temperature_celsius{zone=""cpu \""0\""""}","network.receive_bytes_total{interface=""eth0""}",cpu.usage_percent"#
    )
    try #require(rows.count == 151)
    for minute in [0, 1, 83, 84, 149] {
      let ticks = minute * 60..<(minute + 1) * 60
      let sum = ticks.reduce(0) { $0 + 400 + $1 % 70 }
      let fields = rows[minute + 1].components(separatedBy: ",")
      #expect(
        fields[0]
          == "2026-11-\(minute < 120 ? "20T" : "21T")\(minute < 60 ? "22" : minute < 120 ? "23" : "00"):\(String(format: "%02d", minute % 60)):00.000Z"
      )
      #expect(Double(fields[1]) == Double(sum) / 10 / 60)
      #expect(fields[2] == "\((ticks.upperBound - 1) * 100)")
    }
  }

  @Test func stepsOfEachTierAgree() throws {
    let scratch = try AnalysisScratch()
    // 90 s cannot be made of minutes: from raw ticks. Each counts all 9,000.
    for (step, rows) in [("90s", 100), ("30m", 5), ("1h", 3), ("7s", 1_286)] {
      let file = try scratch.export("out-\(step).jsonl", "--step", step, "--metric", "network.*")
      let objects = try lines(file).map { try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]) }
      // 22:00 is no multiple of 7 s since 1970.
      #expect(objects.count == rows || objects.count == rows + 1)
      let last = try #require(objects.last?["m"] as? [String: Double])
      #expect(last == [AnalysisScratch.received.key: 899_900])
    }
  }

  /// A boot whose clock was not set lies 56 years before the other: 18 million steps of nothing are not walked through.
  @Test func aClockThatBeganIn1970() throws {
    let scratch = try AnalysisScratch()
    var unset = BufferTransaction()
    unset.epochs = try Array(BufferReader(path: scratch.path).epochs.filter { $0.id == 1 })
    unset.epochs[0].offsetMilliseconds = 0
    let policy = RetentionPolicy(retainMilliseconds: 86_400_000, maximumBytes: 64 << 20)
    try BufferWriter(path: scratch.path, node: "edge-01", policy: policy).commit(unset)
    let rows = try lines(scratch.export("out.csv", "--step", "100s"), "\r\n")
    #expect(rows[1].hasPrefix("1970-01-01T00:00:00.000Z,"))
    #expect(rows.last?.hasPrefix("2026-11-21T00:28:20.000Z,") == true)
    #expect(rows.count == 1 + 51 + 40)
    let file = try scratch.export("out.sqlite")
    let count = try AnalysisScratch.python(
      "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute('SELECT count(*) FROM samples').fetchone()[0])", file)
    #expect(count == ["19800"])
  }

  @Test func onlySomeSeriesOfSomeTime() throws {
    let scratch = try AnalysisScratch()
    let file = try scratch.export(
      "out.jsonl", "--metric", "cpu.*", "--since", "2026-11-20T22:00:10", "--until", "2026-11-20T22:00:20Z")
    #expect(
      try lines(file) == [
        #"{"t":"2026-11-20T22:00:10.000Z","boot":"boot-a","seq":11,"q":"synced","m":{"cpu.usage_percent":1}}"#,
        #"{"t":"2026-11-20T22:00:15.000Z","boot":"boot-a","seq":16,"q":"synced","m":{"cpu.usage_percent":1.5}}"#,
        #"{"t":"2026-11-20T22:00:20.000Z","boot":"boot-a","seq":21,"q":"synced","m":{"cpu.usage_percent":2}}"#,
      ])
    let table = try lines(
      scratch.export(
        "out.csv", "--metric", "cpu.usage_percent", "--metric", AnalysisScratch.received.key, "--until", "2026-11-20T22:00:01"),
      "\r\n")
    #expect(
      table == [
        #"t,boot,seq,q,"network.receive_bytes_total{interface=""eth0""}",cpu.usage_percent"#,
        "2026-11-20T22:00:00.000Z,boot-a,1,synced,0,0", "2026-11-20T22:00:01.000Z,boot-a,2,synced,100,",
      ])
  }

  @Test func aFailureLeavesWhatWasThere() throws {
    let scratch = try AnalysisScratch(seal: false)
    let folder = scratch.folder + "/taken.csv"
    try FileManager.default.createDirectory(atPath: folder + "/inside", withIntermediateDirectories: true)
    for format in ["csv", "openmetrics", "sqlite"] {
      let failure = try #require(
        failure { try scratch.run(["export", "--buffer", scratch.path, "-o", folder, "--format", format]) })
      #expect(failure.status == 2 && failure.description.contains("it is a directory"))
    }
    // It comes there meanwhile: the file is made, and cannot be put at its place.
    try {
      let file = try OutputFile(path: folder)
      try file.append([1])
      #expect(FileManager.default.fileExists(atPath: folder + ".partial"))
      #expect(throws: SensorError.self) { try file.finish() }
    }()
    #expect(FileManager.default.fileExists(atPath: folder + "/inside"))
    #expect(!FileManager.default.fileExists(atPath: folder + ".partial"))
  }

  /// The signal is for this thread alone and is taken back, so that the other tests live.
  @Test(arguments: ["csv", "jsonl", "openmetrics", "sqlite"]) func anInterruptionLeavesWhatWasThere(format: String) throws {
    let scratch = try AnalysisScratch()
    let file = scratch.folder + "/out"
    try Data("before".utf8).write(to: URL(filePath: file))
    Interruption.hold()
    raise(SIGINT)
    #expect(Interruption.isPending)
    do {
      try scratch.run(["export", "--buffer", scratch.path, "-o", file, "--format", format])
      Issue.record("it went on")
    } catch let failure as Failure {
      #expect(failure.status == 130)
    }
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGINT)
    var taken: Int32 = 0
    sigwait(&signals, &taken)
    #expect(taken == SIGINT)
    for signal in [SIGTERM, SIGHUP] { sigaddset(&signals, signal) }
    pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    #expect(try String(contentsOfFile: file, encoding: .utf8) == "before")
    #expect(!FileManager.default.fileExists(atPath: file + ".partial"))
  }

  @Test func whatAKilledExportLeftIsNotWrittenThrough() throws {
    let scratch = try AnalysisScratch(seal: false)
    try FileManager.default.createSymbolicLink(atPath: scratch.folder + "/out.csv.partial", withDestinationPath: "/dev/full")
    _ = try scratch.export("out.csv")
    #expect(try lines(scratch.folder + "/out.csv", "\r\n").count == 9_001)
  }

  @Test func theBufferIsNotReplaced() throws {
    let scratch = try AnalysisScratch(seal: false)
    let before = FileManager.default.contents(atPath: scratch.path)
    let link = scratch.folder + "/link.csv"
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: scratch.path)
    try Data().write(to: URL(fileURLWithPath: scratch.path + ".lock"))
    for output in [
      scratch.path, scratch.folder + "/./" + scratch.path.dropFirst(scratch.folder.count), link, scratch.path + ".lock",
    ] {
      for format in ["csv", "sqlite"] {
        #expect(throws: Failure.self) {
          try scratch.run(["export", "--buffer", scratch.path, "-o", output, "--format", format])
        }
      }
    }
    #expect(FileManager.default.contents(atPath: scratch.path) == before)
  }

  private func failure(_ body: () throws -> Void) -> Failure? {
    do {
      try body()
      return nil
    } catch { return error as? Failure }
  }

  /// A mistake on the command line is refused before anything is made, and named.
  @Test(arguments: [
    (["--since", "1h", "--until", "2h"], "--since 1h is later than --until 2h"),
    (["--since", "2026-11-21", "--until", "2026-11-20"], "--since 2026-11-21 is later than --until 2026-11-20"),
    (
      ["-o", "out.xyz"], ".csv (csv), .jsonl .ndjson (jsonl), .om .openmetrics .prom (openmetrics), .sqlite .sqlite3 .db (sqlite)"
    ),
    (["-o", "out"], "or give --format"), (["-o", ""], "--output names no file"), (["--buffer", ""], "--buffer names no file"),
  ])
  func aMistakeIsNamed(arguments: [String], message: String) {
    do {
      _ = try Godwit.parseAsRoot(["export"] + arguments)
      Issue.record("it was taken")
    } catch {
      #expect(Godwit.exitCode(for: error) == .validationFailure)
      #expect(Godwit.fullMessage(for: error).contains(message), "\(Godwit.fullMessage(for: error))")
    }
  }

  @Test func theEndingNamesTheFormatAndTheOptionGoesFirst() throws {
    let scratch = try AnalysisScratch(seal: false)
    #expect(try lines(scratch.export("OUT.CSV"), "\r\n")[0].hasPrefix("t,boot,"))
    #expect(try lines(scratch.export("out.xyz", "--format", "csv"), "\r\n")[0].hasPrefix("t,boot,"))
    #expect(try lines(scratch.export("out.csv", "--format", "jsonl"))[0].hasPrefix("{"))
  }

  /// What only the buffer can tell: a time against a duration, and a time of which nothing is stored.
  @Test(arguments: [
    (["--since", "2026-11-21T00:20", "--until", "1h"], 2, "is later than --until (2026-11-20T23:29:59.000Z)"),
    (["--since", "2027-01-01"], 1, "it holds 2026-11-20T22:00:00.000Z to 2026-11-21T00:29:59.000Z"),
    (["--since", "2020-01-01", "--until", "2021-01-01"], 1, "nothing is stored of the time asked for"),
    (["--until", "2026-11-20T21:00"], 1, "nothing is stored of the time asked for"),
  ])
  func anEmptyTimeIsTold(arguments: [String], status: Int32, message: String) throws {
    let scratch = try AnalysisScratch()
    for command in [["export", "-o", scratch.folder + "/x.csv"], ["history", "cpu.*"]] {
      let failure = try #require(failure { try scratch.run(command + ["--buffer", scratch.path] + arguments) })
      #expect(failure.status == status)
      #expect(failure.description.contains(message), "\(failure)")
    }
  }

  /// One damaged block is one, however many series are looked for in it.
  @Test func aDamagedBlockCountsOnce() throws {
    let scratch = try AnalysisScratch()
    _ = try AnalysisScratch.python(
      """
      import sqlite3, sys
      db = sqlite3.connect(sys.argv[1])
      db.execute("UPDATE block SET data = CAST(substr(data, 1, 30) || X'5555' || substr(data, 33) AS BLOB) WHERE first = 1")
      db.commit()
      """, scratch.path)
    let span = try StoredSpan(path: scratch.path, since: nil)
    let export = Export(span: span, series: span.reader.series, isFiltered: false)
    try export.write(.openmetrics, to: ExportSink(scratch.folder + "/out.om"))
    #expect(export.remarks == ["left out: 1 damaged block; godwit buffer verify says which"])
    let query = try BufferQuery(path: scratch.path)
    try query.run("SELECT total(value) FROM samples") { _ in true }
    #expect(query.damagedBlocks == 1)
  }

  @Test func unusableArguments() throws {
    for arguments in [
      ["--step", "soon"], ["--since", "yesterday"], ["--until", "-"], ["--format", "xml"], ["--format", "sqlite"],
      ["--step", "1ms"],
    ] {
      #expect(throws: (any Error).self) { try Godwit.parseAsRoot(["export"] + arguments) }
    }
    let scratch = try AnalysisScratch(seal: false)
    for arguments in [["--metric", "gpu.*"], ["--since", "2027-01-01"], ["--buffer", scratch.folder + "/none.db"]] {
      #expect(throws: Failure.self) {
        try scratch.run(["export", "--buffer", scratch.path, "-o", scratch.folder + "/x.csv"] + arguments)
      }
    }
  }
}

/// The rules of OpenMetrics 1.0 that our metrics can break, read from the specification.
enum OpenMetricsGrammar {
  struct Family {
    var name: String
    var type = ""
    var unit = ""
    var samples = 0
  }

  static func check(_ text: String) throws -> [Family] {
    var families: [Family] = []
    var times: [String: Double] = [:]
    var current = ""
    let lines = text.dropLast().components(separatedBy: "\n")
    for (number, line) in lines.enumerated() {
      if line == "# EOF" {
        #expect(number == lines.count - 1)
      } else if let match = line.wholeMatch(of: /# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (gauge|counter)/) {
        #expect(!families.contains { $0.name == match.1 }, "a family stands together: \(line)")
        families.append(Family(name: String(match.1), type: String(match.2)))
      } else if let match = line.wholeMatch(of: /# UNIT (\S+) ([a-z_]+)/) {
        #expect(families.last?.name ?? "" == match.1)
        #expect(match.1.hasSuffix("_" + match.2))
        families[families.count - 1].unit = String(match.2)
      } else {
        let sample = try #require(
          line.wholeMatch(
            of:
              /(([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"(?:,[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*")*\})?) (NaN|[+-]Inf|-?[0-9.]+(?:e[+-]?[0-9]+)?) (-?[0-9]+(?:\.[0-9]+)?)/
          ), "\(line)")
        let family = try #require(families.last)
        #expect(sample.2 == (family.type == "counter" ? family.name + "_total" : family.name))
        let (series, time) = (String(sample.1), try #require(Double(sample.4)))
        #expect(series == current || times[series] == nil, "a series stands together: \(line)")
        current = series
        #expect(times[series].map { $0 < time } ?? true, "times ascend: \(line)")
        times[series] = time
        families[families.count - 1].samples += 1
      }
    }
    return families
  }
}
