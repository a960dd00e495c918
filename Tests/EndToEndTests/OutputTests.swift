import Foundation
import Testing

/// The real agent and its guard on recorded lines, below a root of the test's.
@Suite struct OutputTests {
  /// A device with outputs.
  final class Rig {
    let device: Device
    let root: TemporaryFolder

    init() throws {
      root = try TemporaryFolder()
      try root.write(".host/gpio/chips", "gpiochip0 54 pinctrl-rp1\n")
      try root.write(".host/gpio/lines", "gpiochip0 12 0 GPIO12\ngpiochip0 16 0 GPIO16\ngpiochip0 23 0 GPIO23\n")
      try root.write(".host/gpio/outputs", "")
      device = try Device(launcher: [AgentProcess.program("godwitd"), "--root", root.path])
      try memory(availableKilobytes: 800_000)
    }

    /// Of a million; what the alert is about.
    func memory(availableKilobytes: Int) throws {
      let free = String(repeating: " ", count: 7 - "\(availableKilobytes)".count) + "\(availableKilobytes) kB\n"
      let text = "MemTotal: 1000000 kB\nMemFree: \(free)MemAvailable: \(free)Buffers: 0 kB\nCached: 0 kB\n"
      // In place: the agent keeps the file open.
      guard let file = FileHandle(forUpdatingAtPath: root.path(of: "proc/meminfo")) else {
        try root.write("proc/meminfo", text)
        return
      }
      try file.write(contentsOf: Data(text.utf8))
      try file.close()
    }

    static let fan = "{name: fan, line: GPIO12, active: high, safe: on, on_alert: [full]}"
    static let alive = "{name: alive, line: GPIO16, active: high, safe: off, heartbeat: 200ms}"
    static let relay = "{name: relay, line: GPIO23, active: low, safe: off, commands: true}"

    func plan(_ outputs: String...) -> Device.Plan {
      Device.Plan(
        sensors: ["memory:", "self: {every: 100ms}"],
        more: "alerts: [{name: full, when: memory.available_bytes < 100MB}]\noutputs: [\(outputs.joined(separator: ", "))]")
    }

    /// All levels of the wire that were set on a line.
    func levels(_ offset: Int) -> [Int] {
      root.read(".host/gpio/outputs").split(separator: "\n").compactMap { row in
        let words = row.split(separator: " ")
        return words.count == 3 && words[1] == "\(offset)" ? Int(words[2]) : nil
      }
    }

    func level(_ offset: Int) -> Int? { levels(offset).last }

    /// The guard's process: the agent's one child.
    func guardProcess() -> Int32? {
      let path = "/proc/\(device.agent.pid)/task/\(device.agent.pid)/children"
      let text = FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) } ?? ""
      return text.split(separator: " ").first.flatMap { Int32($0) }
    }

    func isRunning(_ process: Int32) -> Bool { Foundation.kill(process, 0) == 0 }
  }

  @Test func anAlertSwitchesTheFanAndAHeartbeatBeats() throws {
    let rig = try Rig()
    try rig.device.start(rig.plan(Rig.fan, Rig.alive))
    eventually("the fan is off") { rig.level(12) == 0 }
    try rig.memory(availableKilobytes: 50_000)
    eventually("the fan is on") { rig.level(12) == 1 }
    try rig.device.eventuallyStatus("the metric") { $0.m[#"godwit.output_active{output="fan"}"#] == 1 }
    try rig.memory(availableKilobytes: 800_000)
    eventually("the fan is off again") { rig.levels(12) == [1, 0, 1, 0] }
    eventually("beats") { rig.levels(16).count > 10 }
    #expect(rig.device.agent.terminate(within: 20) == .exited(0))
    eventually("the fan is safe") { rig.level(12) == 1 }
    eventually("the heartbeat is safe") { rig.level(16) == 0 }
  }

  @Test func aCommandOverTheBrokerSwitchesARelay() throws {
    let rig = try Rig()
    let console = try CommandConsole("set-output", plan: rig.plan(Rig.fan, Rig.relay), device: rig.device)
    eventually("the relay is off") { rig.level(23) == 1 }
    try console.send("set-output", id: "o1", args: #"{"line":"relay","state":"on"}"#)
    #expect(try console.end("o1").result["state"] as? String == "on")
    #expect(rig.level(23) == 0)
    try console.send("set-output", id: "o2", args: #"{"line":"fan","state":"on"}"#)
    #expect(try console.end("o2").state == "failed", "its profile allows no commands")
    try console.send("set-output", id: "o3", args: #"{"line":"relay","state":"up"}"#)
    #expect(try console.end("o3").state == "failed")
    try console.send("set-output", id: "o4", args: #"{"line":"relay","state":"auto"}"#)
    #expect(try console.end("o4").state == "successful")
    eventually("the relay is off again") { rig.level(23) == 1 }
  }

  @Test func aKilledAgentLeavesAllSafeAndTheNextOneGoesOn() throws {
    let rig = try Rig()
    try rig.device.start(rig.plan(Rig.fan, Rig.relay))
    eventually("the fan is off") { rig.level(12) == 0 }
    let answer = try rig.device.godwit("output", "set", "relay", "on", "--socket", rig.device.socketPath)
    #expect(answer.end == .exited(0), "\(answer.errors)")
    eventually("the relay is on, at its low level") { rig.level(23) == 0 }
    let guardProcess = try #require(rig.guardProcess())
    rig.device.agent.kill()
    eventually("all are safe") { rig.level(12) == 1 && rig.level(23) == 1 }
    eventually("the guard is gone") { !rig.isRunning(guardProcess) }
    try rig.device.agent.start()
    eventually("the fan is off again") { rig.level(12) == 0 }
    #expect(rig.level(23) == 1, "a command does not outlive the agent")
  }

  @Test func anAgentThatHangsLeavesAllSafeUntilItGoesOn() throws {
    let rig = try Rig()
    try rig.device.start(rig.plan(Rig.fan, Rig.relay))
    eventually("the fan is off") { rig.level(12) == 0 }
    Foundation.kill(rig.device.agent.pid, SIGSTOP)
    defer { Foundation.kill(rig.device.agent.pid, SIGCONT) }
    // After three ticks and five seconds.
    eventually("the fan is safe", timeout: 60) { rig.level(12) == 1 }
    Foundation.kill(rig.device.agent.pid, SIGCONT)
    eventually("the fan is off again", timeout: 60) { rig.level(12) == 0 }
  }

  @Test func aGuardThatIsKilledIsReplaced() throws {
    let rig = try Rig()
    try rig.device.start(rig.plan(Rig.fan))
    eventually("the fan is off") { rig.level(12) == 0 }
    let first = try #require(rig.guardProcess())
    // What a service manager sends to all processes of a service ends nothing.
    for signal in [SIGTERM, SIGINT, SIGABRT, SIGHUP] { Foundation.kill(first, signal) }
    try rig.device.takeTicks(5)
    #expect(rig.guardProcess() == first)
    Foundation.kill(first, SIGKILL)
    eventually("another one drives the fan") { rig.guardProcess() != first && rig.levels(12).count >= 3 && rig.level(12) == 0 }
    #expect(rig.device.log.contains("the guard of the outputs ended; another one is started"))
  }

  @Test func aReloadTakesAnOutputAway() throws {
    let rig = try Rig()
    try rig.device.start(rig.plan(Rig.fan, Rig.relay))
    eventually("the fan is off") { rig.level(12) == 0 }
    try rig.device.agent.reload(profile: rig.device.profile(rig.plan(Rig.relay)))
    eventually("the fan is safe") { rig.level(12) == 1 }
    eventually("the log") { rig.device.log.contains("outputs.fan: removed") }
    let other = Rig.fan.replacingOccurrences(of: "active: high", with: "active: low")
    try rig.device.agent.reload(profile: rig.device.profile(rig.plan(other)))
    eventually("the fan is off at its high level") { rig.levels(12) == [1, 0, 1, 0, 1] }
    let guardProcess = try #require(rig.guardProcess())
    var none = rig.plan()
    none.more = ""
    try rig.device.agent.reload(profile: rig.device.profile(none))
    eventually("the guard is gone") { rig.guardProcess() == nil && !rig.isRunning(guardProcess) }
    #expect(rig.level(12) == 0, "safe is on, at its low level")
  }

  @Test func theCommandLineSwitchesWhatTakesCommands() throws {
    let rig = try Rig()
    try rig.device.start(rig.plan(Rig.fan, Rig.relay))
    eventually("the relay is off") { rig.level(23) == 1 }
    let socket = ["--socket", rig.device.socketPath]
    func godwit(_ arguments: String...) throws -> (end: ChildProcess.End, output: String, errors: String) {
      try ChildProcess.run(AgentProcess.program("godwit"), ["output"] + arguments + socket, in: rig.device.folder)
    }
    #expect(try godwit("set", "relay", "on", "--for", "2s").end == .exited(0))
    eventually("it is on") { rig.level(23) == 0 }
    eventually("and off again") { rig.level(23) == 1 }
    let refused = try godwit("set", "fan", "on")
    #expect(refused.end == .exited(1) && refused.errors.contains("takes no commands"))
    #expect(try godwit("set", "relay", "up").end == .exited(2))
    let list = try godwit("list")
    #expect(list.output.contains("fan") && list.output.contains("relay"))
  }

  // MARK: Watchdog and shutdown

  @Test func theWatchdogIsFedAndLetGoAtAStop() throws {
    let rig = try Rig()
    try rig.root.write("dev/watchdog", "")
    var plan = rig.plan()
    plan.more = "watchdog: {timeout: 1s}"
    try rig.device.start(plan)
    eventually("feedings") { rig.root.read("dev/watchdog").utf8.count >= 2 }
    #expect(rig.device.agent.terminate(within: 20) == .exited(0))
    #expect(rig.root.read("dev/watchdog").last == "V")
    try rig.device.agent.start()
    let before = rig.root.read("dev/watchdog").utf8.count
    eventually("feedings again") { rig.root.read("dev/watchdog").utf8.count > before }
    rig.device.agent.kill()
    #expect(rig.root.read("dev/watchdog").last == "\0", "a crash is none")
  }
}
