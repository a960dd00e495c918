/// The tables of the buffer and their versions.
enum Schema {
  /// `GDWT`, in the file's header (bytes 68…71).
  static let applicationID: Int64 = 0x4744_5754
  /// In the file's header (bytes 60…63). A higher one is a later agent's: refused, not guessed at.
  static let version: Int64 = 1

  /// Version 1.
  ///
  /// - `meta`      node, and the numbers reserved ahead of use
  /// - `series`    one row a series, ids from 0 without holes
  /// - `epoch`     how monotonic time becomes wall time, in stretches
  /// - `tick`      one row a tick: see TickCodec
  /// - `event`     alerts, gaps, lifecycle
  /// - `delivery`, `owed`  what each uplink has not delivered yet
  /// - `alert`     the state of rules, over a restart
  static let tables = """
    CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;
    CREATE TABLE series(id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, name TEXT NOT NULL, labels TEXT NOT NULL,
      unit TEXT NOT NULL, kind TEXT NOT NULL, decimals INTEGER NOT NULL);
    CREATE TABLE epoch(id INTEGER PRIMARY KEY, boot TEXT NOT NULL, first INTEGER NOT NULL, from_ms INTEGER NOT NULL,
      offset_ms INTEGER NOT NULL, synced INTEGER NOT NULL);
    CREATE TABLE tick(seq INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, at INTEGER NOT NULL, back INTEGER NOT NULL,
      "values" BLOB NOT NULL);
    CREATE TABLE event(id INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, at INTEGER NOT NULL, kind TEXT NOT NULL,
      severity TEXT NOT NULL, message TEXT NOT NULL, detail TEXT NOT NULL);
    CREATE TABLE delivery(sink TEXT PRIMARY KEY, next INTEGER NOT NULL, event INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE owed(sink TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, PRIMARY KEY(sink, first)) WITHOUT ROWID;
    CREATE TABLE alert(rule TEXT NOT NULL, series TEXT NOT NULL, state TEXT NOT NULL, value REAL, since INTEGER NOT NULL,
      PRIMARY KEY(rule, series)) WITHOUT ROWID;
    """

  /// Makes the tables in a new file; checks that an old one is ours.
  static func prepare(_ database: Database, logBytes: Int) throws(BufferError) {
    let isNew = try database.integer("SELECT count(*) FROM sqlite_schema") == 0
    if isNew {
      // Both take effect only before the first table.
      try database.execute("PRAGMA page_size = 4096; PRAGMA auto_vacuum = INCREMENTAL;")
    }
    // FULL: only then did every acknowledged commit survive a power cut.
    try database.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY;")
    try database.execute("PRAGMA wal_autocheckpoint = \(logBytes / 4096); PRAGMA journal_size_limit = \(logBytes);")
    try database.execute("PRAGMA cache_size = -256; PRAGMA foreign_keys = OFF;")
    guard isNew else { return try check(database) }
    try database.transaction { () throws(BufferError) in
      try database.execute(tables, operation: "make tables in")
      try database.execute("PRAGMA application_id = \(applicationID); PRAGMA user_version = \(version);")
    }
  }

  /// That the file is a buffer of a version this program understands.
  static func check(_ database: Database) throws(BufferError) {
    guard try database.integer("PRAGMA application_id") == applicationID else {
      throw BufferError(.foreign, "use", path: database.path, message: "it is a database, but not a Godwit buffer")
    }
    let found = try database.integer("PRAGMA user_version") ?? 0
    guard found <= version else {
      throw BufferError(
        .newer, "use", path: database.path, message: "it has version \(found), this program knows up to \(version): update it")
    }
  }
}
