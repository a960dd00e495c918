import Telemetry

/// The metrics of modems.
enum ModemMetrics {
  /// Most modems of a machine.
  static let mostModems = 8
  /// Most data sessions of a modem that are asked for.
  static let mostBearers = 8

  private static func metric(
    _ name: String, unit: Unit = .none, decimals: Int = 0, kind: MetricKind = .gauge, label: String? = nil, _ help: String
  ) -> Metric {
    Metric(
      "modem.\(name)", unit: unit, kind: kind, decimals: decimals, labels: (["modem"] + (label.map { [$0] } ?? [])).sorted(),
      help: help)
  }

  static let state = metric(
    "state", label: "state",
    "1 for the modem's state (failed, locked, disabled, searching, registered, connected and those between), 0 for earlier ones.")
  static let registration = metric(
    "registration", label: "registration", "1 for the registration in the network (home, roaming, denied, …), 0 for earlier ones."
  )
  static let technology = metric(
    "technology", label: "technology", "1 for the access technology in use, the newest of several; 0 for earlier ones.")
  static let operatorName = metric(
    "operator", label: "operator", "1 for the operator of the network, 0 for earlier ones; past 16 names 'other'.")
  static let registered = metric("registered", "1 while registered in the home network or a foreign one, else 0.")
  static let connected = metric("connected", "1 while a data session is connected, else 0.")
  static let simMissing = metric("sim_missing", "1 when there is no SIM, else 0.")
  static let simLocked = metric("sim_locked", "1 when the SIM or the modem wants a code (PIN, PUK, …), else 0.")
  static let failed = metric("failed", "1 when the modem cannot be used, else 0.")
  static let quality = metric(
    "signal_quality_percent", unit: .percent, "Signal quality; missing when the modem did not tell it lately.")
  static let rssi = metric(
    "rssi_dbm", unit: .decibelMilliwatts, decimals: 1, label: "radio",
    "Received power with noise and interference; of gsm, umts, lte, evdo, cdma1x, where the modem's signal polling is set up.")
  static let rsrp = metric(
    "rsrp_dbm", unit: .decibelMilliwatts, decimals: 1, label: "radio", "Power of the reference signal, of lte and 5g.")
  static let rscp = metric(
    "rscp_dbm", unit: .decibelMilliwatts, decimals: 1, label: "radio", "Power of the pilot channel, of umts.")
  static let rsrq = metric(
    "rsrq_db", unit: .decibels, decimals: 1, label: "radio", "Quality of the reference signal, of lte and 5g.")
  static let snr = metric("snr_db", unit: .decibels, decimals: 1, label: "radio", "Signal-to-noise ratio, of lte and 5g.")
  static let ecio = metric(
    "ecio_db", unit: .decibels, decimals: 1, label: "radio", "Energy per chip against interference, of umts, evdo, cdma1x.")
  static let received = metric(
    "received_bytes", unit: .bytes, kind: .counter,
    "Bytes received in the data sessions that are connected, since each was connected.")
  static let sent = metric("sent_bytes", unit: .bytes, kind: .counter, "Bytes sent in them.")
  static let duration = metric("session_seconds", unit: .seconds, "How long the oldest data session has been connected.")
  static let failures = metric(
    "failed_connections_total", kind: .counter, "Attempts to connect a data session that failed, of the sessions there are.")

  static let all = [
    state, registration, technology, operatorName, registered, connected, simMissing, simLocked, failed, quality, rssi, rsrp,
    rscp,
    rsrq, snr, ecio, received, sent, duration, failures,
  ]
}
