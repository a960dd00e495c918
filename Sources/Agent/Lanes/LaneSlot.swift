import Profile
import Telemetry

extension Supervisor {
  /// A sensor with its place in the tick.
  struct LaneSlot {
    let lane: any SensorLane
    /// The id in the table of each of the lane's series; −1 when the table was full.
    var ids: [Int] = []
    var figures: AgentStatistics.SensorFigures {
      didSet { isTold = false }
    }
    /// Whether the statistics have these figures: to copy all of them at each tick was most of what an absent sensor cost.
    var isTold = false
    /// Ticks between two samples.
    private(set) var everyTicks: UInt64 = 1

    init(lane: any SensorLane, figures: AgentStatistics.SensorFigures, tickMilliseconds: Int) {
      (self.lane, self.figures) = (lane, figures)
      settle(tickMilliseconds: tickMilliseconds)
    }

    /// Finds its pace, at another place among the lanes.
    mutating func settle(tickMilliseconds: Int) {
      everyTicks = UInt64(max(lane.profile.everyMilliseconds / tickMilliseconds, 1))
      isTold = false
    }
  }
}
