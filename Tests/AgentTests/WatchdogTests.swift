import Buffer
import Foundation
import Platform
import Profile
import Telemetry
import Testing

@testable import Agent

/// Watchdogs that write down what is done to them.
final class RecordedWatchdogs: WatchdogEdge {
  final class Device: WatchdogDevice {
    let facts: WatchdogFacts
    private unowned let owner: RecordedWatchdogs

    init(_ owner: RecordedWatchdogs) {
      self.owner = owner
      facts = owner.facts
    }

    func setTimeout(seconds: Int) -> Int? {
      owner.calls.append("timeout \(seconds)")
      return owner.granted ?? seconds
    }

    func feed() throws(WatchdogFailure) {
      if let failure = owner.failsToFeed { throw failure }
      owner.calls.append("feed")
    }

    func close() { owner.calls.append("close") }
  }

  var calls: [String] = []
  var facts = WatchdogFacts()
  var granted: Int?
  var fails: WatchdogFailure?
  var failsToFeed: WatchdogFailure?
  var attempts = 0
  /// A recorded `/sys`.
  var root = "/nonexistent"

  func open(_ path: String) throws(WatchdogFailure) -> any WatchdogDevice {
    attempts += 1
    if let fails { throw fails }
    calls.append("open \(path)")
    return Device(self)
  }

  func range(_ path: String) -> WatchdogRange { WatchdogRange(host: Platform.Host(root: root), path: path) }

  var feedings: Int { calls.count { $0 == "feed" } }
}

@Suite struct WatchdogTests {
  private let plain = "sensors: {a: , s: }\nlog: {level: error}\nbuffer: {path: /nowhere/b.db}\n"
  private func profile(_ watchdog: String) -> String { plain + "watchdog: \(watchdog)\n" }

  @Test func withoutTheSectionNoneIsTouched() throws {
    let bench = try Bench(plain)
    bench.tick(100)
    #expect(bench.watchdogs.attempts == 0 && bench.supervisor.watchdog.state == nil)
  }

  @Test func itIsOpenedBehindTheFirstTickAndFedWhileTicksAreTaken() throws {
    let bench = try Bench(profile("{timeout: 30s}"))
    #expect(bench.watchdogs.calls.isEmpty)
    bench.tick()
    #expect(bench.watchdogs.calls == ["open /dev/watchdog", "timeout 30", "feed"])
    // A third of the timeout: at 1, 11, 21, … of a hundred seconds.
    bench.tick(99)
    #expect(bench.watchdogs.feedings == 10)
    // Time goes on without a tick: nobody else feeds it.
    bench.clock.pass(milliseconds: 3_600_000)
    #expect(bench.watchdogs.feedings == 10)
    bench.tick()
    #expect(bench.watchdogs.feedings == 11)
    #expect(bench.supervisor.watchdog.state == .fed)
  }

  @Test(arguments: [(tick: 1, timeout: 3), (1, 4), (1, 300), (7, 21), (7, 60), (60, 180), (60, 3_600)])
  func betweenTwoFeedingsIsAlwaysLessThanTheTimeout(_ pace: (tick: Int, timeout: Int)) throws {
    let bench = try Bench("tick: \(pace.tick)s\n" + profile("{timeout: \(pace.timeout)s}"))
    var (fed, longest, last) = (0, Int64(0), bench.clock.bootNanoseconds())
    for _ in 0..<1_000 {
      bench.tick()
      guard bench.watchdogs.feedings > fed else { continue }
      fed = bench.watchdogs.feedings
      longest = max(longest, bench.clock.bootNanoseconds() - last)
      last = bench.clock.bootNanoseconds()
    }
    #expect(longest > 0 && longest <= Int64(pace.timeout) * 1_000_000_000 * 2 / 3)
  }

  @Test func aSlowSensorAndADiskThatRefusesDoNotKeepItFromBeingFed() throws {
    let bench = try Bench(profile("{timeout: 3s}"))
    bench.script("s").change { $0.hangs = true }
    bench.storage.refuse(true)
    bench.tick(60)
    #expect(bench.watchdogs.feedings == 60)
  }

  @Test func aStopLetsItGo() throws {
    let bench = try Bench(profile("{timeout: 30s}"))
    bench.tick(5)
    bench.supervisor.watchdog.stop()
    #expect(bench.watchdogs.calls.last == "close")
    bench.tick(60)
    #expect(bench.watchdogs.calls.last == "close")
  }

  @Test func aReloadTakesItAwayAndBringsItBack() throws {
    let bench = try Bench(profile("{timeout: 30s}"))
    bench.tick(2)
    bench.supervisor.apply(try Bench.profile(profile("{timeout: 60s}")))
    #expect(bench.watchdogs.calls.last == "timeout 60")
    bench.supervisor.apply(try Bench.profile(plain))
    #expect(bench.watchdogs.calls.last == "close")
    bench.tick(20)
    #expect(bench.watchdogs.calls.last == "close")
    bench.supervisor.apply(try Bench.profile(profile("{device: /dev/watchdog1}")))
    bench.tick()
    #expect(bench.watchdogs.calls.suffix(3) == ["open /dev/watchdog1", "timeout 30", "feed"])
    bench.supervisor.apply(try Bench.profile(profile("{device: /dev/watchdog0}")))
    bench.tick()
    #expect(bench.watchdogs.calls.suffix(4) == ["close", "open /dev/watchdog0", "timeout 30", "feed"])
  }

  @Test func whatCannotBeOpenedIsTriedAgainMoreAndMoreRarely() throws {
    let bench = try Bench(profile("{timeout: 30s}"))
    bench.watchdogs.fails = WatchdogFailure(call: "open", errno: EBUSY)
    bench.tick(3_600)
    // After 1, 2, 4, … 256 and then every 300 s.
    #expect((15...22).contains(bench.watchdogs.attempts))
    #expect(bench.supervisor.watchdog.problem?.contains("RuntimeWatchdogSec=off") == true)
    #expect(bench.supervisor.watchdog.state == .waiting)
    bench.watchdogs.fails = nil
    bench.tick(300)
    #expect(bench.supervisor.watchdog.state == .fed && bench.supervisor.watchdog.problem == nil)
    bench.watchdogs.failsToFeed = WatchdogFailure(call: "write", errno: EIO)
    bench.tick(30)
    #expect(bench.supervisor.watchdog.problem?.contains("cannot feed /dev/watchdog: write, errno 5") == true)
  }

  @Test func whatTicksCannotKeepAliveIsNotOpened() throws {
    let folder = try TemporaryFolder()
    try folder.write("sys/class/watchdog/watchdog0/max_timeout", "15\n")
    let bench = try Bench("tick: 10s\n" + profile("{timeout: 30s}"))
    bench.watchdogs.root = folder.path
    bench.tick(20)
    #expect(bench.watchdogs.attempts == 0)
    #expect(bench.supervisor.watchdog.problem?.contains("reset after 15 s at the latest") == true)
    try folder.write("sys/class/watchdog/watchdog0/max_timeout", "60\n")
    bench.tick(60)
    #expect(bench.supervisor.watchdog.state == .fed)
  }

  @Test func theDriversOwnTimeoutHolds() throws {
    let bench = try Bench(profile("{timeout: 60s}"))
    bench.watchdogs.granted = 6
    bench.tick(60)
    #expect(bench.supervisor.watchdog.timeoutSeconds == 6)
    #expect(bench.watchdogs.feedings == 30)
  }

  @Test func aDriversOwnTimeoutThatTicksCannotKeepAliveLetsItGo() throws {
    let bench = try Bench("tick: 10s\n" + profile("{timeout: 60s}"))
    bench.watchdogs.granted = 15
    bench.tick()
    #expect(bench.watchdogs.calls == ["open /dev/watchdog", "timeout 60", "close"])
    #expect(bench.supervisor.watchdog.state == .waiting)
    #expect(bench.supervisor.watchdog.problem?.contains("takes no timeout above 15 s") == true)
    // One that cannot be stopped would reset the device at once: it is fed as well as ticks can.
    let stuck = try Bench("tick: 10s\n" + profile("{timeout: 60s}"))
    stuck.watchdogs.granted = 15
    stuck.watchdogs.facts.cannotBeStopped = true
    stuck.tick(10)
    #expect(stuck.watchdogs.feedings == 10)
  }

  @Test func aResetIsToldOnceABoot() throws {
    func events(_ opening: BufferWriter.Opening, boot: String) throws -> (messages: [String], notes: [String: String]) {
      let bench = try Bench(profile("{}"), opening: opening, clock: HandClock(boot: boot))
      bench.watchdogs.facts.bootStatus = .cardReset
      bench.tick(30)
      bench.supervisor.apply(try Bench.profile(plain))
      bench.supervisor.apply(try Bench.profile(profile("{}")))
      bench.tick(30)
      let told = bench.storage.events.filter { $0.kind == "watchdog" }
      #expect(told.allSatisfy { $0.severity == .warning && $0.detail == #"{"device":"/dev/watchdog","status":32}"# })
      return (told.map(\.message), bench.storage.transactions.reduce(into: [:]) { $0.merge($1.notes) { $1 } })
    }
    var opening = BufferWriter.Opening()
    let first = try events(opening, boot: "boot-1")
    #expect(first.messages == ["the watchdog reset this device"])
    opening.notes = first.notes
    #expect(try events(opening, boot: "boot-1").messages.isEmpty)
    #expect(try events(opening, boot: "boot-2").messages.count == 1)
  }
}
