import CSQLite
public import Telemetry

extension Host {
  /// The number that a query answers, from a database of SQLite that belongs to another program. It is never written to, nor locked longer than
  /// the answer takes.
  ///
  /// - Throws: `absent`; `malformed` when it is no database, or the answer is no number; `timedOut` past `PlatformLimits.databaseSteps`.
  public func number(_ query: StaticString, of path: String) throws(SensorError) -> Int64 {
    guard exists(path) else { throw .absent(path) }
    // A log of changes is read with the locks that its writers know. Without one there is nothing to lock, and a folder that may not be
    // written to is no hindrance (sqlite.org/wal.html#read_only_databases).
    let hasLog = fileMark(path + "-wal").map { $0.bytes > 0 } ?? false
    let name = "file:" + Self.escaped(root + path) + (hasLog ? "?mode=ro" : "?mode=ro&immutable=1")
    var database: OpaquePointer?
    let opened = sqlite3_open_v2(name, &database, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, nil)
    defer { sqlite3_close_v2(database) }
    guard opened == SQLITE_OK else { throw Self.failure(opened, path) }
    var steps: Int32 = 0
    return try withUnsafeMutablePointer(to: &steps) { (steps) throws(SensorError) in
      sqlite3_progress_handler(
        database, 1_000,
        { steps in
          guard let steps = steps?.assumingMemoryBound(to: Int32.self) else { return 1 }
          steps.pointee += 1_000
          return steps.pointee > PlatformLimits.databaseSteps ? 1 : 0
        }, steps)
      return try Self.answer(query, database, path)
    }
  }

  private static func answer(_ query: StaticString, _ database: OpaquePointer?, _ path: String) throws(SensorError) -> Int64 {
    var statement: OpaquePointer?
    let prepared = sqlite3_prepare_v2(database, "\(query)", -1, &statement, nil)
    defer { sqlite3_finalize(statement) }
    guard prepared == SQLITE_OK else { throw failure(prepared, path) }
    let code = sqlite3_step(statement)
    guard code == SQLITE_ROW else { throw failure(code, path) }
    guard sqlite3_column_type(statement, 0) == SQLITE_INTEGER else { throw .malformed(path: path, what: "no number in it") }
    return sqlite3_column_int64(statement, 0)
  }

  private static func failure(_ code: Int32, _ path: String) -> SensorError {
    switch code & 0xFF {
    case SQLITE_INTERRUPT: .timedOut
    case SQLITE_BUSY, SQLITE_LOCKED: .device(path, what: "its owner is writing to it")
    case SQLITE_CANTOPEN, SQLITE_PERM, SQLITE_READONLY: .device(path, what: "it cannot be opened (SQLite's code \(code))")
    default: .malformed(path: path, what: "no database that can be read (SQLite's code \(code))")
    }
  }

  /// As in a URI: RFC 3986, 2.1.
  private static func escaped(_ path: String) -> String {
    var escaped = ""
    for scalar in path.unicodeScalars {
      switch scalar {
      case "%": escaped += "%25"
      case "?": escaped += "%3F"
      case "#": escaped += "%23"
      default: escaped.unicodeScalars.append(scalar)
      }
    }
    return escaped
  }
}
