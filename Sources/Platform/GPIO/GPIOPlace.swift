/// A line that was found: what a profile's `chip` and `line` mean on this machine, now.
public struct GPIOPlace: Hashable, Sendable {
  /// The chip it is on.
  public let chip: GPIOChip
  /// The line as it was when it was found.
  public let line: GPIOLine

  /// `GPIO17 (pinctrl-rp1 17)`, or `pinctrl-rp1 17` for a line without a name.
  public var description: String {
    let place = "\(chip.label) \(line.offset)"
    return line.name.isEmpty ? place : "\(line.name) (\(place))"
  }
}

extension GPIOChips {
  /// Finds a line by its name or offset.
  ///
  /// - Parameters:
  ///   - line: the board's name for it, `GPIO17`; else an offset, which needs a chip.
  ///   - chip: a label or name; nil looks for the name on all chips.
  /// - Throws: `absent` when there is none, `ambiguous` when there are several, or what looking failed with.
  public func find(line: String, chip: String?) throws(GPIOError) -> GPIOPlace {
    let all = try chips()
    let candidates = all.filter { chip == nil || $0.label == chip || $0.name == chip }
    if let chip, candidates.isEmpty {
      let known = all.map { "\($0.name) (\($0.label))" }.joined(separator: ", ")
      throw .absent("no GPIO chip '\(chip)'; \(known.isEmpty ? "this machine has none" : "there are \(known)")")
    }
    var found: [GPIOPlace] = []
    for candidate in candidates {
      for known in try lines(of: candidate.name) where known.name == line {
        found.append(GPIOPlace(chip: candidate, line: known))
      }
    }
    if found.isEmpty, chip != nil, let offset = Int(line), offset >= 0 {
      for candidate in candidates where offset < candidate.lineCount {
        let known = try lines(of: candidate.name)
        if offset < known.count { found.append(GPIOPlace(chip: candidate, line: known[offset])) }
      }
    }
    guard let first = found.first else { throw .absent("no GPIO line '\(line)'\(chip.map { " on '\($0)'" } ?? "")") }
    guard found.count == 1 else {
      throw .ambiguous(line: line, places: found.map { "\($0.chip.name) \($0.line.offset)" })
    }
    return first
  }
}
