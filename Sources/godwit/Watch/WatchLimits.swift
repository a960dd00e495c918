/// The bounds of `godwit watch`.
enum WatchLimits {
  /// Nodes whose names of series and last values are kept; messages of further ones are not decoded.
  static let nodes = 256
  /// Values of one line that are shown when none were asked for.
  static let shownValues = 6
  /// Milliseconds after which Ctrl-C is noticed.
  static let waitMilliseconds = 200
  /// Milliseconds before a lost connection is tried again.
  static let retryMilliseconds = 600
}
