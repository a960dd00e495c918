import Telemetry

// A minute or an hour of a rollup block begins where the clock of its time said. The first synchronisation corrects the clock of ticks that
// are sealed already: their buckets then begin at any second. As long as the ticks themselves are there, such buckets are left alone and
// made anew from the ticks, at the question; nothing is written again. Once the ticks are gone, the buckets are given as they are, with the
// time at which they really began.
extension SampleQuery {
  /// The stretch of an epoch, in CLOCK_BOOTTIME milliseconds, in which ticks stand in for buckets.
  struct Shift {
    var from: Int64
    var end: Int64
  }

  /// The first tick that is sealed: before it there is nothing to make buckets from.
  struct RawBegin {
    var sequence: UInt64
    var epoch: Int64
    var milliseconds: Int64
  }

  /// The range widened to whole buckets.
  var wholeBuckets: ClosedRange<Int64> {
    let step = max(found.tier.stepMilliseconds, 1)
    let end = range.upperBound.flooredMultiple(of: step).addingReportingOverflow(step - 1)
    return min(range.lowerBound.flooredMultiple(of: step), range.lowerBound)...(end.overflow ? .max : end.partialValue)
  }

  /// Whether ticks stand in for a bucket; notes it. Buckets come in their order.
  mutating func isShifted(_ epoch: Int64, _ milliseconds: Int64, wall: Int64) -> Bool {
    let step = found.tier.stepMilliseconds
    if let shift = shifts[epoch], milliseconds < shift.end {
      // Also the first bucket that was made after the correction: it shares a minute with the last one before.
      shifts[epoch]?.end = max(shift.end, milliseconds &+ step)
      return true
    }
    guard wall.flooredMultiple(of: step) != wall, let begin = rawBegin else { return false }
    let isWhole = firstSequences[epoch].map { begin.sequence <= $0 } ?? false
    guard isWhole || epoch == begin.epoch && milliseconds >= begin.milliseconds else { return false }
    shifts[epoch] = Shift(from: min(shifts[epoch]?.from ?? .max, milliseconds), end: milliseconds &+ step)
    return true
  }

  /// Rolls up the sealed ticks of shifted epochs, block by block.
  mutating func readShifted(_ database: Database) throws(BufferError) {
    guard let first = shifts.keys.min(), let last = shifts.keys.max() else { return }
    var decoder = ColumnDecoder()
    for record in try database.blocks(.raw, where: "until_epoch >= \(first) AND epoch <= \(last)").reachingNeighbours {
      guard mayHold(record, wholeBuckets), mayBeShifted(record) else { continue }
      guard var block = try StoredBlock(record, only: series, database) else {
        found.damaged.insert(record.first)
        continue
      }
      guard let entry = block.directory.entries.first else { continue }
      guard let values = try block.values(entry, &decoder) else {
        found.damaged.insert(record.first)
        continue
      }
      addShifted(values, block.directory.times, scale: Double.powersOfTen[entry.form.digits])
    }
  }

  /// A boot has one epoch for days: most of its blocks lie behind the correction.
  private func mayBeShifted(_ record: BlockRecord) -> Bool {
    guard record.epoch == record.untilEpoch, record.isInOrder else { return true }
    guard let shift = shifts[Int64(record.epoch)] else { return false }
    return record.milliseconds < shift.end && record.untilMilliseconds >= shift.from
  }

  private mutating func addShifted(_ values: [Double], _ times: BlockTimes, scale: Double) {
    let wanted = wholeBuckets
    let step = found.tier.stepMilliseconds
    // Ticks of one bucket follow each other but where an epoch ends; what is in two parts is joined when all is ordered.
    for row in 0..<times.count {
      guard !values[row].isNaN, let shift = shifts[times.epochs[row]], times.milliseconds[row] >= shift.from,
        times.milliseconds[row] < shift.end,
        let wall = wall(times.epochs[row], times.milliseconds[row]), wanted.contains(wall)
      else { continue }
      let begin = wall.flooredMultiple(of: step)
      let epoch = times.epochs[row]
      if found.wallMilliseconds.last != begin || newestEpoch != epoch { append(Rollup(), at: begin, epoch) }
      found.rollups[found.rollups.count - 1].add(values[row], scale: scale)
    }
  }
}
