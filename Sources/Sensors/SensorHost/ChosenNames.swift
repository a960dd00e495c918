/// Names that programs choose, such as those of networks and processes, as values of a label. Series are kept for the life of the buffer, so only
/// the first ones get a series of their own; all further are summed as `other`.
struct ChosenNames {
  static let other = "other"
  private var known: Set<String> = []

  /// The name, or `other`.
  mutating func admit(_ name: String) -> String {
    if known.contains(name) { return name }
    guard known.count < SensorHostLimits.chosenNames, !name.isEmpty else { return Self.other }
    known.insert(name)
    return name
  }
}
