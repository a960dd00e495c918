/// When which probe starts: spread over the interval, never faster than the limits, never two of one kind and target at once.
struct ProbeSchedule: Sendable {
  /// What repeats.
  struct Entry: Sendable {
    let target: Int
    /// Whether it goes to a router on the path rather than to the target.
    let isHop: Bool
    let interval: Int64
    var next: Int64
    var isRunning = false
  }

  enum Step: Hashable, Sendable {
    /// This entry starts now.
    case start(Int)
    /// Nothing starts before this time, or with nil before a probe has ended.
    case wait(until: Int64?)
  }

  private(set) var entries: [Entry] = []
  private var running = 0
  private var lastStart = Int64.min

  private static let pace = 1_000_000_000 / Int64(LatencyLimits.probesPerSecond)

  /// The first round begins at `now`, each entry at its share of its own interval.
  init(_ wanted: [(target: Int, isHop: Bool, interval: Int64)], at now: Int64) {
    for (place, entry) in wanted.enumerated() {
      let offset = entry.interval / Int64(wanted.count) * Int64(place)
      entries.append(Entry(target: entry.target, isHop: entry.isHop, interval: entry.interval, next: now + offset))
    }
  }

  /// What is to be done at `now`; a start counts as done.
  mutating func step(at now: Int64) -> Step {
    guard running < LatencyLimits.probesInFlight else { return .wait(until: nil) }
    var first: Int?
    for index in entries.indices where !entries[index].isRunning {
      if let other = first, entries[other].next <= entries[index].next { continue }
      first = index
    }
    guard let first else { return .wait(until: nil) }
    let earliest = max(entries[first].next, lastStart == .min ? .min : lastStart + Self.pace)
    guard earliest <= now else { return .wait(until: earliest) }
    lastStart = now
    running += 1
    entries[first].isRunning = true
    // What was missed is not made up for.
    entries[first].next = max(entries[first].next + entries[first].interval, now + LatencyLimits.spacingNanoseconds)
    return .start(first)
  }

  /// A probe has ended.
  mutating func end(_ index: Int) {
    running -= 1
    entries[index].isRunning = false
  }
}
