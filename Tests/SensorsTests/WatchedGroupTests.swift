import Platform
import Telemetry
import Testing

@testable import Sensors

/// Restarts, kills and commands of watched groups, step by step.
@Suite struct WatchedGroupTests {
  private func process(_ id: Int32, start: UInt64 = 0, parent: Int32 = 1) -> (key: MainProcesses.Key, parent: Int32) {
    (MainProcesses.Key(id: id, startTicks: start), parent)
  }

  private func restarts(_ steps: [[(key: MainProcesses.Key, parent: Int32)]]) -> Int {
    var mains = MainProcesses()
    for step in steps { _ = mains.advance(step) }
    return mains.restarts
  }

  @Test func aMainProcessThatIsReplacedWasRestarted() {
    #expect(restarts([[process(10)], [process(11)]]) == 1)
    #expect(restarts([[process(10)], [], [], [process(11)]]) == 1)
    #expect(restarts([[process(10)], [process(11)], [process(12)]]) == 2)
    #expect(restarts([[process(10), process(20)], [process(11), process(21)]]) == 2)
  }

  @Test func theSameNumberWithALaterStartIsAnotherProcess() {
    #expect(restarts([[process(10, start: 5)], [process(10, start: 9)]]) == 1)
  }

  @Test func whatIsAddedOrMadeOfChildrenIsNoRestart() {
    #expect(restarts([[process(10)], [process(10), process(11)]]) == 0)
    #expect(restarts([[process(10)], [process(10), process(11, parent: 10)], [process(10)]]) == 0)
    // The main process ended, its child lives on: there is no new one.
    #expect(restarts([[process(10), process(11, parent: 10)], [process(11)]]) == 0)
    #expect(restarts([[], [process(10)]]) == 0)
  }

  @Test func killsOfAControlGroupThatWasMadeAnewStandInTheOneAbove() {
    var tally = OOMKillTally()
    tally.advance(own: 2, above: 7, lostProcess: false)
    #expect(tally.total == 0)
    // One of its workers was killed, another service too.
    tally.advance(own: 3, above: 9, lostProcess: false)
    #expect(tally.total == 1)
    // Its main process was killed, systemd made the group anew.
    tally.advance(own: 0, above: 10, lostProcess: true)
    #expect(tally.total == 2)
    tally.advance(own: 0, above: 12, lostProcess: false)
    #expect(tally.total == 2)
    // It was killed and is not started again.
    tally.advance(own: nil, above: 13, lostProcess: true)
    #expect(tally.total == 3)
    tally.advance(own: nil, above: 14, lostProcess: false)
    #expect(tally.total == 3)
    tally.advance(own: 0, above: 14, lostProcess: false)
    #expect(tally.total == 3)
  }

  @Test func aProgramIsKnownByItsPathOrItsFirstWord() throws {
    var items: [Settings] = []
    let specs = WatchedGroupSettings.specs
    items.append(Settings(specs, ["name": .text("a"), "executable": .text("/opt/*/server")]))
    items.append(Settings(specs, ["name": .text("b"), "command": .text("*python3 */worker.py*")]))
    let host = Host(root: "/no/such/root")
    var groups: [WatchedGroupSettings] = []
    for item in items { groups.append(try WatchedGroupSettings(item, host: host)) }
    let match = CommandMatch(groups)
    #expect(match.matches(["x"], program: "/opt/2/server") == 1)
    #expect(match.matches(["x"], program: "/opt/2/server (deleted)") == 1)
    #expect(match.matches(["/opt/2/server"], program: "/usr/bin/other") == 0)
    #expect(match.matches(["/opt/2/server"], program: nil) == 1)
    #expect(match.matches(["server"], program: nil) == 1)
    #expect(match.matches(["/usr/sbin/server"], program: nil) == 0)
    #expect(match.matches([], program: nil) == 0)
    #expect(match.matches(["/usr/bin/python3", "/srv/worker.py", "-v"], program: "/usr/bin/python3.12") == 2)
    #expect(match.matches(["/usr/bin/python3", "/srv/other.py"], program: nil) == 0)
  }
}
