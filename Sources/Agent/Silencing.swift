import Alerts
import Buffer
import Platform
import Profile
import Telemetry

/// Silences of rules over restarts: kept as wall time, for CLOCK_BOOTTIME begins anew with each boot.
extension Supervisor {
  static let silencesNote = "silences"

  private var now: Int64 { environment.clock.bootNanoseconds() / 1_000_000 }

  /// Silences a rule, or all by `*`, for so long; 0 takes a silence back.
  ///
  /// - Returns: why that cannot be; nil when it was done.
  func silence(_ rule: String, milliseconds: Int) -> String? {
    let rules = profile.alerts.map(\.name)
    guard rule == AlertSilences.everyRule || rules.contains(rule) else { return "there is no rule '\(rule)'" }
    if milliseconds == 0 {
      guard silences.lift(rule) else { return "'\(rule)' is not silenced" }
      end([rule])
    } else {
      guard silences.silence(rule, until: now + Int64(milliseconds)) else { return "too many silences" }
      for name in affected(rule) { publishState(of: name) }
    }
    keepSilences()
    return nil
  }

  /// Ends what is over, at each tick.
  func expireSilences(_ milliseconds: Int64) {
    let over = silences.expire(at: milliseconds)
    guard !over.isEmpty else { return }
    end(over)
    keepSilences()
  }

  /// What still fires when a silence ends is announced then: nobody was told of it.
  private func end(_ over: [String]) {
    for rule in Set(over.flatMap(affected)).sorted() {
      publishState(of: rule)
      guard silences.end(of: rule) == nil, let summary = engine.summary(rule: rule) else { continue }
      for status in summary.series where status.state.isFiring {
        if summary.rule.notifiers.contains(.log) {
          environment.log.write(.warning, "alert \(rule)", "still firing after its silence: \(status.message)")
        }
        emit(
          kind: "alert", severity: summary.rule.severity, message: "\(rule) still firing after its silence: \(status.message)"
        ) { json in
          json.member("rule", rule)
          json.member("series", status.series)
          json.member("state", status.state.rawValue)
          json.member("value", status.value)
        }
      }
    }
  }

  private func affected(_ rule: String) -> [String] {
    rule == AlertSilences.everyRule ? profile.alerts.map(\.name) : [rule]
  }

  private func keepSilences() {
    let offset = environment.clock.wallMilliseconds() - now
    var writer = JSONWriter()
    writer.beginArray()
    for (rule, end) in silences.ends.sorted(by: { $0.key < $1.key }) {
      writer.beginObject()
      writer.member("rule", rule)
      writer.member("until", end + offset)
      writer.member("for", end - now)
      writer.endObject()
    }
    writer.endArray()
    pending.notes[Self.silencesNote] = String(decoding: writer.bytes, as: UTF8.self)
  }

  /// A clock that was set back must not make a silence longer than it was.
  func restoreSilences(_ text: String?) {
    let limits = JSONReader.Limits(bytes: AgentLimits.silencesBytes, depth: 3, values: AlertLimits.silences * 4 + 1)
    guard let text, case .array(let items)? = try? JSONReader.read(Array(text.utf8), limits: limits) else { return }
    let wall = environment.clock.wallMilliseconds()
    for item in items {
      guard let rule = item["rule"]?.text, let until = item["until"]?.whole, let most = item["for"]?.whole else { continue }
      let rest = min(until - wall, most)
      if rest > 0 { _ = silences.silence(rule, until: now + rest) }
    }
  }
}
