import Platform

/// Counts pulses, and tells how fast they come from the kernel's times of them, not from how many fell into a tick.
struct PulseTally {
  private let debounce: Int64
  /// All pulses.
  private(set) var pulses: UInt64 = 0
  /// The last pulse before this sample; nil at a standstill.
  private var previous: Int64?
  /// The first and last of this sample.
  private var first: Int64 = 0
  private var last: Int64 = .min
  private var count: UInt64 = 0
  private var rate = 0.0

  /// - Parameter debounce: nanoseconds in which a further pulse is a bounce; 0 when the kernel does it.
  init(debounce: Int64) { self.debounce = debounce }

  /// Takes a pulse, and those before it that the kernel numbered and had no room for.
  mutating func take(at time: Int64, lostBefore lost: UInt64) {
    guard last == .min || time - last >= debounce else { return }
    if count == 0 { first = time }
    last = time
    count += 1 + lost
    pulses += 1 + lost
  }

  /// Pulses per second up to `now`.
  ///
  /// From the last pulse of the sample before to the last of this one. While none comes, the rate is at most what a pulse just now would
  /// make it; after `GPIOLimits.standstillSeconds` it is 0, and the first pulse then begins anew.
  mutating func perSecond(at now: Int64) -> Double {
    if count > 0 {
      let (intervals, nanoseconds) = previous.map { (count, last - $0) } ?? (count - 1, last - first)
      if nanoseconds > 0 { rate = Double(intervals) * 1e9 / Double(nanoseconds) }
      previous = last
      count = 0
    } else if let known = previous {
      let silence = now - known
      if silence >= GPIOLimits.standstillSeconds * 1_000_000_000 {
        previous = nil
        rate = 0
      } else if silence > 0 {
        rate = min(rate, 1e9 / Double(silence))
      }
    }
    return rate
  }
}
