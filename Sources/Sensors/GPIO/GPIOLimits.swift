/// The bounds of the GPIO sensor.
enum GPIOLimits {
  /// Inputs of one profile: each takes a descriptor.
  static let inputs = 64
  /// Edges a second of one line that are told without loss: the thread that takes them rests as long as the kernel's queue lasts at this pace.
  static let edgesPerSecond = 16_000
  /// Without a pulse for so long, nothing turns or flows.
  static let standstillSeconds: Int64 = 10
  /// Samples between looks for lines that were not to be had.
  static let samplesBetweenLooks = 30
  /// How long the end of the thread is waited for, so that its lines are free again.
  static let stopMilliseconds = 500
}
