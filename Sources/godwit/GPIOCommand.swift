import ArgumentParser
import Platform
import Telemetry

/// `godwit gpio`: chips and lines, for the technician.
struct GPIOCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gpio", abstract: "Shows the GPIO chips and lines of this machine, who holds them, and their levels.",
    subcommands: [List.self, Read.self, Watch.self], defaultSubcommand: List.self)

  struct MachineOption: ParsableArguments {
    @Option(help: "The tree that stands for the machine: a recorded device.")
    var root: String = "/"

    func validate() throws {
      try MachineRoot.validate(root)
    }

    var gpio: any GPIOChips { Host(root: root).calls.gpio }
    var isRecorded: Bool { !Host(root: root).root.isEmpty }
  }

  /// Which line, and how it is to be read.
  struct LineOptions: ParsableArguments {
    @Argument(help: "The line's name (GPIO17), or its offset with --chip.")
    var line: String

    @Option(help: "The chip's label (pinctrl-rp1) or name (gpiochip0).")
    var chip: String?

    @Option(help: "The resistor: as-is, disabled, pull-up, pull-down.", transform: LineOptions.bias)
    var bias: GPIOInput.Bias = .asIs

    private static func bias(_ word: String) throws -> GPIOInput.Bias {
      guard let bias = GPIOInput.Bias(rawValue: word) else { throw ValidationError("'\(word)' is no resistor") }
      return bias
    }

    func take(_ gpio: any GPIOChips, edges: GPIOInput.Edges) throws -> (place: GPIOPlace, inputs: any GPIOInputs) {
      do throws(GPIOError) {
        let place = try gpio.find(line: line, chip: chip)
        let wish = GPIOInput(offset: place.line.offset, bias: bias, edges: edges)
        return (place, try gpio.request(chip: place.chip.name, inputs: [wish], consumer: "godwit gpio"))
      } catch {
        throw Failure(told(error))
      }
    }

    /// With what to do about a line that is not there.
    private func told(_ error: GPIOError) -> String {
      guard case .absent(let what) = error else { return "\(error)" }
      let isNumber = chip == nil && Int(line) != nil
      return "\(what); " + (isNumber ? "an offset needs --chip beside it" : "'godwit gpio list --all' shows what there is")
    }
  }

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Lists the chips and their lines: names, who holds them. Takes none.")

    @OptionGroup var machine: MachineOption

    @Flag(help: "Lists lines too that have no name and no holder.")
    var all = false

    @Flag(help: "Prints one JSON array.")
    var json = false

    func run() throws {
      var chips: [(chip: GPIOChip, lines: [GPIOLine])] = []
      do throws(GPIOError) {
        for chip in try machine.gpio.chips() { chips.append((chip, try machine.gpio.lines(of: chip.name))) }
      } catch {
        throw Failure("\(error)")
      }
      if json {
        Output.write(GPIOText.json(chips))
      } else {
        Output.write(GPIOText.list(chips, withAll: all, isRecorded: machine.isRecorded))
      }
    }
  }

  struct Read: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Reads the voltage level of a line: 1 is high.",
      discussion:
        "The line becomes an input for that moment: do not read one that drives something. Fails when another program holds it.")

    @OptionGroup var machine: MachineOption
    @OptionGroup var line: LineOptions

    func run() throws {
      let (_, inputs) = try line.take(machine.gpio, edges: .none)
      do throws(GPIOError) {
        Output.line(try inputs.isActive(0) ? "1" : "0")
      } catch {
        throw Failure("\(error)")
      }
    }
  }

  struct Watch: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Prints each change of a line's level as it comes, until Ctrl-C.")

    @OptionGroup var machine: MachineOption
    @OptionGroup var line: LineOptions

    func run() throws {
      let (place, inputs) = try line.take(machine.gpio, edges: .both)
      do throws(GPIOError) {
        Output.line("\(place.description) is \(try inputs.isActive(0) ? 1 : 0)")
        var last: Int64?
        // A recording has nothing to wait for.
        while !inputs.descriptors.isEmpty {
          _ = Poll.wait(inputs.descriptors.map { ($0, .readable) }, milliseconds: -1)
          for edge in try inputs.takeEdges().edges {
            let since = last.map { "  after \(Quantity.fixed(Double(edge.nanoseconds - $0) / 1e9, decimals: 6)) s" } ?? ""
            Output.line("\(edge.isRising ? 1 : 0)\(since)")
            last = edge.nanoseconds
          }
        }
      } catch {
        throw Failure("\(error)")
      }
    }
  }
}

/// How chips and lines are written.
enum GPIOText {
  /// A paragraph a chip.
  static func list(_ chips: [(chip: GPIOChip, lines: [GPIOLine])], withAll all: Bool, isRecorded: Bool = false) -> String {
    guard !chips.isEmpty else {
      return isRecorded ? "No GPIO chips are recorded in .host/gpio of this tree.\n" : "This machine has no GPIO chips.\n"
    }
    return chips.map { chip, lines in
      var table = Table(.right, .left, .left, .left)
      for line in lines where all || !line.name.isEmpty || line.isUsed {
        table.add(
          Span("\(line.offset)"), Span(line.name.isEmpty ? "-" : line.name), Span(line.isOutput ? "output" : "input"),
          Span(line.isUsed ? "held by \(line.consumer.isEmpty ? "someone" : line.consumer)" : ""))
      }
      let head = "\(chip.name)  \(chip.label), \(chip.lineCount) lines"
      return ([head] + table.lines(indent: 2)).map { $0 + "\n" }.joined()
    }.joined(separator: "\n")
  }

  /// An array of objects, and a line feed.
  static func json(_ chips: [(chip: GPIOChip, lines: [GPIOLine])]) -> [UInt8] {
    var json = JSONWriter(capacity: 16_384)
    json.beginArray()
    for (chip, lines) in chips {
      json.beginObject()
      json.member("name", chip.name)
      json.member("label", chip.label)
      json.objects("lines", lines) { json, line in
        json.member("offset", line.offset)
        json.member("name", line.name)
        json.member("used", line.isUsed)
        json.member("consumer", line.consumer)
        json.member("output", line.isOutput)
      }
      json.endObject()
    }
    json.endArray()
    return json.bytes + [UInt8(ascii: "\n")]
  }
}
