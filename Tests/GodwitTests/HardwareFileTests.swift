import Foundation
import Profile
import Sensors
import Telemetry
import Testing

@testable import godwit

/// The files under `hardware/`, and what is said of bad ones.
@Suite struct HardwareFileTests {
  static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
  static let folder = repository.appendingPathComponent("hardware").path
  static let shipped = HardwareCatalogue(folders: HardwareFolders([folder]), catalogue: SensorCatalogue.kinds)

  @Test func everyShippedFileIsGood() throws {
    #expect(Self.shipped.problems.isEmpty, "\(Self.shipped.problems.map(\.description).joined(separator: "\n"))")
    func count(_ kind: String) throws -> Int {
      try FileManager.default.contentsOfDirectory(atPath: "\(Self.folder)/\(kind)").filter { $0.hasSuffix(".yaml") }.count
    }
    #expect(try Self.shipped.boards.count == count("boards") && Self.shipped.boards.count >= 9)
    #expect(try Self.shipped.hats.count == count("hats") && Self.shipped.hats.count >= 10)
    let names = Self.shipped.boards.map(\.name) + Self.shipped.hats.map(\.name)
    #expect(Set(names).count == names.count)
  }

  /// The kernel's id for the mains line is on both; the polarity is the trap.
  @Test func theTwoUPSFamiliesHaveOppositePolarity() throws {
    func mains(_ name: String) throws -> HatInput {
      try #require(Self.shipped.hats.first { $0.file.hasSuffix("/\(name).yaml") }?.inputs.first { $0.name == "mains-lost" })
    }
    let (high, low) = (try mains("geekworm-x728"), try mains("geekworm-x1200"))
    #expect(high.line == "GPIO6" && low.line == "GPIO6")
    #expect(!high.isActiveLow && low.isActiveLow)
  }

  static func problems(board text: String) -> [String] {
    HardwareDecoder.board(path: "b.yaml", text: Array(text.utf8), catalogue: SensorCatalogue.kinds).problems.map(\.description)
  }

  static func problems(hat text: String) -> [String] {
    HardwareDecoder.hat(path: "h.yaml", text: Array(text.utf8), catalogue: SensorCatalogue.kinds).problems.map(\.description)
  }

  static let head = "board: X\nsources: [s]\nrecognise: [{model: X}]\n"
  static let hatHead = "hat: X\nsources: [s]\nrecognise: [{hat_product: X}]\n"

  @Test(arguments: [
    (
      "board: X\nsources: [s]\nrecognize: [{model: X}]\n",
      [
        "b.yaml:1:1: error: the board has no 'recognise'; write 'recognise:' (list of maps, see below): "
          + "What the device shows; one item is enough, and all of an item must hold.",
        "b.yaml:3:1: error: unknown key 'recognize' in 'board'; did you mean 'recognise'?",
      ]
    ),
    ("board: X\nsources: []\nrecognise: [{model: X}]\n", ["b.yaml:2:10: error: there are no sources; say where the facts stand"]),
    ("board: X\nsources: [s]\nrecognise: []\n", ["b.yaml:3:12: error: nothing makes it known; write at least one item"]),
    ("board: X\nsources: [s]\nrecognise: [{}]\n", ["b.yaml:3:13: error: an item says nothing; write at least one of its keys"]),
    (
      "board: X\nsources: [s]\nrecognise:\n  - {pci: 1e60}\n",
      ["b.yaml:4:11: error: '1e60' is no PCI id; write vendor and device: \"1e60:2864\""]
    ),
    (
      head + "thermal:\n  - {zone: a, role: cpu, warn: 85C, throttle: 80C}\n",
      ["b.yaml:5:5: error: the limits do not rise; write warn below throttle below shutdown"]
    ),
    (
      head + "thermal:\n  - {zone: a, role: cpu, warn: 80C}\n  - {zone: b, role: cpu, warn: 80C}\n",
      ["b.yaml:6:5: error: two zones with limits would name their rules 'cpu-…'; give one of them a 'name'"]
    ),
    (
      head + "thermal: [{zone: a, role: processor}]\n",
      ["b.yaml:4:27: error: role: 'processor' is not one of its values; use cpu, gpu, soc, npu, memory, board"]
    ),
    (
      head + "settings:\n  - {sensor: hwmon, key: exclude_chip, value: x}\n",
      ["b.yaml:5:5: error: unknown key 'exclude_chip' in 'sensors.hwmon'; did you mean 'exclude_chips'?"]
    ),
    (
      head + "alerts:\n  - {name: a, when: 'thermal.temperature > 5'}\n",
      ["b.yaml:5:5: error: unknown metric 'thermal.temperature'; did you mean 'thermal.temperature_celsius'?"]
    ),
    (
      head + "thermal: [{zone: a, role: cpu, warn: 80C}]\nalerts:\n  - {name: cpu-hot, when: 'cpu.load1 > 5'}\n",
      ["b.yaml:6:12: error: the limits of 'thermal' make a rule 'cpu-hot' already; give it another name"]
    ),
  ])
  func aBadBoardIsToldWithItsPlace(text: String, expected: [String]) {
    #expect(Self.problems(board: text) == expected)
  }

  @Test(arguments: [
    (
      hatHead + "gpio_inputs:\n  - {name: mains-lost, line: GPIO6}\n",
      [
        "h.yaml:5:5: error: hat.gpio_inputs: item 1 has no 'active'; the voltage that means it. There is no default: HATs differ; "
          + "write 'active:' (`high`, `low`)"
      ]
    ),
    (
      hatHead + "i2c_devices:\n  - {name: a, chip: max17040, address: 36}\n",
      ["h.yaml:5:40: error: '36' is no I2C address; write 0x08 to 0x77"]
    ),
    (
      "hat: X\nsources: [s]\nrecognise: [{i2c: 0x78}]\n",
      ["h.yaml:3:19: error: '0x78' is no I2C address; write 0x08 to 0x77"]
    ),
    (
      "hat: X\nsources: [s]\nrecognise: [{compatible: x}]\n",
      [
        "h.yaml:3:14: error: unknown key 'compatible' in 'hat.recognise[1]'; "
          + "use one of pci, hat_vendor, hat_product, hat_product_id, hat_uuid, i2c"
      ]
    ),
  ])
  func aBadHatIsToldWithItsPlace(text: String, expected: [String]) {
    #expect(Self.problems(hat: text) == expected)
  }

  @Test(arguments: [
    "5m", "< 70", "> 70", "GPIO6", "0x36", "it's", "a: b", "*", "", "true", "a,b", "{x}", "[x", "# no", "a #b", "-", "é",
  ])
  func aScalarMeansItselfInALineAndInBraces(text: String) throws {
    func spec(_ key: String) -> SettingSpec { SettingSpec(key, .text, default: nil, help: "") }
    let specs = [spec("a"), SettingSpec("b", .items([spec("c")]), default: nil, help: "")]
    let yaml = "a: \(YAMLText.scalar(text))\nb: [\(YAMLText.map([("c", text)]))]\n"
    let file = try SettingsFile(file: "f", text: Array(yaml.utf8), title: "map", specs: specs)
    #expect(file.settings.text("a") == text)
    #expect(file.settings.items("b").map { $0.text("c") } == [text])
  }

  /// A device's own file stands for the shipped one of the same name.
  @Test func anEarlierFolderWins() throws {
    let own = FileManager.default.temporaryDirectory.appendingPathComponent("godwit-boards-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: own) }
    try FileManager.default.createDirectory(at: own.appendingPathComponent("boards"), withIntermediateDirectories: true)
    let text = "board: Ours\nsources: [measured]\nrecognise: [{compatible: 'raspberrypi,5-model-b'}]\n"
    try text.write(to: own.appendingPathComponent("boards/raspberrypi-5.yaml"), atomically: true, encoding: .utf8)
    let known = HardwareCatalogue(folders: HardwareFolders([own.path, Self.folder]), catalogue: SensorCatalogue.kinds)
    #expect(known.boards.contains { $0.name == "Ours" })
    #expect(!known.boards.contains { $0.name == "Raspberry Pi 5" })
  }

  @Test func whatAFileDescribesIsSaidByItsFolder() {
    #expect(HardwareCommand.Check.kind(of: "hardware/boards/x.yaml") == .boards)
    #expect(HardwareCommand.Check.kind(of: "/etc/godwit/hardware/hats/x.yaml") == .hats)
    #expect(HardwareCommand.Check.kind(of: "x.yaml") == nil)
    #expect(HardwareCommand.Check.kind(of: "hardware/boards") == nil)
    #expect(HardwareCommand.Check.isChip("hardware/chips/x.yaml"))
  }

  @Test func chipsAreCheckedToo() throws {
    let own = FileManager.default.temporaryDirectory.appendingPathComponent("godwit-\(UUID().uuidString)/chips")
    try FileManager.default.createDirectory(at: own, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: own.deletingLastPathComponent()) }
    try Data("name: X\n".utf8).write(to: own.appendingPathComponent("x1.yaml"))
    try Data("name: X\n".utf8).write(to: own.appendingPathComponent("X2.yaml"))
    var check = ChipCheck()
    check.add("\(Self.folder)/./chips/tmp102.yaml")
    #expect(check.good == 1 && check.problems.isEmpty)
    check.add("\(own.path)/x1.yaml")
    #expect(check.problems.contains { $0.what == "the description has no 'steps'" })
    check.add("\(own.path)/X2.yaml")
    #expect(check.problems.last?.what == "no profile could name this chip")
    let chips = ChipFiles(HardwareFolders([Self.folder]))
    let devices = "i2c_devices:\n  - {name: a, chip: max17041, address: 0x36}\n  - {name: b, chip: ina219, address: 0x36}\n"
    let hat = HardwareDecoder.hat(path: "h.yaml", text: Array((Self.hatHead + devices).utf8), catalogue: SensorCatalogue.kinds)
    var ofHat = ChipCheck()
    ofHat.add(try #require(hat.hat), chips: chips)
    #expect(
      ofHat.problems.map(\.what) == [
        "i2c_devices: 'a': there is no chip 'max17041'", "i2c_devices: 'b': INA219 has no address 0x36",
      ])
    var shipped = ChipCheck()
    shipped.add(chips)
    for hat in Self.shipped.hats { shipped.add(hat, chips: chips) }
    #expect(shipped.good >= 14 && shipped.problems.isEmpty)
  }
}
