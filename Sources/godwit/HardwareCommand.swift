import ArgumentParser
import Platform
import Profile
import Sensors
import Telemetry

/// `godwit hardware`: the files that describe boards and add-ons.
struct HardwareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "hardware", abstract: "Lists and checks the files that describe boards, add-ons and chips.",
    subcommands: [List.self, Check.self])

  /// `godwit hardware list`.
  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Lists the boards, add-ons and chips that are known, and their files.")

    func run() {
      let known = HardwareCatalogue(folders: HardwareCommand.folders, catalogue: SensorCatalogue.kinds)
      var table = Table(.left, .left, .left)
      for board in known.boards { table.add(Span("board"), Span(board.name), Span(board.file)) }
      for hat in known.hats { table.add(Span("add-on"), Span(hat.name), Span(hat.file)) }
      let chips = ChipFiles(HardwareCommand.folders)
      var problems = known.problems
      for (name, file) in HardwareCommand.folders.files("chips").sorted(by: { $0.key < $1.key }) {
        switch chips.chip(name) {
        case .chip: table.add(Span("chip"), Span(name), Span(file))
        case .faulty(let found): problems += found.problems
        case .missing: continue
        }
      }
      let lines = table.lines(width: Style.terminalColumns ?? .max)
      Output.write(lines.map { $0 + "\n" }.joined())
      for problem in problems { Output.error("\(problem)") }
    }
  }

  /// `godwit hardware check`. Exit status 0 all good, 1 some bad, 2 unusable arguments.
  struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Checks files under boards/, hats/ and chips/, and lists everything that is wrong with them.")

    @Argument(help: "Files; all that would be used unless given.")
    var files: [String] = []

    func validate() throws {
      for file in files {
        guard Host().exists(file) else { throw ValidationError("\(file): no such file") }
        if Self.kind(of: file) == nil, !Self.isChip(file) {
          throw ValidationError("\(file): it is no .yaml file in a folder 'boards', 'hats' or 'chips'")
        }
      }
    }

    func run() throws {
      let folders = HardwareCommand.folders
      var known = HardwareCatalogue()
      var chips = ChipCheck()
      if files.isEmpty {
        known = HardwareCatalogue(folders: folders, catalogue: SensorCatalogue.kinds)
        chips.add(ChipFiles(folders))
      }
      for file in files {
        if let kind = Self.kind(of: file) { known.add(file, as: kind, catalogue: SensorCatalogue.kinds) }
        if Self.isChip(file) { chips.add(file) }
      }
      // A file that is tried from its own folder may name a chip of that folder.
      let own = known.hats.map { ChipCheck.folder(of: $0.file) }
      let described = ChipFiles(HardwareFolders(own + folders.paths))
      for hat in known.hats { chips.add(hat, chips: described) }
      for problem in known.problems + chips.problems { Output.error("\(problem)") }
      if !known.problems.isEmpty || !chips.problems.isEmpty { throw ExitCode.failure }
      if known.boards.isEmpty, known.hats.isEmpty, chips.good == 0 {
        throw Failure("no files are found in \(folders.paths.joined(separator: ", "))")
      }
      let parts = [counted(known.boards.count, "board"), counted(known.hats.count, "add-on"), counted(chips.good, "chip")]
      Output.line("good: \(parts.joined(separator: ", "))")
    }

    /// What a file describes, by the folder that it lies in.
    static func kind(of file: String) -> HardwareCatalogue.Kind? {
      folder(of: file).flatMap { HardwareCatalogue.Kind(rawValue: $0) }
    }

    static func isChip(_ file: String) -> Bool { folder(of: file) == "chips" }

    /// The name of a .yaml file's folder; `x.yaml` lies in the working directory.
    private static func folder(of file: String) -> String? {
      guard file.hasSuffix(".yaml") else { return nil }
      return ChipCheck.path(of: file).split(separator: "/").dropLast().last.map(String.init)
    }
  }

  private static var folders: HardwareFolders { ProfileEnvironment.current().hardware }
}
