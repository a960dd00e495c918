import Randomness
import Telemetry

/// A day of 130 series at 1 Hz as an edge device has them, the same for the same seed.
struct RealisticDay {
  /// What a series looks like.
  enum Shape: CaseIterable {
    /// A percentage that wanders and is noisy, tenths.
    case busyPercentage
    /// A percentage near nothing, tenths.
    case idlePercentage
    /// A byte or packet counter of a busy device.
    case counter
    /// A counter that moves now and then.
    case idleCounter
    /// Half degrees.
    case temperature
    /// Bytes in pages of 4 KiB.
    case memory
    /// Bytes a second, mostly nothing, with bursts.
    case rate
    /// Millivolts with noise of the last digits.
    case voltage
    /// Seldom another state.
    case state

    /// How many series have it.
    var count: Int {
      switch self {
      case .busyPercentage: 14
      case .idlePercentage: 16
      case .counter: 16
      case .idleCounter: 14
      case .temperature: 14
      case .memory: 14
      case .rate: 18
      case .voltage: 6
      case .state: 18
      }
    }

    var decimals: Int {
      switch self {
      case .busyPercentage, .idlePercentage, .temperature: 1
      case .voltage: 3
      default: 0
      }
    }
  }

  let shapes: [Shape]
  private var state: [Double]
  private var hidden: [Double]
  private var random: SplitMix64

  /// All series of the day, or some of the same kinds.
  init(
    seed: UInt64, shapes: [Shape] = Shape.allCases.flatMap { Array(repeating: $0, count: $0.count) }
  ) {
    self.shapes = shapes
    random = SplitMix64(seed: seed)
    state = [Double](repeating: 0, count: shapes.count)
    hidden = state
    for index in shapes.indices {
      hidden[index] = unit() * 100
      state[index] = shapes[index] == .counter ? (unit() * 1e12).rounded() : (unit() * 1000).rounded()
      if shapes[index] == .memory { state[index] = 4_096 * (unit() * 200_000).rounded() }
    }
  }

  /// 0 ..< 1
  private mutating func unit() -> Double { Double(random.next() >> 11) / 9_007_199_254_740_992 }

  /// About normal, of standard deviation 1.
  private mutating func normal() -> Double { (unit() + unit() + unit() + unit() - 2) * 1.732 }

  /// The values of the next second.
  mutating func tick() -> [Double] {
    for index in shapes.indices { step(index) }
    return state
  }

  private mutating func step(_ index: Int) {
    let shape = shapes[index]
    switch shape {
    case .busyPercentage:
      hidden[index] = min(max(hidden[index] + normal() * 0.5, 5), 95)
      state[index] = min(max(hidden[index] + normal() * 2, 0), 100).rounded(decimals: 1)
    case .idlePercentage:
      // In steps of a jiffy, as /proc/stat gives them.
      state[index] = (max(normal() * 1.2 + 0.5, 0)).rounded(decimals: 0)
    case .counter:
      hidden[index] = min(max(hidden[index] + normal() * 3, 10), 400)
      state[index] += (max(hidden[index] + normal() * 20, 0)).rounded()
    case .idleCounter:
      if unit() < 0.05 { state[index] += (unit() * 20).rounded() }
    case .temperature:
      hidden[index] = min(max(hidden[index] + normal() * 0.05, 30), 85)
      state[index] = ((hidden[index] + normal() * 0.08) * 2).rounded() / 2
    case .memory:
      if unit() < 0.35 { state[index] += 4_096 * (normal() * 60).rounded() }
    case .rate:
      state[index] = unit() < 0.08 ? (unit() * 20_000).rounded() : 0
    case .voltage:
      state[index] = (5.05 + hidden[index] / 1000 + normal() * 0.006).rounded(decimals: 3)
    case .state:
      if unit() < 0.0005 { state[index] = (unit() * 5).rounded() }
    }
  }
}
