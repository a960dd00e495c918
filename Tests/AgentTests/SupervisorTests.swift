import Buffer
import Foundation
import Profile
import Telemetry
import Testing
import Uplink
import Alerts

@testable import Agent

@Suite struct SupervisorTests {
  private let plain = "sensors: {a: , b: {every: 5s}}\nlog: {level: error}\nbuffer: {path: /nowhere/b.db}\n"

  @Test func anHourOfTicks() throws {
    let bench = try Bench(plain)
    bench.tick(3_600)
    bench.supervisor.finish(bench.clock.bootNanoseconds())
    #expect(bench.storage.ticks.map(\.sequence) == Array(1...3_600))
    #expect(bench.delivery.ticks.map(\.sequence) == Array(1...3_600))
    // A commit every ten seconds, not one a tick.
    #expect((355...365).contains(bench.storage.transactions.count))
    #expect(bench.storage.epochs.count == 1)
    // The last commit gives unused numbers back.
    #expect(bench.storage.reserved == 3_601)
    let first = try #require(bench.storage.ticks.first)
    #expect(first.milliseconds == 3_601_000)
    #expect(bench.delivery.ticks.first?.wallMilliseconds == 1_767_225_601_000)
  }

  @Test func everySensorAtItsOwnMultiple() throws {
    let bench = try Bench(plain)
    bench.tick(20)
    #expect(bench.script("a").now.sampled == 20)
    #expect(bench.script("b").now.sampled == 4)
    #expect(bench.sent("a.value") == [Double?](repeating: 1, count: 20))
    #expect(bench.sent("b.value").enumerated().allSatisfy { ($0.offset % 5 == 0) == ($0.element != nil) })
    // In between the live view shows the newest.
    #expect(bench.live("b.value") == 1)
  }

  @Test func aSensorThatFailsIsMadeAnewWithBackOff() throws {
    let bench = try Bench(plain)
    let script = bench.script("a")
    bench.tick(3)
    script.change { $0.fails = .io(path: "/x", errno: 5) }
    bench.tick()
    #expect(bench.live("a.value") == nil)
    #expect(bench.figures("a")?.outcome == .failed)
    bench.tick(99)
    // After 1, 2, 4, 8, 16 and 32 s: far fewer than a hundred.
    #expect((5...8).contains(script.now.made))
    #expect(bench.figures("a")?.failures == UInt64(script.now.sampled - 3))
    script.change { $0.fails = nil }
    bench.tick(128)
    #expect(bench.live("a.value") == 1)
    #expect(bench.figures("a")?.outcome == .ok)
    // The others never noticed.
    #expect(bench.script("b").now.sampled == 47)
    let made = script.now.made
    bench.tick(10)
    #expect(script.now.made == made)
  }

  @Test func absentHardwareIsLookedForOnceAMinute() throws {
    let bench = try Bench(plain)
    let script = bench.script("a")
    script.change { $0.failsToMake = .absent("no chip") }
    bench.tick(300)
    #expect((5...6).contains(script.now.made))
    #expect(bench.figures("a")?.outcome == .absent)
    #expect(bench.figures("a")?.failures == 0)
    script.change { $0.failsToMake = nil }
    bench.tick(61)
    #expect(bench.live("a.value") == 1)
  }

  @Test func aSlowSensorThatHangsCostsOnlyItself() throws {
    let bench = try Bench("sensors: {a: , s: {deadline: 2s}}\nlog: {level: error}\nbuffer: {path: /nowhere/b.db}\n")
    let script = bench.script("s")
    script.change { $0.hangs = true }
    bench.tick()
    eventually("it is asked") { script.now.sampled == 1 }
    bench.tick(4)
    #expect(bench.figures("s")?.outcome == .timedOut)
    #expect(bench.figures("s")?.failures == 1)
    // It is tried again on other threads, but not on ever more of them.
    eventually("all threads that it may have") {
      bench.clock.pass(milliseconds: AgentLimits.failedRetrySeconds * 1_000)
      bench.tick()
      return script.now.sampled == AgentLimits.abandonedThreads
    }
    bench.tick(50)
    #expect(script.now.made <= AgentLimits.abandonedThreads)
    #expect(bench.script("a").now.sampled == Int(bench.supervisor.tickIndex))
    // It answers again.
    script.change { $0.hangs = false }
    eventually("the threads return") { script.now.ended == script.now.sampled }
    eventually("values") {
      bench.clock.pass(milliseconds: AgentLimits.failedRetrySeconds * 1_000)
      bench.tick()
      let asked = script.now.sampled
      _ = holdsEventually(timeout: 1) { script.now.ended == asked }
      bench.clock.pass(milliseconds: -500)
      bench.tick()
      return bench.live("s.value") == 1
    }
    #expect(bench.figures("s")?.outcome == .ok)
  }

  @Test func numbersAreNeverUsedTwiceOverCrashes() throws {
    var used: Set<UInt64> = []
    var opening = BufferWriter.Opening()
    opening.nextSequence = 1
    for round in 0..<20 {
      let bench = try Bench(plain, opening: opening)
      // As the storage thread does before the first tick.
      var reserved = opening.nextSequence + BufferLimits.reservedSequences
      bench.tick(1 + round * 7 % 23)
      for tick in bench.delivery.ticks {
        #expect(used.insert(tick.sequence).inserted, "\(tick.sequence) was used before")
      }
      // The crash: what the last commit said is all there is.
      reserved = max(reserved, bench.storage.reserved)
      opening = BufferWriter.Opening()
      opening.nextSequence = max(reserved, (bench.storage.ticks.last?.sequence ?? 0) + 1)
      opening.lastSequence = bench.storage.ticks.last?.sequence
      opening.series = bench.storage.series
    }
  }

  @Test func reservationsRunAheadOfLongRuns() throws {
    let bench = try Bench("sensors: {a: {every: 1h}}\ntick: 1s\nlog: {level: error}\nbuffer: {path: /nowhere/b.db}\n")
    bench.tick(Int(BufferLimits.reservedSequences) / 2 + 1_000)
    let last = try #require(bench.storage.ticks.last?.sequence)
    // The first reservation ran from 1 on; half of it used up, the next is made.
    #expect(bench.storage.reserved > last + BufferLimits.reservedSequences / 2)
  }

  @Test func storageThatRefusesStaysBoundedAndSaysSo() throws {
    let bench = try Bench("sensors: {a: }\nbuffer: {path: /nowhere/b.db, memory_limit: 1MiB}\n")
    bench.tick(20)
    bench.storage.refuse(true)
    bench.tick(20_000)
    #expect(bench.supervisor.pending.weight < 2 << 20)
    #expect(bench.supervisor.pending.events.count <= BufferLimits.waitingEvents)
    // Live publishing goes on.
    #expect(bench.delivery.ticks.count == 20_020)
    bench.storage.refuse(false)
    bench.tick(30)
    let gaps = bench.storage.events.filter { $0.kind == "gap" }
    #expect(!gaps.isEmpty)
    #expect(bench.storage.ticks.last?.sequence ?? 0 >= 20_040)
  }

  @Test func anUplinkWithoutRoomHoldsNothingUp() throws {
    let bench = try Bench(plain)
    bench.delivery.refuse(true)
    bench.tick(5)
    bench.delivery.refuse(false)
    bench.tick(5)
    // The names come before the first tick that needs them.
    #expect(bench.delivery.series.map(\.key) == ["a.value", "b.value"])
    #expect(bench.delivery.ticks.map(\.sequence) == Array(6...10))
    #expect(bench.storage.ticks.count + bench.supervisor.pending.ticks.count == 10)
  }

  @Test func aReloadKeepsWhatDidNotChange() throws {
    let bench = try Bench(plain)
    bench.tick(7)
    bench.supervisor.apply(
      try Bench.profile("sensors: {a: , b: {every: 2s}}\nlog: {level: error}\nbuffer: {path: /nowhere/b.db}\n"))
    bench.tick(4)
    #expect(bench.script("a").now.made == 1)
    #expect(bench.script("b").now.made == 2)
    bench.supervisor.apply(try Bench.profile("sensors: {b: {every: 2s}}\nlog: {level: error}\nbuffer: {path: /nowhere/b.db}\n"))
    #expect(bench.live("a.value") == nil)
    bench.tick(4)
    #expect(bench.script("b").now.made == 2)
    #expect(bench.script("a").now.sampled == 11)
    #expect(bench.sent("a.value").suffix(4).allSatisfy { $0 == nil })
    // Ids stay what they are.
    #expect(bench.supervisor.table.series.map(\.key) == ["a.value", "b.value"])
  }

  @Test func alertStateOutlivesARestart() throws {
    let text = """
      sensors: {a: }
      buffer: {path: /nowhere/b.db}
      log: {level: error}
      alerts: [{name: high, when: a.value > 5, for: 3s, severity: critical}]

      """
    let bench = try Bench(text)
    bench.script("a").change { $0.value = 9 }
    bench.tick(6)
    #expect(bench.supervisor.engine.active.map(\.state) == [.firing])
    #expect(bench.storage.alerts.map(\.state) == ["firing"])
    let firing = bench.storage.events.filter { $0.kind == "alert" }
    #expect(firing.count == 1)
    var opening = BufferWriter.Opening()
    opening.series = bench.storage.series
    opening.alerts = bench.storage.alerts
    opening.nextSequence = 100
    let next = try Bench(text, opening: opening)
    #expect(next.supervisor.engine.active.map(\.state) == [.firing])
    next.script("a").change { $0.value = 9 }
    next.tick(5)
    // It fires on, and does not say so again.
    #expect(next.storage.events.filter { $0.kind == "alert" }.isEmpty)
    next.script("a").change { $0.value = 1 }
    next.tick(5)
    #expect(next.storage.events.filter { $0.kind == "alert" }.map(\.message).count == 1)
    #expect(next.supervisor.engine.active.isEmpty)
  }

  @Test func eachAlertIsStoredWithTheTimeItFired() throws {
    let text = """
      sensors: {a: , b: }
      buffer: {path: /nowhere/b.db}
      log: {level: error}
      alerts: [{name: high, when: a.value > 5}, {name: low, when: b.value > 5}]

      """
    let bench = try Bench(text)
    func stored(_ bench: Bench) -> [String: Int64] {
      Dictionary(bench.storage.alerts.map { ($0.rule, $0.sinceMilliseconds) }) { first, _ in first }
    }
    bench.script("a").change { $0.value = 9 }
    bench.tick(2)
    let first = try #require(stored(bench)["high"])
    bench.tick(5)
    bench.script("b").change { $0.value = 9 }
    bench.tick(2)
    let both = stored(bench)
    #expect(both["high"] == first)
    #expect(try #require(both["low"]) >= first + 5_000)
    var opening = BufferWriter.Opening()
    opening.series = bench.storage.series
    opening.alerts = bench.storage.alerts
    opening.nextSequence = 100
    let next = try Bench(text, opening: opening)
    next.script("a").change { $0.value = 9 }
    next.tick(3)
    // The other is over; what is stored of the first is when it fired before the restart.
    #expect(stored(next) == ["high": first])
  }

  @Test func aRuleThatIsTakenAwayEmptiesItsTopic() throws {
    let rule = "alerts: [{name: high, when: a.value > 5}]\n"
    let bench = try Bench("sensors: {a: }\nlog: {level: error}\nbuffer: {path: /nowhere/b.db}\n" + rule)
    bench.script("a").change { $0.value = 9 }
    bench.tick(2)
    bench.supervisor.apply(try Bench.profile("sensors: {a: }\nlog: {level: error}\nbuffer: {path: /nowhere/b.db}\n"))
    #expect(bench.delivery.removedAlerts == ["high"])
  }
}
