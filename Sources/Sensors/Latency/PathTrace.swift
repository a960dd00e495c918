import Telemetry

/// The routers on the way to one target, asked one after the other, again and again.
struct PathTrace: Sendable {
  struct Hop: Sendable {
    var window: LatencyWindow
    /// Who answered last; empty while nobody did.
    var address = ""
    /// Who answered ever, as long as there is room.
    var known: [String] = []
  }

  private(set) var hops: [Hop] = []
  /// Hops of the path; nil while its end is not known.
  private var length: Int?
  private var cursor = 0
  private let spanNanoseconds: Int64

  init(spanNanoseconds: Int64) { self.spanNanoseconds = spanNanoseconds }

  /// Which hop is to be asked next, from 1.
  mutating func next() -> Int {
    let lastHeard = (hops.lastIndex { !$0.address.isEmpty } ?? -1) + 1
    let end = length ?? min(lastHeard + LatencyLimits.silentHops, LatencyLimits.hops)
    cursor = cursor >= end ? 1 : cursor + 1
    return cursor
  }

  /// Takes in what came of asking hop `number`.
  mutating func take(_ answer: HopAnswer, of number: Int, at nanoseconds: Int64) {
    guard (1...LatencyLimits.hops).contains(number) else { return }
    while hops.count < number {
      hops.append(Hop(window: LatencyWindow(capacity: LatencyLimits.hopWindowProbes, spanNanoseconds: spanNanoseconds)))
    }
    switch answer {
    case .failed: return
    case .silent: hops[number - 1].window.add(nil, at: nanoseconds)
    case .router(let address, let milliseconds):
      heard(address, milliseconds, number, nanoseconds)
      // The path has become longer.
      if length == number { length = nil }
    case .end(let address, let milliseconds):
      heard(address, milliseconds, number, nanoseconds)
      length = number
      hops.removeLast(hops.count - number)
    }
  }

  private mutating func heard(_ address: String, _ milliseconds: Double, _ number: Int, _ nanoseconds: Int64) {
    hops[number - 1].window.add(milliseconds, at: nanoseconds)
    var name = address
    if !hops[number - 1].known.contains(address) {
      // A route that flaps between many routers must not make a series of each.
      if hops[number - 1].known.count < LatencyLimits.hopAddresses {
        hops[number - 1].known.append(address)
      } else {
        name = "other"
        if !hops[number - 1].known.contains(name) { hops[number - 1].known.append(name) }
      }
    }
    hops[number - 1].address = name
  }
}
