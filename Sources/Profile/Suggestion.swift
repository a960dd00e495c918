/// Guesses which word was meant.
public enum Suggestion {
  /// `did you mean 'x'?`, or else what there is.
  public static func remedy(for word: String, among known: [String], otherwise: String? = nil) -> String {
    if let best = nearest(to: word, among: known) { return "did you mean '\(best)'?" }
    return otherwise ?? "use one of \(known.joined(separator: ", "))"
  }

  /// The nearest known word, or nil when none is near.
  static func nearest(to word: String, among known: [String]) -> String? {
    let wanted = folded(word)
    // One slip in two letters may mean anything: 'no' is as near to 'on' as to 'off'.
    guard wanted.count > 2, wanted.count <= ProfileLimits.suggestedCharacters else { return nil }
    let allowed = min(max(1, wanted.count / 3), 4)
    var best: (word: String, distance: Int)?
    for candidate in known {
      let other = folded(candidate)
      guard other.count <= ProfileLimits.suggestedCharacters, abs(other.count - wanted.count) <= allowed else { continue }
      let steps = distance(wanted, other)
      if steps <= allowed, steps < other.count, steps < best?.distance ?? Int.max { best = (candidate, steps) }
    }
    return best?.word ?? containing(word.lowercased(), among: known)
  }

  /// Case and the two dashes make no difference.
  private static func folded(_ word: String) -> [Unicode.Scalar] {
    word.lowercased().unicodeScalars.map { $0 == "-" ? "_" : $0 }
  }

  /// The shortest known word that begins or ends with it, or that it begins with.
  private static func containing(_ word: String, among known: [String]) -> String? {
    guard word.utf8.count >= 4 else { return nil }
    return known.filter { $0.hasPrefix(word) || $0.hasSuffix(word) || ($0.utf8.count >= 4 && word.hasPrefix($0)) }
      .min { $0.utf8.count < $1.utf8.count }
  }

  /// Insertions, deletions, replacements and swaps of neighbours (optimal string alignment).
  static func distance(_ left: [Unicode.Scalar], _ right: [Unicode.Scalar]) -> Int {
    var before: [Int] = []
    var previous = Array(0...right.count)
    for row in 0..<left.count {
      var current = [row + 1]
      for column in 0..<right.count {
        let replaced = previous[column] + (left[row] == right[column] ? 0 : 1)
        var steps = min(replaced, previous[column + 1] + 1, current[column] + 1)
        if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
          steps = min(steps, before[column - 1] + 1)
        }
        current.append(steps)
      }
      before = previous
      previous = current
    }
    return previous[right.count]
  }
}
