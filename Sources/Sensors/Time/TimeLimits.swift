/// The bounds of the time sensor.
enum TimeLimits {
  /// Sources of a chronyd that are told of.
  static let sources = 16
  /// Sources told of while the sensor runs: those of a pool change.
  static let knownSources = 48
  /// How long chronyd may take for one answer, milliseconds.
  static let answerMilliseconds = 500
  /// How long it may take for all of a sample.
  static let sampleMilliseconds: Int64 = 3_000
  /// Bytes of an answer.
  static let answerBytes = 512
}
