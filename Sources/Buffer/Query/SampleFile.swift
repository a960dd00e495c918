import Telemetry

/// A plain SQLite file of samples, for other tools: `series(id, metric, labels, unit, kind)`, `samples(series, time, value)`. Times are Unix
/// seconds, labels a JSON object; a NaN becomes NULL.
public final class SampleFile {
  /// The file that is being written.
  public let path: String
  private let database: Database
  private let insert: Statement

  /// Begins a file; there must be none at the path. It is whole only after `finish`.
  public init(path: String) throws(BufferError) {
    self.path = path
    database = try Database(path: path, mode: .writer)
    // Nobody sees the file before it is whole, so nothing has to be undone in it. Pages are spilled as they fill: memory stays bounded.
    try database.execute("PRAGMA journal_mode = OFF; PRAGMA cache_size = -4096; BEGIN", operation: "write")
    try database.execute(
      """
      CREATE TABLE series(id INTEGER PRIMARY KEY, metric TEXT NOT NULL, labels TEXT NOT NULL, unit TEXT NOT NULL, kind TEXT NOT NULL);
      CREATE TABLE samples(series INTEGER NOT NULL REFERENCES series(id), time REAL NOT NULL, value REAL);
      """, operation: "write")
    insert = try database.prepare("INSERT INTO samples(series, time, value) VALUES(?, ?, ?)")
  }

  /// Adds a series, before its samples.
  public func append(_ series: StoredSeries) throws(BufferError) {
    let statement = try database.prepare("INSERT INTO series(id, metric, labels, unit, kind) VALUES(?, ?, ?, ?, ?)")
    statement.bind(1, series.id)
    for (place, text) in [series.name, series.labelObject, series.unit, series.kind].enumerated() {
      statement.bind(Int32(place + 2), text)
    }
    try statement.run()
  }

  /// Adds a sample.
  public func append(series: Int, wallMilliseconds: Int64, value: Double) throws(BufferError) {
    insert.bind(1, series)
    insert.bind(2, Double(wallMilliseconds) / 1_000)
    insert.bind(3, value)
    try insert.run()
  }

  /// Writes the rest to the disk and waits until it is there.
  public func finish() throws(BufferError) {
    // FULL: the commit waits for the disk even without a journal.
    try database.execute("COMMIT", operation: "write")
  }
}
