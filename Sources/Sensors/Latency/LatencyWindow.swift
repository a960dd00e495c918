/// The newest probes of one target or hop, and what they say together.
struct LatencyWindow: Sendable {
  private struct Probe: Sendable {
    let nanoseconds: Int64
    /// Not a number when it was lost.
    let milliseconds: Double
  }

  /// What the probes of a window say.
  struct Figures: Hashable, Sendable {
    var lossPercent: Double
    /// By nearest rank; nil when none was answered.
    var p50, p95, p99: Double?
    /// The mean difference between the round trips of one answer and the next; nil without two answers.
    var jitter: Double?
  }

  private let capacity: Int
  private let spanNanoseconds: Int64
  private var probes: [Probe] = []
  private var oldest = 0

  init(capacity: Int, spanNanoseconds: Int64) {
    self.capacity = capacity
    self.spanNanoseconds = spanNanoseconds
  }

  /// Takes a probe in; nil milliseconds for one that was lost.
  mutating func add(_ milliseconds: Double?, at nanoseconds: Int64) {
    let probe = Probe(nanoseconds: nanoseconds, milliseconds: milliseconds ?? .nan)
    if probes.count < capacity {
      probes.append(probe)
    } else {
      probes[oldest] = probe
      oldest = (oldest + 1) % capacity
    }
  }

  /// Nil when no probe is within the window.
  func figures(at now: Int64) -> Figures? {
    var answered: [Double] = []
    var count = 0
    var differences = 0.0
    for offset in probes.indices {
      let probe = probes[(oldest + offset) % probes.count]
      guard now - probe.nanoseconds <= spanNanoseconds else { continue }
      count += 1
      guard !probe.milliseconds.isNaN else { continue }
      if let last = answered.last { differences += (probe.milliseconds - last).magnitude }
      answered.append(probe.milliseconds)
    }
    guard count > 0 else { return nil }
    var figures = Figures(lossPercent: Double(count - answered.count) * 100 / Double(count))
    if answered.count > 1 { figures.jitter = differences / Double(answered.count - 1) }
    answered.sort()
    func rank(_ percent: Int) -> Double? {
      answered.isEmpty ? nil : answered[max((answered.count * percent + 99) / 100, 1) - 1]
    }
    figures.p50 = rank(50)
    figures.p95 = rank(95)
    figures.p99 = rank(99)
    return figures
  }
}
