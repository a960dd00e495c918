import Buffer
import CSQLite
import Glibc

/// A question for one series, as a technician's process would ask it.
struct Query {
  let path: String
  let series: Int
  /// Unix milliseconds.
  let range: ClosedRange<Int64>
  let tier: Tier

  /// Milliseconds since the process' main began, those that the processor was at work, and how many points came.
  func askSealed() throws -> String {
    let begin = Meter.milliseconds(CLOCK_MONOTONIC)
    let beginOfWork = Meter.milliseconds(CLOCK_PROCESS_CPUTIME_ID)
    let answer = try BufferReader(path: path).samples(series: series, wall: range, tier: tier)
    return Self.line(begin, beginOfWork, answer.values.count)
  }

  /// The same of the naive design, where rollups are made by the question.
  func askNaive() -> String {
    let begin = Meter.milliseconds(CLOCK_MONOTONIC)
    let beginOfWork = Meter.milliseconds(CLOCK_PROCESS_CPUTIME_ID)
    var database: OpaquePointer?
    guard sqlite3_open(path, &database) == SQLITE_OK else { return "" }
    defer { sqlite3_close(database) }
    let step = max(tier.stepMilliseconds, 1)
    var statement: OpaquePointer?
    sqlite3_prepare_v2(
      database,
      tier == .raw
        ? "SELECT at, value FROM sample WHERE series = ? AND at BETWEEN ? AND ? ORDER BY at"
        : "SELECT at - at % \(step), avg(value), min(value), max(value), count(*) FROM sample WHERE series = ? AND at BETWEEN ? AND ? GROUP BY 1",
      -1, &statement, nil)
    defer { sqlite3_finalize(statement) }
    sqlite3_bind_int64(statement, 1, Int64(series))
    sqlite3_bind_int64(statement, 2, range.lowerBound)
    sqlite3_bind_int64(statement, 3, range.upperBound)
    var times: [Int64] = []
    var values: [Double] = []
    while sqlite3_step(statement) == SQLITE_ROW {
      times.append(sqlite3_column_int64(statement, 0))
      values.append(sqlite3_column_double(statement, 1))
    }
    return Self.line(begin, beginOfWork, values.count)
  }

  private static func line(_ begin: Double, _ beginOfWork: Double, _ points: Int) -> String {
    "\(Meter.milliseconds(CLOCK_MONOTONIC) - begin) \(Meter.milliseconds(CLOCK_PROCESS_CPUTIME_ID) - beginOfWork) \(points)"
  }
}
