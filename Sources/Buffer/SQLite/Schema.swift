/// The tables of the buffer and their versions.
enum Schema {
  /// `GDWT`, in the file's header (bytes 68…71).
  static let applicationID: Int64 = 0x4744_5754
  /// In the file's header (bytes 60…63). A higher one is a later agent's: refused, not guessed at.
  static let version: Int64 = 3
  /// Of a new file. A commit of ten ticks brings about a kilobyte and rewrites whole pages: with 4,096 bytes it hands a quarter more to the
  /// file system; 1,024 would save another fifth but double the frames of the log.
  static let pageBytes = 2_048
  // Version 3 has tick rows with checksums, which version 2 takes for damaged; those of version 2 are still read. And the rows of `series`,
  // `epoch`, `delivery` and `owed` have theirs.
  /// The first version with sealed blocks; an older file has tick rows only.
  static let firstWithBlocks: Int64 = 2
  private static let firstWithChecksums: Int64 = 3

  /// The tables of version 1.
  ///
  /// - `meta`      node, and the numbers reserved ahead of use
  /// - `series`    one row a series, ids from 0 without holes
  /// - `epoch`     how monotonic time becomes wall time, in stretches
  /// - `tick`      one row a tick: see TickRow
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

  /// What version 2 adds: sealed blocks, one table a tier, each row a run of ticks older than all of `tick`.
  ///
  /// - `first`, `last`   sequence numbers of the first and last tick it was made of
  /// - `rows`            rows in it; `seals`: how many sealings were merged into it
  /// - `epoch`, `at`     of its first row, and `until_epoch`, `until_at` of its last
  /// - `data`            see BlockLayout; last, so that the rest is read without it
  static let blockTables = Tier.allCases.map { tier in
    """
    CREATE TABLE \(tier.table)(first INTEGER PRIMARY KEY, last INTEGER NOT NULL, rows INTEGER NOT NULL, seals INTEGER NOT NULL,
      epoch INTEGER NOT NULL, at INTEGER NOT NULL, until_epoch INTEGER NOT NULL, until_at INTEGER NOT NULL, data BLOB NOT NULL);
    """
  }.joined()

  /// What must be there: each is only prepared.
  private static let shape = [
    "SELECT key, value FROM meta", "SELECT id, key, name, labels, unit, kind, decimals FROM series",
    "SELECT id, boot, first, from_ms, offset_ms, synced FROM epoch", "SELECT seq, epoch, at, back, [values] FROM tick",
    "SELECT id, epoch, at, kind, severity, message, detail FROM event", "SELECT sink, next, event FROM delivery",
    "SELECT sink, first, last FROM owed", "SELECT rule, series, state, value, since FROM alert",
  ]
  /// What version 3 adds: the checksum of each row that decides what others mean. See RowChecksum.
  private static let checkedTables = ["series", "epoch", "delivery", "owed"]
  private static let checksumShape = checkedTables.map { "SELECT crc FROM \($0)" }
  private static let blockShape = Tier.allCases.map { "SELECT \(BlockRecord.columns), data FROM \($0.table)" }
  /// A version beyond this is a damaged number, not a later agent.
  private static let plausibleVersion: Int64 = 1_000

  /// Makes the tables in a new file; checks that an old one is ours, before anything in it is changed.
  static func prepare(_ database: Database, logBytes: Int) throws(BufferError) {
    let tableCount = try database.integer("SELECT count(*) FROM sqlite_schema")
    let found = try database.integer("PRAGMA application_id")
    let isNew = tableCount == 0 && found == 0
    if !isNew { try check(database) }
    guard !database.isReadOnly else {
      throw BufferError(.readOnly, "write", path: database.path, message: "the file may only be read")
    }
    if isNew {
      // Both take effect only before the first table.
      try database.execute("PRAGMA page_size = \(pageBytes); PRAGMA auto_vacuum = INCREMENTAL;")
    }
    // FULL: only then did every acknowledged commit survive a power cut.
    try database.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY;")
    try database.execute("PRAGMA cache_size = -256; PRAGMA foreign_keys = OFF;")
    try limitLog(database, bytes: logBytes)
    guard try database.integer("PRAGMA user_version") != version else { return }
    try database.transaction { () throws(BufferError) in
      if isNew { try database.execute(tables, operation: "make tables in") }
      if !database.hasBlocks { try database.execute(blockTables, operation: "make tables in") }
      if !database.hasChecksums { try addChecksums(database) }
      try database.execute("PRAGMA application_id = \(applicationID); PRAGMA user_version = \(version);")
    }
    database.hasBlocks = true
    database.hasChecksums = true
  }

  /// The rows that are there get the checksum of what they say now.
  private static func addChecksums(_ database: Database) throws(BufferError) {
    let series = try StoredState.series(database)
    let epochs = try StoredState.epochs(database)
    let deliveries = try StoredState.deliveries(database) ?? [:]
    for table in checkedTables {
      try database.execute("ALTER TABLE \(table) ADD COLUMN crc INTEGER NOT NULL DEFAULT 0", operation: "add checksums to")
    }
    for row in series { try database.execute("UPDATE series SET crc = \(row.checksum) WHERE id = \(row.id)") }
    for row in epochs { try database.execute("UPDATE epoch SET crc = \(row.checksum) WHERE id = \(row.id)") }
    let delivery = try database.prepare("UPDATE delivery SET crc = ? WHERE sink = ?")
    try database.execute("DELETE FROM owed")
    let owed = try database.prepare("INSERT INTO owed(sink, first, last, crc) VALUES(?, ?, ?, ?)")
    for (sink, position) in deliveries {
      delivery.bind(1, position.checksum(of: sink))
      delivery.bind(2, sink)
      try delivery.run()
      for range in position.owed {
        owed.bind(1, sink)
        owed.bind(2, range.lowerBound)
        owed.bind(3, range.upperBound)
        owed.bind(4, DeliveryPosition.checksum(of: sink, owed: range))
        try owed.run()
      }
    }
  }

  /// Bytes of the write-ahead log before it is copied back, and which it keeps after that.
  static func limitLog(_ database: Database, bytes: Int) throws(BufferError) {
    let page = Int(try database.integer("PRAGMA page_size") ?? Int64(pageBytes))
    try database.execute("PRAGMA wal_autocheckpoint = \(bytes / page); PRAGMA journal_size_limit = \(bytes);")
  }

  private static func foreignMessage(_ database: Database) throws(BufferError) -> String {
    guard try database.integer("SELECT count(*) FROM sqlite_schema") == 0 else {
      return "it is a database, but not a Godwit buffer"
    }
    return "it is a database without tables; the copy of a buffer that is in use needs its '-wal' file beside it"
  }

  /// That the file is a buffer of a version this program understands, with all its tables.
  static func check(_ database: Database) throws(BufferError) {
    let id = try database.integer("PRAGMA application_id")
    guard id == applicationID else {
      let ours = try database.integer(
        "SELECT count(*) FROM sqlite_schema WHERE name IN ('meta', 'series', 'epoch', 'tick', 'event', 'delivery', 'owed', 'alert')"
      )
      throw ours == 8
        ? BufferError(.corrupt, "use", path: database.path, message: "the application id in its header is damaged")
        : BufferError(.foreign, "use", path: database.path, message: try foreignMessage(database))
    }
    let found = try database.integer("PRAGMA user_version") ?? 0
    guard (1...plausibleVersion).contains(found) else {
      throw BufferError(.corrupt, "use", path: database.path, message: "the version in its header is damaged: \(found)")
    }
    guard found <= version else {
      throw BufferError(
        .newer, "use", path: database.path, message: "it has version \(found), this program knows up to \(version): update it")
    }
    database.hasBlocks = found >= firstWithBlocks
    // By the column, not by the version alone: a damaged version must not make it be added twice.
    database.hasChecksums = found >= firstWithChecksums || (try? database.prepare(checksumShape[0])) != nil
    let queries = shape + (database.hasBlocks ? blockShape : []) + (database.hasChecksums ? checksumShape : [])
    for query in queries {
      do throws(BufferError) {
        _ = try database.prepare(query)
      } catch  where error.kind == .other {
        throw BufferError(.corrupt, "use", path: database.path, message: error.message, code: error.code)
      }
    }
  }
}
