import Buffer
import CSQLite
import Glibc
import Telemetry

/// What keeping some seconds cost.
struct Cost {
  var samples = 0
  var cpuSeconds = 0.0
  var writtenBytes = 0
  var idleKilobytes = 0
  var peakKilobytes = 0

  /// Runs `body` and counts what it used.
  mutating func count(_ body: () throws -> Void) rethrows {
    let before = Meter.now()
    try body()
    let after = Meter.now()
    cpuSeconds += after.cpuSeconds - before.cpuSeconds
    writtenBytes += after.writtenBytes - before.writtenBytes
  }
}

/// The buffer, driven as the agent drives it: a commit every ten ticks, sealing and making room every six commits.
enum SealedDesign {
  static let begin: Int64 = 1_767_225_600_000
  static let policy = RetentionPolicy(retainMilliseconds: 7 * 86_400_000, maximumBytes: 256 << 20)

  static func keep(_ seconds: Int, at path: String, ticksPerBlock: Int) throws -> Cost {
    var day = RealisticDay(seed: 1)
    var cost = Cost()
    let writer = try BufferWriter(path: path, node: "bench", policy: policy)
    var encoder = TickEncoder()
    encoder.learn(decimals: day.shapes.map(\.decimals))
    var transaction = BufferTransaction()
    transaction.series = day.shapes.enumerated().map { id, shape in
      StoredSeries(
        id: id, key: "bench.\(shape){n=\"\(id)\"}", name: "bench.\(shape)", labels: [Label("n", "\(id)")], unit: "",
        kind: "gauge",
        decimals: shape.decimals)
    }
    transaction.epochs = [
      Epoch(id: 1, boot: "bench", firstSequence: 1, fromMilliseconds: 0, offsetMilliseconds: begin, synced: true)
    ]
    cost.idleKilobytes = Meter.residentKilobytes()
    var commits = 0
    var second = 0
    while second < seconds {
      // Generated outside of what is counted.
      let rows = (0..<60).map { _ in day.tick() }
      try cost.count {
        for row in rows {
          second += 1
          transaction.ticks.append(
            encoder.encode(sequence: UInt64(second), epoch: 1, milliseconds: Int64(second) * 1_000, values: row))
          guard second % 10 == 0 else { continue }
          try writer.commit(transaction)
          transaction = BufferTransaction()
          commits += 1
          guard commits % 6 == 0 else { continue }
          _ = try writer.seal(atLeast: ticksPerBlock)
          _ = try writer.makeRoom(policy, now: begin + Int64(second) * 1_000, boot: "bench", bootNow: Int64(second) * 1_000)
          writer.releaseMemory()
        }
      }
      cost.samples += rows.count * day.shapes.count
    }
    try cost.count { try writer.checkpoint() }
    cost.peakKilobytes = Meter.residentKilobytes(peak: true)
    return cost
  }
}

/// What people write first: a row a sample, a commit a tick.
enum NaiveDesign {
  static func keep(_ seconds: Int, at path: String) -> Cost {
    var day = RealisticDay(seed: 1)
    var cost = Cost()
    var database: OpaquePointer?
    guard sqlite3_open(path, &database) == SQLITE_OK else { return cost }
    defer { sqlite3_close(database) }
    sqlite3_exec(database, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL", nil, nil, nil)
    sqlite3_exec(
      database, "CREATE TABLE sample(series INTEGER, at INTEGER, value REAL, PRIMARY KEY(series, at)) WITHOUT ROWID", nil, nil,
      nil)
    var insert: OpaquePointer?
    sqlite3_prepare_v2(database, "INSERT INTO sample VALUES(?, ?, ?)", -1, &insert, nil)
    defer { sqlite3_finalize(insert) }
    for second in 0..<seconds {
      let row = day.tick()
      cost.count {
        sqlite3_exec(database, "BEGIN", nil, nil, nil)
        for (series, value) in row.enumerated() {
          sqlite3_bind_int64(insert, 1, Int64(series))
          sqlite3_bind_int64(insert, 2, SealedDesign.begin + Int64(second) * 1_000)
          sqlite3_bind_double(insert, 3, value)
          sqlite3_step(insert)
          sqlite3_reset(insert)
        }
        sqlite3_exec(database, "COMMIT", nil, nil, nil)
      }
      cost.samples += row.count
    }
    cost.count { sqlite3_exec(database, "PRAGMA wal_checkpoint(TRUNCATE)", nil, nil, nil) }
    return cost
  }
}
