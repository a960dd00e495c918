/// The bounds of the sensor `io_latency`.
enum IOLatencyLimits {
  /// Devices reported.
  static let devices = 64
  /// Requests kept that are on their way at the end of a sample.
  static let pending = 4_096
  /// How long one is waited for that does not come back, nanoseconds; a driver's own deadline is 30 s.
  static let pendingNanoseconds: UInt64 = 600_000_000_000
  /// Samples between two tries to open the tracepoints.
  static let samplesBetweenTries = 60
  /// Probes of a profile.
  static let probes = 8
  /// How long a probe may take before storage counts as not responding, nanoseconds.
  static let probeNanoseconds: Int64 = 5_000_000_000
  /// How long a sample waits for probes that it has begun, milliseconds: most are done within.
  static let waitMilliseconds: Int64 = 500
}
