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
  /// Datagrams taken, or dropped, before others may have the processor.
  static let datagramsAtOnce = 64
  /// The pause after that many that were taken, milliseconds.
  static let floodRestMilliseconds = 1
  /// The pause after those that were dropped, milliseconds.
  static let dropRestMilliseconds = 20
  /// What the thread that takes them may have of a core in the long run: one part of so many.
  static let pushShare: Int64 = 20
  /// What it may have at once after a rest: a burst of some 100,000 lines. Nanoseconds of processor time.
  static let pushCreditNanoseconds: Int64 = 500_000_000
  /// What a timer keeps of one interval to tell its percentile.
  static let timerValues = 1_000
  /// Texts that a set tells apart in one interval.
  static let setMembers = 1_000
}
