import Platform
import Telemetry

/// What came of a question to a resolver.
struct ResolverAnswer: Sendable {
  /// The outcomes told apart, in the label `outcome`: response codes of RFC 1035 (section 4.1.1) by their numbers, others, and what is no answer.
  static let outcomes = [
    "noerror", "formerr", "servfail", "nxdomain", "notimp", "refused", "other", "timeout", "mismatch", "closed", "unreachable",
    "failed",
  ]
  /// The places of those that other code names.
  static let (noError, nameError, other, timeout, mismatch, closed, unreachable, failed) = (0, 3, 6, 7, 8, 9, 10, 11)

  /// A place in `outcomes`.
  var outcome: Int
  /// How long the answer took; nil without one.
  var milliseconds: Double?
  /// The texts of TXT records.
  var texts: [String] = []

  /// Whether the resolver does its work: it found the name, or that there is none.
  var isGood: Bool { outcome == Self.noError || outcome == Self.nameError }
}

/// Asks resolvers, or takes the answers of a recorded device from `.host/dns`:
///
/// ```
/// 192.0.2.53 example.org A noerror 1.25          resolver, name, type, outcome, milliseconds
/// 192.0.2.54 example.org A timeout
/// 127.0.0.1 hits.bind CH noerror 0.2 1204        with texts, blanks in them as \040
/// ```
struct ResolverProbe: Sendable {
  let host: Host

  /// Asks one question; `isChaos` is for what a name server tells of itself.
  func ask(_ resolver: Resolver, _ name: String, _ type: DNSRecordType, isChaos: Bool = false, until deadline: Int64)
    -> ResolverAnswer
  {
    guard host.root.isEmpty else { return recorded([resolver.name, name, isChaos ? "CH" : type.rawValue]) }
    let start = SystemClock.monotonicNanoseconds
    do throws(NetworkFailure) {
      let message = try DNSExchange.ask(
        resolver.address, port: resolver.port, name: name, type: type, isChaos: isChaos, until: deadline)
      let milliseconds = Double(SystemClock.monotonicNanoseconds - start) / 1e6
      return ResolverAnswer(
        outcome: min(message.code, ResolverAnswer.other), milliseconds: milliseconds, texts: message.texts)
    } catch {
      let outcome =
        switch error {
        case .timedOut: ResolverAnswer.timeout
        case .wrong: ResolverAnswer.mismatch
        case .refused, .closed: ResolverAnswer.closed
        case .unreachable: ResolverAnswer.unreachable
        case .barred, .tls, .io: ResolverAnswer.failed
        }
      return ResolverAnswer(outcome: outcome)
    }
  }

  private func recorded(_ question: [String]) -> ResolverAnswer {
    let answer = try? host.file("/.host/dns").read { (text) throws(SensorError) -> ResolverAnswer? in
      while !text.isAtEnd {
        let words = text.restOfLine().split(separator: " ").map { unescapedOctal(String($0)) }
        text.skipLine()
        guard words.starts(with: question), words.count > question.count else { continue }
        let rest = words.dropFirst(question.count)
        guard let outcome = ResolverAnswer.outcomes.firstIndex(of: rest.first ?? "") else { continue }
        return ResolverAnswer(
          outcome: outcome, milliseconds: Quantity.number(rest.dropFirst().first ?? ""), texts: Array(rest.dropFirst(2)))
      }
      return nil
    }
    return (answer ?? nil) ?? ResolverAnswer(outcome: ResolverAnswer.timeout)
  }
}
