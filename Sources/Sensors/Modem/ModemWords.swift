/// Numbers of ModemManager as words: ModemManager-enums.h.
enum ModemWords {
  /// MMModemState, from -1 on.
  private static let states: [StaticString] = [
    "failed", "unknown", "initializing", "locked", "disabled", "disabling", "enabling", "enabled", "searching", "registered",
    "disconnecting", "connecting", "connected",
  ]
  /// MMModem3gppRegistrationState.
  private static let registrations: [StaticString] = [
    "idle", "home", "searching", "denied", "unknown", "roaming", "home-sms-only", "roaming-sms-only", "emergency-only",
    "home-csfb-not-preferred", "roaming-csfb-not-preferred", "attached-rlos",
  ]
  /// MMModemAccessTechnology, by the number of the bit.
  private static let technologies: [StaticString] = [
    "pots", "gsm", "gsm-compact", "gprs", "edge", "umts", "hsdpa", "hsupa", "hspa", "hspa+", "1xrtt", "evdo0", "evdoa", "evdob",
    "lte", "5gnr", "lte-cat-m", "lte-nb-iot",
  ]

  static func state(_ number: Double) -> String {
    guard number >= -1, number < Double(states.count - 1) else { return "unknown" }
    return "\(states[Int(number) + 1])"
  }

  static func registration(_ number: UInt64) -> String {
    number < UInt64(registrations.count) ? "\(registrations[Int(number)])" : "unknown"
  }

  /// Whether data may flow: in the home network (1, 9) or a foreign one (5, 10).
  static func isRegistered(_ number: UInt64) -> Bool { number == 1 || number == 5 || number == 9 || number == 10 }

  /// The technology of the highest bit that is set: a modem may tell several (LTE as the anchor of 5G, or HSDPA with HSUPA); nil of none.
  static func technology(_ bits: UInt64) -> String? {
    let known = bits & (1 << UInt64(technologies.count) - 1)
    guard known != 0 else { return nil }
    return "\(technologies[known.bitWidth - 1 - known.leadingZeroBitCount])"
  }
}
