import Foundation
import Randomness
import Testing

/// Links that fail and agents that are killed, by a seed: what was committed arrives, each tick once besides its repeats.
///
/// `make torture` runs 200 faults and 50 kills over several nodes, `make test` a tenth. `GODWIT_TORTURE_SEED`, `_FAULTS`, `_KILLS`, `_NODES` and
/// `_SECONDS` say otherwise. The share of repeats is that of faults to ticks, so the short run has only a bound for each fault.
@Suite struct TortureTests {
  private static func number(_ name: String, otherwise: Int) -> Int {
    ProcessInfo.processInfo.environment["GODWIT_TORTURE_" + name].flatMap { Int($0) } ?? otherwise
  }

  private enum Blow {
    case fault(LossyLinks.Fault)
    case kill
  }

  /// A node's name and number tell its ticks.
  private struct ID: Hashable {
    var node: String
    var boot: String
    var seq: UInt64
  }

  @Test func everyCommittedTickArrivesOverSeededFaultsAndKills() throws {
    let seed = UInt64(Self.number("SEED", otherwise: Int.random(in: 1...999_999)))
    let (faults, kills) = (Self.number("FAULTS", otherwise: 20), Self.number("KILLS", otherwise: 5))
    let (nodes, seconds) = (Self.number("NODES", otherwise: 2), Self.number("SECONDS", otherwise: 30))
    print("torture: GODWIT_TORTURE_SEED=\(seed), \(faults) faults and \(kills) kills over \(nodes) nodes in \(seconds) s")
    var random = SplitMix64(seed: seed)
    let all = LossyLinks.Fault.allCases
    var blows = (0..<faults).map { Blow.fault(all[$0 % all.count]) } + Array(repeating: .kill, count: kills)
    blows.shuffle(using: &random)

    let broker = try Broker()
    let subscriber = try Subscriber(["godwit/#"], to: broker)
    let links = try LossyLinks(count: nodes, to: broker.port, seed: seed)
    let devices = try (0..<nodes).map { try start($0, through: links) }
    let pause = Double(seconds) / Double(max(blows.count, 1))
    for blow in blows {
      Thread.sleep(forTimeInterval: pause * Double.random(in: 0.5...1.5, using: &random))
      let node = Int.random(in: 0..<nodes, using: &random)
      switch blow {
      case .fault(let fault): try links.strike(node, fault, milliseconds: Int.random(in: 50...1_500, using: &random))
      case .kill:
        devices[node].agent.kill()
        try devices[node].agent.start()
      }
    }
    for device in devices { #expect(device.agent.terminate(within: 30) == .exited(0), "\(device.log.suffix(2_000))") }
    let committed = try committedTicks(devices)
    // What a goodbye left owed goes out after the next start.
    for device in devices { try device.agent.start() }
    let outcome = try outcome(subscriber, committed)
    let share = Double(outcome.repeats) * 100 / Double(max(outcome.received, 1))
    print(
      "torture: \(committed.count) committed, \(outcome.received) received, \(outcome.repeats) repeats "
        + "(\(String(format: "%.2f", share)) %, \(outcome.liveRepeats) of them live), \(outcome.missing) missing, seed \(seed)")
    #expect(outcome.missing == 0)
    #expect(committed.count > 100)
    #expect(committed.count < 20_000 ? outcome.repeats <= (faults + kills) * 10 : share < 1)
    #expect(links.problems == "")
  }

  private func start(_ node: Int, through links: LossyLinks) throws -> Device {
    let device = try Device()
    let plan = Device.Plan(commit: "1s", sensors: ["memory:"], broker: "mqtt://127.0.0.1:\(links.ports[node])")
    try device.start(profile: device.profile(plan).replacingOccurrences(of: "node: edge", with: "node: edge-\(node)"))
    return device
  }

  /// A tick without its values, which other tests compare.
  private struct Number: Decodable {
    var boot: String
    var seq: UInt64
  }

  private func committedTicks(_ devices: [Device]) throws -> Set<ID> {
    var ticks: Set<ID> = []
    for (node, device) in devices.enumerated() {
      let answer = try device.godwit("export", "--buffer", device.bufferPath, "--format", "jsonl")
      try #require(answer.end == .exited(0), "\(answer.errors)")
      for line in answer.output.split(separator: "\n") {
        let tick = try JSONDecoder().decode(Number.self, from: Data(line.utf8))
        ticks.insert(ID(node: "edge-\(node)", boot: tick.boot, seq: tick.seq))
      }
    }
    return ticks
  }

  /// The ticks of a message, and whether they were live.
  private static func ticks(_ message: Subscriber.Message) -> (ticks: [Number], isLive: Bool) {
    struct Backlog: Decodable { var ticks: [Number] }
    let payload = Data(message.payload.utf8)
    if message.topic.hasSuffix("/metrics") {
      return ((try? JSONDecoder().decode(Number.self, from: payload)).map { [$0] } ?? [], true)
    }
    guard message.topic.hasSuffix("/backlog") else { return ([], false) }
    return ((try? JSONDecoder().decode(Backlog.self, from: payload))?.ticks ?? [], false)
  }

  private struct Outcome {
    var received = 0
    var repeats = 0
    var liveRepeats = 0
    var missing = 0
  }

  /// Waits until all came that has to come, and counts.
  private func outcome(_ subscriber: Subscriber, _ committed: Set<ID>) throws -> Outcome {
    var outcome = Outcome()
    var seen: [ID: Bool] = [:]
    var looked = 0
    eventually("every committed tick arrives", timeout: 120, every: 1) {
      let messages = subscriber.messages
      for message in messages.dropFirst(looked) {
        let node = String(message.topic.split(separator: "/")[2])
        let (ticks, isLive) = Self.ticks(message)
        for tick in ticks {
          outcome.received += 1
          guard let wasLive = seen.updateValue(isLive, forKey: ID(node: node, boot: tick.boot, seq: tick.seq)) else { continue }
          outcome.repeats += 1
          if wasLive { outcome.liveRepeats += 1 }
        }
      }
      looked = messages.count
      outcome.missing = committed.count { seen[$0] == nil }
      return outcome.missing == 0
    }
    return outcome
  }
}
