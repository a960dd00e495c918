import Telemetry
import Testing

@testable import godwit

/// How delivery is drawn, against texts under Golden/.
@Suite struct UplinkScreenTests {
  static func busy() -> UplinkReport {
    var report = UplinkReport(source: .agent, node: "edge-01", time: "2026-11-20T22:40:01.000Z")
    var mqtt = UplinkReport.Connection(name: "mqtt")
    mqtt.broker = "mqtts://broker.example:8883"
    mqtt.state = "connected"
    mqtt.since = "2026-11-20T22:31:17.402Z"
    mqtt.accepted = 2
    mqtt.roundTripMilliseconds = 12.5
    mqtt.sentBytes = 5_033_164
    mqtt.windowSeconds = 60.1
    mqtt.bytesPerSecond = 134_144
    mqtt.refusals = 3
    mqtt.refusal = "the broker refuses messages: Not authorized (reason 0x87)"
    mqtt.lastError = mqtt.refusal
    var json = UplinkReport.Payload(name: "json")
    (json.owed, json.inFlight, json.owedRanges) = (86_400, 40, 7)
    json.firstOwed = [[7_201, 93_593], [93_595, 93_595], [93_597, 93_597], [93_599, 93_600], [93_602, 93_603]]
    (json.delivered, json.lost, json.damagedColumns) = (7_200, 12, 1)
    json.ticksPerSecond = 400.25
    json.catchUpSeconds = 215.4
    var packed = UplinkReport.Payload(name: "packed")
    (packed.delivered, packed.ticksPerSecond, packed.catchUpSeconds) = (93_600, 1, 0)
    mqtt.payloads = [json, packed]
    var sparkplug = UplinkReport.Connection(name: "sparkplug")
    sparkplug.broker = "mqtt://10.0.0.1:1883"
    sparkplug.state = "waiting"
    sparkplug.since = "2026-11-19T03:00:00.000Z"
    sparkplug.attempts = 431
    sparkplug.lastError = "cannot connect to mqtt://10.0.0.1:1883: Connection refused"
    sparkplug.windowSeconds = 60
    sparkplug.bytesPerSecond = 0
    var owing = UplinkReport.Payload(name: "sparkplug")
    (owing.owed, owing.owedRanges, owing.firstOwed, owing.ticksPerSecond) = (157_201, 1, [[1, 157_201]], 0)
    sparkplug.payloads = [owing]
    report.connections = [mqtt, sparkplug]
    return report
  }

  /// The same from a buffer, which knows only what is owed.
  static func card() -> UplinkReport {
    var report = UplinkReport(source: .buffer, node: "edge-01", time: nil)
    var connection = UplinkReport.Connection(name: "mqtt")
    var payload = UplinkReport.Payload(name: "json")
    (payload.owed, payload.owedRanges, payload.firstOwed) = (300, 2, [[1, 100], [201, 400]])
    connection.payloads = [payload]
    report.connections = [connection]
    return report
  }

  @Test(arguments: [60, 120]) func aBusyLink(width: Int) throws {
    let screen = UplinkScreen(report: Self.busy(), width: width, style: .plain)
    try StatusScreenTests.compare(screen.lines(), with: "uplink-busy-\(width).txt")
    #expect(screen.lines().allSatisfy { $0.count <= width })
  }

  @Test func colours() throws {
    let screen = UplinkScreen(report: Self.busy(), width: 120, style: Style(isColoured: true))
    try StatusScreenTests.compare(screen.lines(), with: "uplink-busy-coloured.txt")
  }

  @Test func aBufferFile() throws {
    let screen = UplinkScreen(report: Self.card(), width: 100, style: .plain, agentProblem: "nobody listens at its socket")
    try StatusScreenTests.compare(screen.lines(), with: "uplink-buffer.txt")
  }

  @Test func noUplink() {
    let report = UplinkReport(source: .agent, node: "n", time: "2026-11-20T22:40:01.000Z")
    let lines = UplinkScreen(report: report, width: 80, style: .plain).lines()
    #expect(lines == ["n · the running agent · 2026-11-20 22:40:01 UTC", "", "no uplink is configured"])
  }
}
