import Platform
import Telemetry

/// Questions to nl80211 and what is taken of the answers (include/uapi/linux/nl80211.h).
///
/// ```
///  0         1         2           4
/// ┌─────────┬─────────┬───────────┬────────────────┐
/// │ command │ version │ kept free │ attributes     │   genetlink.h
/// └─────────┴─────────┴───────────┴────────────────┘
/// ```
struct NL80211 {
  /// The most interfaces, stations of one and channels that are taken.
  static let interfaces = 32
  static let stations = 2048
  static let channels = 256

  /// A wireless interface.
  struct Interface: Equatable {
    let index: UInt32
    let name: String
    /// What it is at work as.
    let mode: Mode
    var frequencyHertz: Double?
    var widthHertz: Double?
    var transmitPower: Double?
  }

  /// NL80211_IFTYPE_STATION and NL80211_IFTYPE_P2P_CLIENT have an access point; NL80211_IFTYPE_ADHOC, _AP, _MESH_POINT and _P2P_GO have peers.
  enum Mode: Equatable {
    case client
    case peers
  }

  /// The other side of a link: of a client its access point.
  struct Station: Equatable {
    /// The hardware address, in the lower 48 bits.
    let address: UInt64
    var isAuthorized = true
    var signal, signalAverage, beaconSignal: Double?
    var transmitBits, receiveBits: Double?
    var retries, failures, beaconLosses, connectedSeconds, inactiveMilliseconds: UInt32?
  }

  /// What a radio heard on the channel that it uses.
  struct Survey: Equatable {
    var frequency: UInt32?
    var noise: Double?
    var milliseconds, busyMilliseconds: UInt64?
  }

  private let family: UInt16
  private let calls: any HostCalls

  /// - Throws: `absent` where the kernel has no nl80211.
  init(_ calls: any HostCalls) throws(SensorError) {
    self.calls = calls
    family = try calls.netlinkFamily("nl80211")
  }

  /// NL80211_CMD_GET_INTERFACE, answered by NL80211_CMD_NEW_INTERFACE.
  func interfaces() throws(SensorError) -> [Interface] {
    var found: [Interface] = []
    try calls.netlink(.generic("nl80211.interfaces", family: family, command: 5)) { (content) throws(SensorError) in
      guard content.byte() == 7, found.count < Self.interfaces, let interface = Self.interface(content) else { return }
      found.append(interface)
    }
    return found
  }

  /// NL80211_CMD_GET_STATION, answered by NL80211_CMD_NEW_STATION: the other sides of an interface's links.
  func stations(of index: UInt32) throws(SensorError) -> [Station] {
    var found: [Station] = []
    try ask("stations", 17, of: index) { (content) throws(SensorError) in
      guard content.byte() == 19, found.count < Self.stations, let station = Self.station(content) else { return }
      found.append(station)
    }
    return found
  }

  /// NL80211_CMD_GET_SURVEY, answered by NL80211_CMD_NEW_SURVEY_RESULTS: the channel in use; nil when the driver tells of none.
  func survey(of interface: Interface) throws(SensorError) -> Survey? {
    var found, own: Survey?
    var channels = 0
    try ask("survey", 50, of: interface.index) { (content) throws(SensorError) in
      channels += 1
      guard content.byte() == 51, found == nil, channels <= Self.channels, let (survey, isInUse) = Self.survey(content) else {
        return
      }
      if isInUse { found = survey }
      // Some drivers mark none, mac80211_hwsim among them.
      if let frequency = survey.frequency, Double(frequency) * 1e6 == interface.frequencyHertz { own = survey }
    }
    return found ?? own
  }

  private func ask(
    _ what: String, _ command: UInt8, of index: UInt32, _ body: (NetlinkBytes) throws(SensorError) -> Void
  ) throws(SensorError) {
    // NL80211_ATTR_IFINDEX
    try calls.netlink(
      .generic(
        "nl80211.\(what).\(index)", family: family, command: command, attributes: NetlinkRequest.attribute(3, index)), body)
  }

  private static func interface(_ content: NetlinkBytes) -> Interface? {
    var index: UInt32?
    var name: String?
    var mode: Mode?
    var frequency, width, power: Double?
    for (type, value) in content.attributes(from: 4) {
      switch type {
      case 3: index = value.unsigned32()
      case 4: name = value.text
      case 5: mode = value.unsigned32().flatMap(Self.mode)
      // NL80211_ATTR_WIPHY_FREQ, MHz.
      case 38: frequency = value.unsigned32().flatMap { (1...1_000_000).contains($0) ? Double($0) * 1e6 : nil }
      // NL80211_ATTR_WIPHY_TX_POWER_LEVEL, signed mBm.
      case 98: power = value.unsigned32().map { Double(Int32(bitPattern: $0)) / 100 }
      // NL80211_ATTR_CHANNEL_WIDTH
      case 159: width = value.unsigned32().flatMap { widths.indices.contains(Int($0)) ? widths[Int($0)] * 1e6 : nil }
      default: continue
      }
    }
    guard let index, let name, !name.isEmpty, let mode else { return nil }
    return Interface(
      index: index, name: name, mode: mode, frequencyHertz: frequency, widthHertz: frequency == nil ? nil : width,
      transmitPower: power)
  }

  /// MHz by NL80211_CHAN_WIDTH_: 20 without HT, 20, 40, 80, 80+80, 160, 5, 10, 1, 2, 4, 8, 16, 320.
  private static let widths: [Double] = [20, 20, 40, 80, 160, 160, 5, 10, 1, 2, 4, 8, 16, 320]

  private static func mode(_ type: UInt32) -> Mode? {
    switch type {
    case 2, 8: .client
    case 1, 3, 7, 9: .peers
    default: nil
    }
  }

  private static func station(_ content: NetlinkBytes) -> Station? {
    var address: UInt64?
    var information: NetlinkBytes?
    for (type, value) in content.attributes(from: 4) {
      // NL80211_ATTR_MAC, NL80211_ATTR_STA_INFO
      if type == 6, value.count == 6 { address = (0..<6).reduce(0) { $0 << 8 | UInt64(value.byte(at: $1) ?? 0) } }
      if type == 21 { information = value }
    }
    guard let address, let information else { return nil }
    var station = Station(address: address)
    for (type, value) in information.attributes() { station.take(type, value) }
    return station
  }

  private static func survey(_ content: NetlinkBytes) -> (Survey, isInUse: Bool)? {
    // NL80211_ATTR_SURVEY_INFO
    guard let information = content.attributes(from: 4).first(where: { $0.type == 84 })?.value else { return nil }
    var survey = Survey()
    var isInUse = false
    for (type, value) in information.attributes() {
      switch type {
      case 1: survey.frequency = value.unsigned32()
      case 2: survey.noise = decibels(value)
      case 3: isInUse = true
      case 4: survey.milliseconds = value.unsigned64()
      case 5: survey.busyMilliseconds = value.unsigned64()
      default: continue
      }
    }
    return (survey, isInUse)
  }

  /// dBm as a signed byte. 0 and above is what drivers without a measurement say: so strong a signal none receives.
  fileprivate static func decibels(_ value: NetlinkBytes) -> Double? {
    value.byte().map { Double(Int8(bitPattern: $0)) }.flatMap { $0 < 0 ? $0 : nil }
  }

  /// NL80211_RATE_INFO_BITRATE32, else NL80211_RATE_INFO_BITRATE: units of 100 kbit/s.
  fileprivate static func bits(_ value: NetlinkBytes) -> Double? {
    var units: UInt32?
    for (type, value) in value.attributes() {
      if type == 5 { units = value.unsigned32() }
      if type == 1, units == nil { units = value.unsigned16().map { UInt32($0) } }
    }
    return units.map { Double($0) * 100_000 }
  }

  /// The channel of a centre frequency (net/wireless/util.c, ieee80211_freq_khz_to_channel); nil where no plan has one.
  static func channel(_ hertz: Double) -> Double? {
    let frequency = Int(hertz / 1e6)
    switch frequency {
    case 2484: return 14
    case 2412..<2484: return Double((frequency - 2407) / 5)
    case 4910...4980: return Double((frequency - 4000) / 5)
    case 5000..<5925: return Double((frequency - 5000) / 5)
    case 5935: return 2
    case 5955...45_000: return Double((frequency - 5950) / 5)
    case 58_320...70_200: return Double((frequency - 56_160) / 2160)
    default: return nil
    }
  }
}

extension NL80211.Station {
  /// NL80211_STA_INFO_.
  fileprivate mutating func take(_ type: Int, _ value: NetlinkBytes) {
    switch type {
    case 1: inactiveMilliseconds = value.unsigned32()
    case 7: signal = NL80211.decibels(value)
    case 8: transmitBits = NL80211.bits(value)
    case 11: retries = value.unsigned32()
    case 12: failures = value.unsigned32()
    case 13: signalAverage = NL80211.decibels(value)
    case 14: receiveBits = NL80211.bits(value)
    case 16: connectedSeconds = value.unsigned32()
    // struct nl80211_sta_flag_update, mask and bits: NL80211_STA_FLAG_AUTHORIZED is bit 1. Before it, keys are still agreed on.
    case 17: isAuthorized = value.unsigned32().map { $0 & 2 == 0 } ?? true || value.unsigned32(at: 4).map { $0 & 2 != 0 } ?? true
    case 18: beaconLosses = value.unsigned32()
    // Written as NL80211_STA_INFO_BEACON_SIGNAL_AVG, one byte.
    case 30: beaconSignal = NL80211.decibels(value)
    default: return
    }
  }
}
