import Telemetry

/// Reads a buffer beside its living writer, after it died, or on media that cannot be written. Never blocks the writer.
public final class BufferReader {
  /// The file.
  public let path: String
  /// Whether the write-ahead log could not be read, so that the last seconds may be lacking.
  public let isWithoutLog: Bool
  /// Series by id, as of opening.
  public private(set) var series: [StoredSeries]
  /// Epochs by ascending id, as of opening or the last `refresh`.
  public private(set) var epochs: [Epoch]
  private let database: Database
  private let selectTicks: Statement
  private let selectKey: Statement

  /// Opens a buffer for reading; makes nothing.
  public init(path: String) throws(BufferError) {
    self.path = path
    var opened: Database?
    var withoutLog = false
    do throws(BufferError) {
      let database = try Database(path: path, mode: .reader)
      // The first read is what opens the log's shared memory file.
      try Schema.check(database)
      opened = database
    } catch  where error.kind == .readOnly || error.kind == .cannotOpen {
      let database = try Database(path: path, mode: .immutable)
      try Schema.check(database)
      opened = database
      withoutLog = true
    }
    guard let opened else { throw BufferError(.other, "open", path: path, message: "no connection") }
    database = opened
    isWithoutLog = withoutLog
    try opened.execute("PRAGMA cache_size = -512")
    selectTicks = try opened.prepare("SELECT seq, epoch, at, back, \"values\" FROM tick WHERE seq BETWEEN ? AND ? ORDER BY seq")
    selectKey = try opened.prepare("SELECT seq FROM tick WHERE seq <= ? AND back = 0 ORDER BY seq DESC LIMIT 1")
    series = try StoredState.series(opened)
    epochs = try StoredState.epochs(opened)
  }

  /// Reads series and epochs again: they may have grown or been corrected.
  public func refresh() throws(BufferError) {
    if let count = try database.integer("SELECT count(*) FROM series"), Int(count) != series.count {
      series = try StoredState.series(database)
    }
    epochs = try StoredState.epochs(database)
  }

  /// Positions, states and numbers, as a writer would find them.
  public func state() throws(BufferError) -> BufferWriter.Opening {
    try StoredState.read(database)
  }

  /// The first and last tick; nil when there is none.
  public func extent() throws(BufferError) -> ClosedRange<UInt64>? {
    guard let first = try database.integer("SELECT min(seq) FROM tick"),
      let last = try database.integer("SELECT max(seq) FROM tick")
    else { return nil }
    return UInt64(clamping: first)...UInt64(clamping: last)
  }

  /// How many ticks a range of sequence numbers holds.
  public func count(_ range: ClosedRange<UInt64>) throws(BufferError) -> UInt64 {
    let statement = try database.prepare("SELECT count(*) FROM tick WHERE seq BETWEEN ? AND ?")
    statement.bind(1, range.lowerBound)
    statement.bind(2, range.upperBound)
    return try statement.step() ? statement.sequence(0) : 0
  }

  /// Gives each tick of a range of sequence numbers to `body`, ascending, in constant memory, until it returns false.
  ///
  /// - Returns: how many rows could not be decoded; they are left out.
  public func ticks(
    _ range: ClosedRange<UInt64>, _ body: (borrowing StoredTick) -> Bool
  ) throws(BufferError) -> Int {
    guard let fallback = epochs.first else { return 0 }
    selectKey.bind(1, range.lowerBound)
    let start = try selectKey.step() ? selectKey.sequence(0) : range.lowerBound
    selectKey.reset()
    selectTicks.bind(1, start)
    selectTicks.bind(2, range.upperBound)
    defer { selectTicks.reset() }
    var decoder = TickDecoder(decimals: series.map(\.decimals))
    var tick = StoredTick(epoch: fallback)
    var expected: UInt64 = 0
    var damaged = 0
    while try selectTicks.step() {
      let sequence = selectTicks.sequence(0)
      let back = selectTicks.integer(3)
      // A row lost from the middle of its group takes the rest of the group along.
      var failure: TickCodecError? = .baseMissing
      if back == 0 || sequence == expected { failure = selectTicks.withBlob(4) { decoder.decode(raw: $0) } }
      if failure == nil { expected = sequence + 1 }
      if sequence < range.lowerBound { continue }
      guard failure == nil, let epoch = epoch(Int(selectTicks.integer(1)), like: tick.epoch) else {
        damaged += 1
        continue
      }
      tick.sequence = sequence
      tick.epoch = epoch
      tick.milliseconds = selectTicks.integer(2)
      tick.values = decoder.values
      if !body(tick) { break }
    }
    return damaged
  }

  /// The sequence numbers whose wall time can lie in a range of Unix milliseconds: by epoch, so they may hold others too.
  public func sequences(wall range: ClosedRange<Int64>) throws(BufferError) -> [ClosedRange<UInt64>] {
    guard let extent = try extent() else { return [] }
    var ranges: [ClosedRange<UInt64>] = []
    for (position, epoch) in epochs.enumerated() {
      let end = position + 1 < epochs.count ? epochs[position + 1].firstSequence : .max
      guard epoch.firstSequence < end else { continue }
      let low = max(epoch.firstSequence, extent.lowerBound)
      let high = min(end - 1, extent.upperBound)
      guard low <= high else { continue }
      let first = try bound(epoch, low...high, atLeast: range.lowerBound - epoch.offsetMilliseconds)
      let past = try bound(epoch, low...high, atLeast: range.upperBound - epoch.offsetMilliseconds + 1)
      if first < past { ranges.append(first...(past - 1)) }
    }
    return ranges
  }

  /// Events after an id, ascending.
  public func events(after id: UInt64, limit: Int) throws(BufferError) -> [StoredEvent] {
    let statement = try database.prepare(
      "SELECT id, epoch, at, kind, severity, message, detail FROM event WHERE id > ? ORDER BY id LIMIT ?")
    statement.bind(1, id)
    statement.bind(2, limit)
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

  /// The epoch of an id. `known` saves the search while a run of ticks stays in one epoch.
  private func epoch(_ id: Int, like known: Epoch) -> Epoch? {
    if known.id == id { return known }
    return epochs.last { $0.id == id }
  }

  /// The first sequence number of an epoch's range at or after a monotonic time; one past the range when all are before.
  private func bound(
    _ epoch: Epoch, _ range: ClosedRange<UInt64>, atLeast milliseconds: Int64
  ) throws(BufferError) -> UInt64 {
    let statement = try database.prepare("SELECT seq, at FROM tick WHERE seq >= ? ORDER BY seq LIMIT 1")
    var low = range.lowerBound
    var high = range.upperBound + 1
    while low < high {
      let middle = low + (high - low) / 2
      statement.bind(1, middle)
      let found = try statement.step() && statement.sequence(0) <= range.upperBound
      let (sequence, at) = (statement.sequence(0), statement.integer(1))
      statement.reset()
      if found, at < milliseconds { low = sequence + 1 } else { high = middle }
    }
    return low
  }
}
