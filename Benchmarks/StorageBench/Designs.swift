import Buffer
import CSQLite
import Glibc
import Telemetry

/// What keeping some ticks cost.
struct Cost {
  var samples = 0
  var userSeconds = 0.0
  var kernelSeconds = 0.0
  var writtenBytes = 0
  var idleKilobytes = 0
  var peakKilobytes = 0

  init() {}

  /// Reads a line that `line` gave; nil when it is none.
  init?(_ numbers: [Double]) {
    guard numbers.count == 6 else { return nil }
    (samples, userSeconds, kernelSeconds) = (Int(numbers[0]), numbers[1], numbers[2])
    (writtenBytes, idleKilobytes, peakKilobytes) = (Int(numbers[3]), Int(numbers[4]), Int(numbers[5]))
  }

  var line: String { "\(samples) \(userSeconds) \(kernelSeconds) \(writtenBytes) \(idleKilobytes) \(peakKilobytes)" }

  var writtenPerSample: Double { Double(writtenBytes) / Double(samples) }
  var userMicroseconds: Double { userSeconds / Double(samples) * 1e6 }
  var kernelMicroseconds: Double { kernelSeconds / Double(samples) * 1e6 }
  var memoryMegabytes: Double { Double(peakKilobytes - idleKilobytes) / 1_024 }

  /// Runs `body` and counts what it used.
  mutating func count(_ body: () throws -> Void) rethrows {
    let before = Meter.now()
    try body()
    let after = Meter.now()
    userSeconds += after.userSeconds - before.userSeconds
    kernelSeconds += after.kernelSeconds - before.kernelSeconds
    writtenBytes += after.writtenBytes - before.writtenBytes
  }
}

/// The buffer, driven as the agent drives it: a commit every ten ticks, sealing and making room every six commits.
enum SealedDesign {
  /// What is kept, and how.
  struct Feed {
    var ticks: Int
    var tickSeconds = 1
    var ticksPerCommit = 10
    var ticksPerBlock: Int
  }

  static let begin: Int64 = 1_767_225_600_000
  static let policy = RetentionPolicy(retainMilliseconds: 7 * 86_400_000, maximumBytes: 256 << 20)

  static func keep(_ feed: Feed, at path: String, policy: RetentionPolicy = policy) throws -> Cost {
    var day = RealisticDay(seed: 1)
    var cost = Cost()
    let writer = try BufferWriter(path: path, node: "bench", policy: policy)
    var encoder = TickEncoder()
    encoder.learn(decimals: day.shapes.map(\.decimals))
    var transaction = opening(day)
    cost.idleKilobytes = Meter.residentKilobytes()
    var tick = 0
    while tick < feed.ticks {
      // Generated outside of what is counted.
      let rows = (0..<min(6 * feed.ticksPerCommit, feed.ticks - tick)).map { _ in day.tick() }
      try cost.count {
        for row in rows {
          tick += 1
          transaction.ticks.append(
            encoder.encode(
              sequence: UInt64(tick), epoch: 1, milliseconds: Int64(tick * feed.tickSeconds) * 1_000, values: row))
          guard tick % feed.ticksPerCommit == 0 else { continue }
          try writer.commit(transaction)
          transaction = BufferTransaction()
        }
        let now = Int64(tick * feed.tickSeconds) * 1_000
        _ = try writer.seal(atLeast: feed.ticksPerBlock)
        _ = try writer.makeRoom(policy, now: begin + now, boot: "bench", bootNow: now)
        writer.releaseMemory()
      }
      cost.samples += rows.count * day.shapes.count
    }
    try cost.count {
      try writer.commit(transaction)
      try writer.checkpoint()
    }
    cost.peakKilobytes = Meter.residentKilobytes(peak: true)
    return cost
  }

  private static func opening(_ day: RealisticDay) -> BufferTransaction {
    var transaction = BufferTransaction()
    transaction.series = day.shapes.enumerated().map { id, shape in
      StoredSeries(
        id: id, key: "bench.\(shape){n=\"\(id)\"}", name: "bench.\(shape)", labels: [Label("n", "\(id)")], unit: "",
        kind: "gauge", decimals: shape.decimals)
    }
    transaction.epochs = [
      Epoch(id: 1, boot: "bench", firstSequence: 1, fromMilliseconds: 0, offsetMilliseconds: begin, synced: true)
    ]
    return transaction
  }
}

/// What people write first: a row a sample, a commit a tick.
final class NaiveDesign {
  private var database: OpaquePointer?
  private var insert: OpaquePointer?

  private init(_ path: String) {
    guard sqlite3_open(path, &database) == SQLITE_OK else { return }
    execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
    execute("CREATE TABLE IF NOT EXISTS sample(series INTEGER, at INTEGER, value REAL, PRIMARY KEY(series, at)) WITHOUT ROWID")
    sqlite3_prepare_v2(database, "INSERT INTO sample VALUES(?, ?, ?)", -1, &insert, nil)
  }

  deinit {
    sqlite3_finalize(insert)
    sqlite3_close(database)
  }

  private func execute(_ sql: String) { sqlite3_exec(database, sql, nil, nil, nil) }

  private func add(_ series: Int, _ second: Int, _ value: Double) {
    sqlite3_bind_int64(insert, 1, Int64(series))
    sqlite3_bind_int64(insert, 2, SealedDesign.begin + Int64(second) * 1_000)
    sqlite3_bind_double(insert, 3, value)
    sqlite3_step(insert)
    sqlite3_reset(insert)
  }

  /// Keeps seconds of all series; in real time it waits for each.
  static func keep(_ seconds: Int, at path: String, inRealTime: Bool = false) -> Cost {
    var day = RealisticDay(seed: 1)
    var cost = Cost()
    let design = NaiveDesign(path)
    cost.idleKilobytes = Meter.residentKilobytes()
    for second in 1...max(seconds, 1) {
      let row = day.tick()
      if inRealTime { sleep(1) }
      cost.count {
        design.execute("BEGIN")
        for (series, value) in row.enumerated() { design.add(series, second, value) }
        design.execute("COMMIT")
      }
      cost.samples += row.count
    }
    // As SQLite leaves it, when it is stopped; in real time nobody stops it.
    if !inRealTime { cost.count { design.execute("PRAGMA wal_checkpoint(TRUNCATE)") } }
    cost.peakKilobytes = Meter.residentKilobytes(peak: true)
    return cost
  }

  /// Keeps seconds of one series, in one go: only questions to it are measured, which do not touch the rows of other series.
  static func keepOneSeries(_ seconds: Int, at path: String) {
    var day = RealisticDay(seed: 1, shapes: [.busyPercentage])
    let design = NaiveDesign(path)
    design.execute("BEGIN")
    for second in 1...max(seconds, 1) { design.add(0, second, day.tick()[0]) }
    design.execute("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)")
  }
}
