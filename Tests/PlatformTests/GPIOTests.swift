import Foundation
import Platform
import Testing

/// One suite over recorded chips and, where the kernel's GPIO simulator is loaded and this process may use it, the real edge.
@Suite(.serialized) struct GPIOTests {
  /// A chip of eight lines whose inputs a test moves: `DOOR` on line 2, a line that the kernel holds on 7.
  protocol Bench: AnyObject {
    var gpio: any GPIOChips { get }
    var chip: String { get }
    var label: String { get }
    /// Puts a level on the wire and waits until the chip has it.
    func drive(_ offset: Int, high: Bool) throws
    /// The level that an output gives.
    func level(_ offset: Int) throws -> Bool
  }

  enum Kind: CaseIterable { case recorded, simulated }

  static var kinds: [Kind] { SimulatedBench.isPossible ? Kind.allCases : [.recorded] }

  static func bench(_ kind: Kind) throws -> any Bench {
    switch kind {
    case .recorded: try RecordedBench()
    case .simulated: try SimulatedBench()
    }
  }

  @Test(arguments: kinds) func chipsAndLinesAreListed(kind: Kind) throws {
    let bench = try Self.bench(kind)
    let chip = try #require(try bench.gpio.chips().first { $0.name == bench.chip })
    #expect(chip == GPIOChip(name: bench.chip, label: bench.label, lineCount: 8))
    let lines = try bench.gpio.lines(of: bench.chip)
    #expect(lines.map(\.offset) == Array(0..<8))
    #expect(lines[2].name == "DOOR")
    #expect(!lines[2].isUsed)
    #expect(lines[7].isUsed)
    #expect(lines[7].consumer == "mains-relay")
  }

  @Test(arguments: kinds) func linesAreFoundByNameLabelAndOffset(kind: Kind) throws {
    let bench = try Self.bench(kind)
    for (line, chip) in [("DOOR", nil), ("DOOR", bench.label), ("2", bench.label), ("2", bench.chip)] {
      let place = try bench.gpio.find(line: line, chip: chip)
      #expect(place.chip.name == bench.chip)
      #expect(place.line.offset == 2)
    }
    #expect(throws: GPIOError.absent("no GPIO line 'WINDOW'")) { try bench.gpio.find(line: "WINDOW", chip: nil) }
    // An offset alone says nothing: which chip?
    #expect(throws: GPIOError.absent("no GPIO line '2'")) { try bench.gpio.find(line: "2", chip: nil) }
    let ninth = GPIOError.absent("no GPIO line '8' on '\(bench.label)'")
    #expect(throws: ninth) { try bench.gpio.find(line: "8", chip: bench.label) }
    #expect(throws: GPIOError.self) { try bench.gpio.find(line: "2", chip: "no-such-chip") }
  }

  @Test(arguments: kinds) func edgesAreKeptWithTheirTimes(kind: Kind) throws {
    let bench = try Self.bench(kind)
    try bench.drive(2, high: true)
    let inputs = try bench.gpio.request(
      chip: bench.chip, inputs: [GPIOInput(offset: 2, isActiveLow: true, edges: .both)], consumer: "test")
    #expect(try !inputs.isActive(0))
    for level in [false, true, false] { try bench.drive(2, high: level) }
    let edges = try inputs.takeEdges().edges
    #expect(edges.map(\.isRising) == [true, false, true])
    #expect(edges.allSatisfy { $0.index == 0 })
    #expect(edges.map(\.nanoseconds) == edges.map(\.nanoseconds).sorted())
    #expect(Set(edges.map(\.nanoseconds)).count == 3)
    #expect(try inputs.isActive(0))
    #expect(try inputs.takeEdges() == GPIOEdges())
  }

  @Test(arguments: kinds, [GPIOInput.Edges.none, .rising, .falling, .both])
  func onlyTheEdgesAskedForAreTold(kind: Kind, edges: GPIOInput.Edges) throws {
    let bench = try Self.bench(kind)
    let inputs = try bench.gpio.request(
      chip: bench.chip, inputs: [GPIOInput(offset: 1, edges: .both), GPIOInput(offset: 2, edges: edges)], consumer: "test")
    for level in [true, false, true, false] { try bench.drive(2, high: level) }
    let told = try inputs.takeEdges().edges
    let expected: [Bool] =
      switch edges {
      case .none: []
      case .rising: [true, true]
      case .falling: [false, false]
      case .both: [true, false, true, false]
      }
    #expect(told.map(\.isRising) == expected)
    #expect(told.allSatisfy { $0.index == 1 })
  }

  @Test(arguments: kinds) func aHeldLineIsBusyUntilItIsDropped(kind: Kind) throws {
    let bench = try Self.bench(kind)
    var first: (any GPIOInputs)? = try bench.gpio.request(chip: bench.chip, inputs: [GPIOInput(offset: 2)], consumer: "door")
    #expect(first != nil)
    #expect(try bench.gpio.lines(of: bench.chip)[2].consumer == "door")
    #expect(throws: GPIOError.busy(line: "\(bench.chip) 2", consumer: "door")) {
      _ = try bench.gpio.request(chip: bench.chip, inputs: [GPIOInput(offset: 2)], consumer: "other")
    }
    #expect(throws: GPIOError.busy(line: "\(bench.chip) 7", consumer: "mains-relay")) {
      _ = try bench.gpio.request(chip: bench.chip, outputs: [GPIOOutput(offset: 3), GPIOOutput(offset: 7)], consumer: "other")
    }
    // All or none: line 3 was not kept.
    #expect(try !bench.gpio.lines(of: bench.chip)[3].isUsed)
    first = nil
    #expect(try !bench.gpio.lines(of: bench.chip)[2].isUsed)
    _ = try bench.gpio.request(chip: bench.chip, inputs: [GPIOInput(offset: 2)], consumer: "other")
  }

  @Test(arguments: kinds, [false, true]) func outputsTakeTheirFirstLevelAndFollow(kind: Kind, isActiveLow: Bool) throws {
    let bench = try Self.bench(kind)
    let outputs = try bench.gpio.request(
      chip: bench.chip,
      outputs: [
        GPIOOutput(offset: 4, isActiveLow: isActiveLow, isActive: true), GPIOOutput(offset: 5, isActiveLow: isActiveLow),
      ], consumer: "test")
    #expect(try bench.level(4) == !isActiveLow)
    #expect(try bench.level(5) == isActiveLow)
    try outputs.set(1, active: true)
    try outputs.set(0, active: false)
    #expect(try bench.level(4) == isActiveLow)
    #expect(try bench.level(5) == !isActiveLow)
  }

  @Test(arguments: kinds) func whatIsNotThereIsAbsentOrRefused(kind: Kind) throws {
    let bench = try Self.bench(kind)
    #expect(throws: GPIOError.absent(kind == .recorded ? "gpiochip99" : "/dev/gpiochip99")) {
      try bench.gpio.lines(of: "gpiochip99")
    }
    #expect(throws: GPIOError.self) {
      _ = try bench.gpio.request(chip: "gpiochip99", inputs: [GPIOInput(offset: 0)], consumer: "test")
    }
    #expect(throws: GPIOError.self) {
      _ = try bench.gpio.request(chip: bench.chip, inputs: [GPIOInput(offset: 8)], consumer: "test")
    }
    #expect(throws: GPIOError.self) { _ = try bench.gpio.request(chip: bench.chip, inputs: [], consumer: "test") }
  }

  @Test func twoLinesOfOneNameAreAmbiguous() throws {
    let bench = try RecordedBench()
    try bench.write("chips", "gpiochip0 8 bank\ngpiochip1 8 bank\n")
    try bench.write("lines", "gpiochip0 2 0 DOOR\ngpiochip1 5 0 DOOR\n")
    let error = GPIOError.ambiguous(line: "DOOR", places: ["gpiochip0 2", "gpiochip1 5"])
    #expect(throws: error) { try bench.gpio.find(line: "DOOR", chip: "bank") }
    #expect(error.description == "several lines are called DOOR: gpiochip0 2, gpiochip1 5; name the chip")
    #expect(try bench.gpio.find(line: "DOOR", chip: "gpiochip1").line.offset == 5)
  }

  @Test(arguments: [
    ("chips", "gpiochip0 none bank\n"), ("chips", "gpiochip0 8\n"), ("lines", "gpiochip0 2 2 DOOR\n"),
    ("lines", "gpiochip0 9 0 DOOR\n"),
  ])
  func aDamagedRecordingIsMalformed(file: String, text: String) throws {
    let bench = try RecordedBench()
    try bench.write(file, text)
    do throws(GPIOError) {
      _ = try bench.gpio.lines(of: "gpiochip0")
      Issue.record("\(text) was read")
    } catch {
      guard case .malformed = error else { throw error }
    }
  }

  @Test func damagedEventsAreMalformed() throws {
    let bench = try RecordedBench()
    let inputs = try bench.gpio.request(chip: bench.chip, inputs: [GPIOInput(offset: 2, edges: .both)], consumer: "test")
    for row in ["now gpiochip0 2 1", "1 gpiochip0 2 high", "1 gpiochip0 2 1 first", "1 gpiochip0 2"] {
      try bench.write("events", row + "\n")
      #expect(throws: GPIOError.malformed(path: "/.host/gpio/events", what: "'\(row)' is no row of it")) {
        try inputs.takeEdges()
      }
    }
    try bench.write("chips", "gpiochip1 8 bank\n")
    #expect(throws: GPIOError.absent("gpiochip0 is gone")) { try inputs.takeEdges() }
  }
}
