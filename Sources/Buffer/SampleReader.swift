import Telemetry

/// Points of one series, by ascending wall time.
public struct SeriesSamples: Sendable {
  /// Where they come from. Of a tier of rollups the newest points, not yet sealed, are made from ticks.
  public var tier: Tier
  /// Unix milliseconds: of the tick, or of the begin of the minute or hour.
  public var wallMilliseconds: [Int64] = []
  /// The value; in a tier of rollups the mean.
  public var values: [Double] = []
  /// One rollup a point; empty in the raw tier.
  public var rollups: [Rollup] = []
  /// Blocks of which this series' part could not be read, by their first sequence number.
  public var damaged: Set<UInt64> = []

  /// How many those are.
  public var damagedBlocks: Int { damaged.count }
}

extension BufferReader {
  /// Reads the points of one series in a range of Unix milliseconds, without the other series. Missing values and NaN of rollups are
  /// left out.
  ///
  /// - Parameters:
  ///   - series: the series' id.
  ///   - stepMilliseconds: how far apart the points may be; nil for about a thousand points over the range.
  ///   - tier: which tier; nil for the coarsest that is fine enough for the step, or another that reaches back further.
  public func samples(
    series: Int, wall range: ClosedRange<Int64>, stepMilliseconds: Int64? = nil, tier: Tier? = nil
  ) throws(BufferError) -> SeriesSamples {
    var query = SampleQuery(series: series, range: range)
    try database.snapshot { () throws(BufferError) in
      try refresh()
      query.learn(epochs)
      let span = range.upperBound.subtractingSaturated(range.lowerBound)
      if let tier {
        query.found.tier = tier
      } else {
        query.found.tier = try choose(step: stepMilliseconds ?? max(span / 1_000, 1), from: range.lowerBound, query)
      }
      try query.readBlocks(database)
      try readRows(&query)
    }
    return query.finish(decimals: self.series.indices.contains(series) ? self.series[series].decimals : 0)
  }

  func choose(step: Int64, from: Int64, _ query: SampleQuery) throws(BufferError) -> Tier {
    var best = Tier.allCases.last { $0.stepMilliseconds <= step } ?? .raw
    var reach = try oldest(best, query) ?? .max
    // A tier that was evicted already answers with nothing: then one that goes back further, the coarser ones first; a finer one where
    // ticks are kept longer than rollups.
    let fitting = best.rawValue
    let others = Tier.allCases.filter { $0.rawValue > fitting } + Tier.allCases.filter { $0.rawValue < fitting }.reversed()
    for other in others where reach > from {
      let coarser = max(other.stepMilliseconds, best.stepMilliseconds)
      guard let further = try oldest(other, query), further < reach.subtractingSaturated(coarser) else { continue }
      (best, reach) = (other, further)
    }
    return best
  }

  /// The wall time of the first row of a tier's blocks.
  private func oldest(_ tier: Tier, _ query: SampleQuery) throws(BufferError) -> Int64? {
    guard let first = try database.blocks(tier, limit: 1).first else { return nil }
    return query.wall(Int64(first.epoch), first.milliseconds)
  }

  /// The tick rows that are in no block yet.
  private func readRows(_ query: inout SampleQuery) throws(BufferError) {
    guard try rowsMayHold(query.range, reach: query.found.tier.stepMilliseconds) else { return }
    let statement = try database.prepare("SELECT seq, epoch, at, back, [values] FROM tick ORDER BY seq")
    var decoder = TickDecoder(decimals: series.map(\.decimals))
    while try statement.step() {
      let stamp = TickStamp(statement)
      let failure = statement.withBlob(4) { decoder.decode(stamp, row: $0) }
      if case .unknownFormat(let format) = failure { throw TickDecoder.unknown(format, database) }
      guard failure == nil else { continue }
      guard decoder.values.indices.contains(query.series) else { continue }
      query.addTick(stamp.epoch, stamp.milliseconds, decoder.values[query.series])
    }
  }
}

/// A question for one series, being answered.
struct SampleQuery {
  let series: Int
  let range: ClosedRange<Int64>
  var found = SeriesSamples(tier: .raw)
  private var offsets: [Int64: Int64] = [:]
  private var lastEpoch: (id: Int64, offset: Int64?)?
  /// Of a tier of rollups: see `Realignment`.
  var shifts: [Int64: Shift] = [:]
  private(set) var firstSequences: [Int64: UInt64] = [:]
  var rawBegin: RawBegin?
  /// Values of ticks that still have to be rolled up.
  private var loose: [(epoch: Int64, wall: Int64, value: Double)] = []
  /// Of a tier of rollups: the epoch of each point. Points made from ticks come behind those of later epochs.
  private var pointEpochs: [Int64] = []

  init(series: Int, range: ClosedRange<Int64>) {
    self.series = series
    self.range = range
  }

  mutating func learn(_ epochs: [Epoch]) {
    for epoch in epochs {
      offsets[Int64(epoch.id)] = epoch.offsetMilliseconds
      firstSequences[Int64(epoch.id)] = epoch.firstSequence
    }
  }

  func wall(_ epoch: Int64, _ milliseconds: Int64) -> Int64? { offsets[epoch].map { milliseconds &+ $0 } }

  /// Reads the tier's blocks that can hold points of the range.
  mutating func readBlocks(_ database: Database) throws(BufferError) {
    var decoder = ColumnDecoder()
    if found.tier != .raw, let oldest = try database.blocks(.raw, limit: 1).first {
      rawBegin = RawBegin(sequence: oldest.first, epoch: Int64(oldest.epoch), milliseconds: oldest.milliseconds)
    }
    let wanted = found.tier == .raw ? range : wholeBuckets
    let records = try database.blocks(found.tier).reachingNeighbours.filter { mayHold($0, wanted) }
    // Growing would touch twice the memory; a damaged record must not ask for more than there can be.
    let rows = records.reduce(BufferLimits.ticksPerBlock) { min($0 + min(max($1.rows, 0), BufferLimits.rowsPerBlock), 1 << 20) }
    found.wallMilliseconds.reserveCapacity(rows)
    if found.tier == .raw { found.values.reserveCapacity(rows) }
    for record in records {
      guard var block = try StoredBlock(record, only: series, database) else {
        found.damaged.insert(record.first)
        continue
      }
      guard let entry = block.directory.entries.first else { continue }
      if found.tier == .raw {
        if let values = try block.values(entry, &decoder) {
          add(values, block.directory.times, isWhole: entry.form.count == values.count)
        } else {
          found.damaged.insert(record.first)
        }
      } else if let column = try block.rollups(entry, &decoder) {
        add(column, block.directory.times)
      } else {
        found.damaged.insert(record.first)
      }
    }
    try readShifted(database)
  }

  /// Whether a block of one epoch lies in a range; one of several may.
  func mayHold(_ record: BlockRecord, _ range: ClosedRange<Int64>) -> Bool {
    guard record.epoch == record.untilEpoch, record.isInOrder, let offset = offsets[Int64(record.epoch)] else { return true }
    let reach = max(found.tier.stepMilliseconds - 1, 0)
    return record.milliseconds &+ offset <= range.upperBound
      && (record.untilMilliseconds &+ offset).addingReportingOverflow(reach).partialValue >= range.lowerBound
  }

  /// Rows of one epoch at a time: where the whole run lies in the range, it is copied without a look at each row.
  private mutating func add(_ values: [Double], _ times: BlockTimes, isWhole: Bool) {
    var start = 0
    while start < times.count {
      let epoch = times.epochs[start]
      var end = start + 1
      while end < times.count, times.epochs[end] == epoch { end += 1 }
      defer { start = end }
      guard let offset = offsets[epoch] else { continue }
      // Within an epoch the times ascend.
      if isWhole, range.contains(times.milliseconds[start] &+ offset), range.contains(times.milliseconds[end - 1] &+ offset) {
        found.wallMilliseconds.append(contentsOf: times.milliseconds[start..<end].lazy.map { $0 &+ offset })
        found.values.append(contentsOf: values[start..<end])
        continue
      }
      for row in start..<end {
        let wall = times.milliseconds[row] &+ offset
        guard range.contains(wall), !values[row].isMissing else { continue }
        found.wallMilliseconds.append(wall)
        found.values.append(values[row])
      }
    }
  }

  private mutating func add(_ column: RollupColumn, _ times: BlockTimes) {
    let reach = found.tier.stepMilliseconds - 1
    let wanted = wholeBuckets
    for (row, rollup) in column.rows.enumerated() where rollup.count > 0 {
      let (epoch, at) = (times.epochs[row], times.milliseconds[row])
      guard let wall = wall(epoch, at), wall <= wanted.upperBound, wall &+ reach >= wanted.lowerBound else { continue }
      if isShifted(epoch, at, wall: wall) { continue }
      guard wall <= range.upperBound, wall &+ reach >= range.lowerBound else { continue }
      append(rollup, at: wall, epoch)
    }
  }

  /// The epoch of the point that came last.
  var newestEpoch: Int64? { pointEpochs.last }

  mutating func append(_ rollup: Rollup, at wall: Int64, _ epoch: Int64) {
    found.wallMilliseconds.append(wall)
    found.rollups.append(rollup)
    pointEpochs.append(epoch)
  }

  /// Takes the value of a tick that is not sealed.
  mutating func addTick(_ epoch: Int64, _ milliseconds: Int64, _ value: Double) {
    guard !value.isMissing, let wall = wall(epoch, milliseconds) else { return }
    if found.tier == .raw {
      guard range.contains(wall) else { return }
      found.wallMilliseconds.append(wall)
      found.values.append(value)
    } else if !value.isNaN {
      loose.append((epoch, wall, value))
    }
  }

  /// Rolls up what is loose, joins points of the same time, and orders where the clock was set back.
  func finish(decimals: Int) -> SeriesSamples {
    var result = found
    var epochs = pointEpochs
    let step = result.tier.stepMilliseconds
    let scale = Double.powersOfTen[min(max(decimals, 0), 9)]
    for (epoch, wall, value) in loose where step > 0 {
      // A damaged row's time may be any number.
      let begin = wall &- ((wall % step) + step) % step
      guard begin <= range.upperBound, begin &+ (step - 1) >= range.lowerBound else { continue }
      var rollup = Rollup()
      rollup.add(value, scale: scale)
      if result.wallMilliseconds.last == begin, epochs.last == epoch {
        result.rollups[result.rollups.count - 1].add(rollup, scale: scale)
      } else {
        result.wallMilliseconds.append(begin)
        result.rollups.append(rollup)
        epochs.append(epoch)
      }
    }
    result.order(scale: scale, epochs)
    if step > 0 { result.values = result.rollups.map(\.mean) }
    return result
  }
}

extension SeriesSamples {
  /// By time, then by age: of values with the same time the last one is that of the latest epoch.
  fileprivate mutating func order(scale: Double, _ epochs: [Int64]) {
    let isOrdered = zip(wallMilliseconds, wallMilliseconds.dropFirst()).allSatisfy { $0 < $1 }
    guard !isOrdered else { return }
    let ages = tier == .raw ? [Int64](repeating: 0, count: wallMilliseconds.count) : epochs
    let places = wallMilliseconds.indices.sorted { (wallMilliseconds[$0], ages[$0], $0) < (wallMilliseconds[$1], ages[$1], $1) }
    let all = self
    wallMilliseconds = []
    values = []
    rollups = []
    for place in places {
      let wall = all.wallMilliseconds[place]
      if tier != .raw, wallMilliseconds.last == wall {
        rollups[rollups.count - 1].add(all.rollups[place], scale: scale)
        continue
      }
      wallMilliseconds.append(wall)
      if tier == .raw { values.append(all.values[place]) } else { rollups.append(all.rollups[place]) }
    }
  }
}
