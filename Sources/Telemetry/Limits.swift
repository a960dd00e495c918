/// The bounds of what one node may describe; every module counts on them.
public enum Limits {
  /// Series of one sensor. A machine with more instances than this needs a filter in its profile.
  public static let seriesPerSensor = 2_000
  /// Series of one node, all sensors and the whole life of its buffer together.
  public static let seriesPerNode = 10_000
  /// Problems that one sample names; the others are counted.
  public static let problemsPerSample = 8
  /// Bytes of what a sample says of its problems.
  public static let problemBytes = 900
  /// Bytes of one label value; longer ones are cut.
  public static let labelValueBytes = 128
}
