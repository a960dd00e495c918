import Profile
import Telemetry

/// A sensor with its place in the tick.
struct LaneSlot {
  let lane: any SensorLane
  let kind: SensorKind
  /// The id in the table of each of the lane's series; −1 when the table was full.
  var ids: [Int] = []
  var figures: AgentStatistics.SensorFigures
  /// The newest word on what is there, see `LaneReport.answer`, and the tick it came with.
  private(set) var answer = (problems: 0, tick: UInt64.max)
  /// Answers without a problem.
  private(set) var cleanAnswers = 0

  init(lane: any SensorLane, kind: SensorKind, figures: AgentStatistics.SensorFigures) {
    (self.lane, self.kind, self.figures) = (lane, kind, figures)
  }

  /// Whether its kind has the metric of a series, and its settings leave the series of it.
  func mayReport(_ series: Series) -> Bool {
    let (settings, name) = (lane.profile.settings, series.metric.name)
    return kind.metrics(under: settings).contains { $0.name == name }
      && kind.bounds(settings).allSatisfy { bound in
        !bound.metrics.contains(name) || !bound.isOff && series.labels.allSatisfy { bound.admits($0.key, Glob($0.value)) }
      }
  }

  /// Takes what a tick's report says of what is there.
  mutating func note(problems: Int, tick: UInt64) {
    answer = (problems, tick)
    if problems == 0 { cleanAnswers += 1 }
  }
}

/// When a lane has to be called. A tick looks at nothing else of one that rests, as those of absent hardware do for a minute.
struct LanePace {
  /// Ticks between two samples; 0 before it is settled.
  private var everyTicks: UInt64 = 0
  /// The tick among them, from `first` on.
  private var phase: UInt64 = 0
  /// The tick of the run at which it has its first sample.
  private var first: UInt64 = 0
  private var restsUntil: Int64 = .min
  /// A sample fell due while it rested.
  private var isOwed = false
  private var isWaiting = false

  /// Finds its ticks, at a place among the lanes. Threads of neighbours are not asked in the same tick: each costs it some microseconds.
  ///
  /// - Parameter first: the next tick of the run. A lane that has its ticks keeps them though others come and go before it: a sample would be
  ///   left out, of a sensor with an hour between two for an hour more.
  mutating func settle(_ lane: any SensorLane, place: Int, tickMilliseconds: Int, from first: UInt64 = 0) {
    let ticks = UInt64(max(lane.profile.everyMilliseconds / tickMilliseconds, 1))
    guard ticks != everyTicks else { return }
    (everyTicks, self.first) = (ticks, first)
    phase = lane.isStaggered ? UInt64(place) % min(everyTicks, AgentLimits.staggerTicks) : 0
  }

  /// Whether a sample is due at this tick of the run: all are at their first, none again before its interval is over.
  func isDue(_ tick: UInt64) -> Bool {
    let passed = tick - first
    return passed == 0 || passed >= everyTicks && passed % everyTicks == phase
  }

  /// Whether the lane is to be called, and if so whether a sample is due.
  mutating func call(at now: Int64, _ isDue: Bool) -> Bool? {
    guard now >= restsUntil else {
      isOwed = isOwed || isDue
      return nil
    }
    guard isDue || isOwed || isWaiting else { return nil }
    return isDue || isOwed
  }

  /// Takes what the lane said when it was called.
  mutating func take(_ report: LaneReport) {
    isOwed = report.isOwed
    isWaiting = report.isWaiting
    restsUntil = report.restsUntil
  }
}
