import Profile
import Sensors
import Testing

@testable import godwit

/// What `godwit check` says of profiles that are good.
@Suite struct CheckTests {
  private static func notes(_ uplink: String, alerts: String = "") throws -> [String] {
    let text = "node: n\nuplink: {broker: mqtt://b, \(uplink)}\n\(alerts)"
    return CheckCommand.notes(
      try Profile.parse(
        files: [("p", Array(text.utf8))], catalogue: SensorCatalogue.kinds, environment: ProfileEnvironment(hostName: "n")))
  }

  private static let alerts = """
    alerts:
      - {name: busy, when: cpu.usage_percent > 95}
      - {name: loud, when: cpu.load1 > 9, notify: [log]}
      - {name: full, when: disk.usage_percent > 90}

    """

  @Test func sparkplugAloneTakesNoCommandsAndTellsNoAlerts() throws {
    let notes = try Self.notes("payloads: [sparkplug], sparkplug_group: g, commands: [sample]", alerts: Self.alerts)
    #expect(notes.count == 2)
    #expect(notes.first?.hasPrefix("'uplink.commands' does nothing") == true)
    #expect(notes.last?.hasPrefix("'notify: mqtt' of 2 alerts tells nobody") == true)
    #expect(notes.last?.hasSuffix("(busy, full)") == true)
    #expect(try Self.notes("payloads: [sparkplug], sparkplug_group: g").isEmpty)
  }

  @Test(arguments: ["json", "packed", "homeassistant"]) func besideAnotherPayloadAllIsWell(payload: String) throws {
    let uplink = "payloads: [sparkplug, \(payload)], sparkplug_group: g, commands: [sample]"
    #expect(try Self.notes(uplink, alerts: Self.alerts).isEmpty)
  }
}
