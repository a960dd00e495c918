import Telemetry

/// Walks the points of one series in pieces, by ascending wall time, so that a long range takes constant memory.
public struct SeriesWalk {
  /// Blocks of which the series' part could not be read so far, by their first sequence number.
  public private(set) var damaged: Set<UInt64> = []
  private let reader: BufferReader
  private let series: Int
  private let range: ClosedRange<Int64>
  private let held: [ClosedRange<Int64>]
  private let tier: Tier
  private let step: Int64?
  private let window: Int64
  /// The first millisecond not read yet; nil at the end.
  private var next: Int64?

  /// Raw points of a day at 1 Hz are the most that one piece holds; of rollups about as many years as anybody keeps.
  private static func window(_ tier: Tier) -> Int64 { tier == .raw ? 86_400_000 : tier.stepMilliseconds * 43_200 }

  /// Begins at the lower end of a range of Unix milliseconds.
  ///
  /// - Parameters:
  ///   - range: only what the buffer holds of it is looked at.
  ///   - held: what the buffer holds, when that is known already.
  ///   - stepMilliseconds: joins points to one a step, which begins at a multiple of it since 1970; nil for all points of the tier.
  public init(
    _ reader: BufferReader, series: Int, wall range: ClosedRange<Int64>, tier: Tier, stepMilliseconds: Int64? = nil,
    held: [ClosedRange<Int64>]? = nil
  ) throws(BufferError) {
    self.reader = reader
    self.series = series
    self.tier = tier
    let step = stepMilliseconds.map { max($0, 1) }
    self.step = step
    let length = Self.window(tier)
    // Whole steps, so that none is cut in two.
    window = step.map { max(length / $0, 1) * $0 } ?? length
    var stretches = held ?? []
    if held == nil { stretches = try reader.wallStretches() }
    let reach = max(tier.stepMilliseconds, step ?? 0)
    self.held = stretches.map { $0.lowerBound.subtractingSaturated(reach)...$0.upperBound }
    self.range = range
    next = range.lowerBound
  }

  /// The next piece that has points; nil after the last.
  public mutating func advance() throws(BufferError) -> SeriesSamples? {
    while let from = next {
      // A clock that was set by decades leaves a hole as long, which is not walked through.
      guard let stretch = held.first(where: { $0.upperBound >= from }), stretch.lowerBound <= range.upperBound else {
        next = nil
        return nil
      }
      let start = max(from, stretch.lowerBound)
      let aligned = start.flooredMultiple(of: step ?? 1)
      let (end, overflow) = aligned.addingReportingOverflow(window - 1)
      let last = overflow ? range.upperBound : min(end, range.upperBound)
      next = last < range.upperBound ? last + 1 : nil
      var piece = try reader.samples(series: series, wall: start...last, tier: tier)
      damaged.formUnion(piece.damaged)
      if tier != .raw { piece.drop(before: start, after: last, isFirst: start != from || start == range.lowerBound) }
      if let step {
        let decimals = reader.series.indices.contains(series) ? reader.series[series].decimals : 0
        piece.join(step: step, decimals: decimals)
      }
      if !piece.wallMilliseconds.isEmpty { return piece }
    }
    return nil
  }
}

extension SeriesSamples {
  /// A rollup that begins before a piece belongs to the piece before it, but for the first.
  fileprivate mutating func drop(before start: Int64, after last: Int64, isFirst: Bool) {
    guard !isFirst else { return }
    let kept = wallMilliseconds.firstIndex { $0 >= start } ?? wallMilliseconds.count
    wallMilliseconds.removeFirst(kept)
    values.removeFirst(kept)
    rollups.removeFirst(min(kept, rollups.count))
  }

  /// One rollup a step.
  fileprivate mutating func join(step: Int64, decimals: Int) {
    let scale = Double.powersOfTen[min(max(decimals, 0), 9)]
    var times: [Int64] = []
    var joined: [Rollup] = []
    for (place, wall) in wallMilliseconds.enumerated() {
      let begin = wall.flooredMultiple(of: step)
      if times.last != begin {
        times.append(begin)
        joined.append(Rollup())
      }
      if rollups.isEmpty {
        joined[joined.count - 1].add(values[place], scale: scale)
      } else {
        joined[joined.count - 1].add(rollups[place], scale: scale)
      }
    }
    wallMilliseconds = []
    rollups = []
    for (time, rollup) in zip(times, joined) where rollup.count > 0 {
      wallMilliseconds.append(time)
      rollups.append(rollup)
    }
    values = rollups.map(\.mean)
  }
}

extension BufferReader {
  /// When the buffer holds anything in any tier: ranges of Unix milliseconds, ascending, a day and more apart. None when it is empty.
  public func wallStretches() throws(BufferError) -> [ClosedRange<Int64>] {
    var found = try stretches(wall: .min ... .max).map { min($0.firstWall, $0.lastWall)...max($0.firstWall, $0.lastWall) }
    let offsets = Dictionary(epochs.map { ($0.id, $0.offsetMilliseconds) }) { $1 }
    for tier in [Tier.minute, .hour] {
      for block in try database.blocks(tier) {
        guard let offset = offsets[block.epoch], let untilOffset = offsets[block.untilEpoch] else { continue }
        let (first, last) = (block.milliseconds &+ offset, block.untilMilliseconds &+ untilOffset)
        // One of several epochs may hold anything in between; those are in the ticks' ranges or close by.
        found += block.epoch == block.untilEpoch ? [min(first, last)...max(first, last)] : [first...first, last...last]
      }
    }
    var joined: [ClosedRange<Int64>] = []
    for range in found.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if let last = joined.last, range.lowerBound.subtractingSaturated(86_400_000) <= last.upperBound {
        joined[joined.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
      } else {
        joined.append(range)
      }
    }
    return joined
  }

  /// The tier that fits a step best: the coarsest of which a whole number of points makes a step, or another one where that no longer
  /// reaches back far enough.
  ///
  /// - Parameter from: Unix milliseconds at which the question begins.
  public func tier(stepMilliseconds: Int64, from: Int64) throws(BufferError) -> Tier {
    var query = SampleQuery(series: 0, range: from...Int64.max)
    var tier = Tier.raw
    let fitting = Tier.allCases.last { $0 == .raw || stepMilliseconds > 0 && stepMilliseconds % $0.stepMilliseconds == 0 } ?? .raw
    try database.snapshot { () throws(BufferError) in
      try refresh()
      query.learn(epochs)
      tier = try choose(step: fitting.stepMilliseconds, from: from, query)
    }
    return tier
  }

  /// Whether a tick that is in no block yet can lie in a range: the rows of an epoch begin after it does.
  func rowsMayHold(_ range: ClosedRange<Int64>, reach: Int64) throws(BufferError) -> Bool {
    let statement = try database.prepare("SELECT epoch, at FROM tick ORDER BY seq LIMIT 1")
    guard try statement.step() else { return false }
    let (first, at) = (Int(statement.integer(0)), statement.integer(1))
    let begins = epochs.filter { $0.id >= first }.map { epoch in
      (epoch.id == first ? at : epoch.fromMilliseconds) &+ epoch.offsetMilliseconds
    }
    guard epochs.contains(where: { $0.id == first }), let earliest = begins.min() else { return true }
    return earliest.subtractingSaturated(reach) <= range.upperBound
  }
}

extension Int64 {
  /// The greatest multiple of a step, above zero, that is not above.
  public func flooredMultiple(of step: Int64) -> Int64 {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: step)
    return (remainder < 0 ? quotient - 1 : quotient).multipliedReportingOverflow(by: step).partialValue
  }
}
