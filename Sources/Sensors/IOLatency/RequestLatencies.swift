import Platform

/// Pairs the beginning and the end of requests to block devices.
struct RequestLatencies {
  /// How long one request took.
  struct Done {
    var device: UInt32
    var isWrite: Bool
    var nanoseconds: UInt64
  }

  /// What a device's reads or writes of one sample say together, milliseconds. By nearest rank.
  struct Figures: Hashable {
    var p50, p95, p99, longest, mean: Double
  }

  /// Requests that were not done at the end of the sample before.
  private(set) var pending: [BlockRequest] = []
  private var done: [Done] = []

  /// Takes what was recorded since the sample before, in any order. `isComplete`: nothing of it was lost.
  mutating func take(_ recorded: [BlockRequest], isComplete: Bool = true) {
    var all = pending + recorded
    // At one place one after another: what began last is what ends next.
    all.sort { ($0.device, $0.sector, $0.nanoseconds) < ($1.device, $1.sector, $1.nanoseconds) }
    let newest = all.reduce(0) { max($0, $1.nanoseconds) }
    pending.removeAll(keepingCapacity: true)
    done.removeAll(keepingCapacity: true)
    var begun: BlockRequest?
    for request in all {
      if let open = begun, open.device != request.device || open.sector != request.sector {
        keep(open, newest)
        begun = nil
      }
      guard request.isDone else {
        begun = request
        continue
      }
      // A request that was begun before the trace was, or whose beginning was lost, has no time.
      guard let open = begun, open.isWrite == request.isWrite else { continue }
      done.append(Done(device: open.device, isWrite: open.isWrite, nanoseconds: request.nanoseconds - open.nanoseconds))
      begun = nil
    }
    if let begun { keep(begun, newest) }
    // The end of what is open may have been lost; a later end at the same place would give it a time that no request took.
    if !isComplete { pending.removeAll(keepingCapacity: true) }
    done.sort { $0.nanoseconds < $1.nanoseconds }
  }

  private mutating func keep(_ request: BlockRequest, _ newest: UInt64) {
    let isOld = newest - request.nanoseconds >= IOLatencyLimits.pendingNanoseconds
    if !isOld, pending.count < IOLatencyLimits.pending { pending.append(request) }
  }

  /// Nil when none was done.
  func figures(of device: UInt32, isWrite: Bool) -> Figures? {
    var times: [UInt64] = []
    for request in done where request.device == device && request.isWrite == isWrite { times.append(request.nanoseconds) }
    guard let longest = times.last else { return nil }
    func rank(_ percent: Int) -> Double { Double(times[(times.count * percent + 99) / 100 - 1]) / 1e6 }
    let mean = times.reduce(0.0) { $0 + Double($1) } / Double(times.count) / 1e6
    return Figures(p50: rank(50), p95: rank(95), p99: rank(99), longest: Double(longest) / 1e6, mean: mean)
  }
}
