/// How many bits the source of a counter counts with.
public enum CounterWidth: Sendable {
  /// It comes round to 0 after 2³² − 1.
  case bits32
  /// It does not come round in the life of a machine.
  case bits64

  /// What the kernel calls `unsigned long`. A kernel of 64 bits under programs of 32 is not told apart: its counters come round only
  /// in appearance, when they are reset between 2³¹ and 2³².
  public static let word: CounterWidth = MemoryLayout<UInt>.size == 4 ? .bits32 : .bits64
}

/// Turns a growing counter into a rate per second.
///
/// A counter that falls was reset with its source, and one interval has no rate; unless it has 32 bits and came round.
public struct Rate: Sendable {
  private var value: UInt64 = 0
  private var nanoseconds: Int64 = .min
  private let width: CounterWidth

  /// A counter not read yet.
  public init(_ width: CounterWidth) { self.width = width }

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
    guard nanoseconds != .min, now > nanoseconds, let delta = Rate.delta(from: value, to: current, width) else { return nil }
    return (delta, Double(now - nanoseconds) / 1e9)
  }

  /// The growth of a counter; nil after a reset.
  public static func delta(from old: UInt64, to new: UInt64, _ width: CounterWidth) -> UInt64? {
    if new >= old { return new - old }
    guard width == .bits32, old <= UInt64(UInt32.max) else { return nil }
    let grown = new + (1 << 32) - old
    // More than half of the way round in one interval is more likely a reset.
    return grown < 1 << 31 ? grown : nil
  }

  /// Forgets the last value, so that the next call gives no rate: after a device was replaced.
  public mutating func reset() { nanoseconds = .min }
}
