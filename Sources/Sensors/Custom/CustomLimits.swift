/// The bounds of a user's own metrics.
enum CustomLimits {
  /// Programs of the sensor `exec`.
  static let commands = 64
  /// Programs that run at once.
  static let commandsAtOnce = 8
  /// How long a sample waits for programs; what takes longer is reported by a later one. Milliseconds, well within the deadline.
  static let waitMilliseconds: Int64 = 2_000
  /// Values of one text.
  static let samples = 5_000
  /// Objects and arrays within each other in a JSON text.
  static let depth = 8
  /// Labels of one value.
  static let labels = 8
  /// Bytes of a name that comes from outside.
  static let nameBytes = 128
  /// Files of the directory of the sensor `textfile`.
  static let files = 64
  /// Names of files that get series of their own; later ones share those of `other`.
  static let sources = 128
  /// Bytes of one of them.
  static let fileBytes = 256 * 1024
  /// What is older counts as this old: 100 years, which nanoseconds of 64 bits hold. Milliseconds.
  static let oldestMilliseconds: Int64 = 36_500 * 86_400_000
  /// Bytes of a datagram to the sensor `push`.
  static let datagramBytes = 8 * 1024
  /// Datagrams taken before others may have the processor.
  static let datagramsAtOnce = 256
  /// The pause after that many.
  static let floodRestMilliseconds = 2
  /// What a timer keeps of one interval to tell its percentile.
  static let timerValues = 1_000
  /// Texts that a set tells apart in one interval.
  static let setMembers = 1_000
}
