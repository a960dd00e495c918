/// The bounds of the alerts.
public enum AlertLimits {
  /// Series that one rule watches; further ones are counted in `AlertEngine.refusedInstances` and not watched.
  public static let instancesPerRule = 1_000
  /// Series named in one summary; the counts cover all.
  public static let seriesPerSummary = 50
  /// Silences at a time.
  public static let silences = 1_000
  /// Samples that a sensor takes after the first without a series, before that series is gone.
  public static let answersUntilGone = 3
  /// How long it is missing at least, milliseconds: a restart of what is watched, or a plug that is moved, is no end.
  public static let goneMilliseconds: Int64 = 120_000
  /// How long it is told that an alert ended so, milliseconds.
  public static let goneToldMilliseconds: Int64 = 86_400_000
  /// Bytes of a rendered message; longer ones are cut at a character.
  public static let messageBytes = 1_024
}
