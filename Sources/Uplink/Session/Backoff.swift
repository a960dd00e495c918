/// How long to wait before the next attempt: exponential with full jitter, so that a broker's restart is not met by its whole
/// fleet in the same second.
public struct Backoff: Sendable {
  private let minimum: Int
  private let maximum: Int
  private var failures = 0

  /// Bounds in milliseconds.
  public init(minimumMilliseconds: Int, maximumMilliseconds: Int) {
    minimum = max(minimumMilliseconds, 1)
    maximum = max(maximumMilliseconds, minimum)
  }

  /// Attempts that failed since the last success.
  public var attempts: Int { failures }

  /// The wait after one more failure: anything from 0 to the bound, which doubles each time.
  public mutating func next(using random: inout some RandomNumberGenerator) -> Int {
    let bound = min(maximum, minimum << min(failures, 20))
    failures += 1
    return Int.random(in: 0...bound, using: &random)
  }

  /// A connection held: the next failure starts small again.
  public mutating func reset() { failures = 0 }
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
