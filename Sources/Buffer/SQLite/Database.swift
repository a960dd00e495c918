import CSQLite

/// One SQLite connection. Belongs to one thread.
final class Database {
  let path: String
  // SQLite's handle: an opaque C pointer, closed in deinit and used by nothing else but tests that make calls fail.
  let handle: OpaquePointer
  private var isClosed = false
  /// Whether the file has the tables of sealed blocks; known once the schema was checked.
  var hasBlocks = false
  /// Whether its rows have checksums; known at the same time.
  var hasChecksums = false

  /// How a database file is opened.
  enum Mode {
    /// Reads and writes, and makes the file when it is not there.
    case writer
    /// Reads beside a living writer, or after it died.
    case reader
    /// Reads the database and its log without locks and without the shared memory file: where nobody can write.
    case unshared
    /// Reads a file that nobody can change, without its write-ahead log.
    case immutable
  }

  init(path: String, mode: Mode) throws(BufferError) {
    self.path = path
    var opened: OpaquePointer?
    var flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI
    flags |= mode == .writer ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY
    // With an empty authority, so that a path that begins with two slashes stays a path.
    let uri = (path.hasPrefix("/") ? "file://" : "file:") + Database.escaped(path) + (mode == .immutable ? "?immutable=1" : "")
    let code = sqlite3_open_v2(uri, &opened, flags, mode == .unshared ? "unix-none" : nil)
    guard code == SQLITE_OK, let opened else {
      let error = BufferError(connection: opened, code: code, operation: "open", path: path)
      sqlite3_close_v2(opened)
      throw error
    }
    handle = opened
    sqlite3_extended_result_codes(opened, 1)
    sqlite3_busy_timeout(opened, BufferLimits.busyMilliseconds)
    // A damaged or hostile file must not be trusted with more than its rows (sqlite.org/security.html).
    try execute("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON")
    // In exclusive mode the index of the log lies on the heap (sqlite.org/wal.html, "without shared memory").
    if mode == .unshared { try execute("PRAGMA locking_mode = EXCLUSIVE") }
  }

  /// Whether the file can only be read, also where writing was asked for.
  var isReadOnly: Bool { sqlite3_db_readonly(handle, "main") != 0 }

  /// Rows that the last statement changed.
  var changes: Int32 { sqlite3_changes(handle) }

  /// How long calls wait for another connection's lock.
  func wait(milliseconds: Int32) { sqlite3_busy_timeout(handle, milliseconds) }

  deinit { close() }

  /// Closes the connection, which may not be used after that.
  func close() {
    if !isClosed { sqlite3_close_v2(handle) }
    isClosed = true
  }

  /// Runs statements that return nothing.
  func execute(_ sql: String, operation: String = "prepare") throws(BufferError) {
    let code = sqlite3_exec(handle, sql, nil, nil, nil)
    guard code == SQLITE_OK else { throw failure(code, operation) }
  }

  func prepare(_ sql: String) throws(BufferError) -> Statement {
    var statement: OpaquePointer?
    let code = sqlite3_prepare_v3(handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil)
    guard code == SQLITE_OK, let statement else { throw failure(code, "query") }
    return Statement(statement, of: self)
  }

  /// The first column of the first row as a whole number; nil when there is no row or it is null.
  func integer(_ sql: String) throws(BufferError) -> Int64? {
    let statement = try prepare(sql)
    guard try statement.step() else { return nil }
    return statement.isNull(0) ? nil : statement.integer(0)
  }

  /// The first column of the first row as text.
  func text(_ sql: String) throws(BufferError) -> String? {
    let statement = try prepare(sql)
    guard try statement.step() else { return nil }
    return statement.text(0)
  }

  /// Runs `body` in one transaction, rolled back when it throws.
  func transaction(_ body: () throws(BufferError) -> Void) throws(BufferError) {
    try execute("BEGIN IMMEDIATE", operation: "begin on")
    do throws(BufferError) {
      try body()
      try execute("COMMIT", operation: "commit to")
    } catch {
      // A full disk may have rolled back by itself already; then this changes nothing.
      sqlite3_exec(handle, "ROLLBACK", nil, nil, nil)
      throw error
    }
  }

  /// Runs `body` on one state of the file. Short: the log cannot be emptied meanwhile.
  func snapshot(_ body: () throws(BufferError) -> Void) throws(BufferError) {
    try execute("BEGIN", operation: "read")
    // Ending a transaction that only read cannot fail.
    defer { sqlite3_exec(handle, "COMMIT", nil, nil, nil) }
    try body()
  }

  /// Opens one blob for reading in parts.
  func openBlob(_ table: String, _ column: String, row: UInt64) throws(BufferError) -> Blob {
    var blob: OpaquePointer?
    let code = sqlite3_blob_open(handle, "main", table, column, Int64(clamping: row), 0, &blob)
    guard code == SQLITE_OK, let blob else { throw failure(code, "read") }
    return Blob(blob, of: self)
  }

  /// Frees what caches of this connection can be freed.
  func releaseMemory() { sqlite3_db_release_memory(handle) }

  func failure(_ code: Int32, _ operation: String) -> BufferError {
    BufferError(connection: handle, code: code, operation: operation, path: path)
  }

  /// A path as it stands in a URI: all but plain characters as `%XX`.
  private static func escaped(_ path: String) -> String {
    var text = ""
    for byte in path.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
        UInt8(ascii: "/"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
        text.unicodeScalars.append(Unicode.Scalar(byte))
      default:
        text += (byte < 16 ? "%0" : "%") + String(byte, radix: 16)
      }
    }
    return text
  }
}

/// A prepared statement: bound by position from 1, read by column from 0.
final class Statement {
  private let handle: OpaquePointer
  private let database: Database

  init(_ handle: OpaquePointer, of database: Database) {
    self.handle = handle
    self.database = database
  }

  deinit { sqlite3_finalize(handle) }

  /// Goes to the next row; false when there is none.
  func step() throws(BufferError) -> Bool {
    switch sqlite3_step(handle) {
    case SQLITE_ROW: return true
    case SQLITE_DONE: return false
    case SQLITE_FULL where sqlite3_stmt_readonly(handle) != 0:
      // Reading fills no disk: a page number in the file is beyond all pages.
      throw BufferError(.corrupt, "use", path: database.path, message: "a page number in it is damaged", code: SQLITE_FULL)
    case let code: throw database.failure(code, "use")
    }
  }

  /// Runs a statement that returns no rows and makes it ready for the next use.
  func run() throws(BufferError) {
    defer { reset() }
    _ = try step()
  }

  func reset() { sqlite3_reset(handle) }

  func bind(_ position: Int32, _ value: Int64) { sqlite3_bind_int64(handle, position, value) }
  func bind(_ position: Int32, _ value: Int) { sqlite3_bind_int64(handle, position, Int64(value)) }
  func bind(_ position: Int32, _ value: UInt64) { sqlite3_bind_int64(handle, position, Int64(clamping: value)) }
  func bind(_ position: Int32, _ value: Double) { sqlite3_bind_double(handle, position, value) }
  func bind(_ position: Int32, _ value: Bool) { sqlite3_bind_int64(handle, position, value ? 1 : 0) }

  func bind(_ position: Int32, _ value: String?) {
    guard let value else { return bindNull(position) }
    var text = value
    text.withUTF8 { bytes in
      // SQLITE_TRANSIENT: SQLite copies before this returns.
      bytes.withMemoryRebound(to: CChar.self) { chars in
        _ = sqlite3_bind_text(handle, position, chars.baseAddress ?? Self.nothing, Int32(chars.count), Self.transient)
      }
    }
  }

  func bind(_ position: Int32, _ value: [UInt8]) {
    value.withUnsafeBytes { bytes in
      if bytes.isEmpty {
        _ = sqlite3_bind_zeroblob(handle, position, 0)
      } else {
        _ = sqlite3_bind_blob(handle, position, bytes.baseAddress, Int32(bytes.count), Self.transient)
      }
    }
  }

  func bindNull(_ position: Int32) { sqlite3_bind_null(handle, position) }

  func isNull(_ column: Int32) -> Bool { sqlite3_column_type(handle, column) == SQLITE_NULL }
  func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }
  func sequence(_ column: Int32) -> UInt64 { UInt64(clamping: sqlite3_column_int64(handle, column)) }
  func real(_ column: Int32) -> Double { sqlite3_column_double(handle, column) }

  var columnCount: Int32 { sqlite3_column_count(handle) }
  var columnNames: [String] { (0..<columnCount).map { sqlite3_column_name(handle, $0).map { String(cString: $0) } ?? "" } }

  /// A column of whatever type.
  func value(_ column: Int32) -> SQLValue {
    switch sqlite3_column_type(handle, column) {
    case SQLITE_INTEGER: .integer(integer(column))
    case SQLITE_FLOAT: .real(real(column))
    case SQLITE_TEXT: .text(text(column))
    case SQLITE_BLOB: .blob(withBlob(column) { Array($0) })
    default: .null
    }
  }

  func text(_ column: Int32) -> String {
    guard let start = sqlite3_column_text(handle, column) else { return "" }
    let count = Int(sqlite3_column_bytes(handle, column))
    return String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
  }

  /// Lends a blob's bytes to `body`; they die with the next step.
  func withBlob<Result>(_ column: Int32, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    // In this order: reading the blob may convert it. Null without bytes and without memory.
    let start = sqlite3_column_blob(handle, column)
    let count = start == nil ? 0 : Int(sqlite3_column_bytes(handle, column))
    return body(UnsafeRawBufferPointer(start: start, count: count))
  }

  // The C macro SQLITE_TRANSIENT is a cast that Swift does not import.
  private static var transient: sqlite3_destructor_type { unsafeBitCast(-1, to: sqlite3_destructor_type.self) }
  private static var nothing: UnsafePointer<CChar> { UnsafePointer(bitPattern: MemoryLayout<CChar>.alignment).unsafelyUnwrapped }
}
