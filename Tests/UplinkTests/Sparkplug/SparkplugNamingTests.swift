import Buffer
import Randomness
import Telemetry
import Testing

@testable import Uplink

@Suite struct SparkplugNamingTests {
  private func name(_ metric: String, _ labels: [Label] = []) -> String {
    SparkplugMetricTable.name(of: .test(0, metric, labels))
  }

  @Test func namesAreFolders() {
    #expect(name("cpu.usage_percent") == "cpu/usage_percent")
    #expect(name("cpu.core_usage_percent", [Label("core", "0")]) == "cpu/core_usage_percent/0")
    #expect(name("hwmon.in_volts", [Label("chip", "nct6775"), Label("sensor", "in0")]) == "hwmon/in_volts/nct6775/in0")
    #expect(name("filesystem.used_bytes", [Label("mount", "/")]) == "filesystem/used_bytes/root")
    #expect(name("filesystem.used_bytes", [Label("mount", "/boot/firmware")]) == "filesystem/used_bytes/boot_firmware")
    #expect(name("net.sent_bytes", [Label("interface", "eth0.100")]) == "net/sent_bytes/eth0_100")
    #expect(name("x.y", [Label("a", "")]) == "x/y/_")
    #expect(name("x.y", [Label("a", "a b-c_d°漢\u{0}\n")]) == "x/y/a b-c_d°漢__")
    // What the specification names as discouraged (6.4.6), and what makes a path or a wildcard.
    let discouraged = ".,\\@#$%^&*()[]{}|!`~:;'\"<>?/=+"
    #expect(name("x.y", [Label("a", discouraged)]) == "x/y/" + String(repeating: "_", count: discouraged.count))
  }

  @Test func noTwoSeriesHaveOneName() throws {
    var table = SparkplugMetricTable(reserved: ["bdSeq", "Node Control/Rebirth", "Properties/Boot"])
    let series = [
      StoredSeries.test(0, "disk.busy_percent", [Label("device", "sda")]),
      .test(1, "disk.busy_percent", [Label("device", "SDA")]),
      .test(2, "disk.busy_percent", [Label("device", "s.da")]),
      .test(3, "disk.busy_percent", [Label("device", "s_da")]),
      .test(4, "disk.busy_percent", [Label("device", "s/da")]),
      .test(5, "bdseq"), .test(6, "properties.boot"),
    ]
    // The second time they are known.
    for one in series + series {
      let place = table.place(of: one)
      #expect(place == one.id)
    }
    #expect(
      table.entries.map(\.name) == [
        "disk/busy_percent/sda", "disk/busy_percent/SDA_2", "disk/busy_percent/s_da", "disk/busy_percent/s_da_2",
        "disk/busy_percent/s_da_3", "bdseq_2", "properties/boot_2",
      ])
    // The exact key stands in the properties.
    #expect(table.entries[1].properties.first == SparkplugProperty("series", "disk.busy_percent{device=\"SDA\"}"))
  }

  @Test func theTableHasABound() {
    var table = SparkplugMetricTable(reserved: [])
    for id in 0..<Limits.seriesPerNode { _ = table.place(of: .test(id, "a.b", [Label("n", "\(id)")])) }
    #expect(table.count == Limits.seriesPerNode)
    let (beyond, known) = (table.place(of: .test(0, "one.more")), table.place(of: .test(0, "a.b", [Label("n", "17")])))
    #expect(beyond == nil)
    #expect(known == 17)
  }

  @Test func valuesKeepTheirType() {
    #expect(SparkplugMetricTable.value(1.5, .double) == .double(1.5))
    #expect(SparkplugMetricTable.value(-2, .int64) == .long(UInt64(bitPattern: -2)))
    #expect(SparkplugMetricTable.value(9.3e18, .int64) == nil)
    #expect(SparkplugMetricTable.value(-9_223_372_036_854_775_808, .int64) == .long(1 << 63))
    #expect(SparkplugMetricTable.value(.missing, .double) == nil)
    #expect(SparkplugMetricTable.value(.infinity, .int64) == nil)
  }

  @Test func idsThatNoTopicTakes() {
    #expect(SparkplugTopics(group: "plant 7", node: "edge-01", primaryHost: "SCADA") != nil)
    for bad in ["", "a/b", "a+", "#", "a\u{0}b", "a\n"] {
      #expect(SparkplugTopics(group: bad, node: "n") == nil)
      #expect(SparkplugTopics(group: "g", node: bad) == nil)
      #expect(SparkplugTopics(group: "g", node: "n", primaryHost: bad) == nil)
    }
    #expect(SparkplugTopics(group: "STATE", node: "n") == nil)
  }

  @Test func hostStates() {
    func read(_ text: String) -> SparkplugHostState? { SparkplugHostState(Array(text.utf8)) }
    let online = read("{\"online\":true,\"timestamp\":1668114759262}")
    #expect(online?.isOnline == true && online?.timestamp == 1_668_114_759_262)
    #expect(read(" {\n\"timestamp\" : 5 , \"online\" : false }\r\n")?.isOnline == false)
    #expect(read("{\"timestamp\":1.668e12,\"online\":true}")?.timestamp == 1_668_000_000_000)
    #expect(read("{\"a\":[1,{\"b\":null}],\"s\":\"\\\"}\",\"online\":true,\"timestamp\":1,\"z\":{}}")?.timestamp == 1)
    let bad = [
      "", "ONLINE", "{}", "{\"online\":true}", "{\"timestamp\":1}", "{\"online\":\"true\",\"timestamp\":1}",
      "{\"online\":true,\"timestamp\":\"1\"}", "{\"online\":true,\"timestamp\":-1}", "{\"online\":true,\"timestamp\":1",
      "{\"online\":true,\"timestamp\":1}x", "{\"online\":true \"timestamp\":1}", "[true,1]", "{\"online\":truetimestamp",
      "{\"a\\", "{\"a\":\"\\",
    ]
    for text in bad { #expect(read(text) == nil, "\(text)") }
    let deep = "{\"a\":" + String(repeating: "[", count: 500) + String(repeating: "]", count: 500)
    #expect(read(deep + ",\"online\":true,\"timestamp\":1}") == nil)
    #expect(read("{\"online\":true,\"timestamp\":1" + String(repeating: " ", count: 1_100) + "}") == nil)
  }

  @Test(arguments: 0..<20 as Range<UInt64>) func damagedHostStates(part: UInt64) {
    let whole = Array("{\"online\":true,\"x\":[{\"y\":\"\\u00e9\"},null,1e5],\"timestamp\":1668114759262}".utf8)
    var random = SplitMix64(seed: part)
    for _ in 0..<500 {
      var bytes = whole
      for _ in 0...random.next() % 4 where !bytes.isEmpty {
        let place = Int(random.next() % UInt64(bytes.count))
        if random.next() % 3 == 0 {
          bytes.removeSubrange(place...)
        } else {
          bytes[place] = UInt8(truncatingIfNeeded: random.next())
        }
      }
      // It answers; what, the other test says.
      _ = SparkplugHostState(bytes)
    }
    #expect(SparkplugHostState(whole)?.isOnline == true)
  }
}
