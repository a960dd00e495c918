import Foundation
import Platform
import Profile
import Telemetry
import Testing
import Uplink

@testable import Agent

/// Guards inside the test, on recorded lines.
final class RecordedGuards: OutputGuards {
  final class Link: OutputLink {
    let lines: OutputGuard
    private unowned let owner: RecordedGuards
    private var answers: [[UInt8]] = []
    var hasEnded = false

    init(_ owner: RecordedGuards) {
      self.owner = owner
      lines = OutputGuard(gpio: Host(root: owner.root).calls.gpio)
    }

    func send(_ packet: [UInt8]) -> Bool {
      guard !owner.isFull, let message = OutputMessage(packet) else { return false }
      lines.take(message, now: owner.milliseconds)
      if !owner.isMute { answers.append(lines.report.packet) }
      return true
    }

    func receive() -> [UInt8]? { answers.isEmpty ? nil : answers.removeFirst() }

    func end() {
      if !hasEnded { lines.makeSafe(owner.milliseconds) }
      hasEnded = true
    }
  }

  var root = "/nonexistent"
  var milliseconds: Int64 = 0
  var isFull = false
  var isMute = false
  var fails: SubprocessFailure?
  var started = 0
  weak var link: Link?

  func start() throws(SubprocessFailure) -> any OutputLink {
    started += 1
    if let fails { throw fails }
    let link = Link(self)
    self.link = link
    return link
  }
}

@Suite struct OutputTests {
  private let plain = """
    sensors: {a: , b: }
    log: {level: error}
    buffer: {path: /nowhere/b.db}
    alerts:
      - {name: door-front, when: a.value > 5}
      - {name: door-back, when: b.value > 5, for: 3s}

    """
  private static let fan = "{name: fan, line: GPIO12, active: high, safe: on, on_alert: [door-front]}"
  private static let siren = "{name: siren, line: GPIO22, active: low, safe: off, on_alert: [door-*], for: 10s}"
  private static let alive = "{name: alive, line: GPIO16, active: high, safe: off, heartbeat: 2s}"
  private static let relay = "{name: relay, line: GPIO23, active: high, safe: off, commands: true}"

  private func profile(_ outputs: String...) -> String { plain + "outputs: [\(outputs.joined(separator: ", "))]\n" }

  /// A bench on recorded lines of its own.
  private func bench(_ text: String) throws -> (Bench, RecordedGPIOFolder) {
    let lines = try RecordedGPIOFolder(in: TemporaryFolder())
    let bench = try Bench(text)
    bench.guards.root = lines.folder.path
    return (bench, lines)
  }

  private func view(_ bench: Bench, _ name: String) throws -> OutputControl.View {
    try #require(bench.supervisor.outputs.views.first { $0.name == name })
  }

  @Test func withoutOutputsNoGuardRuns() throws {
    let bench = try Bench(plain)
    bench.tick(10)
    #expect(bench.guards.started == 0)
  }

  @Test func anAlertSwitchesOnUntilAllHaveCleared() throws {
    let (bench, lines) = try bench(profile(Self.fan))
    bench.tick(2)
    // It was safe for as long as no tick had decided, and that is on.
    #expect(lines.levels(12) == [1, 0])
    bench.script("a").change { $0.value = 9 }
    bench.tick(30)
    #expect(lines.level(12) == 1)
    #expect(try view(bench, "fan") == .init(name: "fan", isOn: true, wanted: true, driver: "alert", problem: nil))
    bench.script("a").change { $0.value = 1 }
    bench.tick(2)
    #expect(lines.levels(12) == [1, 0, 1, 0])
    #expect(try view(bench, "fan").driver == "rest")
  }

  @Test func aLimitedOneIsOffAfterItsTimeAndOnAgainWithTheNextAlert() throws {
    let (bench, lines) = try bench(profile(Self.siren))
    bench.tick()
    bench.script("a").change { $0.value = 9 }
    bench.tick(10)
    // Low is on.
    #expect(lines.levels(22) == [1, 0])
    bench.tick(30)
    #expect(lines.levels(22) == [1, 0, 1])
    // Another rule of the pattern, while the first still fires.
    bench.script("b").change { $0.value = 9 }
    bench.tick(8)
    #expect(lines.levels(22) == [1, 0, 1, 0])
    bench.tick(30)
    #expect(lines.level(22) == 1)
  }

  @Test func aHeartbeatFollowsTheTicks() throws {
    let (bench, lines) = try bench(profile(Self.alive))
    bench.tick(40)
    #expect(lines.levels(16).count == 20 || lines.levels(16).count == 21)
    #expect(zip(lines.levels(16), lines.levels(16).dropFirst()).allSatisfy { $0 != $1 })
    let before = lines.levels(16).count
    bench.clock.pass(milliseconds: 3_600_000)
    #expect(lines.levels(16).count == before, "without ticks it stands still")
  }

  @Test func aCommandSwitchesForAWhileOrForGood() throws {
    let (bench, lines) = try bench(profile(Self.relay, Self.fan))
    let outputs = bench.supervisor.outputs
    bench.tick()
    func command(_ name: String, _ wish: OutputControl.Wish, _ milliseconds: Int? = nil) -> String? {
      outputs.command(name, wish, milliseconds: milliseconds, now: bench.clock.bootNanoseconds())
    }
    #expect(command("relay", .on, 5_000) == nil)
    bench.tick(4)
    #expect(lines.levels(23) == [0, 1])
    bench.tick(2)
    #expect(lines.levels(23) == [0, 1, 0])
    #expect(command("relay", .on) == nil)
    bench.tick(1_000)
    #expect(lines.level(23) == 1)
    #expect(command("relay", .auto) == nil)
    bench.tick()
    #expect(lines.level(23) == 0)
    #expect(command("fan", .off)?.contains("takes no commands") == true)
    #expect(command("fax", .off) == "no output named 'fax' is configured")
  }

  @Test func aReloadLetsGoOfWhatIsTakenAwayInItsSafeState() throws {
    let (bench, lines) = try bench(profile(Self.fan, Self.relay))
    bench.tick()
    #expect(bench.supervisor.outputs.command("relay", .on, milliseconds: nil, now: 0) == nil)
    bench.tick()
    #expect(lines.level(23) == 1 && lines.level(12) == 0)
    // The fan goes, and its line is the lamp's now; the relay stays as it is.
    let lamp = "{name: lamp, line: GPIO12, active: low, safe: off, commands: true}"
    bench.supervisor.apply(try Bench.profile(profile(Self.relay, lamp)))
    bench.tick(2)
    #expect(lines.levels(23) == [0, 1])
    #expect(lines.levels(12) == [1, 0, 1, 1])
    #expect(bench.guards.started == 1)
    bench.supervisor.apply(try Bench.profile(plain))
    #expect(lines.level(23) == 0)
    bench.tick(5)
    #expect(bench.guards.started == 1)
    bench.supervisor.apply(try Bench.profile(profile(Self.relay)))
    bench.tick()
    #expect(bench.guards.started == 2 && lines.level(23) == 0)
  }

  @Test func aGuardThatDiedIsReplacedAndToldAll() throws {
    let (bench, lines) = try bench(profile(Self.relay))
    bench.tick()
    #expect(bench.supervisor.outputs.command("relay", .on, milliseconds: nil, now: 0) == nil)
    bench.tick(2)
    bench.guards.link?.hasEnded = true
    bench.tick()
    #expect(try view(bench, "relay").isOn == nil)
    bench.tick(4)
    #expect(bench.guards.started == 2)
    #expect(try view(bench, "relay") == .init(name: "relay", isOn: true, wanted: true, driver: "command", problem: nil))
    #expect(lines.level(23) == 1)
    bench.guards.fails = .absent("/proc/self/exe")
    bench.guards.link?.hasEnded = true
    bench.tick(600)
    // After 1, 2, 4, … and then every 60 s.
    #expect((10...20).contains(bench.guards.started))
    #expect(try view(bench, "relay").problem?.contains("cannot start the guard") == true)
  }

  @Test func aGuardThatHangsHoldsUpNothing() throws {
    let (bench, lines) = try bench(profile(Self.relay))
    bench.tick(3)
    bench.guards.isMute = true
    bench.guards.isFull = true
    bench.tick(60)
    #expect(bench.delivery.ticks.count == 63)
    #expect(try view(bench, "relay").problem?.contains("does not answer") == true)
    bench.guards.isMute = false
    bench.guards.isFull = false
    bench.tick(2)
    #expect(try view(bench, "relay").problem == nil)
    #expect(lines.levels(23) == [0])
  }

  @Test func aLineThatSomebodyHoldsIsTriedAgain() throws {
    let (bench, lines) = try bench(profile(Self.relay, Self.fan))
    let names = [12: "GPIO12", 23: "GPIO23"]
    try lines.write(lines: names, held: [23])
    bench.tick(2)
    #expect(try view(bench, "relay").problem?.contains("held by 'gpioset'") == true)
    #expect(try view(bench, "fan").problem == nil)
    try lines.write(lines: names)
    bench.guards.milliseconds = 60_000
    bench.tick(2)
    #expect(try view(bench, "relay") == .init(name: "relay", isOn: false, wanted: false, driver: "rest", problem: nil))
  }

  // MARK: The command over MQTT

  private func answers(_ bench: Bench) -> [String] {
    bench.delivery.answers.map { answer in
      switch answer.outcome {
      case .executing: "executing"
      case .successful(let json): String(decoding: json, as: UTF8.self)
      case .failed(let reason): "failed: \(reason)"
      }
    }
  }

  @Test func theCommandIsDoneWhenTheLineFollows() throws {
    let (bench, lines) = try bench(profile(Self.relay))
    let runner = CommandRunner(bench.supervisor, reload: { .applied([]) }, hasten: {})
    func send(_ arguments: [(String, String)]) {
      let members = arguments.map { JSONValue.Member($0.0, .string($0.1)) }
      runner.take([
        .run(CommandRequest(id: "c", name: .setOutput, arguments: .object(members), issuedMilliseconds: 0, expiry: .never))
      ])
    }
    func pass(_ count: Int) {
      for _ in 0..<count {
        bench.tick()
        runner.afterTick()
      }
    }
    pass(2)
    send([("line", "relay"), ("state", "on"), ("for", "5s")])
    #expect(answers(bench) == ["executing"])
    pass(2)
    #expect(answers(bench).last == #"{"line":"relay","state":"on"}"# && lines.level(23) == 1)
    pass(5)
    #expect(lines.level(23) == 0)
    for wrong in [
      [("line", "relay")], [("line", "relay"), ("state", "up")], [("line", "relay"), ("state", "on"), ("for", "8d")],
    ] {
      send(wrong)
      #expect(answers(bench).last?.hasPrefix("failed: ") == true)
    }
    bench.guards.isMute = true
    send([("line", "relay"), ("state", "on")])
    pass(30)
    #expect(answers(bench).last?.hasPrefix("failed: ") == true)
    // The last word of each command was one.
    #expect(answers(bench).count == 10)
  }

  // MARK: What goes between the two

  @Test func packetsAreReadBackAndRubbishIsNone() {
    let lines = [
      GuardedLine(name: "a", chip: nil, line: "GPIO1", isActiveLow: true, safe: true),
      GuardedLine(name: "b", chip: "pinctrl-rp1", line: "4", isActiveLow: false, safe: false),
    ]
    for message in [
      OutputMessage.lines(lines, limitMilliseconds: 8_000), .lines([], limitMilliseconds: 1), .set([true, false]), .set([]),
    ] {
      #expect(OutputMessage(message.packet) == message)
    }
    let report = OutputReport(states: [true, nil, false], problems: [1: "a b\tc"])
    #expect(OutputReport(report.packet) == OutputReport(states: [true, nil, false], problems: [1: "a b c"]))
    for text in ["", "set", "set 012", "lines x", "lines -1", "lines 5\na\tb", "state", "off 1"] {
      #expect(OutputMessage(Array(text.utf8)) == nil && OutputReport(Array(text.utf8)) == nil, "\(text)")
    }
    let many = Array(repeating: lines[0], count: AgentLimits.guardedLines + 1)
    #expect(OutputMessage(OutputMessage.lines(many, limitMilliseconds: 1).packet) == nil)
  }
}
