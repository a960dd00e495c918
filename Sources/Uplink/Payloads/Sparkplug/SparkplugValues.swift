import Telemetry

/// What each metric is now, and what the host was told of it, by place in the table.
struct SparkplugValues {
  /// The newest value; `missing` when there is none.
  private(set) var current: [Double] = []
  /// When it was taken, Unix milliseconds; `Int64.max` before the first time.
  private(set) var times: [Int64] = []
  /// What the host knows.
  private var told: [Double] = []
  /// When a series last gave something, CLOCK_BOOTTIME milliseconds; −1 before the first time.
  private var seen: [Int64] = []
  /// How long before that it gave something; 0 when it gave but one value.
  private var intervals: [Int64] = []
  /// Whether any tick was taken.
  private(set) var hasTick = false

  /// Makes room for new metrics; they have no value.
  mutating func grow(to count: Int) {
    let missing = count - current.count
    guard missing > 0 else { return }
    current.append(contentsOf: repeatElement(.missing, count: missing))
    times.append(contentsOf: repeatElement(.max, count: missing))
    told.append(contentsOf: repeatElement(.missing, count: missing))
    seen.append(contentsOf: repeatElement(-1, count: missing))
    intervals.append(contentsOf: repeatElement(0, count: missing))
  }

  /// Takes a tick. A sensor with an `every` of its own is not in each, so a value holds until its series was silent for several of
  /// its intervals; then there is none any more.
  mutating func take(_ values: [Double], places: [Int?], wallMilliseconds: Int64, milliseconds now: Int64) {
    hasTick = true
    for id in 0..<min(values.count, places.count) {
      guard let place = places[id] else { continue }
      if values[id].isMissing {
        guard !current[place].isMissing, now - seen[place] > patience(place) else { continue }
        current[place] = .missing
      } else {
        if seen[place] >= 0 { intervals[place] = max(now - seen[place], 1) }
        seen[place] = now
        // What cannot be expressed is null as well.
        current[place] = values[id].isFinite ? values[id] : .missing
      }
      times[place] = wallMilliseconds
    }
  }

  /// Places of which the host knows another value, in the order of their times.
  var changedPlaces: [Int] { ordered(current.indices.filter { !SparkplugValues.same(current[$0], told[$0]) }) }

  /// The newest time of all.
  var latestTime: Int64? { times.filter { $0 != .max }.max() }

  /// All places in the order of their times.
  var placesByTime: [Int] { ordered(Array(current.indices)) }

  mutating func told(_ places: [Int]) { for place in places { told[place] = current[place] } }

  mutating func toldAll() { told = current }

  /// Whether a host would see two values as one.
  static func same(_ one: Double, _ other: Double) -> Bool { one == other || (one.isNaN && other.isNaN) }

  private func patience(_ place: Int) -> Int64 {
    guard intervals[place] > 0 else { return UplinkLimits.Sparkplug.firstSilenceMilliseconds }
    return max(intervals[place] * UplinkLimits.Sparkplug.silentIntervals, UplinkLimits.Sparkplug.silentMilliseconds)
  }

  private func ordered(_ places: [Int]) -> [Int] {
    // Nearly always all are of one tick.
    guard let first = places.first, places.contains(where: { times[$0] != times[first] }) else { return places }
    return places.sorted { (times[$0], $0) < (times[$1], $1) }
  }
}
