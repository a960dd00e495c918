import Platform
import Profile
import Telemetry
import Testing

@testable import Sensors

/// What `godwit check` says of `inputs:`.
@Suite struct GPIOSettingsTests {
  private func parse(_ inputs: String) throws(ProfileProblems) -> [Settings] {
    let profile = try Profile.parse(
      files: [("p.yaml", Array("sensors:\n  gpio:\n    inputs:\n\(inputs)\n".utf8))], catalogue: SensorCatalogue.kinds,
      environment: ProfileEnvironment(hostName: "case"))
    return profile.sensors.first?.settings.items("inputs") ?? []
  }

  @Test func inputsAreRead() throws {
    let items = try parse(
      """
            - {name: door, line: GPIO17, chip: pinctrl-rp1, active: high, bias: pull-up}
            - {name: water, line: "5", chip: gpiochip0, active: low, kind: pulses, pulses_per_unit: 450}
      """)
    let inputs = [GPIOInputSettings(items[0]), GPIOInputSettings(items[1])]
    #expect(inputs.map(\.debounceMilliseconds) == [20, 0])
    #expect(inputs.map(\.isActiveLow) == [false, true])
    #expect(inputs.map(\.bias) == [.pullUp, .asIs])
    #expect(inputs[0].wish(offset: 17, debounces: true).debounceMicroseconds == 20_000)
    #expect(inputs[0].wish(offset: 17, debounces: false).debounceMicroseconds == 0)
    #expect(inputs[0].wish(offset: 17, debounces: true).edges == .both)
    #expect(inputs[1].wish(offset: 5, debounces: true).edges == .rising)
    #expect(inputs[1].pulsesPerUnit == 450)
  }

  @Test(arguments: [
    (
      "- {name: mains-lost, line: GPIO6}",
      "inputs: item 1 has no 'active'; boards differ (one UPS raises its line when the mains are lost, another lowers it), so there "
        + "is no default; write 'active:' (`high`, `low`)"
    ),
    ("- {name: door, line: GPIO4, active: open}", "active: 'open' is not one of its values; use high, low"),
    ("- {name: door, active: low}", "inputs: item 1 has no 'line'"),
    ("- {name: door, line: GPIO4, active: low, pin: 4}", "unknown key 'pin' in 'sensors.gpio.inputs[1]'"),
    ("- {name: door, line: GPIO4, active: low, debounce: 1m}", "debounce: '1m' is out of range; use 0s to 10s"),
    ("- {name: fan, line: GPIO4, active: low, pulses_per_revolution: 0}", "'0' is out of range; use 1 to 1000"),
    (
      "- {name: fan, line: GPIO23, active: low, pulses_per_revolution: 2}",
      "p.yaml:4:71: error: sensors.gpio: the input 'fan' counts no pulses; write 'kind: pulses' beside what a pulse is worth"
    ),
    ("- {name: door, line: 17, active: low}", "the line 17 of the input 'door' is a number, and there is no 'chip'"),
    (
      "- {name: door, line: GPIO4, active: low}\n      - {name: leak, line: GPIO4, active: high}",
      "'door' and 'leak' are the same line; remove one of them"
    ),
    (
      (0...64).map { "- {name: a\($0), line: GPIO\($0), active: low}" }.joined(separator: "\n      "),
      "there are 65 inputs; use at most 64"
    ),
  ])
  func mistakesAreTold(item: String, problem: String) {
    do throws(ProfileProblems) {
      _ = try parse("      " + item)
      Issue.record("\(item) passed")
    } catch {
      #expect(error.description.contains(problem), "\(error.description)")
    }
  }
}
