import Telemetry

/// What the latency sensor tells of each target.
enum LatencyMetrics {
  private static func metric(
    _ name: String, _ unit: Unit = .none, kind: MetricKind = .gauge, decimals: Int = 0, labels: [String] = ["target"],
    help: String
  ) -> Metric {
    Metric("latency.\(name)", unit: unit, kind: kind, decimals: decimals, labels: labels, help: help)
  }

  static let up = metric("up", help: "1 when the newest probe was answered, and as expected; 0 too when it could not be sent.")
  static let sent = metric("sent_total", kind: .counter, help: "Probes since the sensor was started.")
  static let lost = metric("lost_total", kind: .counter, help: "Probes of them without an answer.")
  static let loss = metric("loss_percent", .percent, decimals: 1, help: "The share of the window's probes without an answer.")
  static let last = metric("last_milliseconds", .milliseconds, decimals: 3, help: "The round trip of the newest probe.")
  static let p50 = metric("rtt_p50_milliseconds", .milliseconds, decimals: 3, help: "The median round trip of the window.")
  static let p95 = metric(
    "rtt_p95_milliseconds", .milliseconds, decimals: 3, help: "95 of 100 round trips of the window took at most this.")
  static let p99 = metric(
    "rtt_p99_milliseconds", .milliseconds, decimals: 3, help: "99 of 100 round trips of the window took at most this.")
  static let jitter = metric(
    "jitter_milliseconds", .milliseconds, decimals: 3,
    help: "The mean difference between the round trips of one answered probe and the next, over the window.")
  static let phase = metric(
    "phase_milliseconds", .milliseconds, decimals: 3, labels: ["phase", "target"],
    help:
      "Parts of the newest probe: resolve, connect, tls and session each by itself; first_byte and total since the probe began.")
  static let status = metric("http_status", help: "The status code of the newest HTTP answer.")
  static let dnsCode = metric(
    "dns_code", help: "The response code of the newest DNS answer: 0 success, 2 server failure, 3 no such name, 5 refused.")
  static let dnsRecords = metric("dns_records", help: "Records of the type asked for in the newest DNS answer.")
  static let certificate = metric(
    "certificate_seconds_left", .seconds, help: "How long the server's certificate is still valid; negative when it is not.")
  static let hopTime = metric(
    "hop_milliseconds", .milliseconds, decimals: 3, labels: ["hop", "target"],
    help: "The median time to a router on the path, over the window.")
  static let hopLoss = metric(
    "hop_loss_percent", .percent, decimals: 1, labels: ["hop", "target"],
    help: "The share of probes that a router on the path left unanswered; routers may do so although all is well.")
  static let hopSeen = metric(
    "hop_seen", labels: ["address", "hop", "target"],
    help: "1 for the router that answered last at this hop, 0 for those before it; those past the fourth are `other`.")

  /// What is left of them with these targets.
  static func bounds(_ targets: [LatencyTarget]) -> [MetricBound] {
    func names(_ isMeant: (LatencyTarget) -> Bool) -> [String] { targets.filter(isMeant).map(\.name) }
    func bound(_ metrics: [Metric], _ needs: String, _ names: [String]) -> MetricBound {
      names.isEmpty && !targets.isEmpty
        ? .off(metrics, why: "no target has '\(needs)'", remedy: "write it at an item of 'targets'")
        : .named("target", of: metrics, in: "targets", names)
    }
    return [
      .named("target", of: [up, sent, lost, loss, last, p50, p95, p99, jitter], in: "targets", targets.map(\.name)),
      bound([phase], "kind: http", names { [.tls, .http, .mqtt].contains($0.kind) }),
      .label("phase", of: [phase], is: ProbePhase.allCases.map(\.rawValue)),
      bound([status], "kind: http", names { $0.kind == .http }),
      bound([dnsCode, dnsRecords], "kind: dns", names { $0.kind == .dns }),
      bound([certificate], "kind: tls", names(\.isSecure)),
      bound([hopTime, hopLoss, hopSeen], "trace: true", names(\.isTraced)),
    ]
  }

  static let all = [
    up, sent, lost, loss, last, p50, p95, p99, jitter, phase, status, dnsCode, dnsRecords, certificate, hopTime, hopLoss, hopSeen,
  ]
}
