import Foundation
import Testing

/// `godwit watch` and `godwit uplink` beside a real agent and a real broker.
@Suite struct WatchTests {
  private struct Line: Decodable {
    var node, kind, topic: String
    var payload, t, boot: String?
    var seq: UInt64?
    var m: [String: Double?]?

    var values: [String: Double] { (m ?? [:]).compactMapValues { $0 } }
  }

  private func start(_ device: Device, _ arguments: [String]) throws -> ChildProcess {
    try ChildProcess(
      AgentProcess.program("godwit"), ["watch", "--profile", device.profilePath] + arguments, name: "watch", in: device.folder)
  }

  private func lines(_ child: ChildProcess) throws -> [Line] {
    // The last line counts only when it is whole.
    let whole = child.output.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
    return try whole.map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
  }

  /// The broker is silent for a while: each tick is seen live or late in each payload, with the values that the device stored.
  @Test func everyTickOfEveryPayloadIsSeenWithItsValues() throws {
    let broker = try Broker()
    let device = try Device()
    let plan = Device.Plan(
      tick: "200ms", sensors: ["cpu: {per_core: usage}", "memory:", "disk: {every: 1s}"], broker: broker.url,
      uplink: "payloads: [json, packed, sparkplug, homeassistant], homeassistant_every: 5s, window: 4")
    try device.folder.write("profile.yaml", device.profile(plan))
    let watch = try start(device, ["--json"])
    // The agent begins only once the watch hears, so that it hears all.
    try waitUntilHeard(watch, broker)
    try device.start(plan)
    try device.takeTicks(20)
    // No connection is lost, and no subscription with it; but what the window does not take is owed.
    broker.freeze()
    try device.takeTicks(20)
    broker.thaw()
    try device.takeTicks(10)
    try device.eventuallyStatus("nothing owed") { $0.uplink.state == "connected" && $0.uplink.owed < 3 }
    try device.takeTicks(10)
    #expect(device.agent.terminate(within: 20) == .exited(0))
    let stored = try device.export()
    var seen: [Line] = []
    let (jsonTicks, packedTicks) = try ticks(of: watch, stored, &seen)
    try #require(stored.count > 50)
    for tick in stored {
      let json = try #require(jsonTicks[tick.seq], "json lacks \(tick.seq)")
      #expect(json.m == tick.m && json.t == tick.t)
      let packed = try #require(packedTicks[tick.seq], "packed lacks \(tick.seq)")
      #expect(packed.m == tick.m && packed.t == tick.t)
    }
    checkSparkplug(seen, stored)
    let states = seen.filter { $0.payload == "homeassistant" }
    #expect(!states.isEmpty)
    // Families come one by one, with the values of the device's own names.
    let names = Set(stored.flatMap { $0.m.paths.keys })
    for state in states {
      for key in state.values.keys { #expect(names.contains(WireValues.path(key)), "\(key)") }
    }
    let kinds = Set(seen.map(\.kind))
    #expect(kinds.isSuperset(of: ["live", "backlog", "birth", "death", "state", "info", "event", "catalogue"]))
    #expect(!kinds.contains("unreadable"))
    broker.stop()
    try broker.start()
    eventually("another connection") { watch.errors.contains("connected again") }
    watch.signal(SIGINT)
    #expect(watch.waitForExit(within: 10) == .exited(130))
  }

  /// A message of another node tells that the subscription stands.
  private func waitUntilHeard(_ watch: ChildProcess, _ broker: Broker) throws {
    let arguments = ["-h", "127.0.0.1", "-p", String(broker.port), "-t", "godwit/v1/other/state", "-m", "online"]
    try eventually("a message") {
      _ = try ChildProcess.run("mosquitto_pub", arguments, in: broker.folder)
      return try !lines(watch).isEmpty
    }
  }

  private struct SeenTick {
    var t: String
    var m: WireValues
  }

  private func ticks(
    of watch: ChildProcess, _ stored: [WireTick], _ seen: inout [Line]
  ) throws -> (json: [UInt64: SeenTick], packed: [UInt64: SeenTick]) {
    var found: [String: [UInt64: SeenTick]] = [:]
    try eventually("every tick", timeout: 30, every: 0.5) {
      seen = try lines(watch)
      found = [:]
      for line in seen where line.m != nil {
        guard let payload = line.payload, let sequence = line.seq else { continue }
        found[payload, default: [:]][sequence] = SeenTick(t: line.t ?? "", m: WireValues(line.values))
      }
      return ["json", "packed"].allSatisfy { payload in stored.allSatisfy { found[payload]?[$0.seq] != nil } }
    }
    return (found["json"] ?? [:], found["packed"] ?? [:])
  }

  /// Births and data say what changed: each value is that which the device had at that time.
  private func checkSparkplug(_ seen: [Line], _ stored: [WireTick]) {
    let byTime = Dictionary(stored.map { ($0.t, $0) }) { first, _ in first }
    var times: Set<String> = []
    for line in seen where line.payload == "sparkplug" && (line.kind == "live" || line.kind == "backlog") {
      guard let time = line.t, let tick = byTime[time] else { continue }
      times.insert(time)
      for (key, value) in line.values { #expect(tick.m[key] == value, "\(key) at \(time)") }
    }
    // The load or the memory changes with each tick, or nearly so.
    #expect(times.count >= stored.count - 5, "\(times.count) of \(stored.count)")
  }

  @Test func aBrokerThatDoesNotTakeItEndsItWithOne() throws {
    let device = try Device()
    let broker = try Broker(.init(passwords: ["someone": "secret"]))
    let refused = try device.godwit("watch", "--broker", broker.url, "--username", "someone")
    #expect(refused.end == .exited(1) && refused.output.isEmpty)
    #expect(refused.errors.contains("refuses the connection"), "\(refused.errors)")
    let password = try device.folder.write("password", "secret\n")
    let child = try ChildProcess(
      AgentProcess.program("godwit"),
      ["watch", "--broker", broker.url, "--username", "someone", "--password-file", password, "--raw"],
      name: "raw", in: device.folder)
    let answer = try publish(broker, "godwit/v1/n/state", "online", user: "someone", password: "secret", until: child)
    #expect(answer.hasPrefix("godwit/v1/n/state online\n"), "\(child.errors)")
    child.signal(SIGTERM)
    #expect(child.waitForExit(within: 10) == .exited(130))
    broker.stop()
    let gone = try device.godwit("watch", "--broker", broker.url)
    #expect(gone.end == .exited(1) && gone.errors.contains(broker.url), "\(gone.errors)")
    try device.folder.write("profile.yaml", device.profile(.init()))
    let none = try device.godwit("watch", "--profile", device.profilePath)
    #expect(none.end == .exited(1) && none.errors.contains("--broker"), "\(none.errors)")
  }

  private func publish(
    _ broker: Broker, _ topic: String, _ text: String, user: String, password: String, until child: ChildProcess
  ) throws -> String {
    try eventually("the message", timeout: 20, every: 0.2) {
      let arguments = ["-h", "127.0.0.1", "-p", String(broker.port), "-u", user, "-P", password, "-r", "-t", topic, "-m", text]
      _ = try ChildProcess.run("mosquitto_pub", arguments, in: broker.folder)
      return !child.output.isEmpty
    }
    return child.output
  }
}
