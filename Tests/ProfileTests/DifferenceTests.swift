import Telemetry
import Testing

@testable import Profile

@Suite struct DifferenceTests {
  private func difference(_ old: String, _ new: String) throws -> ProfileDifference {
    ProfileDifference(from: try Fixture.parse(old), to: try Fixture.parse(new))
  }

  @Test func thereIsNoneBetweenEqualProfiles() throws {
    let difference = try difference("tick: 1s", "tick: 1000ms\nnode: edge-01")
    #expect(difference.isEmpty)
    #expect(difference.keptSensors == ["cpu", "memory", "thermal", "disk"])
    #expect(!difference.alertsChanged && !difference.uplinkChanged && !difference.bufferChanged && !difference.tickChanged)
  }

  @Test func sensorsAreToldApart() throws {
    let difference = try difference(
      "sensors: {cpu: , memory: , disk: {every: 10s}}", "sensors: {cpu: , thermal: , disk: {every: 20s, exclude_mounts: [/a]}}")
    #expect(difference.addedSensors == ["thermal"])
    #expect(difference.removedSensors == ["memory"])
    #expect(difference.changedSensors == ["disk"])
    #expect(difference.keptSensors == ["cpu"])
    #expect(
      difference.lines == [
        "sensors.thermal: added", "sensors.memory: removed", "sensors.disk.every: 10s -> 20s", "sensors.disk: other settings",
      ])
  }

  @Test func rulesAreToldApart() throws {
    let difference = try difference(
      "alerts: [{name: a, when: cpu.load1 > 1}, {name: b, when: cpu.load1 > 1}, {name: c, when: cpu.load1 > 1}]",
      "alerts: [{name: a, when: cpu.load1 > 1}, {name: b, when: cpu.load1 > 2}, {name: d, when: cpu.load1 > 1}]")
    #expect(difference.addedAlerts == ["d"])
    #expect(difference.removedAlerts == ["c"])
    #expect(difference.changedAlerts == ["b"])
    #expect(difference.alertsChanged)
    #expect(difference.lines == ["alerts.d: added", "alerts.b: changed", "alerts.c: removed"])
  }

  @Test func anotherOrderOfRulesIsAChange() throws {
    let difference = try difference(
      "alerts: [{name: a, when: cpu.load1 > 1}, {name: b, when: cpu.load1 > 1}]",
      "alerts: [{name: b, when: cpu.load1 > 1}, {name: a, when: cpu.load1 > 1}]")
    #expect(difference.alertsChanged)
    #expect(difference.lines == ["alerts: another order"])
  }

  @Test func whatAReloadCannotChangeIsNamed() throws {
    let difference = try difference(
      "uplink: {broker: mqtt://a}",
      "buffer: {path: /data/b.db}\ncontrol: {socket: /run/g.sock}\nuplink: {broker: mqtt://b}\ntick: 2s\nnode: x")
    #expect(difference.needsRestart == ["buffer.path", "control.socket"])
    #expect(difference.bufferChanged && difference.uplinkChanged && difference.tickChanged && difference.nodeChanged)
    #expect(difference.lines.contains("uplink.broker: mqtt://a:1883 -> mqtt://b:1883"))
    #expect(difference.lines.contains("buffer.path: /var/lib/godwit/buffer.db -> /data/b.db (from the next start)"))
  }
}
