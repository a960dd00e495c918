/// The bounds of the time sensor.
enum TimeLimits {
  /// Sources of a chronyd that are asked for: a pool has many that it only may use.
  static let asked = 64
  /// Those told of in one sample.
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
