/// Counts the kills of a control group that may be removed and made anew between two samples, as systemd does when a service that
/// was killed is started again: the group's own count is gone then, and that of the one above it tells.
struct OOMKillTally {
  private var own: UInt64?
  private var above: UInt64?
  private(set) var total: UInt64 = 0

  /// Another control group is above from now on: its count says nothing of what happened since the call before.
  mutating func move() { above = nil }

  /// Takes both counts; `lostProcess` when a main process went since the call before.
  mutating func advance(own now: UInt64?, above nowAbove: UInt64?, lostProcess: Bool) {
    let isFirst = own == nil && above == nil
    defer {
      own = now ?? own
      above = nowAbove ?? above
    }
    guard !isFirst else { return }
    // A count that fell began anew.
    var growth = now.map { now in now >= own ?? 0 ? now - (own ?? 0) : now } ?? 0
    if lostProcess, let above, let nowAbove, nowAbove > above { growth = max(growth, nowAbove - above) }
    total &+= growth
  }
}
