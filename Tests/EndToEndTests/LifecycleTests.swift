import Foundation
import Testing

/// How the agent stops, starts again, keeps others out and talks with systemd.
@Suite struct LifecycleTests {
  @Test func sigtermCommitsAllThatWasSampledAndSaysGoodbye() throws {
    let broker = try Broker()
    let subscriber = try Subscriber(["godwit/v1/edge/#"], to: broker)
    let device = try Device()
    // Nothing is committed for its age during the test: what is there afterwards the stop wrote.
    try device.start(.init(commit: "10m", broker: broker.url))
    try device.takeTicks(20)
    try device.eventuallyStatus("ticks delivered") { $0.uplink.delivered > 0 }
    let asked = Date()
    let end = device.agent.terminate(within: 30)
    let seconds = Date().timeIntervalSince(asked)
    #expect(end == .exited(0))
    print("stop: SIGTERM to exit in \(String(format: "%.2f", seconds)) s")

    eventually("offline") { subscriber.messages.last { $0.topic.hasSuffix("/state") }?.payload == "offline" }
    let late = try Subscriber(["godwit/v1/edge/state"], to: broker)
    eventually("offline is retained") { late.messages.map(\.payload) == ["offline"] }
    #expect(late.messages.first?.isRetained == true)

    let first = try device.export().map(\.seq)
    let sent = try subscriber.messages.flatMap(WireTick.ticks).map(\.seq)
    #expect(first == Array(1...UInt64(max(first.count, 1))))
    #expect(first.count >= 20)
    #expect(Set(sent).isSubset(of: Set(first)), "every tick that was published is committed")

    try device.agent.start()
    try device.takeTicks(5)
    #expect(device.agent.terminate(within: 30) == .exited(0))
    let all = try device.export().map(\.seq)
    #expect(all == Array(1...UInt64(max(all.count, 1))), "no hole over a clean restart")
    #expect(all.count > first.count)
  }

  @Test func sigintStopsAsWell() throws {
    let device = try Device()
    try device.start(.init())
    try device.takeTicks(3)
    Foundation.kill(device.agent.pid, SIGINT)
    #expect(device.agent.waitForExit(within: 20) == .exited(0))
    try #expect(device.export().count >= 3)
    #expect(!FileManager.default.fileExists(atPath: device.socketPath))
  }

  @Test func aSecondAgentOnTheSameBufferIsRefused() throws {
    let device = try Device()
    try device.start(.init())
    try device.takeTicks(2)
    let second = try ChildProcess.run(AgentProcess.program("godwitd"), ["--profile", device.profilePath], in: device.folder)
    #expect(second.end == .exited(1))
    #expect(second.errors.contains("another agent (process \(device.agent.pid)) uses the buffer \(device.bufferPath)"))
    // The first one is not disturbed, its socket included.
    try device.takeTicks(3)
    device.agent.kill()
    // A killed agent leaves its lock file and its socket behind; neither keeps the next one out.
    try device.agent.start()
    try device.takeTicks(2)
  }

  @Test func systemdIsToldWhatHappens() throws {
    let journal = try NotifySocket()
    let device = try Device(environment: ["NOTIFY_SOCKET": journal.path, "WATCHDOG_USEC": "200000"])
    try device.start(.init())
    eventually("ready and alive") { journal.states.contains("READY=1") && journal.states.count { $0 == "WATCHDOG=1" } >= 3 }
    try device.agent.reload(profile: device.profile(.init(tick: "200ms")))
    eventually("reloaded") {
      guard let index = journal.states.firstIndex(of: "RELOADING=1") else { return false }
      return journal.states[index...].contains("READY=1")
    }
    let seen = journal.states.count
    eventually("alive after the reload") { journal.states.dropFirst(seen).contains("WATCHDOG=1") }
    #expect(device.agent.terminate(within: 20) == .exited(0))
    eventually("stopping") { journal.states.last == "STOPPING=1" }
    let order = journal.states.filter { $0 != "WATCHDOG=1" }
    #expect(order == ["READY=1", "RELOADING=1", "READY=1", "STOPPING=1"])
    // systemd 253 wants the time of a reload beside it, sd_notify(3).
    #expect(journal.lines.contains { $0.hasPrefix("MONOTONIC_USEC=") })
  }

  @Test func theWatchdogOfAnotherProcessIsNotFed() throws {
    let journal = try NotifySocket()
    let device = try Device(environment: ["NOTIFY_SOCKET": journal.path, "WATCHDOG_USEC": "200000", "WATCHDOG_PID": "1"])
    try device.start(.init())
    try device.takeTicks(10)
    #expect(!journal.states.contains("WATCHDOG=1"))
    #expect(journal.states.first == "READY=1")
  }

  @Test func rareTicksStillFeedTheWatchdog() throws {
    let journal = try NotifySocket()
    let device = try Device(environment: ["NOTIFY_SOCKET": journal.path, "WATCHDOG_USEC": "200000"])
    try device.start(.init(tick: "1h", commit: "10s"))
    eventually("ready and alive") { journal.states.contains("READY=1") && journal.states.count { $0 == "WATCHDOG=1" } >= 3 }
    #expect(device.agent.terminate(within: 20) == .exited(0))
  }
}
