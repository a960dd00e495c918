import Uplink

/// How fast delivery goes: what the counters were at a few moments of the last minute. Looked at every other second, whatever is sent.
struct UplinkPace {
  /// Rates of one connection.
  struct Rates: Equatable {
    /// Seconds that they are taken over.
    var windowSeconds: Double
    var bytesPerSecond: Double
    /// Ticks acknowledged a second, by payload.
    var ticksPerSecond: [Double]
    /// By how many ticks the backlog shrinks a second, by payload; negative when it grows.
    var drainPerSecond: [Double]
  }

  private struct Sample {
    var nanoseconds: Int64
    var bytes: UInt64
    var delivered: [UInt64]
    var owed: [UInt64]

    init(_ status: UplinkStatus, at nanoseconds: Int64) {
      self.nanoseconds = nanoseconds
      bytes = status.sentBytes
      delivered = status.payloads.map(\.deliveredTicks)
      owed = status.payloads.map(\.owedTicks)
    }
  }

  /// Samples of one connection, or of the time without: a connection that drains is not measured by the outage before it.
  private struct Window {
    /// When the connection was made; nil while there is none.
    var connected: Int64?
    var samples: [Sample] = []
  }

  private var windows: [Window] = []
  private var due: Int64 = 0

  /// Takes a sample if it is time for one.
  mutating func note(now: Int64, _ statuses: () -> [UplinkStatus]) {
    guard now >= due else { return }
    due = now + AgentLimits.paceMilliseconds * 1_000_000
    let statuses = statuses()
    while windows.count < statuses.count { windows.append(Window()) }
    for (index, status) in statuses.enumerated() {
      if windows[index].connected != status.connectedNanoseconds {
        windows[index] = Window(connected: status.connectedNanoseconds)
      }
      if windows[index].samples.count >= AgentLimits.paceSamples { windows[index].samples.removeFirst() }
      windows[index].samples.append(Sample(status, at: now))
    }
  }

  /// The rates of a connection since it was made or lost, at most of the last minute; nil when that is not yet a while ago.
  func rates(of index: Int, _ status: UplinkStatus, now: Int64) -> Rates? {
    guard windows.indices.contains(index), windows[index].connected == status.connectedNanoseconds,
      let first = windows[index].samples.first, first.delivered.count == status.payloads.count,
      now - first.nanoseconds >= AgentLimits.paceLeastNanoseconds
    else { return nil }
    let (last, seconds) = (Sample(status, at: now), Double(now - first.nanoseconds) / 1e9)
    func rate(_ from: UInt64, _ to: UInt64) -> Double { (Double(to) - Double(from)) / seconds }
    return Rates(
      windowSeconds: seconds, bytesPerSecond: rate(first.bytes, last.bytes),
      ticksPerSecond: zip(first.delivered, last.delivered).map(rate),
      drainPerSecond: zip(last.owed, first.owed).map(rate))
  }
}

extension UplinkStatus {
  fileprivate var connectedNanoseconds: Int64? { state == .connected ? sinceNanoseconds : nil }
}
