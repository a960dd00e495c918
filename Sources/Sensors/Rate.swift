/// Turns a growing counter into a rate per second.
///
/// A counter that falls has wrapped if it was in the top half of 32 bits and is in the lower half now (drivers of old network
/// cards count in 32 bits); otherwise its source was restarted, and one interval has no rate.
public struct Rate: Sendable {
  private var value: UInt64 = 0
  private var nanoseconds: Int64 = .min

  /// A counter not read yet.
  public init() {}

  /// The rate since the last call in units per second; nil on the first, after a reset, and when no time has passed.
  public mutating func perSecond(_ current: UInt64, at now: Int64) -> Double? {
    guard let change = step(current, at: now) else { return nil }
    return Double(change.delta) / change.seconds
  }

  /// The growth since the last call and the seconds it took; nil as for `perSecond`.
  public mutating func step(_ current: UInt64, at now: Int64) -> (delta: UInt64, seconds: Double)? {
    defer {
      value = current
      nanoseconds = now
    }
    guard nanoseconds != .min, now > nanoseconds, let delta = Rate.delta(from: value, to: current) else { return nil }
    return (delta, Double(now - nanoseconds) / 1e9)
  }

  /// The growth of a counter; nil after a reset.
  public static func delta(from old: UInt64, to new: UInt64) -> UInt64? {
    if new >= old { return new - old }
    if old <= UInt64(UInt32.max), old > UInt64(UInt32.max) / 2, new < UInt64(UInt32.max) / 2 {
      return new + (UInt64(UInt32.max) - old) + 1
    }
    return nil
  }

  /// Forgets the last value, so that the next call gives no rate: after a device was replaced.
  public mutating func reset() { nanoseconds = .min }
}
