import Glibc
import Synchronization
import Testing

@testable import Platform

/// Threads of our own, and how the kernel schedules them (sched(7)).
@Suite struct ThreadTests {
  private final class Policies: Sendable {
    private let all = Mutex<[Int32]>([])
    var now: [Int32] { all.withLock { $0 } }
    func note() { all.withLock { $0.append(sched_getscheduler(0)) } }
  }

  private func wait(for policies: Policies, count: Int) {
    for _ in 0..<5_000 where policies.now.count < count { Platform.Thread.sleep(milliseconds: 1) }
  }

  @Test func oneThatYieldsIsOfTheBatchClassAsIsWhatItStarts() {
    let policies = Policies()
    let isStarted = Platform.Thread.start(name: "yields") {
      policies.note()
      Platform.Thread.yieldToOthers()
      policies.note()
      if !Platform.Thread.start(name: "heir", { policies.note() }) { policies.note() }
    }
    #expect(isStarted)
    wait(for: policies, count: 3)
    // SCHED_BATCH of linux/sched.h, which the C library keeps behind _GNU_SOURCE.
    let batch: Int32 = 3
    #expect(policies.now == [SCHED_OTHER, batch, batch])
  }
}
