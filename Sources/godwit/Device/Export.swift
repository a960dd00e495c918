import Buffer
import Platform
import Telemetry

/// An export being made: which series of which stretch, all points or one a step.
final class Export {
  /// Cells of the table that a stepped export holds at a time: 4 MiB.
  private static let cells = 1 << 19

  let span: StoredSpan
  let series: [StoredSeries]
  /// Whether only some series are wanted.
  let isFiltered: Bool
  var progress = Progress(total: 0, isShown: false)
  private(set) var stepMilliseconds: Int64?
  private(set) var tier = Tier.raw
  private var damage = ReadDamage()
  private var damagedBlocks: Set<UInt64> = []
  private var repeated = 0

  init(span: StoredSpan, series: [StoredSeries], isFiltered: Bool) {
    self.span = span
    self.series = series
    self.isFiltered = isFiltered
  }

  /// One point a step from now on.
  func step(by milliseconds: Int64) throws {
    stepMilliseconds = milliseconds
    tier = try span.reader.tier(stepMilliseconds: milliseconds, from: span.from)
  }

  /// What has to be told about a tier that is coarser than asked for.
  var coarseness: String {
    guard let stepMilliseconds, tier.stepMilliseconds > stepMilliseconds else { return "" }
    return ": what is finer does not reach back so far"
  }

  /// What was left out, for people.
  var remarks: [String] {
    var lines: [String] = []
    for (count, noun) in [
      (damage.ticks, "damaged tick"), (damage.columns, "damaged column"), (damagedBlocks.count, "damaged block"),
    ] where count > 0 {
      lines.append("left out: \(counted(count, noun)); godwit buffer verify says which")
    }
    if repeated > 0 {
      lines.append(
        "left out: \(counted(repeated, "value")): the clock was set back, and a value of the same time was there already")
    }
    return lines
  }

  /// How much is to be done: ticks, for each series where they are read one by one.
  var work: UInt64 { (try? span.count()) ?? 0 }

  func write(_ format: ExportFormat, to sink: ExportSink) throws {
    if format == .openmetrics { return try writeMetrics(to: sink) }
    if let stepMilliseconds { return try writeSteps(stepMilliseconds, format, to: sink) }
    var writer = ExportWriter(format, series: span.reader.series, only: isFiltered ? Set(series.map(\.id)) : nil)
    try sink.put(writer.header)
    var failure: (any Error)?
    damage = try span.each { tick in
      do {
        try progress.step()
        if let line = writer.line(tick) { try sink.put(line) }
        return true
      } catch {
        failure = error
        return false
      }
    }
    if let failure { throw failure }
  }

  /// A window of steps at a time, of which each series is read alone.
  private func writeSteps(_ step: Int64, _ format: ExportFormat, to sink: ExportSink) throws {
    let writer = SteppedWriter(format, series: series)
    try sink.put(writer.header)
    let rows = min(max(Self.cells / max(series.count, 1), 64), 4_096)
    let share = max(work / UInt64(max((span.to - span.from) / step / Int64(rows) + 1, 1)) / UInt64(max(series.count, 1)), 1)
    var begin = span.from.flooredMultiple(of: step)
    while begin <= span.to {
      // Past the holes that a clock set by decades leaves.
      guard let stretch = span.held.first(where: { $0.upperBound >= begin }) else { break }
      begin = max(begin, stretch.lowerBound.flooredMultiple(of: step))
      if begin > span.to { break }
      let end = begin &+ step * Int64(rows) &- 1
      var cells = [Double](repeating: .missing, count: rows * series.count)
      for (column, series) in series.enumerated() {
        let window = max(begin, span.from)...min(end, span.to)
        try each(of: series, in: window) { time, value in
          let row = Int((time - begin) / step)
          if row >= 0, row < rows { cells[row * self.series.count + column] = value }
        }
        try progress.step(by: share)
      }
      for row in 0..<rows {
        let values = cells[row * series.count..<(row + 1) * series.count]
        if values.allSatisfy(\.isMissing) { continue }
        try sink.put(writer.line(begin + Int64(row) * step, values))
      }
      begin = end + 1
    }
  }

  private func writeMetrics(to sink: ExportSink) throws {
    let families = OpenMetrics.families(series)
    let share = max(work / UInt64(max(series.count, 1)), 1)
    for family in families {
      try sink.put(family.head)
      for series in family.series {
        let prefix = family.prefix(of: series)
        var last: Int64?
        try each(of: series, in: span.from...span.to) { time, value in
          guard last.map({ time > $0 }) ?? true else {
            repeated += 1
            return
          }
          last = time
          try sink.put(OpenMetrics.line(prefix, value, time))
        }
        try progress.step(by: share)
      }
    }
    try sink.put(OpenMetrics.end)
  }

  func writeSamples(to path: String) throws {
    let staged = try StagedFile(path: path)
    let file = try SampleFile(path: staged.stagedPath)
    let share = max(work / UInt64(max(series.count, 1)), 1)
    for series in series {
      try file.append(series)
      try each(of: series, in: span.from...span.to) { time, value in
        try file.append(series: series.id, wallMilliseconds: time, value: value)
      }
      try progress.step(by: share)
    }
    try file.finish()
    try staged.place()
  }

  /// The points of one series: the mean of a gauge and the last of a counter where several are taken together.
  private func each(
    of series: StoredSeries, in range: ClosedRange<Int64>, _ body: (Int64, Double) throws -> Void
  ) throws {
    var walk = try SeriesWalk(
      span.reader, series: series.id, wall: range, tier: tier, stepMilliseconds: stepMilliseconds, held: span.held)
    let isCounter = series.kind == MetricKind.counter.rawValue
    while let piece = try walk.advance() {
      for (place, time) in piece.wallMilliseconds.enumerated() {
        try body(time, isCounter && !piece.rollups.isEmpty ? piece.rollups[place].last : piece.values[place])
      }
      if Interruption.isPending { throw Failure("interrupted: nothing was written", status: Interruption.exitStatus) }
    }
    damagedBlocks.formUnion(walk.damaged)
  }
}
