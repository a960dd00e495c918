/// How late the last ticks began.
struct LatenessWindow {
  private var nanoseconds: [Int64] = []
  private var next = 0

  mutating func add(_ late: Int64) {
    if nanoseconds.count < AgentLimits.latenessWindow {
      nanoseconds.append(late)
    } else {
      nanoseconds[next] = late
      next = (next + 1) % AgentLimits.latenessWindow
    }
  }

  /// The median, the 99th percentile (nearest rank) and the worst, milliseconds.
  var percentiles: (p50: Double, p99: Double, max: Double) {
    guard !nanoseconds.isEmpty else { return (0, 0, 0) }
    let sorted = nanoseconds.sorted()
    func rank(_ share: Double) -> Double {
      Double(sorted[min(Int((share * Double(sorted.count)).rounded(.up)), sorted.count) - 1]) / 1e6
    }
    return (rank(0.5), rank(0.99), rank(1))
  }
}
