import Platform
public import Telemetry

/// Mains adapters, batteries and uninterruptible supplies that the kernel knows.
///
/// In the slow lane because a driver asks its fuel gauge or embedded controller over a slow bus.
public struct PowerSensor: Sensor {
  private static let directory = "/sys/class/power_supply"

  /// The catalogue entry.
  public static let kind = SensorKind(
    name: "power", summary: "Mains, batteries and UPSes: whether mains is there, charge, time left, voltage, current, health.",
    sources: [
      "/sys/class/power_supply/*/ (Documentation/ABI/testing/sysfs-class-power, Documentation/power/power_supply_class.rst)"
    ],
    lane: .slow, everySeconds: 5,
    settings: [
      SettingSpec(
        "include", .patterns, default: "", help: "When given, these supplies are reported, whatever exclude says, and no others."),
      SettingSpec("exclude", .patterns, default: "", help: "Supplies left out."),
      SettingSpec(
        "peripherals", .bool, default: "false",
        help: "Whether batteries of peripherals (mice, keyboards, headsets) are reported: supplies whose `scope` is `Device`."),
    ],
    metrics: PowerSupply.metrics,
    bounds: { [.filtered("supply", of: PowerSupply.metrics, by: $0, include: "include", exclude: "exclude")] })

  private let host: Host
  private let filter: NameFilter
  private let withPeripherals: Bool
  private var hotPlug: HotPlug
  private var supplies: [PowerSupply] = []

  /// Finds the supplies.
  public init(context: SensorContext, settings: Settings, readings: inout Readings) throws(SensorError) {
    host = context.host
    filter = NameFilter(include: settings.list("include"), exclude: settings.list("exclude"))
    withPeripherals = settings.bool("peripherals")
    hotPlug = HotPlug(host: host, directory: Self.directory)
    try discover(into: &readings)
  }

  /// Reads every attribute of every supply; each that fails costs only what is made of it.
  public mutating func sample(into readings: inout Readings) throws(SensorError) {
    if hotPlug.isDue() { try discover(into: &readings) }
    var read = 0
    for index in supplies.indices {
      if supplies[index].sample(into: &readings) { read += 1 } else { hotPlug.deviceVanished() }
    }
    if read == 0, let problem = readings.problem { throw problem }
  }

  private mutating func discover(into readings: inout Readings) throws(SensorError) {
    // What is known stays as it is: the smoothed drain must outlive a look for new supplies.
    let known = supplies
    supplies.removeAll(keepingCapacity: true)
    for name in try host.list(Self.directory) where filter.admits(name) {
      let directory = "\(Self.directory)/\(name)"
      if !withPeripherals, host.line("\(directory)/scope") == "Device" { continue }
      guard let attributes = try? host.list(directory) else { continue }
      if let same = known.first(where: { $0.name == name && $0.attributes == attributes }) {
        supplies.append(same)
      } else {
        supplies.append(PowerSupply(name, attributes, host: host, readings: &readings))
      }
    }
    guard !supplies.isEmpty else { throw .absent(Self.directory) }
  }
}
