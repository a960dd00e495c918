import Platform
import Telemetry

/// What is remembered of one wireless interface between samples.
struct WiFiInterface {
  /// Addresses of access points that get a series of their own.
  static let accessPoints = 16

  private let label: Label
  // NL80211_STA_INFO_TX_RETRIES and _TX_FAILED are u32.
  private var retries = Rate(.bits32)
  private var failures = Rate(.bits32)
  private var survey: NL80211.Survey?
  /// The access point that was last in use.
  private var accessPoint: UInt64?
  private var isConnected = false
  private var connectedSeconds: UInt32 = 0
  private var roams = 0.0
  private var linkDowns = 0.0
  /// The addresses that have a series.
  private var named: Set<UInt64> = []

  init(_ name: String) { label = Label("interface", name) }

  /// What does not need a link.
  func set(_ interface: NL80211.Interface, into readings: inout Readings) {
    set(WiFiMetrics.frequency, interface.frequencyHertz, &readings)
    set(WiFiMetrics.channel, interface.frequencyHertz.flatMap(NL80211.channel), &readings)
    set(WiFiMetrics.width, interface.widthHertz, &readings)
    set(WiFiMetrics.transmitPower, interface.transmitPower, &readings)
  }

  /// The noise, and how busy the channel was since the last look: nothing where the channel or the driver's count began anew.
  mutating func set(_ found: NL80211.Survey?, into readings: inout Readings) {
    defer { survey = found }
    guard let found else { return }
    set(WiFiMetrics.noise, found.noise, &readings)
    guard let before = survey, before.frequency == found.frequency, let time = found.milliseconds,
      let busy = found.busyMilliseconds, let earlier = before.milliseconds, let busyBefore = before.busyMilliseconds,
      time > earlier, busy >= busyBefore
    else { return }
    set(WiFiMetrics.busy, min(Double(busy - busyBefore) / Double(time - earlier) * 100, 100), &readings)
  }

  /// How many are connected to this side.
  func set(stations: Int, into readings: inout Readings) {
    set(WiFiMetrics.stations, Double(stations), &readings)
  }

  /// A client's link; `withAddress` gives the access point's address a series.
  mutating func set(client stations: [NL80211.Station], withAddress: Bool, into readings: inout Readings) {
    let link = stations.first { $0.isAuthorized }
    count(link)
    set(WiFiMetrics.connected, link == nil ? 0 : 1, &readings)
    set(WiFiMetrics.roams, roams, &readings)
    set(WiFiMetrics.linkDowns, linkDowns, &readings)
    guard let link else {
      retries.reset()
      failures.reset()
      return
    }
    set(WiFiMetrics.signal, link.signal, &readings)
    set(WiFiMetrics.signalAverage, link.signalAverage, &readings)
    set(WiFiMetrics.beaconSignal, link.beaconSignal, &readings)
    set(WiFiMetrics.transmitBits, link.transmitBits, &readings)
    set(WiFiMetrics.receiveBits, link.receiveBits, &readings)
    let now = readings.nanoseconds
    set(WiFiMetrics.retries, link.retries.flatMap { retries.perSecond(UInt64($0), at: now) }, &readings)
    set(WiFiMetrics.failures, link.failures.flatMap { failures.perSecond(UInt64($0), at: now) }, &readings)
    set(WiFiMetrics.beaconLosses, link.beaconLosses.map { Double($0) }, &readings)
    set(WiFiMetrics.connectedTime, link.connectedSeconds.map { Double($0) }, &readings)
    set(WiFiMetrics.inactive, link.inactiveMilliseconds.map { Double($0) }, &readings)
    guard withAddress else { return }
    let isNamed = named.contains(link.address) || named.count < Self.accessPoints
    if isNamed { named.insert(link.address) }
    let name = isNamed ? Self.text(link.address) : "other"
    readings.set(readings.slot(WiFiMetrics.accessPoint, [Label("access_point", name), label]), 1)
  }

  /// Compares with the link of the last sample. One with the same access point that is younger than it was has been down in between.
  private mutating func count(_ link: NL80211.Station?) {
    if let link {
      if let accessPoint, accessPoint != link.address {
        roams += 1
        // The counters are those of another link.
        retries.reset()
        failures.reset()
      } else if isConnected, let seconds = link.connectedSeconds, seconds < connectedSeconds {
        linkDowns += 1
        retries.reset()
        failures.reset()
      }
      accessPoint = link.address
      connectedSeconds = link.connectedSeconds ?? 0
    } else if isConnected {
      linkDowns += 1
    }
    isConnected = link != nil
  }

  /// `02:00:00:00:01:00`.
  private static func text(_ address: UInt64) -> String {
    let digits = Array("0123456789abcdef")
    var text = ""
    for shift in stride(from: UInt64(40), through: 0, by: -8) {
      if !text.isEmpty { text += ":" }
      text.append(digits[Int(address >> (shift + 4) & 15)])
      text.append(digits[Int(address >> shift & 15)])
    }
    return text
  }

  private func set(_ metric: Metric, _ value: Double?, _ readings: inout Readings) {
    guard let value else { return }
    readings.set(readings.slot(metric, [label]), value)
  }
}
