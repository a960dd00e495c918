import Buffer
import Sensors
import Telemetry
import Testing

@testable import Agent

/// What sensors see happen becomes events.
@Suite struct SensorEventTests {
  @Test func anEventIsStoredAndSentWithTheNextTick() throws {
    let bench = try Bench("sensors: {a: }\nlog: {level: error}\nbuffer: {path: /nowhere/b.db}\n")
    bench.tick()
    let details = [Label("watch", "accounts"), Label("path", "/etc/passwd"), Label("event", "move")]
    let events = bench.supervisor.environment.context.events
    #expect(events.put(SensorEvent(kind: "file", message: "/etc/passwd: moved here", details: details)))
    bench.tick(2)
    let stored = bench.storage.events.filter { $0.kind == "file" }
    #expect(stored.map(\.message) == ["/etc/passwd: moved here"])
    #expect(stored.first?.detail == #"{"watch":"accounts","path":"/etc/passwd","event":"move"}"#)
    #expect(stored.first?.severity == .info)
    #expect(bench.delivery.events.count { $0.contains("/etc/passwd: moved here") } == 1)
  }

  @Test func thereIsRoomForSoManyInATick() throws {
    let events = SensorEvents()
    let event = SensorEvent(kind: "file", message: "", details: [])
    for _ in 0..<SensorEvents.most { #expect(events.put(event)) }
    #expect(!events.put(event))
    #expect(events.take().count == SensorEvents.most)
    #expect(events.take().isEmpty && events.put(event))
  }
}
