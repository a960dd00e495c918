import Glibc
import Telemetry

/// Reads a buffer beside its living writer, after it died, or on media that cannot be written. Never blocks the writer.
///
/// Where the directory cannot be written and no shared memory file lies beside the log, the log is read by an index on the heap: all
/// that was committed is shown, nothing is written or copied.
public final class BufferReader {
  /// The file.
  public let path: String
  /// Whether the write-ahead log could not be read, so that the last minutes may be lacking.
  public let isWithoutLog: Bool
  /// Series by id, as of opening or the last read of ticks.
  public private(set) var series: [StoredSeries] = []
  /// Epochs by ascending id, as of opening or the last read of ticks.
  public private(set) var epochs: [Epoch] = []
  let database: Database
  private let selectTicks: Statement
  private let selectKey: Statement
  private let selectVersion: Statement
  private var version: Int64?

  /// Opens a buffer for reading; makes nothing.
  public init(path: String) throws(BufferError) {
    self.path = path
    (database, isWithoutLog) = try Self.open(path)
    try database.execute("PRAGMA cache_size = -512")
    selectTicks = try database.prepare(
      "SELECT seq, epoch, at, back, [values] FROM tick WHERE seq BETWEEN ? AND ? ORDER BY seq LIMIT \(BufferLimits.fetchedTicks)"
    )
    selectKey = try database.prepare("SELECT seq FROM tick WHERE seq <= ? AND back = 0 ORDER BY seq DESC LIMIT 1")
    selectVersion = try database.prepare("PRAGMA data_version")
    try refresh()
  }

  private static func open(_ path: String) throws(BufferError) -> (Database, withoutLog: Bool) {
    if let message = FileHeader.absence(path) { throw BufferError(.cannotOpen, "open", path: path, message: message) }
    if FileHeader.hasLogWithoutCommit(path) { return (try open(path, .unshared), false) }
    do throws(BufferError) {
      return (try open(path, .reader), false)
    } catch  where error.kind == .readOnly || error.kind == .cannotOpen {
      let log = FileHeader.bytes(path + "-wal")
      // With log and shared memory there, a writer may live: then the refusal stands.
      guard FileHeader.bytes(path) != nil, log == nil || FileHeader.bytes(path + "-shm") == nil else { throw error }
      if (log ?? 0) == 0 { return (try open(path, .immutable), false) }
      do throws(BufferError) {
        return (try open(path, .unshared), false)
      } catch  where error.kind == .readOnly || error.kind == .cannotOpen {
        return (try open(path, .immutable), true)
      }
    }
  }

  private static func open(_ path: String, _ mode: Database.Mode) throws(BufferError) -> Database {
    let database = try Database(path: path, mode: mode)
    // The first read is what opens the log.
    try Schema.check(database)
    return database
  }

  /// Reads series and epochs again: they may have grown or been corrected. Reading ticks does so by itself.
  public func refresh() throws(BufferError) {
    defer { selectVersion.reset() }
    let found = try selectVersion.step() ? selectVersion.integer(0) : 0
    selectVersion.reset()
    guard found != version else { return }
    // A writer may have brought an older file up to date.
    if !database.hasBlocks || !database.hasChecksums { try Schema.check(database) }
    if Int(try database.integer("SELECT max(id) FROM series") ?? -1) + 1 != series.count {
      series = try StoredState.series(database)
    }
    epochs = try StoredState.epochs(database)
    version = found
  }

  /// Positions, states and numbers, as a writer would find them.
  public func state() throws(BufferError) -> BufferWriter.Opening {
    var state = BufferWriter.Opening()
    try database.snapshot { () throws(BufferError) in state = try StoredState.read(database) }
    return state
  }

  /// The first and last tick; nil when there is none.
  public func extent() throws(BufferError) -> ClosedRange<UInt64>? { try TickBounds.extent(database) }

  /// How many ticks a range of sequence numbers holds.
  public func count(_ range: ClosedRange<UInt64>) throws(BufferError) -> UInt64 { try TickBounds.count(range, database) }

  /// Gives each tick of a range of sequence numbers to `body`, ascending, in constant memory, until it returns false. `body` may
  /// take its time and may use this reader.
  ///
  /// - Returns: what could not be read on the way.
  public func ticks(
    _ range: ClosedRange<UInt64>, _ body: (borrowing StoredTick) -> Bool
  ) throws(BufferError) -> ReadDamage {
    let cursor = TickCursor(range, of: self)
    while try cursor.advance(), let tick = cursor.tick {
      if !body(tick) { break }
    }
    return cursor.damage
  }

  /// Gives each tick whose wall time lies in a range of Unix milliseconds to `body`, by ascending wall time, then sequence number,
  /// until it returns false. Where the clock was set back, stretches overlap and are merged: memory grows by one batch for each
  /// stretch that overlaps, not with the count of ticks.
  ///
  /// - Returns: what could not be read on the way.
  public func ticks(
    wall range: ClosedRange<Int64>, _ body: (borrowing StoredTick) -> Bool
  ) throws(BufferError) -> ReadDamage {
    var merge = try WallMerge(range, of: self)
    while let tick = try merge.next() {
      if range.contains(tick.wallMilliseconds), !body(tick) { break }
    }
    return merge.damage
  }

  /// The sequence numbers whose wall time lies in a range of Unix milliseconds: one range an epoch that has any, ascending. Their wall
  /// times may overlap where the clock was set back.
  public func sequences(wall range: ClosedRange<Int64>) throws(BufferError) -> [ClosedRange<UInt64>] {
    try stretches(wall: range).map(\.sequences)
  }

  /// The same with the wall times of the first and last tick of each.
  func stretches(wall range: ClosedRange<Int64>) throws(BufferError) -> [WallStretch] {
    var stretches: [WallStretch] = []
    try database.snapshot { () throws(BufferError) in
      try refresh()
      guard let extent = try extent() else { return }
      for (position, epoch) in epochs.enumerated() {
        let end = position + 1 < epochs.count ? epochs[position + 1].firstSequence : .max
        let low = max(epoch.firstSequence, extent.lowerBound)
        guard low < end, low <= extent.upperBound else { continue }
        let all = low...min(end - 1, extent.upperBound)
        let offset = epoch.offsetMilliseconds
        // No look at ticks of an epoch that begins after the range or ends before it: there may be thousands.
        let begin = epoch.fromMilliseconds.addingSaturated(offset)
        let next = position + 1 < epochs.count ? epochs[position + 1] : nil
        let until = next.map { $0.boot == epoch.boot ? $0.fromMilliseconds.addingSaturated(offset) : .max } ?? .max
        guard begin <= range.upperBound, until >= range.lowerBound else { continue }
        let first = try TickBounds.first(
          in: all, epoch: epoch.id, atLeast: range.lowerBound.subtractingSaturated(offset), database)
        let limit = range.upperBound.subtractingSaturated(offset)
        let past =
          limit == .max ? all.upperBound + 1 : try TickBounds.first(in: all, epoch: epoch.id, atLeast: limit + 1, database)
        guard first < past, let times = try TickBounds.times(of: first...(past - 1), database) else { continue }
        stretches.append(
          WallStretch(sequences: first...(past - 1), firstWall: times.first &+ offset, lastWall: times.last &+ offset))
      }
    }
    return stretches
  }

  /// Events after an id, ascending.
  public func events(after id: UInt64, limit: Int) throws(BufferError) -> [StoredEvent] {
    let statement = try database.prepare(
      "SELECT id, epoch, at, kind, severity, message, detail FROM event WHERE id > ? ORDER BY id LIMIT ?")
    statement.bind(1, id)
    statement.bind(2, max(limit, 0))
    var events: [StoredEvent] = []
    while try statement.step() {
      events.append(
        StoredEvent(
          id: statement.sequence(0), epoch: Int(statement.integer(1)), milliseconds: statement.integer(2),
          kind: statement.text(3), severity: Severity(rawValue: statement.text(4)) ?? .info, message: statement.text(5),
          detail: statement.text(6)))
    }
    return events
  }

  /// Copies the next block or the next rows of a range, in one short transaction together with the series and epochs they need.
  func fetch(_ batch: inout TickBatch, from: UInt64, through: UInt64, fromKey: Bool) throws(BufferError) {
    batch.removeAll()
    var start = from
    try database.snapshot { () throws(BufferError) in
      defer {
        selectKey.reset()
        selectTicks.reset()
      }
      try refresh()
      if let block = try database.firstBlock(overlapping: from...through) {
        batch.block = block
        let blob = try database.openBlob(block.tier.table, "data", row: block.first)
        return try blob.read(0..<blob.count, into: &batch.bytes)
      }
      if fromKey {
        selectKey.bind(1, from)
        if try selectKey.step() { start = selectKey.sequence(0) }
      }
      selectTicks.bind(1, start)
      selectTicks.bind(2, through)
      while batch.bytes.count < BufferLimits.fetchedBytes, try selectTicks.step() {
        let stamp = TickStamp(selectTicks)
        guard stamp.sequence >= start, stamp.sequence > batch.rows.last?.stamp.sequence ?? 0 || batch.rows.isEmpty else {
          throw TickBounds.disorder(database)
        }
        let begin = batch.bytes.count
        selectTicks.withBlob(4) { batch.bytes.append(contentsOf: $0) }
        batch.rows.append(TickBatch.Row(stamp: stamp, bytes: begin..<batch.bytes.count))
      }
    }
  }
}
