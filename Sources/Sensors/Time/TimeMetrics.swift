import Telemetry

/// What the time sensor tells.
enum TimeMetrics {
  private static func metric(
    _ name: String, _ unit: Unit = .none, decimals: Int = 0, labels: [String] = [], help: String
  ) -> Metric {
    Metric("time.\(name)", unit: unit, decimals: decimals, labels: labels, help: help)
  }

  private static let source = ["source"]

  static let stratum = metric(
    "stratum", help: "Servers between this clock and a reference clock, this one counted; 0 while there is none.")
  static let leap = metric(
    "leap_status", help: "0 normal, 1 the day's last minute has 61 seconds, 2 it has 59, 3 the clock is not synchronised.")
  static let age = metric("last_update_seconds", .seconds, decimals: 1, help: "How long ago the clock was last set right.")
  static let offset = metric(
    "offset_seconds", .seconds, decimals: 9, help: "How far this clock is behind its source; negative when it is ahead.")
  static let lastOffset = metric(
    "last_offset_seconds", .seconds, decimals: 9, help: "The offset that was found when the clock was last set right; chrony.")
  static let rmsOffset = metric("rms_offset_seconds", .seconds, decimals: 9, help: "Long-term average of the offset; chrony.")
  static let jitter = metric(
    "jitter_seconds", .seconds, decimals: 9, help: "How much offsets differ from one another; timesyncd.")
  static let frequency = metric(
    "frequency_ppm", decimals: 3, help: "How much too fast the clock would run if it were not corrected, in millionths.")
  static let residual = metric(
    "residual_frequency_ppm", decimals: 3, help: "What of it is not corrected yet, in millionths; chrony.")
  static let skew = metric("skew_ppm", decimals: 3, help: "How uncertain the frequency is, in millionths; chrony.")
  static let rootDelay = metric(
    "root_delay_seconds", .seconds, decimals: 9, help: "Round trip to the reference clock, over all servers between.")
  static let rootDispersion = metric(
    "root_dispersion_seconds", .seconds, decimals: 9,
    help: "How uncertain the time is, over all servers between; with half the root delay it bounds the error.")
  static let interval = metric(
    "update_interval_seconds", .seconds, decimals: 1, help: "Between the last two updates of the clock; of timesyncd, polls.")
  static let sources = metric("sources", help: "Sources of time that are configured and whose address is known; chrony.")
  static let reachable = metric(
    "sources_reachable", help: "Sources of them that answered at least once in their last eight polls.")

  static let selected = metric("source_selected", labels: source, help: "1 for the source that the clock follows; else 0.")
  static let state = metric(
    "source_state", labels: source,
    help:
      "0 selected, 1 unusable, 2 false (it contradicts the others), 3 too jittery, 4 combined with the selected, 5 not combined.")
  static let reach = metric(
    "source_reach_percent", .percent, decimals: 1, labels: source, help: "The share of its last eight polls that it answered.")
  static let sourceStratum = metric(
    "source_stratum", labels: source, help: "Servers between the source and a reference clock, it counted.")
  static let sourceOffset = metric(
    "source_offset_seconds", .seconds, decimals: 9, labels: source,
    help: "How far this clock was ahead of the source at its last sample.")
  static let sourceError = metric(
    "source_error_seconds", .seconds, decimals: 9, labels: source, help: "How wrong that sample may be.")
  static let sourceAge = metric("source_sample_seconds", .seconds, labels: source, help: "How long ago that sample was taken.")

  /// In the order of a reply's figures.
  static let tracked = [offset, lastOffset, rmsOffset, frequency, residual, skew, rootDelay, rootDispersion, interval]
  static let all =
    [stratum, leap, age, jitter, sources, reachable] + tracked + [
      selected, state, reach, sourceStratum, sourceOffset, sourceError, sourceAge,
    ]
}
