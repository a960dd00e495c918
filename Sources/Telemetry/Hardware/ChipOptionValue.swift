extension ChipOption {
  /// Why a number cannot be this option's value; nil when it can.
  public func fault(_ number: Double) -> SettingError? {
    if choices.isEmpty {
      if range.contains(number) { return nil }
      return SettingError(what: "is out of range", remedy: "use \(text(range.lowerBound)) to \(text(range.upperBound))")
    }
    if choices.contains(where: { $0.number == number }) { return nil }
    return SettingError(
      what: "is not one of its values", remedy: "use \(choices.map { text($0.number) }.joined(separator: ", "))")
  }

  /// Whole numbers without a point.
  private func text(_ number: Double) -> String {
    number == number.rounded() && number.magnitude < 1e15 ? "\(Int64(number))" : "\(number)"
  }
}
