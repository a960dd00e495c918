import Randomness
import Testing

@testable import Uplink

/// A thousand nodes lose their broker in the same instant.
@Suite struct HerdTests {
  private static let nodes = 1_000

  /// Seconds of the attempts of all nodes, with the default bounds, and when the last one is connected.
  private func attempts(outageSeconds: Double, seed: UInt64) -> [Double] {
    let settings = UplinkSettings()
    var random = SplitMix64(seed: seed)
    var attempts: [Double] = []
    for _ in 0..<Self.nodes {
      var backoff = Backoff(
        minimumMilliseconds: settings.backoffMinimumMilliseconds, maximumMilliseconds: settings.backoffMaximumMilliseconds)
      var now = Double(backoff.lost(using: &random)) / 1_000
      attempts.append(now)
      while now < outageSeconds {
        now += Double(backoff.next(using: &random)) / 1_000
        attempts.append(now)
      }
    }
    return attempts
  }

  /// The most in one second, by the mean from the first to the last.
  private func peak(_ attempts: [Double], from start: Double) -> Double {
    let seconds = attempts.map { Int($0 - start) }
    let counts = Dictionary(seconds.map { ($0, 1) }, uniquingKeysWith: +)
    let mean = Double(seconds.count) / Double((seconds.max() ?? 0) + 1)
    return Double(counts.values.max() ?? 0) / mean
  }

  /// From a restart to eleven hours of silence: no second with more than twice the mean of attempts, neither from the loss on nor from the
  /// broker's return on.
  @Test(arguments: [0, 2, 10, 30, 120, 600, 11 * 3_600] as [Double], [1, 2, 3] as [UInt64])
  func noSecondHasTwiceTheMean(outageSeconds: Double, seed: UInt64) {
    let all = attempts(outageSeconds: outageSeconds, seed: seed)
    let after = all.filter { $0 >= outageSeconds }
    #expect(after.count == Self.nodes)
    let peaks = (loss: peak(all, from: 0), back: peak(after, from: outageSeconds))
    print("herd: outage \(outageSeconds) s, seed \(seed): peak \(peaks.loss) and \(peaks.back) times the mean")
    #expect(peaks.loss <= 2 && peaks.back <= 2)
  }
}
