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
  private var omitted = 0

  func add(_ place: Place, _ what: String, why: String = "", remedy: String) {
    let problem = ProfileProblem(
      file: place.file, line: place.line, column: place.column, what: what, why: why, remedy: remedy)
    // One cause read twice (an alias, say) is one problem.
    guard !all.contains(problem) else { return }
    guard all.count < ProfileLimits.problems else {
      omitted += 1
      return
    }
    all.append(problem)
  }

  var isEmpty: Bool { all.isEmpty }

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
