import Platform
public import Telemetry

/// Temperatures of the kernel's thermal zones and the state of what cools them.
///
/// Documentation/driver-api/thermal/sysfs-api.rst: `temp` is in millidegrees Celsius; `cur_state` runs from 0 (no cooling) to
/// `max_state`. Zones and devices are named by their `type`; where several have the same one, all of these get their number too.
public struct ThermalSensor: Sensor {
  private static let directory = "/sys/class/thermal"

  private static let temperature = Metric(
    "thermal.temperature_celsius", unit: .celsius, decimals: 1, labels: ["zone"], help: "Temperature of a thermal zone.")
  private static let state = Metric(
    "thermal.cooling_state", unit: .none, labels: ["device"], help: "How strongly a cooling device works; 0 is not at all.")
  private static let stateMax = Metric(
    "thermal.cooling_state_max", unit: .none, labels: ["device"], help: "The strongest state of a cooling device.")

  /// The catalogue entry.
  public static let kind = SensorKind(
    name: "thermal", summary: "Temperatures of the thermal zones, state of the cooling devices.",
    sources: [
      "/sys/class/thermal/thermal_zone*/{type,temp}, cooling_device*/{type,cur_state,max_state}"
        + " (Documentation/driver-api/thermal/sysfs-api.rst)"
    ],
    settings: [
      SettingSpec("exclude_zones", .patterns, default: "", help: "Zones, by type, that are not read."),
      SettingSpec("exclude_devices", .patterns, default: "", help: "Cooling devices, by type, that are not read."),
    ],
    metrics: [temperature, state, stateMax])

  private struct CoolingDevice {
    let state: NumberFile
    /// Read once: it is a property of the device.
    let max: Double?
    let maxSlot: Slot
  }

  private let host: Host
  private let excludedZones: [Glob]
  private let excludedDevices: [Glob]
  private var hotPlug: HotPlug
  private var zones: [NumberFile] = []
  private var devices: [CoolingDevice] = []

  /// Finds all zones and cooling devices.
  public init(context: SensorContext, settings: Settings, readings: inout Readings) throws(SensorError) {
    host = context.host
    excludedZones = settings.list("exclude_zones").map { Glob($0) }
    excludedDevices = settings.list("exclude_devices").map { Glob($0) }
    hotPlug = HotPlug(host: host, directory: Self.directory)
    try discover(into: &readings)
  }

  /// Reads one file a zone and one a cooling device; each that fails costs only its own value.
  public mutating func sample(into readings: inout Readings) throws(SensorError) {
    if hotPlug.isDue() { try discover(into: &readings) }
    var read = 0
    var vanished = false
    for zone in zones {
      switch zone.sample(into: &readings) {
      case .value, .nothing: read += 1
      case .vanished: vanished = true
      case .failed: break
      }
    }
    for device in devices {
      switch device.state.sample(into: &readings) {
      case .value, .nothing:
        read += 1
        readings.set(device.maxSlot, device.max)
      case .vanished: vanished = true
      case .failed: break
      }
    }
    if vanished { hotPlug.deviceVanished() }
    if read == 0, let problem = readings.problem { throw problem }
  }

  private mutating func discover(into readings: inout Readings) throws(SensorError) {
    let entries = try host.list(Self.directory)
    zones = named(entries, "thermal_zone", with: "temp", without: excludedZones).map { zone in
      NumberFile(
        file: host.file("\(Self.directory)/\(zone.entry)/temp"),
        slot: readings.slot(Self.temperature, [Label("zone", zone.name)]), divisor: 1000, range: .celsius)
    }
    devices = named(entries, "cooling_device", with: "cur_state", without: excludedDevices).map { device in
      let path = "\(Self.directory)/\(device.entry)"
      let label = Label("device", device.name)
      return CoolingDevice(
        state: NumberFile(
          file: host.file("\(path)/cur_state"), slot: readings.slot(Self.state, [label]), divisor: 1, range: .fromZero),
        max: (try? host.file("\(path)/max_state").integer()).map { Double($0) },
        maxSlot: readings.slot(Self.stateMax, [label]))
    }
    guard !zones.isEmpty || !devices.isEmpty else { throw .absent(Self.directory) }
  }

  /// The entries `<prefix><number>` with distinct names made of their types; without a readable type the entry itself is the name.
  private func named(
    _ entries: [String], _ prefix: String, with file: String, without excluded: [Glob]
  ) -> [(entry: String, name: String)] {
    let found = entries.filter { $0.hasPrefix(prefix) && host.exists("\(Self.directory)/\($0)/\(file)") }.map { entry in
      let type = host.line("\(Self.directory)/\(entry)/type") ?? ""
      return (entry: entry, name: type.isEmpty ? entry : type)
    }
    var count: [String: Int] = [:]
    for device in found { count[device.name, default: 0] += 1 }
    return found.compactMap { device in
      if Glob.any(excluded, match: device.name) { return nil }
      let unique = count[device.name] == 1
      return (device.entry, unique ? device.name : "\(device.name)-\(device.entry.dropFirst(prefix.count))")
    }
  }
}
