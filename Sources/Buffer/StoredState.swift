import Telemetry

/// Reads everything but ticks and events: what a writer starts from and a reader shows.
enum StoredState {
  static func read(_ database: Database) throws(BufferError) -> BufferWriter.Opening {
    var opening = BufferWriter.Opening()
    opening.series = try series(database)
    opening.epochs = try epochs(database)
    opening.lastEpoch = opening.epochs.last?.id ?? 0
    opening.boots = Set(opening.epochs.map(\.boot)).count
    opening.lastSequence = try TickBounds.extent(database)?.upperBound
    let reserved = try database.integer("SELECT value FROM meta WHERE key = 'reserved_sequence'") ?? 1
    opening.nextSequence = max(UInt64(clamping: reserved), (opening.lastSequence ?? 0) + 1)
    let reservedEvent = try database.integer("SELECT value FROM meta WHERE key = 'reserved_event'") ?? 1
    let lastEvent = UInt64(clamping: try database.integer("SELECT max(id) FROM event") ?? 0)
    opening.nextEvent = max(UInt64(clamping: reservedEvent), lastEvent + 1)
    // Going on from a damaged number would soon leave no numbers: the same as a damaged file.
    guard max(opening.nextSequence, opening.nextEvent) < BufferLimits.largestNumber,
      (0..<Int(BufferLimits.largestNumber)).contains(opening.lastEpoch)
    else { throw BufferError(.corrupt, "read", path: database.path, message: "a number in it is beyond all reason") }
    opening.unreported = try UnreportedGap.read(database)
    opening.node = try database.text("SELECT value FROM meta WHERE key = 'node'")
    if let deliveries = try deliveries(database) {
      opening.deliveries = deliveries
    } else {
      opening.isDeliveryLost = true
    }
    opening.alerts = try alerts(database)
    opening.notes = try notes(database)
    return opening
  }

  private static func damaged(_ row: String, _ database: Database) -> BufferError {
    BufferError(.corrupt, "read", path: database.path, message: "\(row) does not match its checksum")
  }

  /// - Throws: `corrupt` for a row that does not match its checksum: without its decimals and name no value of it is right.
  static func series(_ database: Database) throws(BufferError) -> [StoredSeries] {
    let checksum = database.hasChecksums ? "crc" : "0"
    let statement = try database.prepare(
      "SELECT id, key, name, labels, unit, kind, decimals, \(checksum) FROM series ORDER BY id")
    var series: [StoredSeries] = []
    while try statement.step() {
      guard statement.integer(0) == Int64(series.count) else {
        throw BufferError(.corrupt, "read", path: database.path, message: "the series table has a hole at \(series.count)")
      }
      let labels = statement.text(3)
      series.append(
        StoredSeries(
          id: series.count, key: statement.text(1), name: statement.text(2), labels: LabelText.decode(labels),
          unit: statement.text(4), kind: statement.text(5), decimals: Int(statement.integer(6))))
      if database.hasChecksums, statement.integer(7) != series[series.count - 1].checksum(labels: labels) {
        throw damaged("the row of series \(series.count - 1)", database)
      }
    }
    return series
  }

  /// - Throws: `corrupt` for a row that does not match its checksum: its ticks would get another wall time.
  static func epochs(_ database: Database) throws(BufferError) -> [Epoch] {
    let checksum = database.hasChecksums ? "crc" : "0"
    let statement = try database.prepare(
      "SELECT id, boot, first, from_ms, offset_ms, synced, \(checksum) FROM epoch ORDER BY id")
    var epochs: [Epoch] = []
    while try statement.step() {
      epochs.append(
        Epoch(
          id: Int(statement.integer(0)), boot: statement.text(1), firstSequence: statement.sequence(2),
          fromMilliseconds: statement.integer(3), offsetMilliseconds: statement.integer(4), synced: statement.integer(5) != 0))
      if database.hasChecksums, statement.integer(6) != epochs[epochs.count - 1].checksum {
        throw damaged("the row of epoch \(statement.integer(0))", database)
      }
    }
    return epochs
  }

  /// How far each uplink was; nil when a row does not match its checksum: any name or number may be another, so nothing counts as
  /// delivered.
  static func deliveries(_ database: Database) throws(BufferError) -> [String: DeliveryPosition]? {
    let checksum = database.hasChecksums ? "crc" : "0"
    var deliveries: [String: DeliveryPosition] = [:]
    let positions = try database.prepare("SELECT sink, next, event, \(checksum) FROM delivery")
    while try positions.step() {
      let position = DeliveryPosition(next: positions.sequence(1), event: positions.sequence(2))
      if database.hasChecksums, positions.integer(3) != position.checksum(of: positions.text(0)) { return nil }
      deliveries[positions.text(0)] = position
    }
    let owed = try database.prepare("SELECT sink, first, last, \(checksum) FROM owed ORDER BY sink, first")
    while try owed.step() {
      let (first, last) = (owed.sequence(1), owed.sequence(2))
      guard first <= last else {
        if database.hasChecksums { return nil }
        continue
      }
      if database.hasChecksums, owed.integer(3) != DeliveryPosition.checksum(of: owed.text(0), owed: first...last) { return nil }
      deliveries[owed.text(0)]?.owed.append(first...last)
    }
    return deliveries
  }

  /// Before the name of a note in `meta`.
  static let notePrefix = "note."

  static func notes(_ database: Database) throws(BufferError) -> [String: String] {
    var notes: [String: String] = [:]
    let statement = try database.prepare("SELECT key, value FROM meta WHERE key LIKE '\(notePrefix)%'")
    while try statement.step() { notes[String(statement.text(0).dropFirst(notePrefix.count))] = statement.text(1) }
    return notes
  }

  static func alerts(_ database: Database) throws(BufferError) -> [StoredAlert] {
    let statement = try database.prepare("SELECT rule, series, state, value, since FROM alert ORDER BY rule, series")
    var alerts: [StoredAlert] = []
    while try statement.step() {
      alerts.append(
        StoredAlert(
          rule: statement.text(0), series: statement.text(1), state: statement.text(2),
          value: statement.isNull(3) ? .nan : statement.real(3), sinceMilliseconds: statement.integer(4)))
    }
    return alerts
  }
}

/// Labels as one text: key and value alternate, each followed by the unit separator (U+001F).
enum LabelText {
  static func encode(_ labels: [Label]) -> String {
    labels.map { "\(clean($0.key))\u{1F}\(clean($0.value))\u{1F}" }.joined()
  }

  private static func clean(_ text: String) -> String {
    text.unicodeScalars.contains("\u{1F}") ? String(text.map { $0 == "\u{1F}" ? " " : $0 }) : text
  }

  static func decode(_ text: String) -> [Label] {
    let parts = text.split(separator: "\u{1F}", omittingEmptySubsequences: false)
    return stride(from: 0, to: parts.count - 1, by: 2).map { Label(String(parts[$0]), String(parts[$0 + 1])) }
  }
}
