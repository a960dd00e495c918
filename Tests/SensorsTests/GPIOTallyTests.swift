import Randomness
import Telemetry
import Testing

@testable import Sensors

/// What is made of edges, held against a slow and simple reading of the same wire.
@Suite struct GPIOTallyTests {
  /// The wire looked at every millisecond, which it keeps its level for: a level counts once it lasted `debounce`, from its first on.
  struct Reference {
    let debounce: Int
    var levels: [Bool]

    func values(at end: Int) -> (isActive: Bool, activations: UInt64, activeMilliseconds: Int) {
      var accepted = levels[0]
      var activations: UInt64 = 0
      var active = 0
      // Where the level that counts began.
      var since = 0
      var start = 0
      while start <= end {
        let stop = levels[start...end].firstIndex { $0 != levels[start] } ?? end
        if levels[start] != accepted, stop - start >= debounce {
          if accepted { active += start - since } else { activations += 1 }
          accepted.toggle()
          since = start
        }
        guard stop > start else { break }
        start = stop
      }
      return (accepted, activations, active + (accepted ? end - since : 0))
    }
  }

  @Test(arguments: [0, 1, 20, 50], 1...40)
  func agreesWithTheWireItself(debounce: Int, seed: Int) {
    var random = SplitMix64(seed: UInt64(seed))
    let length = 2000
    var levels: [Bool] = []
    var level = Bool.random(using: &random)
    while levels.count <= length {
      // Bounces and rests, about as long as the debouncing.
      let run = Bool.random(using: &random) ? Int.random(in: 1...5, using: &random) : Int.random(in: 1...150, using: &random)
      levels += Array(repeating: level, count: run)
      level.toggle()
    }
    let reference = Reference(debounce: debounce, levels: levels)
    var tally = LevelTally(debounce: Int64(debounce) * 1_000_000)
    tally.begin(isActive: levels[0], at: 0)
    for now in 1...length {
      if levels[now] != levels[now - 1] { tally.take(isRising: levels[now], at: Int64(now) * 1_000_000) }
      guard now == length || Int.random(in: 0..<400, using: &random) == 0 else { continue }
      let values = tally.values(at: Int64(now) * 1_000_000)
      let expected = reference.values(at: now)
      #expect(values.isActive == expected.isActive, "seed \(seed) at \(now)")
      #expect(values.activations == expected.activations, "seed \(seed) at \(now)")
      #expect((values.activeSeconds * 1000).rounded() == Double(expected.activeMilliseconds), "seed \(seed) at \(now)")
    }
  }

  @Test func whatLastedShorterThanASampleIsSeenOnce() {
    var tally = LevelTally(debounce: 0)
    tally.begin(isActive: false, at: 0)
    tally.take(isRising: true, at: 100)
    tally.take(isRising: false, at: 200)
    #expect(tally.values(at: 1000) == .init(isActive: false, wasActive: true, activations: 1, activeSeconds: 1e-7))
    #expect(tally.values(at: 2000) == .init(isActive: false, wasActive: false, activations: 1, activeSeconds: 1e-7))
  }

  /// The kernel reads the level after its interrupt, so two edges close together may tell the same one.
  @Test func anEdgeThatTellsTheSameLevelAgainChangesNothing() {
    var tally = LevelTally(debounce: 0)
    tally.begin(isActive: false, at: 0)
    for time in [100, 101, 102] { tally.take(isRising: true, at: Int64(time)) }
    tally.take(isRising: false, at: 200)
    #expect(tally.values(at: 1000) == .init(isActive: false, wasActive: true, activations: 1, activeSeconds: 1e-7))
  }

  @Test func aLineThatWentAwayIsActiveNoLonger() {
    var tally = LevelTally(debounce: 0)
    tally.begin(isActive: true, at: 0)
    tally.end(at: 2_000_000_000)
    tally.begin(isActive: false, at: 9_000_000_000)
    #expect(tally.values(at: 10_000_000_000) == .init(isActive: false, wasActive: true, activations: 0, activeSeconds: 2))
  }

  @Test func lostPulsesCountAndMakeTheRateRight() {
    var tally = PulseTally(debounce: 0)
    tally.take(at: 0, lostBefore: 0)
    #expect(tally.perSecond(at: 0) == 0)
    tally.take(at: 500_000_000, lostBefore: 4)
    #expect(tally.pulses == 6)
    #expect(tally.perSecond(at: 1_000_000_000) == 10)
  }

  @Test func aFurtherPulseWithinTheDebounceIsABounce() {
    var tally = PulseTally(debounce: 10_000_000)
    for milliseconds in [0, 3, 9, 10, 25, 26] { tally.take(at: Int64(milliseconds) * 1_000_000, lostBefore: 0) }
    #expect(tally.pulses == 3)
  }
}
