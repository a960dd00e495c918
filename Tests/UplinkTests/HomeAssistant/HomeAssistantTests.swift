import Buffer
import Foundation
import Randomness
import Telemetry
import Testing

@testable import Uplink

/// When what is sent, without a broker.
@Suite struct HomeAssistantTests {
  typealias Bench = HomeAssistantBench

  private let usage = Series(Bench.metric("cpu.usage_percent", .percent, decimals: 1))
  private let root = Series(Bench.metric("disk.usage_percent", .percent, decimals: 1), [Label("mount", "/")])
  private let cpuTopic = "homeassistant/device/edge-01/cpu/config"
  private let diskTopic = "homeassistant/device/edge-01/disk/config"

  private func announced() -> Bench {
    var bench = Bench()
    bench.connect()
    bench.learn([usage, root])
    bench.take([12.5, 80])
    _ = bench.run(seconds: 15)
    return bench
  }

  @Test func aSeriesIsAnnouncedOnceItHasAValueAndItsValueFollows() throws {
    var bench = Bench()
    bench.connect()
    bench.learn([usage, root])
    #expect(bench.run(seconds: 30).isEmpty)
    bench.take([12.5, .missing])
    let sent = bench.run(seconds: 12)
    #expect(sent.configs.map(\.topic) == [cpuTopic])
    #expect(sent.configs.allSatisfy { $0.retain && $0.qualityOfService == 1 })
    #expect(sent.states.first?.topic == "godwit/v1/edge-01/homeassistant/cpu")
    #expect(sent.states.allSatisfy { !$0.retain })
    let sensor = try #require(Bench.components(bench.retained[cpuTopic])["cpu_usage_percent"])
    let key = try #require(sent.states.first.flatMap { Bench.object($0.payload).first })
    #expect(sensor["val_tpl"] as? String == "{{value_json.\(key.key)|default(none)}}")
    #expect(key.value as? Double == 12.5)
    #expect(sensor["name"] as? String == "CPU usage")
    #expect(sensor["exp_aft"] as? Int == 30)
    // No state before what it belongs to.
    #expect(sent.firstIndex { $0.topic == cpuTopic } ?? .max < sent.firstIndex { !$0.retain } ?? .min)
  }

  /// `abbreviations.py` of its `mqtt` component: `mf`, `mdl`, `sn`.
  @Test func theDeviceSaysWhatItIsAsFarAsItIsKnown() throws {
    var bench = Bench {
      ($0.manufacturer, $0.model, $0.serialNumber) = ("Example", "EX-7100", "hash:05abbc4472fd1ca8")
    }
    bench.connect()
    bench.learn([usage])
    bench.take([12.5])
    _ = bench.run(seconds: 12)
    let device = try #require(Bench.object(bench.retained[cpuTopic]?.payload ?? [])["dev"] as? [String: Any])
    #expect(device["mf"] as? String == "Example" && device["mdl"] as? String == "EX-7100")
    #expect(device["sn"] as? String == "hash:05abbc4472fd1ca8")
    bench = announced()
    let other = try #require(Bench.object(bench.retained[cpuTopic]?.payload ?? [])["dev"] as? [String: Any])
    #expect(other["sn"] == nil && other["mf"] == nil && other["mdl"] == nil)
  }

  @Test func stateGoesOutAtTheIntervalWithNewestValuesOnly() {
    var bench = announced()
    var states: [HomeAssistantMessage] = []
    for second in 0..<60 {
      bench.take([Double(second), .missing])
      states += bench.run(seconds: 1).states.filter { $0.topic.hasSuffix("/cpu") }
    }
    #expect(states.count == 6)
    let values = states.compactMap { Bench.object($0.payload).values.first as? Double }
    #expect(values == values.sorted() && zip(values, values.dropFirst()).allSatisfy { $1 - $0 == 10 }, "\(values)")
  }

  @Test func aValueThatIsTooOldIsLeftOut() {
    var bench = announced()
    var last: [HomeAssistantMessage] = []
    for _ in 0..<40 {
      bench.take([1, .missing])
      last = bench.run(seconds: 1)
    }
    last = bench.run(seconds: 10).states
    #expect(last.map(\.topic) == ["godwit/v1/edge-01/homeassistant/cpu"])
  }

  @Test func everythingIsAnnouncedAgainAtItsBirthButNotAtOnce() {
    var waits: Set<Int> = []
    for seed in UInt64(0)..<40 {
      var bench = announced()
      var random = SplitMix64(seed: seed)
      bench.payload.hear(topic: "homeassistant/status", payload: Array("offline".utf8), now: bench.now, using: &random)
      bench.take([1, 2])
      #expect(bench.run(seconds: 30).configs.isEmpty)
      bench.payload.hear(topic: "homeassistant/status", payload: Array("online".utf8), now: bench.now, using: &random)
      var waited = 0
      var configs: [HomeAssistantMessage] = []
      while configs.isEmpty, waited < 60 {
        configs = bench.run(seconds: 1).configs
        waited += 1
      }
      #expect(configs.map(\.topic) == [cpuTopic, diskTopic])
      waits.insert(waited)
    }
    #expect(waits.count > 5 && (waits.max() ?? .max) <= 13, "\(waits)")
  }

  @Test func aFamilyThatLeavesTheProfileIsTakenAwayInTwoSteps() {
    var bench = announced()
    bench.configure { $0.families["disk"] = nil }
    bench.take([1, 2])
    let first = bench.run(seconds: 5).configs.filter { $0.topic == diskTopic }
    let tombs = Bench.components(first.first).values
    #expect(tombs.map { $0 as? [String: String] } == [["p": "sensor"]])
    #expect(first.count == 1)
    bench.take([1, 2])
    let second = bench.run(seconds: 20).configs
    #expect(second.map(\.topic) == [diskTopic] && second.allSatisfy { $0.payload.isEmpty && $0.retain })
    #expect(bench.retained.keys.sorted() == [cpuTopic])
    #expect(bench.run(seconds: 60).configs.isEmpty)
  }

  @Test func whatLeftTheProfileWhileTheAgentDidNotRunIsTakenAway() {
    var bench = Bench { $0.families["disk"] = nil }
    bench.connect()
    bench.learn([usage, root])
    #expect(bench.run(seconds: 20).configs.map(\.topic) == [diskTopic, diskTopic])
    #expect(bench.retained.isEmpty)
  }

  @Test func aSeriesThatGivesNoValueAfterAReloadIsTakenAway() {
    var bench = announced()
    // Without a reload it stays, however silent it is.
    for _ in 0..<200 {
      bench.take([1, .missing])
      _ = bench.run(seconds: 1)
    }
    #expect(bench.retained[diskTopic] != nil)
    bench.configure { _ in }
    for _ in 0..<90 {
      bench.take([1, .missing])
      _ = bench.run(seconds: 1)
    }
    #expect(bench.retained.keys.sorted() == [cpuTopic])
    // And it comes back with its next value.
    bench.take([1, 50])
    _ = bench.run(seconds: 15)
    #expect(Bench.components(bench.retained[diskTopic]).count == 1)
  }

  @Test func rulesAndCommandsComeAndGo() throws {
    var bench = Bench {
      $0.rules = ["cpu-hot", "disk-full"]
      $0.commands = [.init(name: "flush", topic: "godwit/v1/edge-01/cmd/home", payload: "flush")]
    }
    bench.connect()
    _ = bench.run(seconds: 3)
    let topic = { (part: String) -> String in "homeassistant/device/edge-01/\(part)/config" }
    #expect(bench.retained.keys.sorted() == ["alert--cpu-hot", "alert--disk-full", "command--flush"].map(topic))
    let alert = try #require(Bench.components(bench.retained[topic("alert--cpu-hot")]).first?.value)
    #expect(alert["stat_t"] as? String == "godwit/v1/edge-01/alerts/cpu-hot" && alert["dev_cla"] as? String == "problem")
    bench.configure {
      $0.rules = ["disk-full"]
      $0.commands = []
    }
    let sent = bench.run(seconds: 30).configs
    #expect(sent.filter { $0.topic == topic("alert--cpu-hot") }.map(\.payload.isEmpty) == [false, true])
    #expect(bench.retained.keys.sorted() == [topic("alert--disk-full")])
    #expect(bench.payload.order == ["alert--disk-full"])
  }

  @Test func anotherNodeNameEmptiesTheOldTopics() {
    var bench = announced()
    bench.configure { $0.node = "edge.two" }
    bench.take([1, 2])
    let sent = bench.run(seconds: 30).configs
    #expect(sent.filter { $0.topic == cpuTopic }.map(\.payload.isEmpty) == [false, true])
    let topics = bench.retained.keys.sorted()
    #expect(topics.count == 2 && topics.allSatisfy { $0.hasPrefix("homeassistant/device/edge_two-") }, "\(topics)")
    #expect(bench.payload.farewells.isEmpty)
  }

  @Test func aBrokenConnectionSaysAllOfItAgain() {
    var bench = announced()
    bench.configure { $0.families["disk"] = nil }
    _ = bench.run(seconds: 3)
    bench.payload.disconnected()
    #expect(bench.run(seconds: 40).isEmpty && bench.payload.wait(now: bench.now) == .max)
    bench.take([1, 2])
    bench.connect()
    let sent = bench.run(seconds: 20).configs
    #expect(sent.filter { $0.topic == diskTopic }.map(\.payload.isEmpty) == [false, true])
    #expect(sent.filter { $0.topic == cpuTopic }.count == 1)
  }

  @Test func waitingIsEnough() {
    var bench = announced()
    bench.configure { $0.families["disk"] = nil }
    bench.take([1, 2])
    var polled = bench
    let expected = polled.run(seconds: 120).map { "\($0.topic) \($0.payload.count)" }
    var slept: [String] = []
    let end = bench.now + 120_000
    var wakes = 0
    while true {
      let wait = bench.payload.wait(now: bench.now)
      guard wait <= end - bench.now, wakes < 1_000 else { break }
      bench.now += wait
      wakes += 1
      while let message = bench.payload.next(now: bench.now) { slept.append("\(message.topic) \(message.payload.count)") }
    }
    #expect(slept == expected)
    #expect(wakes < 40, "\(wakes)")
  }

  @Test func tenThousandSeriesWithHostileNamesStayBelowTheLimit() {
    let seed = UInt64(ProcessInfo.processInfo.environment["GODWIT_SEED"] ?? "") ?? 4
    print("seed \(seed)")
    var random = SplitMix64(seed: seed)
    var bench = Bench { $0.node = String(repeating: "n", count: 64) }
    let series = (0..<Limits.seriesPerNode).map { index in
      Series(
        Bench.metric((index % 3 == 0 ? "cpu." : "disk.") + "quantity_\(index % 7)_percent", .percent, decimals: 2),
        [Label("a", HostileText.make(&random) + "\(index)"), Label("b", String(repeating: "\"", count: 128))])
    }
    bench.connect()
    bench.learn(series)
    bench.take(series.map { _ in Double(random.next() % 100_000) / 7 })
    let sent = bench.run(seconds: 12)
    let largest = sent.map(\.payload.count).max() ?? .max
    #expect(largest <= 64 * 1024, "\(largest) bytes")
    var ids: Set<String> = []
    for message in bench.retained.values {
      for component in Bench.components(message).values { ids.insert(component["uniq_id"] as? String ?? "") }
    }
    #expect(ids.count == Limits.seriesPerNode)
    #expect(Set(bench.payload.entities.map(\.key)).count == Limits.seriesPerNode)
    #expect(sent.configs.map(\.topic).count == Set(sent.configs.map(\.topic)).count)
  }

  @Test(arguments: [
    ("disk.read_bytes_per_second", [Label("device", "nvme0n1")], Telemetry.Unit.bytesPerSecond, "Disk read nvme0n1"),
    ("network.tcp_retransmits_per_second", [], .perSecond, "Network TCP retransmits"),
    ("thermal.temperature_celsius", [Label("zone", "a\u{202E}b\n{{1}}")], .celsius, "Thermal temperature a b {{1}}"),
    ("x.percent", [], .percent, "X percent"),
  ])
  func names(metric: String, labels: [Label], unit: Telemetry.Unit, expected: String) {
    #expect(HomeAssistantNames.name(metric, labels: labels, unit: unit.rawValue, isCounter: false) == expected)
  }

  @Test func idsOfDifferentThingsDiffer() {
    let id = { (name: String) in HomeAssistantNames.component(name, name: name, hash: HomeAssistantNames.hash(name)) }
    #expect(id("cpu.usage_percent") == "cpu_usage_percent")
    #expect(Set(["a.b_c", "a_b.c", "a.b.c", "A.b_c", "a.b-c"].map(id)).count == 5)
    #expect(HomeAssistantNames.level("edge-01") == "edge-01")
    #expect(HomeAssistantNames.level("edge.01") != HomeAssistantNames.level("edge_01"))
    let long = String(repeating: "x", count: 300)
    #expect(HomeAssistantNames.level(long).utf8.count <= 64)
    // FNV-1a of "a", from its authors' test vectors, folded.
    let fnv: UInt64 = 0xAF63_DC4C_8601_EC8C
    #expect(HomeAssistantNames.hash("a") == (fnv ^ (fnv >> 48)) & 0xFFFF_FFFF_FFFF)
  }
}

/// Label values that break what is careless.
enum HostileText {
  private static let pieces = [
    "\"", "\\", "\n", "\r\n", "\0", "\u{1B}[2J", "{{ 7*7 }}", "{% raw %}", "</script>", "é", "温度", "👩‍🚀", "\u{202E}", "\u{2028}",
    "homeassistant/+/#", " ", "None", "unknown", "a", "Z", "%s", "'", "`", "${x}", "\u{FEFF}",
  ]

  static func make(_ random: inout SplitMix64) -> String {
    (0..<(random.next() % 12)).map { _ in pieces[Int(random.next() % UInt64(pieces.count))] }.joined()
  }
}
