public import Telemetry

/// The chips that files under `hardware/chips` describe. Each file is read when it is first asked for. Lives on one thread.
public final class ChipFiles {
  /// What asking for a chip gave.
  public enum Answer: Hashable, Sendable {
    case chip(ChipDescription)
    /// No folder has a file of this name: what to do about it.
    case missing(remedy: String)
    /// What is wrong with its file.
    case faulty(ProfileProblems)
  }

  private let folders: HardwareFolders
  private lazy var paths = folders.files("chips")
  private var answers: [String: Answer] = [:]

  /// Nothing is read yet.
  public init(_ folders: HardwareFolders) { self.folders = folders }

  /// The names of all files, sorted.
  public var names: [String] { paths.keys.sorted() }

  /// The chip of a name; case makes no difference.
  public func chip(_ name: String) -> Answer {
    let id = name.lowercased()
    if let known = answers[id] { return known }
    let answer = read(id)
    answers[id] = answer
    return answer
  }

  private func read(_ id: String) -> Answer {
    guard let path = paths[id] else {
      if names.isEmpty {
        return .missing(remedy: "no chips are described in \(folders.paths.joined(separator: ", ")); set GODWIT_HARDWARE")
      }
      return .missing(remedy: Suggestion.remedy(for: id, among: names))
    }
    let problems = ProblemList()
    if case .bytes(let bytes) = ProfileFiles.read(path, limit: ProfileLimits.hardwareFileBytes) {
      if let chip = Self.decode(bytes, id: id, file: path, problems: problems), problems.isEmpty { return .chip(chip) }
    } else {
      problems.add(
        .whole(path), "it cannot be read, or is larger than \(ProfileLimits.hardwareFileBytes) bytes",
        remedy: "check the file and its permissions")
    }
    return .faulty(problems.sorted(files: [path]))
  }

  /// Reads a description from the text of its file. Touches nothing.
  ///
  /// - Throws: all that is wrong with it.
  public static func parse(_ text: [UInt8], id: String, file: String) throws(ProfileProblems) -> ChipDescription {
    let problems = ProblemList()
    let chip = decode(text, id: id, file: file, problems: problems)
    guard problems.isEmpty, let chip else { throw problems.sorted(files: [file]) }
    return chip
  }

  private static func decode(_ text: [UInt8], id: String, file: String, problems: ProblemList) -> ChipDescription? {
    YAMLReader.read(file: file, bytes: text, problems: problems)
      .flatMap { ChipDecoder.decode($0, id: id, problems: problems) }
  }
}
