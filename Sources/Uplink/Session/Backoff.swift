/// How long to wait before the next attempt, so that a broker's restart is not met by its whole fleet in the same second.
///
/// Two cases. A broker that never accepted us is called after waits of full jitter under a bound that doubles. A connection that had been accepted
/// is lost by all nodes of a broker in the same instant: then the first wait is drawn from a spread that is wide from the start, and each
/// further one is as long as that spread. So a node keeps the moment in the spread that it drew, and the attempts of all stay even, however
/// long the outage. Under a doubling bound they do not: fresh draws pile up where short and long waits overlap, and thin out into a long tail.
public struct Backoff: Sendable {
  private let minimum: Int
  private let maximum: Int
  private var failures = 0
  /// The spread in which a lost connection's attempts keep their place; nil when none was lost since the last success.
  private var period: Int?

  /// Bounds in milliseconds.
  public init(minimumMilliseconds: Int, maximumMilliseconds: Int) {
    minimum = max(minimumMilliseconds, 1)
    maximum = max(maximumMilliseconds, minimum)
  }

  /// Attempts that failed since the last success.
  public var attempts: Int { failures }

  /// The wait after one more attempt that failed: anything from 0 to the bound, which doubles each time; after a lost connection, the spread.
  public mutating func next(using random: inout some RandomNumberGenerator) -> Int {
    defer { failures += 1 }
    return period ?? Int.random(in: 0...bound, using: &random)
  }

  /// The wait after an accepted connection was lost: anything within the spread, which grows for a broker that keeps accepting and dropping.
  public mutating func lost(using random: inout some RandomNumberGenerator) -> Int {
    let spread = max(bound, maximum / UplinkLimits.spreadsInLongestWait, minimum)
    period = spread
    failures += 1
    return Int.random(in: 0...spread, using: &random)
  }

  /// A connection held: the next failure starts small again.
  public mutating func reset() {
    failures = 0
    period = nil
  }

  private var bound: Int { min(maximum, minimum << min(failures, 20)) }
}

/// Lets bytes through at a bounded rate, with a burst of one second or one message, whichever is more.
public struct TokenBucket: Sendable {
  private let bytesPerSecond: Int
  private let burst: Double
  private var tokens: Double
  private var last: Int64?

  /// `Int.max` is no limit.
  public init(bytesPerSecond: Int) {
    self.bytesPerSecond = bytesPerSecond
    burst = max(Double(bytesPerSecond), 1)
    tokens = burst
  }

  /// Milliseconds until something may be sent; 0: now.
  public mutating func wait(milliseconds now: Int64) -> Int {
    guard bytesPerSecond != .max else { return 0 }
    if let last, now > last { tokens = min(burst, tokens + Double(now - last) * Double(bytesPerSecond) / 1000) }
    last = now
    return tokens > 0 ? 0 : Int((-tokens * 1000 / Double(bytesPerSecond)).rounded(.up)) + 1
  }

  /// Bytes were sent. The last message may overdraw: the wait after it makes up for that.
  public mutating func take(_ bytes: Int) {
    if bytesPerSecond != .max { tokens -= Double(bytes) }
  }
}
