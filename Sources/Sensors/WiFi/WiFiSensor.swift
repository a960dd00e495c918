import Platform
public import Telemetry

/// Links of wireless interfaces: signal, noise, bit rates, losses, channel, roaming.
///
/// In the slow lane: drivers ask their firmware, which may take its time.
public struct WiFiSensor: Sensor {
  private static let radios = "/sys/class/ieee80211"
  private static let table = "/proc/net/wireless"
  /// Drivers that make a survey when they are asked for one: they leave the channel for every other, a tenth of a second each, and packets
  /// are lost (dump_survey in drivers/net/wireless/broadcom/brcm80211/brcmfmac/cfg80211.c, since Linux 6.1). All others tell what they
  /// counted meanwhile.
  private static let surveyors: Set<String> = ["brcmfmac", "inffmac"]

  /// The catalogue entry.
  public static let kind = SensorKind(
    name: "wifi", summary: "Signal, noise, bit rates, losses, channel and roaming of wireless interfaces.",
    sources: [
      "nl80211: GET_INTERFACE, GET_STATION, GET_SURVEY (include/uapi/linux/nl80211.h)",
      "/proc/net/wireless of drivers without it (net/wireless/wext-proc.c)",
    ],
    lane: .slow, everySeconds: 10,
    settings: [
      SettingSpec(
        "access_point_label", .bool, default: "false",
        help: "Report the access point's hardware address, which may tell where the device is; at most 16 an interface.")
    ],
    metrics: WiFiMetrics.all,
    bounds: { settings in
      guard !settings.bool("access_point_label") else { return [] }
      return [
        .off([WiFiMetrics.accessPoint], why: "'access_point_label' is false", remedy: "write 'access_point_label: true'")
      ]
    })

  private let host: Host
  private let withAddress: Bool
  private let wireless: HostFile
  private var family: NL80211?
  private var interfaces: [String: WiFiInterface] = [:]

  /// Looks for wireless interfaces. Asking for nl80211 could load its module, so that is done only where there is a radio.
  public init(context: SensorContext, settings: Settings, readings: inout Readings) throws(SensorError) {
    host = context.host
    withAddress = settings.bool("access_point_label")
    wireless = host.file(Self.table)
    guard hasRadio || host.exists(Self.table) else { throw .absent("\(Self.radios)/*") }
  }

  private var hasRadio: Bool { (try? host.list(Self.radios).isEmpty) == false }

  /// Asks for the interfaces, then for the link and the channel of each.
  ///
  /// - Throws: `absent` when there is no wireless interface any more.
  public mutating func sample(into readings: inout Readings) throws(SensorError) {
    do throws(SensorError) {
      try sampleInterfaces(into: &readings)
    } catch {
      // Its number may be another when the module was loaded anew.
      family = nil
      guard case .absent = error else { throw error }
      try sampleTable(into: &readings)
    }
  }

  private mutating func sampleInterfaces(into readings: inout Readings) throws(SensorError) {
    guard hasRadio else { throw .absent("\(Self.radios)/*") }
    let family: NL80211
    if let known = self.family { family = known } else { family = try NL80211(host.calls) }
    self.family = family
    let found = try family.interfaces()
    guard !found.isEmpty else { throw .absent("a wireless interface") }
    interfaces = interfaces.filter { known in found.contains { $0.name == known.key } }
    for interface in found {
      var state = interfaces[interface.name] ?? WiFiInterface(interface.name)
      state.set(interface, into: &readings)
      do throws(SensorError) {
        let stations = try family.stations(of: interface.index)
        switch interface.mode {
        case .client: state.set(client: stations, withAddress: withAddress, into: &readings)
        case .peers: state.set(stations: stations.count, into: &readings)
        }
      } catch {
        note(error, &readings)
      }
      do throws(SensorError) {
        state.set(try leavesChannel(interface.name) ? nil : family.survey(of: interface), into: &readings)
      } catch {
        state.set(nil, into: &readings)
        note(error, &readings)
      }
      interfaces[interface.name] = state
    }
  }

  private func leavesChannel(_ interface: String) -> Bool {
    let driver = host.link("/sys/class/net/\(interface)/device/driver")?.split(separator: "/").last
    return driver.map { Self.surveyors.contains(String($0)) } ?? false
  }

  /// A driver that does not know a question, and an interface that just went, are no problem.
  private func note(_ error: SensorError, _ readings: inout Readings) {
    if case .absent = error { return }
    readings.note(error)
  }

  private func sampleTable(into readings: inout Readings) throws(SensorError) {
    let lines = try wireless.read { (text) throws(SensorError) in try WirelessTable.parse(&text, path: Self.table) }
    guard !lines.isEmpty else { throw .absent("a wireless interface") }
    for line in lines {
      let label = [Label("interface", line.interface)]
      readings.set(readings.slot(WiFiMetrics.quality, label), line.quality)
      readings.set(readings.slot(WiFiMetrics.missedBeacons, label), Double(line.missedBeacons))
      if let signal = line.signal { readings.set(readings.slot(WiFiMetrics.signal, label), signal) }
      if let noise = line.noise { readings.set(readings.slot(WiFiMetrics.noise, label), noise) }
    }
  }
}
