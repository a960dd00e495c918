import Platform
import Telemetry

/// A part of a probe that is timed by itself.
enum ProbePhase: String, CaseIterable, Sendable {
  case resolve, connect, tls, session
  case firstByte = "first_byte"
  case total
}

/// What came of one probe.
struct ProbeAnswer: Hashable, Sendable {
  /// The round trip; nil when there was no answer.
  var milliseconds: Double?
  /// Why the target is not as it should be; nil when it is.
  var fault: String?
  /// Whether nothing could be sent, for a reason that is this machine's own.
  var isUnsent = false
  /// Milliseconds, by phase.
  var phases: [ProbePhase: Double] = [:]
  /// Of HTTP.
  var status: Int?
  /// Of DNS: the response code and the number of records.
  var dnsCode, dnsRecords: Int?
  /// How long the certificate is still valid.
  var certificateSeconds: Double?
}

/// What came of a probe along a path.
enum HopAnswer: Hashable, Sendable {
  /// Nobody answered.
  case silent
  /// A router on the way did.
  case router(String, milliseconds: Double)
  /// The target did, or whoever answers for it: the path has no more hops.
  case end(String, milliseconds: Double)
  /// Nothing could be sent.
  case failed(String)
}

/// Takes the way to a target. The real one and the recorded one differ in nothing else.
protocol Prober: Sendable {
  /// Waits for the answer, no longer than the target's bounds.
  func probe(_ target: LatencyTarget) -> ProbeAnswer
  /// The same of the router that is so many hops away.
  func probe(_ target: LatencyTarget, hops: Int) -> HopAnswer
}
