import Telemetry

/// The metrics of wireless interfaces.
enum WiFiMetrics {
  private static func metric(
    _ name: String, _ unit: Unit, decimals: Int = 0, kind: MetricKind = .gauge, _ help: String
  ) -> Metric {
    Metric("wifi.\(name)", unit: unit, kind: kind, decimals: decimals, labels: ["interface"], help: help)
  }

  static let connected = metric("connected", .none, "1 while a client has an access point and may send; else 0.")
  static let stations = metric("stations", .none, "Connected stations of an access point, peers of a mesh or ad-hoc network.")
  static let signal = metric("signal_dbm", .decibelMilliwatts, "Strength of the last frame from the access point.")
  static let signalAverage = metric("signal_average_dbm", .decibelMilliwatts, "Strength of its frames, averaged by the driver.")
  static let beaconSignal = metric("beacon_signal_dbm", .decibelMilliwatts, "Strength of its beacons, averaged by the driver.")
  static let noise = metric("noise_dbm", .decibelMilliwatts, "Noise on the channel in use.")
  static let transmitBits = metric("transmit_bits_per_second", .bitsPerSecond, "Bit rate of the last frame that was sent.")
  static let receiveBits = metric("receive_bits_per_second", .bitsPerSecond, "Bit rate of the last frame that was received.")
  static let retries = metric("transmit_retries_per_second", .perSecond, decimals: 2, "Frames sent again.")
  static let failures = metric("transmit_failures_per_second", .perSecond, decimals: 2, "Frames given up after all retries.")
  static let beaconLosses = metric(
    "beacon_losses", .none, kind: .counter, "Times the access point's beacons stayed away, since it was joined.")
  static let connectedTime = metric("connected_seconds", .seconds, "How long the client has had its access point.")
  static let inactive = metric("inactive_milliseconds", .milliseconds, "How long the access point sent nothing.")
  static let frequency = metric("frequency_hertz", .hertz, "Centre of the channel, of a wide one its primary 20 MHz.")
  static let channel = metric("channel", .none, "Number of the channel.")
  static let width = metric("width_hertz", .hertz, "Width of the channel.")
  static let transmitPower = metric("transmit_power_dbm", .decibelMilliwatts, decimals: 2, "Transmit power that is set.")
  static let busy = metric(
    "channel_busy_percent", .percent, decimals: 1,
    "Share of time the channel was busy, by this radio or others, where the driver tells.")
  static let roams = metric(
    "roams", .none, kind: .counter, "Times the client was found at another access point than before, since the agent runs.")
  static let linkDowns = metric(
    "link_downs", .none, kind: .counter, "Times the client was found to have lost its access point, since the agent runs.")
  static let quality = metric(
    "link_quality", .none, "Quality of the link as the driver rates it, of drivers without nl80211; mostly of 70 or 100.")
  static let missedBeacons = metric("missed_beacons", .none, kind: .counter, "Beacons missed, of drivers without nl80211.")
  static let accessPoint = Metric(
    "wifi.access_point", unit: .none, labels: ["access_point", "interface"],
    help: "1 for the hardware address (BSSID) of the access point in use; past 16 addresses 'other'.")

  static let all = [
    connected, stations, signal, signalAverage, beaconSignal, noise, transmitBits, receiveBits, retries, failures, beaconLosses,
    connectedTime, inactive, frequency, channel, width, transmitPower, busy, roams, linkDowns, quality, missedBeacons,
    accessPoint,
  ]
}
