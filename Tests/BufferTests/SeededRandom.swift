@testable import Telemetry

/// SplitMix64: small, seeded, the same everywhere.
struct SeededRandom {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

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
