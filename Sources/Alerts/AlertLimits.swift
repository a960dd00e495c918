/// The bounds of the alerts.
public enum AlertLimits {
  /// Series that one rule watches; further ones are counted in `AlertEngine.refusedInstances` and not watched.
  public static let instancesPerRule = 1_000
  /// Series named in one summary; the counts cover all.
  public static let seriesPerSummary = 50
  /// Silences at a time.
  public static let silences = 1_000
  /// Bytes of a rendered message; longer ones are cut at a character.
  public static let messageBytes = 1_024
}
