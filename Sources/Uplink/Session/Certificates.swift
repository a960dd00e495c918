import Platform
import Telemetry

/// What was wrong with a broker's certificate, by OpenSSL's numbers (X509_STORE_CTX_get_error(3)).
struct CertificateProblem: Hashable {
  let error: Int32
  /// 0 is the broker's own certificate, more those that signed it.
  let depth: Int32
  /// Unix milliseconds between which it is valid.
  let begins: Int64
  let ends: Int64
  /// What OpenSSL says.
  let text: String

  /// The clock stands before the certificate's start: a device without a battery clock before it was set.
  var isNotYetValid: Bool { error == 9 }

  /// What it means, for people.
  ///
  /// - Parameters:
  ///   - now: Unix milliseconds of the device.
  ///   - synced: whether its clock is synchronised.
  func meaning(now: Int64, synced: Bool, authorities: String?) -> String {
    let what = depth == 0 ? "the broker's certificate" : "the certificate of the broker's authority"
    let clock = synced ? "the device's clock" : "the device's clock, which is not set yet,"
    switch error {
    case 9: return "\(clock) says \(WallTime.text(now)): \(what) begins at \(WallTime.text(begins))"
    case 10: return "\(what) expired at \(WallTime.text(ends)); \(clock) says \(WallTime.text(now))"
    case 2, 7, 18, 19, 20, 21:
      return "\(what) is not signed by an authority of \(authorities ?? "the system") (\(text))"
    case 62, 64: return "the broker's certificate is for another name"
    default: return "\(what) is refused: \(text)"
    }
  }
}

extension UplinkSession {
  /// Why an attempt or a connection ended: the certificate where it was that, else what is said of it and what OpenSSL adds.
  func reason(_ otherwise: String) -> String {
    guard let problem = client?.certificateProblem else { return otherwise + (client?.tlsComplaint.map { " (\($0))" } ?? "") }
    return problem.meaning(now: clock.wallMilliseconds(), synced: clock.isSynchronized(), authorities: settings.tls.caFile)
  }

  /// Tries again soon after the clock came to where the broker's certificate is valid, whatever the back-off has grown to.
  func noticeClock() {
    guard let begins = certificateBegins, clock.wallMilliseconds() >= begins else { return }
    certificateBegins = nil
    backoff.reset()
    waitUntil = min(waitUntil, now + Int64(backoff.next(using: &random)))
  }

  /// Makes the connection anew when a file that it was made with is another one. What is under way is waited for, until the next look.
  func noticeCredentials() {
    guard isConnected, credentials.wantsRenewal(now: now, isIdle: flights.isEmpty) else { return }
    leave()
    retreat("a file with credentials changed: the connection is made anew")
    waitUntil = now
  }
}
