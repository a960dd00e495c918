extension UplinkLimits {
  /// The bounds of the `sparkplug` payload.
  public enum Sparkplug {
    /// Bytes of a payload that is read.
    public static let payloadBytes = 4 << 20
    /// Metrics of a payload that is read.
    public static let metrics = 20_000
    /// Properties of a metric that is read.
    public static let properties = 64
    /// Bytes of an NDATA payload: what is more goes into another message.
    public static let dataBytes = 64 * 1024
    /// Bytes of a host's STATE message.
    public static let stateBytes = 1_024
    /// Objects and arrays within each other in a STATE message.
    public static let stateDepth = 8
    /// Milliseconds between two questions how far the broker has read.
    public static let confirmationMilliseconds: Int64 = 1_000
    /// Ticks and pieces of the backlog that may be unconfirmed; live ticks beyond that are owed.
    public static let unconfirmed = 1_000
    /// Milliseconds between births on one connection, whatever hosts ask for.
    public static let birthPauseMilliseconds: Int64 = 1_000
    /// A series that was silent for so many of its own intervals has no value any more.
    public static let silentIntervals: Int64 = 3
    /// Milliseconds for which a series may be silent at least: a late sensor is no lost one.
    public static let silentMilliseconds: Int64 = 3_000
    /// The same for a series that gave one value so far, so that its interval is not known.
    public static let firstSilenceMilliseconds: Int64 = 3_600_000
  }
}
