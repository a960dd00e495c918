/// One thing that is wrong with a profile: where, what, why it matters, and what to write instead.
public struct ProfileProblem: Error, Hashable, Sendable, CustomStringConvertible {
  /// The file as it was named to `load` or `parse`, or found beside it.
  public let file: String
  /// From 1; 0 when the whole file is meant.
  public let line: Int
  /// From 1, in characters; 0 when the whole file is meant.
  public let column: Int
  /// What is wrong.
  public let what: String
  /// Why it is; empty when `what` says it.
  public let why: String
  /// What to do about it.
  public let remedy: String

  /// Describes a problem.
  public init(file: String, line: Int, column: Int, what: String, why: String = "", remedy: String) {
    self.file = file
    self.line = line
    self.column = column
    self.what = what
    self.why = why
    self.remedy = remedy
  }

  /// `file:line:column: error: what; why; remedy`.
  public var description: String {
    let place = line > 0 ? "\(file):\(line):\(column)" : file
    return "\(place): error: \([what, why, remedy].filter { !$0.isEmpty }.joined(separator: "; "))"
  }
}

/// All that is wrong with a profile.
public struct ProfileProblems: Error, Hashable, Sendable, CustomStringConvertible {
  /// In the order of the files, then by line and column; never empty.
  public let problems: [ProfileProblem]

  /// One problem a line.
  public var description: String {
    problems.map(\.description).joined(separator: "\n")
  }
}

/// Where something stands in a file.
struct Place: Hashable, Sendable {
  let file: String
  let line: Int
  let column: Int

  /// The whole file.
  static func whole(_ file: String) -> Place { Place(file: file, line: 0, column: 0) }
}

/// Collects problems while a profile is read, so that all are reported at once. Lives on one thread, for one reading.
final class ProblemList {
  private(set) var all: [ProfileProblem] = []
  /// What is wrong with descriptions of hardware: it costs the devices that need them, not the profile.
  private(set) var hardware: [ProfileProblem] = []
  private var omitted = 0

  func add(_ place: Place, _ what: String, why: String = "", remedy: String) {
    let problem = ProfileProblem(
      file: place.file, line: place.line, column: place.column, what: Self.line(what), why: Self.line(why),
      remedy: Self.line(remedy))
    // One cause read twice (an alias, say) is one problem.
    guard !all.contains(problem) else { return }
    guard all.count < ProfileLimits.problems else {
      omitted += 1
      return
    }
    all.append(problem)
  }

  /// Lists a problem that costs only a device.
  func addHardware(_ place: Place, _ what: String, remedy: String) {
    addHardware(
      ProfileProblem(
        file: place.file, line: place.line, column: place.column, what: Self.line(what), remedy: Self.line(remedy)))
  }

  /// Lists a problem that costs only a device.
  func addHardware(_ problem: ProfileProblem) {
    if !hardware.contains(problem), hardware.count < ProfileLimits.problems { hardware.append(problem) }
  }

  /// One line of bounded length, whatever text of the file it repeats: the middle of a long one is left out.
  private static func line(_ text: String) -> String {
    var scalars = Array(text.unicodeScalars)
    let half = ProfileLimits.messageCharacters / 2
    if scalars.count > 2 * half { scalars.replaceSubrange(half..<(scalars.count - half), with: CollectionOfOne("…")) }
    var line = String.UnicodeScalarView()
    for scalar in scalars {
      if scalar.value < 0x20 || scalar.value == 0x7F {
        line.append(contentsOf: (scalar == "\n" ? "\\n" : "?").unicodeScalars)
      } else {
        line.append(scalar)
      }
    }
    return String(line)
  }

  var isEmpty: Bool { all.isEmpty }

  /// Whether further problems are only counted, so that finding words for them is a waste.
  var isFull: Bool { all.count >= ProfileLimits.problems }

  /// In the order of `files`, then of lines; a last one says how many were left out.
  func sorted(files: [String]) -> ProfileProblems {
    var order: [String: Int] = [:]
    for (index, file) in files.enumerated() where order[file] == nil { order[file] = index }
    func rank(_ problem: ProfileProblem) -> (Int, Int, Int) {
      (order[problem.file] ?? files.count, problem.line, problem.column)
    }
    var problems = all.enumerated().sorted { left, right in
      let (a, b) = (rank(left.element), rank(right.element))
      return a == b ? left.offset < right.offset : a < b
    }.map(\.element)
    if omitted > 0, let last = problems.last {
      problems.append(
        ProfileProblem(
          file: last.file, line: 0, column: 0, what: "\(omitted) more problems are not listed",
          remedy: "mend those above and check again"))
    }
    return ProfileProblems(problems: problems)
  }
}
