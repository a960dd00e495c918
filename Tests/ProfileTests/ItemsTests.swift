import Telemetry
import Testing

@testable import Profile

/// Settings that are lists of maps, and maps of the user's own keys.
@Suite struct ItemsTests {
  static let kind = SensorKind(
    name: "lines", summary: "Lines.", sources: ["a chip"],
    settings: [
      SettingSpec(
        "inputs",
        .items([
          SettingSpec(required: "name", .text, help: "What it is called."),
          SettingSpec(required: "active", .choice(["high", "low"]), help: "Boards differ, so there is no default."),
          SettingSpec("debounce", .duration(0...1000), default: "20ms", help: "A duration."),
          SettingSpec("options", .map, default: nil, help: "The chip's own."),
        ]), default: nil, help: "The lines.")
    ],
    metrics: [Metric("lines.active", unit: .none, labels: ["input"], help: "Active.")])

  private func parse(_ inputs: String) throws(ProfileProblems) -> [Settings] {
    let text = "sensors:\n  lines:\n    inputs:\n" + inputs
    let profile = try Profile.parse(
      files: [("profile.yaml", Array(text.utf8))], catalogue: [Self.kind], environment: Fixture.environment)
    return profile.sensors[0].settings.items("inputs")
  }

  private func problems(_ inputs: String) -> String {
    do throws(ProfileProblems) {
      _ = try parse(inputs)
      return "no problem"
    } catch {
      return error.description
    }
  }

  @Test func itemsHaveTheirDefaultsAndKeepTheirOrder() throws {
    let items = try parse(
      """
            - {name: door, active: low}
            - name: leak
              active: high
              debounce: 1s
              options: {shunt: 0.1, gain: "2"}
      """)
    #expect(items.map { $0.text("name") } == ["door", "leak"])
    #expect(items.map { $0.milliseconds("debounce") } == [20, 1000])
    #expect(items[1].map("options") == ["shunt": "0.1", "gain": "2"])
    #expect(!items[0].isSet("options"))
    #expect(items[0].map("options").isEmpty)
  }

  @Test func everyItemIsCheckedAndNamedByItsPlace() {
    let text = problems(
      """
            - {name: door}
            - {name: door, active: both}
            - tamper
            - {name: leak, active: high, debonce: 1s, options: {gain: [2]}}
            - {name: flow, active: high, debounce: 2s, options: none}
      """)
    for line in [
      "profile.yaml:4:9: error: sensors.lines.inputs: item 1 has no 'active'; boards differ, so there is no default; "
        + "write 'active:' (`high`, `low`)",
      "profile.yaml:5:16: error: sensors.lines.inputs: the name 'door' is there twice; give each item its own",
      "profile.yaml:5:30: error: active: 'both' is not one of its values; use high, low",
      "profile.yaml:6:9: error: sensors.lines.inputs: item 3 is a single value; write it as a map: {name: …, active: …}",
      "profile.yaml:7:36: error: unknown key 'debonce' in 'sensors.lines.inputs[4]'; did you mean 'debounce'?",
      "profile.yaml:7:65: error: options: 'gain' is a list; write one value",
      "profile.yaml:8:46: error: debounce: '2s' is out of range; use 0s to 1s",
      "profile.yaml:8:59: error: options: 'none' is a single value; write a map: {key: value}",
    ] {
      #expect(text.contains(line), "\(line)\nis not in\n\(text)")
    }
    #expect(text.split(separator: "\n").count == 8)
  }

  @Test func aMapOrAWordIsNoList() {
    let map = problems("      door: {active: low}\n")
    #expect(map.contains("inputs: a map where a list of maps belongs; begin each item with '- '"))
    let word = problems("      door\n")
    #expect(word.contains("inputs: 'door' is a single value; write a list, each item begun with '- '"))
  }

  @Test func theNumberOfItemsIsBounded() {
    let many = (0...ProfileLimits.items).map { "      - {name: n\($0), active: low}\n" }.joined()
    #expect(problems(many).contains("'sensors.lines.inputs' has 257 items; use at most 256"))
    let keys = (0...ProfileLimits.mapKeys).map { "k\($0): 1" }.joined(separator: ", ")
    #expect(problems("      - {name: a, active: low, options: {\(keys)}}\n").contains("options: it has 65 keys; use at most 64"))
  }

  @Test func theReferenceHasATableForTheItems() {
    let text = ProfileReference.markdown(catalogue: [Self.kind])
    #expect(text.contains("| `inputs` | list of maps, see below |  | The lines. |"))
    #expect(text.contains("Each of `inputs` has:\n\n| key | value | default | meaning |"))
    #expect(text.contains("| `active` | `high`, `low` | required | Boards differ, so there is no default. |"))
  }
}
