import Buffer
import Telemetry
import Testing
import Uplink

@testable import godwit

/// What is read out of messages, and how it is written.
@Suite struct WatchTests {
  private static let boot = "be154352-07bb-4ae6-8774-e214869e617b"
  private static let series = [
    StoredSeries(id: 0, key: "cpu.usage_percent", name: "cpu.usage_percent", labels: [], unit: "%", kind: "gauge", decimals: 1),
    StoredSeries(
      id: 1, key: #"disk.used_bytes{mount="/"}"#, name: "disk.used_bytes", labels: [Label("mount", "/")], unit: "B",
      kind: "gauge",
      decimals: 0),
  ]

  private var decoder = WatchDecoder(prefix: "godwit/v1", node: "*")

  private func message(_ topic: String, _ text: String, retained: Bool = false) -> UplinkListener.Message {
    UplinkListener.Message(topic: topic, payload: Array(text.utf8), isRetained: retained)
  }

  private func catalogue() -> UplinkListener.Message {
    var catalogue = SeriesCatalogue()
    _ = catalogue.learn(Self.series)
    return UplinkListener.Message(topic: "godwit/v1/edge/series/0", payload: catalogue.json(0), isRetained: true)
  }

  private func values(_ heard: Heard) -> [String: Double] { Dictionary(heard.values.map { ($0.key, $0.value) }) { $1 } }

  private static let tick =
    #"{"t":"2026-11-20T22:40:01.000Z","boot":"b","seq":7,"q":"unsynced","m":{"cpu":{"usage_percent":12.4},"disk":{"used_bytes":{"/":5}}}}"#

  @Test mutating func jsonBeforeAndAfterItsCatalogue() throws {
    let before = try #require(decoder.read(message("godwit/v1/edge/metrics", Self.tick)).first)
    #expect(values(before) == ["cpu.usage_percent": 12.4, #"disk.used_bytes{_1="/"}"#: 5])
    let names = try #require(decoder.read(catalogue()).first)
    #expect(names.kind == .catalogue && names.text == "2 series" && names.isRetained)
    let heard = decoder.read(message("godwit/v1/edge/metrics", Self.tick))
    #expect(heard.count == 1 && heard[0].kind == .live && heard[0].payload == "json" && heard[0].node == "edge")
    #expect(values(heard[0]) == ["cpu.usage_percent": 12.4, #"disk.used_bytes{mount="/"}"#: 5])
    #expect(heard[0].sequence == 7 && heard[0].boot == "b" && heard[0].isSynced == false)
    #expect(heard[0].wallMilliseconds == WallTime.milliseconds("2026-11-20T22:40:01.000Z"))
    // Another node has names of its own.
    #expect(values(decoder.read(message("godwit/v1/other/metrics", Self.tick))[0])[#"disk.used_bytes{_1="/"}"#] == 5)
    let late = decoder.read(message("godwit/v1/edge/backlog", #"{"first":7,"last":7,"ticks":[\#(Self.tick),\#(Self.tick)]}"#))
    #expect(late.map(\.kind) == [.backlog, .backlog] && values(late[1]) == values(heard[0]))
  }

  @Test mutating func packedIsAddedUp() throws {
    var encoder = PackedLiveEncoder(boot: Self.boot)
    encoder.learn(Self.series)
    let first = encoder.encode(LiveTick(sequence: 1, wallMilliseconds: 1_000, synced: true, values: [1.5, 10]))
    let second = encoder.encode(LiveTick(sequence: 2, wallMilliseconds: 2_000, synced: true, values: [1.5, 11]))
    let topic = "godwit/v1/edge/packed/metrics"
    let early = decoder.read(.init(topic: topic, payload: second))
    #expect(early.map(\.kind) == [.unreadable] && early[0].text.contains("message 1"))
    _ = decoder.read(catalogue())
    _ = decoder.read(.init(topic: topic, payload: first))
    let heard = decoder.read(.init(topic: topic, payload: second))
    #expect(heard.count == 1 && heard[0].sequence == 2 && heard[0].payload == "packed" && heard[0].boot == Self.boot)
    #expect(values(heard[0]) == ["cpu.usage_percent": 1.5, #"disk.used_bytes{mount="/"}"#: 11])
  }

  @Test mutating func sparkplugIsResolvedByItsBirth() {
    var metric = SparkplugMetric(name: "cpu/usage_percent", timestamp: 1_000, .double, .double(1.5))
    (metric.alias, metric.properties) = (1, [SparkplugProperty("series", "cpu.usage_percent")])
    var count = SparkplugMetric(name: "x/y", timestamp: 1_000, .int64, .long(UInt64(bitPattern: -3)))
    count.alias = 2
    let control = SparkplugMetric(name: "Node Control/Rebirth", timestamp: 1_000, .boolean, .boolean(false))
    func read(_ verb: String, _ payload: SparkplugPayload) -> [Heard] {
      decoder.read(.init(topic: "spBv1.0/plant/\(verb)/edge", payload: payload.encoded()))
    }
    let data = SparkplugPayload(
      timestamp: 9_000, sequence: 3,
      [
        SparkplugMetric(alias: 1, timestamp: 2_000, isHistorical: true, .double(2.5)),
        SparkplugMetric(alias: 2, timestamp: 2_000, isHistorical: true, nil),
        SparkplugMetric(alias: 1, timestamp: 3_000, isHistorical: true, .double(3.5)),
      ])
    #expect(values(read("NDATA", data)[1]) == ["alias:1": 3.5])
    let birth = read("NBIRTH", SparkplugPayload(timestamp: 1_500, sequence: 0, [metric, count, control]))
    #expect(birth.map(\.kind) == [.birth] && values(birth[0]) == ["cpu.usage_percent": 1.5, "x/y": -3])
    #expect(birth[0].sparkplugSequence == 0 && birth[0].wallMilliseconds == 1_500)
    let late = read("NDATA", data)
    #expect(late.map(\.kind) == [.backlog, .backlog] && late.map(\.wallMilliseconds) == [2_000, 3_000])
    #expect(values(late[0])["cpu.usage_percent"] == 2.5 && values(late[0])["x/y"]?.isNaN == true)
    #expect(values(late[1]) == ["cpu.usage_percent": 3.5])
    let death = read(
      "NDEATH",
      SparkplugPayload(timestamp: nil, sequence: nil, [SparkplugMetric(name: "bdSeq", timestamp: nil, .int64, .long(0))]))
    #expect(death.map(\.kind) == [.death] && death[0].text == "bdSeq")
    #expect(decoder.read(.init(topic: "spBv1.0/plant/NDATA/edge", payload: [0xFF])).map(\.kind) == [.unreadable])
  }

  @Test mutating func allElseIsToldByItsTopic() {
    func read(_ level: String, _ text: String) -> Heard? { decoder.read(message("godwit/v1/edge/\(level)", text)).first }
    #expect(read("state", "online").map { [$0.kind.rawValue, $0.text] } == ["state", "online"])
    let alert = read(
      "alerts/hot", "{\"rule\":\"hot\",\n\"severity\":\"warning\",\"state\":\"firing\",\"t\":\"2026-11-20T22:40:01.000Z\"}")
    #expect(alert?.kind == .alert && alert?.text == "hot warning firing" && alert?.json?.contains(0x0A) == false)
    #expect(read("events", #"{"id":1,"kind":"gap","severity":"warning","message":"lost"}"#)?.text == "gap warning lost")
    #expect(read("cmd/job-1/status", #"{"id":"job-1","command":"flush","state":"successful"}"#)?.text == "job-1 flush successful")
    #expect(read("unheard/of", "\u{1B}[2J")?.text == "·[2J")
    #expect(read("metrics", "{")?.kind == .unreadable)
    #expect(read("metrics", "{}")?.kind == .unreadable)
    #expect(read("backlog", "{}")?.kind == .unreadable)
    #expect(decoder.read(.init(topic: "godwit/v1/edge/metrics", payload: [], isCut: true)).map(\.kind) == [.unreadable])
    #expect(decoder.read(message("elsewhere/edge/metrics", Self.tick)).isEmpty)
  }

  @Test func onlyNodesThatWereAskedFor() {
    var decoder = WatchDecoder(prefix: "godwit/v1", node: "edge-?")
    #expect(decoder.read(message("godwit/v1/edge-1/state", "online")).count == 1)
    #expect(decoder.read(message("godwit/v1/edge-10/state", "online")).isEmpty)
    #expect(WatchDecoder.filters(prefix: "p", node: "edge-?") == ["p/+/#", "spBv1.0/+/+/+"])
    #expect(WatchDecoder.filters(prefix: "p", node: "edge") == ["p/edge/#", "spBv1.0/+/+/edge"])
  }

  @Test mutating func nodesAreBounded() {
    for number in 0..<WatchLimits.nodes { _ = decoder.read(message("godwit/v1/n\(number)/state", "online")) }
    #expect(decoder.read(message("godwit/v1/more/state", "online")).map(\.kind) == [.unreadable])
    #expect(decoder.read(message("godwit/v1/n0/state", "online")).map(\.kind) == [.state])
  }

  @Test mutating func linesForPeople() throws {
    var text = WatchText(metrics: [], width: 110, style: .plain)
    let later = Self.tick.replacing("12.4", with: "13.4").replacing("\"seq\":7", with: "\"seq\":8")
    let messages = [
      catalogue(), message("godwit/v1/edge/metrics", Self.tick), message("godwit/v1/edge/metrics", later),
      message("godwit/v1/edge/metrics", later), message("godwit/v1/edge/backlog", #"{"ticks":[\#(Self.tick)]}"#),
      message("godwit/v1/edge/state", "offline"), message("godwit/v1/edge/metrics", "nonsense"),
    ]
    let lines = messages.flatMap { decoder.read($0) }.map { text.line($0, receivedMilliseconds: 1_000) }
    try StatusScreenTests.compare(lines, with: "watch-lines.txt")
    var chosen = WatchText(metrics: ["cpu.*"], width: .max, style: .plain)
    let line = chosen.line(decoder.read(messages[4])[0], receivedMilliseconds: 0)
    #expect(line.hasSuffix("#7  2 values  cpu.usage_percent=12.4"))
  }

  @Test mutating func objectsForPrograms() throws {
    _ = decoder.read(catalogue())
    let text = WatchText(metrics: ["cpu.*"], width: 80, style: .plain)
    let tick = String(
      decoding: text.json(decoder.read(message("godwit/v1/edge/metrics", Self.tick))[0], receivedMilliseconds: 1), as: UTF8.self)
    #expect(
      tick
        == #"{"received":"1970-01-01T00:00:00.001Z","node":"edge","payload":"json","kind":"live","topic":"godwit/v1/edge/metrics","#
        + #""retained":false,"t":"2026-11-20T22:40:01.000Z","boot":"b","seq":7,"q":"unsynced","m":{"cpu.usage_percent":12.4}}"#)
    let state = text.json(
      decoder.read(message("godwit/v1/edge/info", #"{"version":"1"}"#, retained: true))[0], receivedMilliseconds: 1)
    let parsed = try JSONValue(parsing: state)
    #expect(
      parsed["data"]?["version"]?.text == "1" && parsed["payload"] == .null && parsed["m"] == nil
        && parsed["retained"] == .bool(true))
    #expect(WatchText.raw(.init(topic: "a/b", payload: [0xB1, 0x02])) == "a/b b102")
    #expect(WatchText.raw(.init(topic: "a/b", payload: Array("x\ny".utf8))) == "a/b x·y")
  }
}
