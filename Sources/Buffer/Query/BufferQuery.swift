import CSQLite
import Telemetry

/// A value that SQL gave.
public enum SQLValue: Hashable, Sendable {
  /// Nothing; a NaN, too.
  case null
  /// A whole number.
  case integer(Int64)
  /// A number.
  case real(Double)
  /// A text.
  case text(String)
  /// Bytes.
  case blob([UInt8])
}

/// SQL over a buffer, of which nothing can be changed. The tables:
///
/// - `samples(time, metric, labels, value, unit)`: every stored value; Unix seconds, labels as a JSON object
/// - `minutes`, `hours`: the same of the rollup tiers, `value` being the mean, with `least`, `most`, `last`, `count`
/// - `series(id, key, metric, labels, unit, kind)`, `events(id, time, kind, severity, message, detail)`: as of opening
///
/// They are read as the query goes: what is asked of `time`, `metric`, `labels` and the hidden column `series` narrows what is looked at.
public final class BufferQuery {
  let tables: [PointTable]
  private let database: Database
  // SQLite keeps the pointer to a module until the connection is closed, which `database` outlives no query to do.
  private let module: UnsafeMutablePointer<sqlite3_module>

  /// Opens a buffer for queries; makes and changes nothing.
  public init(path: String) throws(BufferError) {
    let reader = try BufferReader(path: path)
    database = try Database(path: ":memory:", mode: .writer)
    module = .allocate(capacity: 1)
    module.initialize(to: pointModule())
    tables = Tier.allCases.map { PointTable(reader, $0) }
    for table in tables {
      sqlite3_create_module(database.handle, table.name, module, Unmanaged.passUnretained(table).toOpaque())
    }
    // Made known now: the declaration of a table is a statement that the authorizer would refuse.
    for table in tables { _ = try database.prepare("SELECT 1 FROM \(table.name)") }
    try copySeries(reader)
    try copyEvents(reader)
    sqlite3_set_authorizer(database.handle, allowReadingOnly, nil)
  }

  deinit {
    database.close()
    module.deallocate()
  }

  /// Blocks of which some could not be read, whatever number of series was asked for.
  public var damagedBlocks: Int { tables.reduce(0) { $0 + $1.damaged.count } }

  /// Runs one SELECT.
  ///
  /// - Parameters:
  ///   - columns: is given the names of the columns once, before the first row.
  ///   - row: is given each row until it returns false.
  /// - Throws: `.other` when the text is no single SELECT.
  public func run(
    _ sql: String, columns: ([String]) -> Void = { _ in }, row: ([SQLValue]) -> Bool
  ) throws(BufferError) {
    let statement = try database.prepareSingle(sql)
    columns(statement.columnNames)
    do throws(BufferError) {
      while try statement.step() {
        if !row((0..<statement.columnCount).map { statement.value($0) }) { return }
      }
    } catch {
      // What the buffer said is nearer to the cause than SQLite's "SQL logic error".
      for table in tables {
        defer { table.failure = nil }
        if let cause = table.failure { throw cause }
      }
      throw error
    }
  }

  private func copySeries(_ reader: BufferReader) throws(BufferError) {
    try database.execute("CREATE TABLE series(id INTEGER PRIMARY KEY, key TEXT, metric TEXT, labels TEXT, unit TEXT, kind TEXT)")
    let insert = try database.prepare("INSERT INTO series VALUES(?, ?, ?, ?, ?, ?)")
    for series in reader.series {
      insert.bind(1, series.id)
      for (place, text) in [series.key, series.name, series.labelObject, series.unit, series.kind].enumerated() {
        insert.bind(Int32(place + 2), text)
      }
      try insert.run()
    }
  }

  private func copyEvents(_ reader: BufferReader) throws(BufferError) {
    try database.execute(
      "CREATE TABLE events(id INTEGER PRIMARY KEY, time REAL, kind TEXT, severity TEXT, message TEXT, detail TEXT)")
    let offsets = Dictionary(reader.epochs.map { ($0.id, $0.offsetMilliseconds) }) { $1 }
    let insert = try database.prepare("INSERT INTO events VALUES(?, ?, ?, ?, ?, ?)")
    for event in try reader.events(after: 0, limit: 2 * BufferLimits.events) {
      insert.bind(1, event.id)
      if let offset = offsets[event.epoch] {
        insert.bind(2, Double(event.milliseconds &+ offset) / 1_000)
      } else {
        insert.bindNull(2)
      }
      for (place, text) in [event.kind, event.severity.rawValue, event.message, event.detail].enumerated() {
        insert.bind(Int32(place + 3), text)
      }
      try insert.run()
    }
  }
}

extension Database {
  private var onlyReading: BufferError {
    BufferError(.other, "query", path: path, message: "stored values can only be read: ask with one SELECT")
  }

  /// Whether the last call failed because a virtual table cannot be written to, which SQLite says before it asks the authorizer.
  private var isAboutWriting: Bool {
    sqlite3_errmsg(handle).map { String(cString: $0).hasSuffix("may not be modified") } ?? false
  }

  /// Prepares a text that must hold one statement that only reads.
  fileprivate func prepareSingle(_ sql: String) throws(BufferError) -> Statement {
    var statement: OpaquePointer?
    var problem: BufferError?
    // The tail points into the text: it is looked at while that is alive.
    let hasMore = sql.withCString { text in
      var tail: UnsafePointer<CChar>?
      let code = sqlite3_prepare_v2(handle, text, -1, &statement, &tail)
      if code == SQLITE_AUTH || (code != SQLITE_OK && isAboutWriting) {
        problem = onlyReading
      } else if code != SQLITE_OK {
        problem = failure(code, "query")
      }
      return tail.map { String(cString: $0) }?.contains { !$0.isWhitespace && $0 != ";" } ?? false
    }
    if let problem { throw problem }
    guard let statement else { throw BufferError(.other, "query", path: path, message: "there is no statement in it") }
    let prepared = Statement(statement, of: self)
    // What gives no columns asks nothing: VACUUM and REINDEX pass the authorizer.
    guard prepared.columnCount > 0, sqlite3_stmt_readonly(statement) != 0 else { throw onlyReading }
    guard !hasMore else { throw BufferError(.other, "query", path: path, message: "one statement at a time") }
    return prepared
  }
}
