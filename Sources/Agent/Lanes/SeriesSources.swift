import Telemetry

/// Which lane reports each series: what tells a series that is gone from one that was not sampled.
struct SeriesSources {
  /// By series: a lane; −1 of one that nobody reported yet; below that, −2 minus a place among `candidates`.
  private var places: [Int16] = []
  /// The lanes that may report a series which nobody reported yet: several where makers share a family of metrics.
  private var candidates: [[Int]] = []

  /// Nobody reported anything.
  init() {}

  /// What lanes that go on have reported.
  init(_ lanes: [LaneSlot]) {
    for (lane, slot) in lanes.enumerated() {
      for id in slot.ids { claim(id, lane: lane) }
    }
  }

  /// A lane reported a series; negative ids are of none.
  mutating func claim(_ series: Int, lane: Int) {
    guard series >= 0 else { return }
    grow(to: series)
    places[series] = Int16(lane)
  }

  /// The lane that reports a series; nil when none did yet.
  func lane(of series: Int) -> Int? {
    guard series < places.count, places[series] >= 0 else { return nil }
    return Int(places[series])
  }

  /// The lanes that may report a series which none did; looked for once.
  mutating func candidates(of series: Int, _ find: () -> [Int]) -> [Int] {
    grow(to: series)
    if places[series] > -2 {
      guard candidates.count < Limits.seriesPerNode else { return [] }
      candidates.append(find())
      places[series] = Int16(-1 - candidates.count)
    }
    return candidates[-2 - Int(places[series])]
  }

  private mutating func grow(to series: Int) {
    while places.count <= series { places.append(-1) }
  }
}

extension Supervisor {
  /// With how many problems the sensor of a series took its sample of this tick, `Int.max` when it failed; nil when it took none.
  func answer(of series: Int) -> Int? {
    func answered(_ lane: Int) -> Bool { lanes[lane].answer.tick == nextSequence }
    if let lane = sources.lane(of: series) { return answered(lane) ? lanes[lane].answer.problems : nil }
    // Of before the start, or of before a reload changed its sensor: gone when all that may report it have answered without it.
    let candidates = sources.candidates(of: series) {
      lanes.indices.filter { lanes[$0].mayReport(table.series[series]) }
    }
    // A target that was taken out of the profile: no sensor has anything to say of it, whatever problems others have.
    guard !candidates.isEmpty else { return 0 }
    var (before, now) = (Int.max, Int.max)
    for lane in candidates {
      now = min(now, lanes[lane].cleanAnswers)
      before = min(before, lanes[lane].cleanAnswers - (answered(lane) && lanes[lane].answer.problems == 0 ? 1 : 0))
    }
    return now > before ? 0 : nil
  }
}
