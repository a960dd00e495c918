import Testing

@testable import Sensors

@Suite struct RateTests {
  @Test func theFirstReadingHasNoRate() {
    var rate = Rate()
    let first = rate.perSecond(100, at: 0)
    let second = rate.perSecond(150, at: 500_000_000)
    #expect(first == nil)
    #expect(second == 100)
  }

  @Test func noTimePassedIsNoRate() {
    var rate = Rate()
    _ = rate.perSecond(100, at: 7)
    let again = rate.perSecond(150, at: 7)
    #expect(again == nil)
  }

  @Test func aResetCostsOneInterval() {
    var rate = Rate()
    _ = rate.perSecond(1_000_000, at: 0)
    let atReset = rate.perSecond(10, at: 1_000_000_000)
    let after = rate.perSecond(30, at: 2_000_000_000)
    #expect(atReset == nil)
    #expect(after == 20)
  }

  @Test(arguments: [
    (from: UInt64(UInt32.max), to: UInt64(0), delta: UInt64?(1)),
    (from: UInt64(4_294_967_290), to: UInt64(94), delta: UInt64?(100)),
    (from: UInt64(2_147_483_648), to: UInt64(2_147_483_646), delta: UInt64?(4_294_967_294)),
    // The lower half cannot have wrapped in one interval.
    (from: UInt64(2_147_483_647), to: UInt64(0), delta: UInt64?.none),
    (from: UInt64(UInt32.max) + 1, to: UInt64(0), delta: UInt64?.none),
    (from: UInt64.max, to: UInt64(3), delta: UInt64?.none),
    (from: UInt64(0), to: UInt64.max, delta: UInt64?(UInt64.max)),
  ])
  func onlyCountersOf32BitsWrap(step: (from: UInt64, to: UInt64, delta: UInt64?)) {
    #expect(Rate.delta(from: step.from, to: step.to) == step.delta)
  }
}
