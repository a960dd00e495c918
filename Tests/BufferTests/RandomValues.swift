import Randomness

@testable import Telemetry

extension SplitMix64 {
  /// A value as sensors give them, sometimes an odd one.
  mutating func value(decimals: Int) -> Double {
    switch next() % 12 {
    case 0: return .missing
    case 1: return .nan
    case 2: return next() % 2 == 0 ? .infinity : -.infinity
    case 3: return Double(bitPattern: next())
    case 4: return -0.0
    case 5: return Double(next() >> 8)
    default: return (Double(next() % 2_000_000) - 1_000_000).rounded(decimals: decimals) / 8
    }
  }
}
