import Buffer
import Foundation
import Platform
import Profile
import Telemetry
import Testing

@testable import Agent

/// Writes down that it was asked, and answers what it is told to.
final class RecordedPower: PowerEdge {
  var asked = 0
  var result: PowerResult?

  func begin() { asked += 1 }

  func takeResult() -> PowerResult? {
    defer { result = nil }
    return result
  }
}

@Suite struct ShutdownTests {
  private let plain = "sensors: {a: }\nlog: {level: error}\nbuffer: {path: /nowhere/b.db, commit_every: 1m}\n"
  private var profile: String { plain + "shutdown: {when: a.value < 10, for: 5s, grace: 2m}\n" }

  private func kinds(_ bench: Bench) -> [String] { bench.storage.events.map { "\($0.kind) \($0.severity)" } }

  /// An hour charged, and then no more.
  private func drained(_ text: String) throws -> Bench {
    let bench = try Bench(text)
    bench.script("a").change { $0.value = 50 }
    bench.tick(300)
    bench.script("a").change { $0.value = 9 }
    return bench
  }

  @Test func itIsToldAndCommittedAndThenAskedOnce() throws {
    let bench = try drained(profile)
    bench.tick(5)
    #expect(bench.power.asked == 0)
    bench.tick(3)
    #expect(bench.power.asked == 1)
    #expect(kinds(bench) == ["alert critical", "shutdown critical"])
    #expect(bench.delivery.alerts.last?.contains(#""rule":"shutdown","severity":"critical","state":"firing""#) == true)
    bench.power.result = .accepted
    bench.tick(1_000)
    #expect(bench.power.asked == 1)
    #expect(bench.storage.transactions.last { !$0.notes.isEmpty }?.notes["shutdown"] == "boot-1")
  }

  @Test func theDiskHasTheEventBeforeTheSystemIsAsked() throws {
    let bench = try drained(profile)
    bench.storage.refuse(true)
    bench.tick(12)
    #expect(bench.power.asked == 0 && bench.supervisor.shutdown.state == .committing)
    bench.storage.refuse(false)
    bench.tick(2)
    #expect(bench.power.asked == 1)
    let other = try drained(profile)
    other.storage.refuse(true)
    other.tick(30)
    #expect(other.power.asked == 1, "a disk that refuses is not waited for")
  }

  @Test func withoutTheSectionNothingHappens() throws {
    let bench = try drained(plain)
    bench.tick(1_000)
    #expect(bench.power.asked == 0 && bench.supervisor.shutdown.state == nil)
  }

  @Test func aBatteryThatIsEmptyAtTheStartLeavesTimeToIntervene() throws {
    let bench = try Bench(profile)
    bench.tick(119)
    #expect(bench.power.asked == 0 && bench.supervisor.shutdown.state == .grace)
    bench.script("a").change { $0.value = 50 }
    bench.tick(600)
    #expect(bench.power.asked == 0 && bench.supervisor.shutdown.state == .armed)
    let other = try Bench(profile)
    other.tick(125)
    #expect(other.power.asked == 1)
  }

  @Test func aSensorThatFellSilentSwitchesNothingOff() throws {
    // Low at the start, and then no word of it any more: the alert still fires when the grace is over.
    let bench = try Bench(profile)
    bench.tick(20)
    #expect(bench.supervisor.shutdown.state == .grace)
    bench.script("a").change { $0.fails = .timedOut }
    bench.tick(3_600)
    #expect(bench.power.asked == 0 && bench.supervisor.shutdown.state == .armed)
    bench.script("a").change { $0.fails = nil }
    // A sensor that failed is asked again only after a while.
    bench.tick(900)
    #expect(bench.power.asked == 1)
  }

  @Test func mainsThatAreBackKeepItOn() throws {
    let two = "sensors: {a: , b: }\nlog: {level: error}\nbuffer: {path: /nowhere/b.db, commit_every: 1m}\n"
    let bench = try Bench(two + "shutdown: {when: a.value < 10, for: 5s, grace: 1m, unless: b.value == 1}\n")
    // Started empty by mains that came back.
    bench.script("a").change { $0.value = 5 }
    bench.script("b").change { $0.value = 1 }
    bench.tick(3_600)
    #expect(bench.power.asked == 0 && bench.supervisor.shutdown.state == .armed)
    // Known for a minute when its sensor falls silent, and no longer.
    bench.script("b").change { $0.fails = .timedOut }
    bench.tick(50)
    #expect(bench.power.asked == 0)
    bench.tick(30)
    #expect(bench.power.asked == 1)
  }

  @Test func mainsThatGoLetItBeSwitchedOffAtOnce() throws {
    let two = "sensors: {a: , b: }\nlog: {level: error}\nbuffer: {path: /nowhere/b.db, commit_every: 1m}\n"
    let bench = try Bench(two + "shutdown: {when: a.value < 10, for: 5s, grace: 1m, unless: b.value == 1}\n")
    bench.script("a").change { $0.value = 5 }
    bench.script("b").change { $0.value = 1 }
    bench.tick(300)
    bench.script("b").change { $0.value = 0 }
    bench.tick(4)
    #expect(bench.power.asked == 1)
  }

  @Test func itIsCalledOffWhilePowerComesBack() throws {
    let bench = try drained(profile)
    bench.storage.refuse(true)
    bench.tick(8)
    bench.script("a").change { $0.value = 50 }
    bench.tick(20)
    #expect(bench.power.asked == 0)
    bench.storage.refuse(false)
    bench.tick(5)
    #expect(kinds(bench) == ["alert critical", "shutdown critical", "alert critical", "shutdown info"])
  }

  @Test func whatFailsIsTriedThreeTimes() throws {
    let bench = try drained(profile)
    for attempt in 1...3 {
      bench.tick(70)
      #expect(bench.power.asked == attempt)
      bench.power.result = .failed("Access denied")
      bench.tick()
      #expect(bench.supervisor.shutdown.problem == "Access denied")
    }
    bench.tick(1_000)
    #expect(bench.power.asked == 3)
    #expect(bench.storage.events.count { $0.message == "the device cannot be switched off: Access denied" } == 3)
  }

  @Test func neitherARestartNorAnEarlierBootSwitchesOff() throws {
    var opening = BufferWriter.Opening()
    opening.notes = ["shutdown": "boot-1"]
    let again = try Bench(profile, opening: opening)
    again.tick(600)
    #expect(again.power.asked == 0, "it was asked in this boot")
    // The alert was firing when the device went down; what counts is what is measured now.
    opening.alerts = [StoredAlert(rule: "shutdown", series: "a.value", state: "firing", value: 3, sinceMilliseconds: 0)]
    let later = try Bench(profile, opening: opening, clock: HandClock(boot: "boot-2"))
    later.script("a").change { $0.value = 11 }
    later.tick(600)
    #expect(later.power.asked == 0)
    later.script("a").change { $0.value = 9 }
    later.tick(10)
    #expect(later.power.asked == 1)
  }

  @Test func aReloadTakesItAway() throws {
    let bench = try drained(profile)
    bench.storage.refuse(true)
    bench.tick(7)
    bench.supervisor.apply(try Bench.profile(plain))
    bench.storage.refuse(false)
    bench.tick(100)
    #expect(bench.power.asked == 0 && bench.supervisor.shutdown.state == nil)
  }

  // MARK: The system's program

  /// What came of it with a script in the place of `systemctl`.
  private func result(_ script: String?) throws -> (result: PowerResult?, said: String) {
    let root = try TemporaryFolder()
    if let script {
      let said = root.path(of: "said")
      let path = try root.write("usr/bin/systemctl", "#!/bin/sh\n{ echo \"$@\"; env; } > \(said)\n\(script)\n")
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
    }
    let power = SystemPower(host: Platform.Host(root: root.path))
    #expect(power.takeResult() == nil)
    power.begin()
    var result: PowerResult?
    eventually("it ends") {
      result = result ?? power.takeResult()
      return result != nil
    }
    return (result, root.read("said"))
  }

  @Test func theSystemsProgramIsRunWithNothingOfOurs() throws {
    setenv("GODWIT_MARK", "x", 1)
    defer { unsetenv("GODWIT_MARK") }
    let (result, said) = try result("exit 0")
    #expect(result == .accepted)
    #expect(said.hasPrefix("--no-ask-password poweroff\n") && !said.contains("GODWIT_MARK"))
  }

  @Test func whyItRefusesIsTold() throws {
    guard case .failed(let reason)? = try result("echo 'Access denied' >&2; echo more >&2; exit 1").result else {
      Issue.record("it was refused")
      return
    }
    #expect(reason.hasSuffix("/usr/bin/systemctl ended with 1: Access denied"))
    guard case .failed(let missing)? = try result(nil).result else {
      Issue.record("there is none")
      return
    }
    #expect(missing.hasPrefix("there is no program "))
  }
}
