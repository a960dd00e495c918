import ArgumentParser
import Platform
import Testing

@testable import godwit

@Suite struct GPIOTests {
  private static let chips = [
    (
      chip: GPIOChip(name: "gpiochip0", label: "pinctrl-rp1", lineCount: 3),
      lines: [
        GPIOLine(offset: 0), GPIOLine(offset: 1, name: "GPIO1", consumer: "door", isUsed: true),
        GPIOLine(offset: 2, name: "GPIO2", isUsed: true, isOutput: true),
      ]
    )
  ]

  @Test func chipsAreListedWithTheirHolders() {
    let text = "gpiochip0  pinctrl-rp1, 3 lines\n  1  GPIO1  input   held by door\n  2  GPIO2  output  held by someone\n"
    #expect(GPIOText.list(Self.chips, withAll: false) == text)
    #expect(GPIOText.list(Self.chips, withAll: true).split(separator: "\n").count == 4)
    #expect(GPIOText.list([], withAll: true) == "This machine has no GPIO chips.\n")
    #expect(
      GPIOText.list([], withAll: true, isRecorded: true) == "No GPIO chips are recorded in .host/gpio of this tree.\n")
  }

  @Test func chipsAreListedAsJSON() {
    let text = String(decoding: GPIOText.json([(Self.chips[0].chip, [Self.chips[0].lines[1]])]), as: UTF8.self)
    #expect(
      text == #"[{"name":"gpiochip0","label":"pinctrl-rp1","lines":[{"offset":1,"name":"GPIO1","used":true,"consumer":"door","#
        + #""output":false}]}]"# + "\n")
  }

  @Test(arguments: [
    ["gpio"], ["gpio", "list", "--all", "--json"], ["gpio", "read", "17", "--chip", "pinctrl-rp1", "--bias", "pull-up"],
  ])
  func usableArguments(arguments: [String]) throws { _ = try Godwit.parseAsRoot(arguments) }

  @Test(arguments: [
    ["gpio", "read"], ["gpio", "read", "GPIO1", "--bias", "up"], ["gpio", "list", "--root", "/nowhere/at/all"],
  ])
  func unusableArguments(arguments: [String]) {
    #expect(throws: (any Error).self) { try Godwit.parseAsRoot(arguments) }
  }
}
