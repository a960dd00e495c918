import Telemetry
import Testing

@testable import Profile

@Suite struct SettingsFileTests {
  static let specs = [
    SettingSpec(required: "name", .text, help: "What it is called."),
    SettingSpec("warn", .temperature, default: "75C", help: ""),
    SettingSpec(
      "lines",
      .items([SettingSpec(required: "line", .text, help: ""), SettingSpec("pin", .integer(1...40), default: nil, help: "")]),
      default: nil, help: ""),
  ]

  static func read(_ text: String) throws(ProfileProblems) -> SettingsFile {
    try SettingsFile(file: "x.yaml", text: Array(text.utf8), title: "thing", specs: specs)
  }

  static func problems(_ text: String) -> [String] {
    do throws(ProfileProblems) {
      _ = try read(text)
      return []
    } catch {
      return error.problems.map(\.description)
    }
  }

  @Test func aFileIsReadByItsTable() throws {
    let settings = try Self.read("name: A\nlines:\n  - {line: GPIO6, pin: 31}\n").settings
    #expect(settings.text("name") == "A")
    #expect(settings.number("warn") == 75)
    #expect(settings.items("lines").map { $0.integer("pin") } == [31])
  }

  @Test(arguments: [
    ("", ["x.yaml:1:1: error: the thing has no 'name'; write 'name:' (text): What it is called."]),
    ("name: A\nnam: B\n", ["x.yaml:2:1: error: unknown key 'nam' in 'thing'; did you mean 'name'?"]),
    (
      "name: A\nlines: [{pin: 41}]\n",
      [
        "x.yaml:2:9: error: thing.lines: item 1 has no 'line'; write 'line:' (text)",
        "x.yaml:2:15: error: pin: '41' is out of range; use 1 to 40",
      ]
    ),
    (
      "- a\n",
      ["x.yaml:1:1: error: 'thing' is a list; write it as a map: one 'key: value' a line, indented below 'thing:'"]
    ),
    (
      "name: [\n",
      [
        "x.yaml:2:1: error: a value is missing inside brackets or braces; write one between the commas, and put values with '{', '[' or ',' in quotes"
      ]
    ),
  ])
  func whatIsWrongIsToldWithItsPlace(text: String, expected: [String]) {
    #expect(Self.problems(text) == expected)
  }

  /// A mistake of meaning is shown where it stands, or at the nearest place that is there.
  @Test func aProblemHasThePlaceOfItsKey() throws {
    let file = try Self.read("name: A\nlines:\n  - {line: GPIO6}\n  - {line: GPIO7, pin: 3}\n")
    func place(_ key: String, _ item: Int? = nil, _ itemKey: String? = nil) -> [Int] {
      let problem = file.problem(at: key, item: item, itemKey, "wrong", remedy: "mend it")
      return [problem.line, problem.column]
    }
    #expect(place("name") == [1, 7])
    #expect(place("lines", 1, "pin") == [4, 24])
    #expect(place("lines", 0, "pin") == [3, 5])
    #expect(place("lines", 7) == [3, 3])
    #expect(place("warn") == [1, 1])
  }
}
