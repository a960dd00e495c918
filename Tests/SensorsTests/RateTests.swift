import Testing

@testable import Sensors

@Suite struct RateTests {
  @Test func theFirstReadingHasNoRate() {
    var rate = Rate(.bits64)
    let first = rate.perSecond(100, at: 0)
    let second = rate.perSecond(150, at: 500_000_000)
    #expect(first == nil)
    #expect(second == 100)
  }

  @Test func noTimePassedIsNoRate() {
    var rate = Rate(.bits64)
    _ = rate.perSecond(100, at: 7)
    let again = rate.perSecond(150, at: 7)
    #expect(again == nil)
  }

  @Test func aResetCostsOneInterval() {
    var rate = Rate(.bits64)
    _ = rate.perSecond(1_000_000, at: 0)
    let atReset = rate.perSecond(10, at: 1_000_000_000)
    let after = rate.perSecond(30, at: 2_000_000_000)
    #expect(atReset == nil)
    #expect(after == 20)
  }

  /// What a network card of 32 bits, and what one of 64 bits that was reset, says of the same fall.
  @Test(arguments: [
    (from: UInt64(UInt32.max), to: UInt64(0), grown: UInt64?(1)),
    (from: UInt64(4_294_967_290), to: UInt64(94), grown: UInt64?(100)),
    (from: UInt64(3_000_000_000), to: UInt64(100), grown: UInt64?(1_294_967_396)),
    // Half of the way round and more: a reset.
    (from: UInt64(2_147_483_648), to: UInt64(0), grown: UInt64?.none),
    (from: UInt64(2_147_483_649), to: UInt64(0), grown: UInt64?(2_147_483_647)),
    (from: UInt64(2_147_483_648), to: UInt64(2_147_483_646), grown: UInt64?.none),
    (from: UInt64(1_000), to: UInt64(10), grown: UInt64?.none),
    // Not of 32 bits, whatever was said.
    (from: UInt64(UInt32.max) + 1, to: UInt64(0), grown: UInt64?.none),
    (from: UInt64.max, to: UInt64(3), grown: UInt64?.none),
  ])
  func onlyCountersOf32BitsComeRound(step: (from: UInt64, to: UInt64, grown: UInt64?)) {
    #expect(Rate.delta(from: step.from, to: step.to, .bits32) == step.grown)
    #expect(Rate.delta(from: step.from, to: step.to, .bits64) == nil)
  }

  @Test(arguments: [CounterWidth.bits32, .bits64])
  func growthIsGrowth(width: CounterWidth) {
    #expect(Rate.delta(from: 0, to: .max, width) == .max)
    #expect(Rate.delta(from: 7, to: 7, width) == 0)
  }

  /// A driver that is loaded anew at 3 GB must not look like 1.3 GB in one second.
  @Test func aRateOf64BitsHasNoPeakAtAReset() {
    var rate = Rate(.bits64)
    _ = rate.perSecond(3_000_000_000, at: 0)
    let atReset = rate.perSecond(100, at: 1_000_000_000)
    let after = rate.perSecond(300, at: 2_000_000_000)
    #expect(atReset == nil)
    #expect(after == 200)
  }

  @Test func aWordHasTheSizeOfAnAddress() {
    #expect(CounterWidth.word == (MemoryLayout<UnsafeRawPointer>.size == 8 ? .bits64 : .bits32))
  }
}
