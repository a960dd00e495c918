import Telemetry

/// What reading all of a buffer found.
public struct Verification: Hashable, Sendable {
  /// Something that is wrong.
  public struct Finding: Hashable, Sendable {
    /// What, and where.
    public var what: String
    /// What is lost by it.
    public var cost: String
  }

  /// Findings kept; more are only counted.
  public static let findings = 100

  /// Sealed blocks that were read.
  public var blocks = 0
  /// Columns whose checksum and coding were checked.
  public var columns = 0
  /// Tick rows that were decoded.
  public var ticks = 0
  /// What is wrong, in the order of reading.
  public private(set) var findings: [Finding] = []
  /// How much is wrong, also beyond `findings`.
  public private(set) var count = 0

  /// Whether nothing is wrong.
  public var isGood: Bool { count == 0 }

  mutating func note(_ what: String, cost: String) {
    count += 1
    if findings.count < Self.findings { findings.append(Finding(what: what, cost: cost)) }
  }
}

extension BufferReader {
  /// Reads everything: SQLite's own structure, each block's and column's checksum, each tick row, and the order of the numbers. Changes
  /// nothing. The writer may go on; its log grows meanwhile. A damaged series or epoch was refused when the file was opened.
  public func verify() throws(BufferError) -> Verification {
    var found = Verification()
    try database.snapshot { () throws(BufferError) in
      try refresh()
      try checkPages(&found)
      for tier in Tier.allCases where database.hasBlocks { try check(tier, &found) }
      try checkRows(&found)
      try checkEpochs(&found)
      if try StoredState.deliveries(database) == nil {
        found.note("what was delivered does not match its checksum", cost: "nothing: all is delivered again")
      }
    }
    return found
  }

  private func checkPages(_ found: inout Verification) throws(BufferError) {
    let statement = try database.prepare("PRAGMA integrity_check(20)")
    do throws(BufferError) {
      while try statement.step() {
        let line = statement.text(0)
        if line != "ok" { found.note("the database's pages: \(line)", cost: "what those pages hold") }
      }
    } catch  where error.kind == .corrupt {
      found.note("the database's pages: \(error.message)", cost: "what those pages hold")
    }
  }

  private func check(_ tier: Tier, _ found: inout Verification) throws(BufferError) {
    var decoder = ColumnDecoder()
    var before: UInt64?
    do throws(BufferError) {
      for record in try database.blocks(tier) {
        found.blocks += 1
        let name = "\(tier.table) \(record.first)–\(record.last)"
        if record.sequences == nil {
          found.note("\(name): the block ends before it begins", cost: "queries by number")
        } else if let before, record.first <= before {
          found.note("\(name): overlaps the block before", cost: "the order of its rows")
        }
        before = max(before ?? 0, record.last)
        try check(record, name, &decoder, &found)
      }
    } catch  where error.kind == .corrupt || error.kind == .newer {
      found.note("table \(tier.table): \(error.message)", cost: "the blocks from there on")
    }
  }

  private func check(
    _ record: BlockRecord, _ name: String, _ decoder: inout ColumnDecoder, _ found: inout Verification
  ) throws(BufferError) {
    guard var block = try StoredBlock(record, database) else {
      return found.note("\(name): head or directory is damaged", cost: "its rows of all series, \(record.rows)")
    }
    let times = block.directory.times
    if block.directory.head.rows != record.rows {
      found.note("\(name): holds \(block.directory.head.rows) rows and was noted with \(record.rows)", cost: "the counts")
    }
    if !record.agrees(with: times) {
      found.note("\(name): its record says other numbers or times than its directory", cost: "queries by time or number")
    }
    if zip(times.sequences, times.sequences.dropFirst()).contains(where: { $0 >= $1 }) {
      found.note("\(name): its sequence numbers do not ascend", cost: "the order of its rows")
    }
    for epoch in Set(times.epochs) where !epochs.contains(where: { Int64($0.id) == epoch }) {
      found.note("\(name): epoch \(epoch) is not there", cost: "the wall time of its rows, \(times.epochs.count { $0 == epoch })")
    }
    for entry in block.directory.entries {
      found.columns += 1
      let isGood =
        record.tier == .raw ? try block.values(entry, &decoder) != nil : try block.rollups(entry, &decoder) != nil
      if isGood, series.indices.contains(entry.series) { continue }
      let key = series.indices.contains(entry.series) ? series[entry.series].key : "unknown series \(entry.series)"
      found.note(
        "\(name): the column of \(key) is \(isGood ? "without a name" : "damaged")", cost: "its values there, \(entry.form.count)"
      )
    }
  }

  private func checkRows(_ found: inout Verification) throws(BufferError) {
    var decoder = TickDecoder(decimals: series.map(\.decimals))
    var before = database.hasBlocks ? try database.lastBlock()?.last ?? 0 : 0
    let known = Set(epochs.map { Int64($0.id) })
    let statement = try database.prepare("SELECT seq, epoch, at, back, [values] FROM tick ORDER BY seq")
    do throws(BufferError) {
      while try statement.step() {
        let stamp = TickStamp(statement)
        let name = "tick \(stamp.sequence)"
        found.ticks += 1
        if stamp.sequence <= before { found.note("\(name): comes after \(before)", cost: "the order of the ticks") }
        before = stamp.sequence
        if !known.contains(stamp.epoch) { found.note("\(name): epoch \(stamp.epoch) is not there", cost: "the tick") }
        switch statement.withBlob(4, { decoder.decode(stamp, row: $0) }) {
        case nil: break
        case .damaged: found.note("\(name): its values are damaged", cost: "the tick")
        case .baseMissing: found.note("\(name): the tick it follows is lacking", cost: "the tick")
        case .unknownFormat(let format): found.note("\(name): its format \(format) is a later one", cost: "the tick")
        }
      }
    } catch  where error.kind == .corrupt {
      found.note("the tick rows: \(error.message)", cost: "the ticks after \(before)")
    }
  }

  private func checkEpochs(_ found: inout Verification) throws(BufferError) {
    for (one, next) in zip(epochs, epochs.dropFirst()) where next.firstSequence < one.firstSequence {
      found.note("epoch \(next.id): begins before epoch \(one.id)", cost: "the wall times between them")
    }
  }
}

extension BlockRecord {
  /// Whether it says what the directory says, which is under a checksum. Rows that were damaged when they were sealed leave the ends open.
  fileprivate func agrees(with times: BlockTimes) -> Bool {
    times.epochs.first == Int64(epoch) && times.epochs.last == Int64(untilEpoch) && times.milliseconds.first == milliseconds
      && times.milliseconds.last == untilMilliseconds && seals >= 0
      && times.sequences.allSatisfy { (Int64(clamping: first)...Int64(clamping: max(first, last))).contains($0) }
  }
}
