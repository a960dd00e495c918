import Telemetry

/// How finely a value is kept.
public enum Tier: Int, CaseIterable, Sendable {
  /// Every tick.
  case raw = 0
  /// One rollup a minute of wall time.
  case minute = 1
  /// One rollup an hour of wall time.
  case hour = 2

  /// Milliseconds between two points; 0 for raw: whatever the tick is.
  public var stepMilliseconds: Int64 {
    switch self {
    case .raw: 0
    case .minute: 60_000
    case .hour: 3_600_000
    }
  }

  /// Its table.
  var table: String {
    switch self {
    case .raw: "block"
    case .minute: "minute"
    case .hour: "hour"
    }
  }
}

/// Values of one series taken together. Missing values and NaN are left out; a rollup of nothing has the count 0.
public struct Rollup: Hashable, Sendable {
  /// How many values.
  public var count = 0
  /// The least value.
  public var min = Double.infinity
  /// The greatest value.
  public var max = -Double.infinity
  /// Their sum: exact in the series' own decimals up to 2⁵³ of its last digit, as in decimal arithmetic.
  public var sum = 0.0
  /// The last value.
  public var last = Double.missing

  /// A rollup of nothing.
  public init() {}

  /// A rollup of scaled integers.
  init(_ integers: ArraySlice<Int64>, scale: Double) {
    guard var least = integers.first, let newest = integers.last else { return }
    var most = least
    var total: Int64 = 0
    for integer in integers {
      least = Swift.min(least, integer)
      most = Swift.max(most, integer)
      // At most 2¹⁶ rows of at most 2⁵³ each would overflow; the wrapped sum is then taken again in doubles.
      total &+= integer
    }
    count = integers.count
    (min, max, last) = (Double(least) / scale, Double(most) / scale, Double(newest) / scale)
    let bound = Swift.max(least.magnitude, most.magnitude).multipliedReportingOverflow(by: UInt64(count))
    sum =
      bound.overflow || bound.partialValue >= 1 << 62
      ? integers.reduce(0) { $0 + Double($1) } / scale : Double(total) / scale
  }

  /// The arithmetic mean; `missing` of nothing.
  public var mean: Double { count == 0 ? .missing : sum / Double(count) }

  /// Takes a later value.
  mutating func add(_ value: Double, scale: Double) {
    guard !value.isNaN else { return }
    count += 1
    min = Swift.min(min, value)
    max = Swift.max(max, value)
    sum = Self.sum(sum, value, scale)
    last = value
  }

  /// Takes later values together.
  mutating func add(_ later: Rollup, scale: Double) {
    guard later.count > 0 else { return }
    count += later.count
    min = Swift.min(min, later.min)
    max = Swift.max(max, later.max)
    sum = Self.sum(sum, later.sum, scale)
    last = later.last
  }

  /// Adds in whole numbers of the last digit where both are such: 0.1 + 0.2 is 0.3 here.
  @inline(__always)
  static func sum(_ one: Double, _ other: Double, _ scale: Double) -> Double {
    if scale == 1 { return one + other }
    guard let first = TickFormat.scaled(one, scale), let second = TickFormat.scaled(other, scale) else { return one + other }
    return Double(first + second) / scale
  }
}

/// The rollups of one series, bucket by bucket: a column of a rollup block.
struct RollupColumn {
  var rows: [Rollup] = []

  /// All rows as one.
  func total(scale: Double) -> Rollup {
    var total = Rollup()
    for row in rows { total.add(row, scale: scale) }
    return total
  }
}

/// Which rows of a block fall into which bucket of a coarser tier. A bucket ends with its epoch, too: the clock of one epoch is not
/// that of the next.
struct Buckets {
  /// The bucket of each row.
  private(set) var ofRow: [Int] = []
  /// The epoch and the begin, in its CLOCK_BOOTTIME milliseconds, of each bucket.
  private(set) var times = BlockTimes()

  /// Buckets of rows at these times. `offsets` make wall time of an epoch's; an epoch that is not known counts as wall time.
  init(_ rows: BlockTimes, step: Int64, offsets: [Int64: Int64]) {
    ofRow.reserveCapacity(rows.count)
    for row in 0..<rows.count {
      let epoch = rows.epochs[row]
      let offset = offsets[epoch] ?? 0
      let wall = rows.milliseconds[row] &+ offset
      let (quotient, remainder) = wall.quotientAndRemainder(dividingBy: step)
      let begin = (remainder < 0 ? quotient - 1 : quotient) &* step &- offset
      if times.count == 0 || times.epochs[times.count - 1] != epoch || times.milliseconds[times.count - 1] != begin {
        times.epochs.append(epoch)
        times.milliseconds.append(begin)
      }
      ofRow.append(times.count - 1)
    }
  }

  /// Rolls a raw column up.
  func rollUp(_ values: ArraySlice<Double>, scale: Double) -> RollupColumn {
    var column = RollupColumn(rows: Array(repeating: Rollup(), count: times.count))
    var row = 0
    for value in values {
      column.rows[ofRow[row]].add(value, scale: scale)
      row += 1
    }
    return column
  }

  /// Rolls a column of scaled integers up, one for each row.
  func rollUp(integers: [Int64], scale: Double) -> RollupColumn {
    var column = RollupColumn()
    column.rows.reserveCapacity(times.count)
    var start = 0
    while start < ofRow.count {
      var end = start
      while end < ofRow.count, ofRow[end] == ofRow[start] { end += 1 }
      column.rows.append(Rollup(integers[start..<end], scale: scale))
      start = end
    }
    return column
  }

  /// Rolls rollups up further.
  func rollUp(_ finer: RollupColumn, scale: Double) -> RollupColumn {
    var column = RollupColumn(rows: Array(repeating: Rollup(), count: times.count))
    for (row, rollup) in finer.rows.enumerated() { column.rows[ofRow[row]].add(rollup, scale: scale) }
    return column
  }
}
