/// The bounds of reading chips.
enum I2CLimits {
  /// How often a chip is read whose checksum does not fit.
  static let checksumAttempts = 2
  /// How long one sample of all devices may take before the rest waits for the next one, milliseconds: well within the deadline
  /// that sensors have by default, since a last device may take its own time after it.
  static let sampleMilliseconds: Int64 = 2_500
}
