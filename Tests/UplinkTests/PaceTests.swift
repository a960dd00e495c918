import Randomness
import Testing

@testable import Uplink

@Suite struct PaceTests {
  @Test(arguments: 1...5 as ClosedRange<UInt64>)
  func theBackOffIsFullJitterUnderADoublingBound(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    var backoff = Backoff(minimumMilliseconds: 100, maximumMilliseconds: 2_000)
    for bound in [100, 200, 400, 800, 1_600, 2_000, 2_000, 2_000] {
      let wait = backoff.next(using: &random)
      #expect((0...bound).contains(wait))
    }
    #expect(backoff.attempts == 8)
    backoff.reset()
    let wait = backoff.next(using: &random)
    #expect((0...100).contains(wait))
  }

  @Test func theWholeRangeIsUsed() {
    var random = SplitMix64(seed: 7)
    let waits = (0..<500).map { _ in
      var backoff = Backoff(minimumMilliseconds: 1_000, maximumMilliseconds: 1_000)
      return backoff.next(using: &random)
    }
    #expect(waits.contains { $0 < 100 })
    #expect(waits.contains { $0 > 900 })
  }

  @Test func senselessBoundsAndManyFailuresAreHarmless() {
    var random = SplitMix64(seed: 1)
    var backoff = Backoff(minimumMilliseconds: 0, maximumMilliseconds: -5)
    for _ in 0..<100 {
      let wait = backoff.next(using: &random)
      #expect((0...1).contains(wait))
    }
    var long = Backoff(minimumMilliseconds: 120_000, maximumMilliseconds: 86_400_000)
    for _ in 0..<100 {
      let wait = long.next(using: &random)
      #expect((0...86_400_000).contains(wait))
    }
  }

  @Test func theBucketHoldsTheRate() {
    var bucket = TokenBucket(bytesPerSecond: 1_000)
    var now: Int64 = 5_000
    var sent = 0
    // Messages of 300 bytes whenever they are let through, over 100 s.
    while now < 105_000 {
      let wait = bucket.wait(milliseconds: now)
      if wait > 0 {
        now += Int64(wait)
        continue
      }
      bucket.take(300)
      sent += 300
    }
    // A burst of one second at most, and the last message's overdraft.
    #expect(sent <= 101_300)
    #expect(sent >= 99_000)
  }

  @Test func aMessageLargerThanTheBurstPassesAndIsPaidFor() {
    var bucket = TokenBucket(bytesPerSecond: 1_000)
    let first = bucket.wait(milliseconds: 0)
    bucket.take(64_000)
    let second = bucket.wait(milliseconds: 0)
    #expect(first == 0)
    #expect((63_000...63_002).contains(second))
    let third = bucket.wait(milliseconds: Int64(second))
    #expect(third == 0)
  }

  @Test func aClockThatStandsStillGivesNothing() {
    var bucket = TokenBucket(bytesPerSecond: 10)
    _ = bucket.wait(milliseconds: 1_000)
    bucket.take(20)
    let same = bucket.wait(milliseconds: 1_000)
    let earlier = bucket.wait(milliseconds: 900)
    #expect(same > 0 && earlier > 0)
  }

  @Test func noLimitIsNoLimit() {
    var bucket = TokenBucket(bytesPerSecond: .max)
    bucket.take(1 << 40)
    let wait = bucket.wait(milliseconds: 0)
    #expect(wait == 0)
  }
}
