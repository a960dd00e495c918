import Telemetry

/// What the sensor `io_latency` reports.
enum IOLatencyMetrics {
  private static func metric(_ name: String, _ help: String) -> Metric {
    Metric("io_latency.\(name)_milliseconds", unit: .milliseconds, decimals: 3, labels: ["device", "operation"], help: help)
  }

  static let p50 = metric("p50", "Half of the requests since the last sample took at most this. With tracepoints only.")
  static let p95 = metric("p95", "95 of 100 took at most this. With tracepoints only.")
  static let p99 = metric("p99", "99 of 100 took at most this. With tracepoints only.")
  static let longest = metric("max", "The longest. With tracepoints only.")
  static let mean = metric("mean", "The mean; from diskstats with the time in the queue.")
  static let source = Metric(
    "io_latency.source", unit: .none, labels: ["device", "source"], help: "1: where the device's values come from.")
  static let lost = Metric(
    "io_latency.lost", unit: .none, kind: .counter,
    help: "Beginnings and ends of requests that were not recorded: more came than fit between two samples.")
  static let probe = Metric(
    "io_latency.probe_milliseconds", unit: .milliseconds, decimals: 3, labels: ["operation", "path"],
    help: "How long the last probe took; missing while one takes too long or fails.")
  static let responding = Metric(
    "io_latency.probe_responding", unit: .none, labels: ["operation", "path"],
    help: "1 when the last probe was done, 0 when it failed or takes more than 5 s.")

  /// What settings leave of them.
  static func bounds(_ settings: Settings) -> [MetricBound] {
    let ofDevices = [p50, p95, p99, longest, mean, source]
    let probes = settings.items("probes")
    var bounds: [MetricBound] = [
      .filtered("device", of: ofDevices, by: settings, include: "include_devices", exclude: "exclude_devices"),
      .label("operation", of: [p50, p95, p99, longest, mean], is: ["read", "write"]),
      .named("path", of: [probe, responding], in: "probes", probes.map { $0.text("path") }),
      .named("operation", of: [probe, responding], in: "probes", probes.map { $0.text("operation") }),
      .label("source", of: [source], is: settings.bool("tracepoints") ? ["tracepoints", "diskstats"] : ["diskstats"]),
    ]
    if !settings.bool("tracepoints") {
      bounds.append(
        .off([p50, p95, p99, longest, lost], why: "'tracepoints' is false", remedy: "write 'tracepoints: true'"))
    }
    return bounds
  }

  static let all = [p50, p95, p99, longest, mean, source, lost, probe, responding]
}
