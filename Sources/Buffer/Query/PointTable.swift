import Telemetry

/// A table of points as SQL sees it: the raw tier, minutes or hours of all series, made while it is read.
final class PointTable {
  /// The columns, in the order of the declaration.
  enum Column: Int32 {
    case time = 0
    case metric, labels, value, unit, series, least, most, last, count
  }

  let reader: BufferReader
  let tier: Tier
  /// The series' labels as JSON objects.
  private var labels: [String] = []
  /// Why the last call failed.
  var failure: BufferError?
  /// Points that were read for queries so far.
  var pointsRead = 0
  /// Blocks of which some could not be read, by their first sequence number.
  var damaged: Set<UInt64> = []

  init(_ reader: BufferReader, _ tier: Tier) {
    self.reader = reader
    self.tier = tier
  }

  var name: String {
    switch tier {
    case .raw: "samples"
    case .minute: "minutes"
    case .hour: "hours"
    }
  }

  var declaration: String {
    "CREATE TABLE x(time REAL, metric TEXT, labels TEXT, value REAL, unit TEXT, series INTEGER"
      + (tier == .raw ? " HIDDEN)" : " HIDDEN, least REAL, most REAL, last REAL, count INTEGER)")
  }

  func labels(of series: Int) -> String {
    while labels.count < reader.series.count { labels.append(reader.series[labels.count].labelObject) }
    return labels.indices.contains(series) ? labels[series] : ""
  }
}

/// What a query's conditions leave of the table. Never narrower than they are: SQLite checks each row again.
struct PointFilter {
  var range = Int64.min...Int64.max
  var metric: String?
  /// What the metric's name begins with.
  var prefix: String?
  var labels: String?
  var series: Int64?

  /// Takes a lower bound in Unix seconds.
  mutating func begin(at seconds: Double) {
    let low = Self.milliseconds(seconds, by: -1)
    range = low...max(range.upperBound, low)
  }

  /// Takes an upper bound in Unix seconds.
  mutating func end(at seconds: Double) {
    let high = Self.milliseconds(seconds, by: 1)
    range = min(range.lowerBound, high)...high
  }

  /// A millisecond beyond, for what rounding takes.
  private static func milliseconds(_ seconds: Double, by margin: Int64) -> Int64 {
    guard seconds.magnitude < 1e15 else { return seconds < 0 ? .min + 1 : .max - 1 }
    return Int64((seconds * 1_000).rounded()) + margin
  }

  /// Takes a GLOB's pattern: what stands before the first wildcard.
  mutating func glob(_ pattern: String) {
    prefix = String(pattern.prefix { !"*?[".contains($0) })
  }

  func admits(_ candidate: StoredSeries, _ table: PointTable) -> Bool {
    if let metric, candidate.name != metric { return false }
    if let prefix, !candidate.name.utf8.starts(with: prefix.utf8) { return false }
    if let series, series != Int64(candidate.id) { return false }
    if let labels, table.labels(of: candidate.id) != labels { return false }
    return true
  }
}

/// A walk over the points that a filter leaves: series by series, each by ascending time.
final class PointCursor {
  let table: PointTable
  private var waiting: ArraySlice<Int> = []
  private var range = Int64.min...Int64.max
  private var walk: SeriesWalk?
  private var piece: SeriesSamples?
  private var place = 0
  private(set) var series = 0
  private(set) var isAtEnd = true

  init(_ table: PointTable) { self.table = table }

  func begin(_ filter: PointFilter) throws(BufferError) {
    try table.reader.refresh()
    waiting = table.reader.series.filter { filter.admits($0, table) }.map(\.id)[...]
    range = filter.range
    (walk, piece, place, isAtEnd) = (nil, nil, -1, false)
    try advance()
  }

  func advance() throws(BufferError) {
    place += 1
    if let piece, place < piece.wallMilliseconds.count { return }
    while true {
      if let found = try walk?.advance() {
        piece = found
        place = 0
        table.pointsRead += found.wallMilliseconds.count
        return
      }
      if let walk { table.damaged.formUnion(walk.damaged) }
      piece = nil
      guard let next = waiting.popFirst() else {
        walk = nil
        isAtEnd = true
        return
      }
      series = next
      walk = try SeriesWalk(table.reader, series: next, wall: range, tier: table.tier)
    }
  }

  /// The same for the same row in each walk, as SQLite needs it to join the answers of an OR: the series in 16 bits, the time in 43 (to the
  /// year 2248), and in 4 which one of those that a clock set back gave the same time.
  var row: Int64 {
    guard let times = piece?.wallMilliseconds else { return 0 }
    var before = place
    while before > 0, times[before - 1] == times[place], place - before < 15 { before -= 1 }
    return Int64(series & 0xFFFF) << 47 | (times[place] & (1 << 43 - 1)) << 4 | Int64(place - before)
  }

  /// Unix seconds.
  var time: Double { (piece?.wallMilliseconds[place]).map { Double($0) / 1_000 } ?? 0 }
  var value: Double { piece?.values[place] ?? .missing }
  var rollup: Rollup { piece?.rollups.isEmpty == false ? piece?.rollups[place] ?? Rollup() : Rollup() }
}

extension StoredSeries {
  /// The labels as a JSON object: `{"mount":"/"}`, `{}` without any.
  public var labelObject: String {
    var json = JSONWriter()
    json.beginObject()
    for label in labels { json.member(label.key, label.value) }
    json.endObject()
    return String(decoding: json.bytes, as: UTF8.self)
  }
}
