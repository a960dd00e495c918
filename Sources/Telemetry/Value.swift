extension Double {
  /// Marks "no value was taken" inside a vector of values; one quiet NaN out of 2⁵³, so a NaN that was measured stays distinct.
  public static let missing = Double(bitPattern: 0x7FF8_0000_0000_0BAD)

  /// Whether this is the `missing` marker (not just any NaN).
  @inlinable
  public var isMissing: Bool { bitPattern == 0x7FF8_0000_0000_0BAD }

  /// Rounded half away from zero to `decimals` digits (0…9); the result is the double nearest to that decimal number.
  /// Values too large to carry such a digit, NaN and infinities are returned unchanged.
  @inlinable
  public func rounded(decimals: Int) -> Double {
    let scale = Double.powersOfTen[decimals]
    let scaled = self * scale
    guard scaled.magnitude < 9_007_199_254_740_992 else { return self }
    // Adding zero turns −0 into 0.
    return scaled.rounded() / scale + 0
  }

  /// 10⁰ … 10⁹.
  public static let powersOfTen: [Double] = [1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9]
}
