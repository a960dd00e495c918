import ArgumentParser
import Platform
import Profile
import Sensors
import Telemetry

/// `godwit hardware`: the files that describe boards and add-ons.
struct HardwareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "hardware", abstract: "Lists and checks the files that describe boards and add-ons.",
    subcommands: [List.self, Check.self])

  /// `godwit hardware list`.
  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Lists the boards and add-ons that are known, and their files.")

    func run() {
      let known = HardwareCatalogue(folders: HardwareCommand.folders, catalogue: SensorCatalogue.kinds)
      var table = Table(.left, .left, .left)
      for board in known.boards { table.add(Span("board"), Span(board.name), Span(board.file)) }
      for hat in known.hats { table.add(Span("add-on"), Span(hat.name), Span(hat.file)) }
      let lines = table.lines(width: Style.terminalColumns ?? .max, wrapping: true)
      Output.write(lines.map { $0 + "\n" }.joined())
      for problem in known.problems { Output.error("\(problem)") }
    }
  }

  /// `godwit hardware check`. Exit status 0 all good, 1 some bad, 2 unusable arguments.
  struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Checks files under boards/ and hats/, and lists everything that is wrong with them.")

    @Argument(help: "Files; all that 'godwit detect' would use unless given.")
    var files: [String] = []

    func validate() throws {
      for file in files {
        guard Host().exists(file) else { throw ValidationError("\(file): no such file") }
        if Self.kind(of: file) == nil {
          throw ValidationError("\(file): it lies neither in a folder 'boards' nor in 'hats': what it describes is not known")
        }
      }
    }

    func run() throws {
      var known = HardwareCatalogue()
      if files.isEmpty { known = HardwareCatalogue(folders: HardwareCommand.folders, catalogue: SensorCatalogue.kinds) }
      for file in files {
        if let kind = Self.kind(of: file) { known.add(file, as: kind, catalogue: SensorCatalogue.kinds) }
      }
      for problem in known.problems { Output.error("\(problem)") }
      if !known.problems.isEmpty { throw ExitCode.failure }
      if known.boards.isEmpty, known.hats.isEmpty {
        throw Failure("no files are found in \(HardwareCommand.folders.paths.joined(separator: ", "))")
      }
      Output.line("good: \(counted(known.boards.count, "board")), \(counted(known.hats.count, "add-on"))")
    }

    /// What a file describes, by the folder that it lies in.
    static func kind(of file: String) -> HardwareCatalogue.Kind? {
      file.split(separator: "/").dropLast().last.flatMap { HardwareCatalogue.Kind(rawValue: String($0)) }
    }
  }

  private static var folders: HardwareFolders { ProfileEnvironment.current().hardware }
}
