public import Telemetry

extension Profile {
  /// Reads a profile and the drop-ins `profile.d/*.yaml` beside it, in the order of their names.
  ///
  /// - Throws: all that is wrong with them, also a file that cannot be read.
  public static func load(
    path: String, catalogue: [SensorKind], environment: ProfileEnvironment
  ) throws(ProfileProblems) -> Profile {
    let problems = ProblemList()
    let files = ProfileFiles.collect(path, problems)
    guard problems.isEmpty else { throw problems.sorted(files: [path] + files.map(\.name)) }
    return try parse(files: files, catalogue: catalogue, environment: environment)
  }

  /// Reads a profile from the texts of its files, each laid over those before it. Touches nothing.
  ///
  /// - Throws: all that is wrong with them. When a file is no YAML, what the others mean is not looked at.
  public static func parse(
    files: [(name: String, text: [UInt8])], catalogue: [SensorKind], environment: ProfileEnvironment
  ) throws(ProfileProblems) -> Profile {
    let problems = ProblemList()
    let names = files.map(\.name)
    let roots = files.compactMap { YAMLReader.read(file: $0.name, bytes: $0.text, problems: problems) }
    guard roots.count == files.count else { throw problems.sorted(files: names) }
    for root in roots {
      // An empty file is an empty map; a file of one word is a mistake that merging would hide.
      if case .map = root.content { continue }
      if root.isNull { continue }
      problems.add(
        root.place, "a profile is a map, and this is \(root.kind)",
        remedy: "write 'key: value' lines; the shipped sample shows them")
    }
    guard problems.isEmpty || roots.allSatisfy({ if case .map = $0.content { true } else { $0.isNull } }) else {
      throw problems.sorted(files: names)
    }
    let maps = roots.map { $0.isNull ? YAMLNode($0.place, .map([])) : $0 }
    let merged = ProfileMerge(problems: problems).merged(maps)
    let tree = Substitution(variables: environment.variables, problems: problems).apply(to: merged)
    let profile = ProfileDecoder(catalogue: catalogue, environment: environment, problems: problems).decode(tree)
    guard problems.isEmpty, let profile else { throw problems.sorted(files: names) }
    return profile
  }
}
