import Telemetry
import Testing

@testable import Profile

/// The sections by which the agent acts on the device.
@Suite struct DeviceTests {
  @Test func nothingIsDoneUnlessItIsAskedFor() throws {
    for text in ["", "watchdog:\nshutdown:\noutputs:\n", "watchdog: false\nshutdown: false\noutputs: []\n"] {
      let profile = try Fixture.parse(text)
      #expect(profile.watchdog == nil && profile.shutdown == nil && profile.outputs.isEmpty && profile.alerts.isEmpty)
    }
  }

  @Test func aWatchdogWithAndWithoutItsDefaults() throws {
    #expect(try Fixture.parse("watchdog: {}").watchdog == WatchdogProfile(device: "/dev/watchdog", timeoutSeconds: 30))
    let profile = try Fixture.parse("tick: 20s\nsensors: {cpu: }\nwatchdog: {device: /dev/watchdog1, timeout: 1m}")
    #expect(profile.watchdog == WatchdogProfile(device: "/dev/watchdog1", timeoutSeconds: 60))
    #expect(try Fixture.parse("watchdog: {}", "watchdog: false").watchdog == nil)
  }

  @Test func outputsAsInTheDocument() throws {
    let profile = try Fixture.parse(
      """
      alerts:
        - {name: cpu-hot, when: "thermal.temperature_celsius > 75"}
        - {name: door-front, when: cpu.load1 > 1}
      outputs:
        - {name: fan, line: GPIO12, active: high, safe: on, on_alert: cpu-hot}
        - {name: siren, chip: pinctrl-rp1, line: 22, active: high, safe: off, on_alert: [door-*], for: 30s}
        - {name: alive, line: GPIO16, active: high, safe: off, heartbeat: 1s}
        - {name: relay1, line: GPIO23, active: low, safe: off, commands: true}
      """)
    #expect(
      profile.outputs == [
        OutputProfile(
          name: "fan", line: "GPIO12", chip: nil, isActiveLow: false, safe: true, onAlert: ["cpu-hot"], forMilliseconds: 0,
          heartbeatMilliseconds: nil, takesCommands: false),
        OutputProfile(
          name: "siren", line: "22", chip: "pinctrl-rp1", isActiveLow: false, safe: false, onAlert: ["door-*"],
          forMilliseconds: 30_000, heartbeatMilliseconds: nil, takesCommands: false),
        OutputProfile(
          name: "alive", line: "GPIO16", chip: nil, isActiveLow: false, safe: false, onAlert: [], forMilliseconds: 0,
          heartbeatMilliseconds: 1_000, takesCommands: false),
        OutputProfile(
          name: "relay1", line: "GPIO23", chip: nil, isActiveLow: true, safe: false, onAlert: [], forMilliseconds: 0,
          heartbeatMilliseconds: nil, takesCommands: true),
      ])
  }

  @Test func theShutdownIsAnAlertThatOthersMayName() throws {
    let profile = try Fixture.parse(
      """
      shutdown: {when: "disk.used_percent{mount=\\"/\\"} > 90%", for: 10s, grace: 5m}
      outputs: [{name: lamp, line: GPIO5, active: high, safe: off, on_alert: shutdown}]
      """)
    #expect(profile.shutdown == ShutdownProfile(graceMilliseconds: 300_000))
    let rule = try #require(profile.alerts.last)
    #expect(rule.name == "shutdown" && rule.severity == .critical && rule.forMilliseconds == 10_000)
    #expect(rule.when == AlertRule.Condition(.greater, 90) && rule.labels == [AlertRule.LabelMatch("mount", "/")])
    #expect(try Fixture.parse("shutdown: {when: cpu.load1 > 3}").shutdown?.graceMilliseconds == 120_000)
  }

  @Test func whatChangesIsTold() throws {
    func lines(_ old: String, _ new: String) throws -> [String] {
      ProfileDifference(from: try Fixture.parse(old), to: try Fixture.parse(new)).lines
    }
    func output(_ name: String, _ line: String) -> String {
      "{name: \(name), line: \(line), active: high, safe: off, commands: true}"
    }
    #expect(
      try lines("outputs: [\(output("a", "L1")), \(output("b", "L2"))]", "outputs: [\(output("b", "L3")), \(output("c", "L1"))]")
        == ["outputs.c: added", "outputs.a: removed", "outputs.b: changed"])
    #expect(
      try lines("outputs: [\(output("a", "L1")), \(output("b", "L2"))]", "outputs: [\(output("b", "L2")), \(output("a", "L1"))]")
        == ["outputs: another order"])
    #expect(try lines("", "watchdog: {}") == ["watchdog: none -> /dev/watchdog, 30s"])
    #expect(
      try lines("shutdown: {when: cpu.load1 > 3}", "") == ["alerts.shutdown: removed", "shutdown.grace: 2m -> none"])
  }
}
