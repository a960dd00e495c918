import Telemetry

/// Which instances a sensor reports: those that `include` names if it names any, else all but those that `exclude` names.
struct NameFilter {
  private let include: [Glob]
  private let exclude: [Glob]

  init(include: [String], exclude: [String]) {
    self.include = include.map(Glob.init)
    self.exclude = exclude.map(Glob.init)
  }

  /// Whether the instance is reported.
  func admits(_ name: String) -> Bool {
    include.isEmpty ? !Glob.any(exclude, match: name) : Glob.any(include, match: name)
  }
}
