import Platform
public import Telemetry

/// Devices with a frequency of their own that are neither GPU nor NPU: memory controllers, buses, video units.
public struct DevfreqSensor: Sensor {
  private static func metric(_ name: String, _ unit: Unit, _ decimals: Int, _ help: String) -> Metric {
    Metric("devfreq.\(name)", unit: unit, decimals: decimals, labels: ["device"], help: help)
  }

  private static let frequency = metric("frequency_hertz", .hertz, 0, "Frequency now.")
  private static let frequencyMax = metric("frequency_max_hertz", .hertz, 0, "Highest frequency of the device.")
  private static let usage = metric("usage_percent", .percent, 1, "Load that the governor saw; only on vendors' kernels.")

  /// Devices that are read.
  private static let limit = 64

  /// The catalogue entry.
  public static let kind = SensorKind(
    name: "devfreq", summary: "Frequencies of memory controllers, buses and other devices with a governor of their own.",
    sources: ["/sys/class/devfreq/*/ (Documentation/ABI/testing/sysfs-class-devfreq)"],
    settings: [SettingSpec("exclude", .patterns, default: "", help: "Devices, by name, that are not read.")],
    metrics: [frequency, frequencyMax, usage])

  private let host: Host
  private let excluded: [Glob]
  private var devices: DeviceSet

  /// Finds the devices.
  public init(context: SensorContext, settings: Settings, readings: inout Readings) throws(SensorError) {
    host = context.host
    excluded = settings.list("exclude").map { Glob($0) }
    devices = DeviceSet(host: host, directory: DevfreqDevice.directory)
    devices.replace(with: discover(&readings))
    guard !devices.isEmpty else { throw .absent(DevfreqDevice.directory) }
  }

  /// Reads one or two files a device.
  public mutating func sample(into readings: inout Readings) throws(SensorError) {
    if devices.mustLookAnew() { devices.replace(with: discover(&readings)) }
    try devices.sample(into: &readings)
  }

  private func discover(_ readings: inout Readings) -> [(name: String, attributes: DeviceAttributes)] {
    let all = DevfreqDevice.all(on: host).filter { $0.role == .other }
    return all.prefix(Self.limit).compactMap { device in
      // Two units of one kind keep their addresses.
      let isAlone = all.count { $0.name == device.name } == 1
      let name = isAlone ? device.name : device.entry
      guard !Glob.any(excluded, match: name) else { return nil }
      var builder = DeviceBuilder(
        host: host, directory: "\(device.path)/device", metrics: .accelerator, name: name, sleeps: false, letSleep: true,
        &readings)
      device.add(to: &builder, clock: Self.frequency, max: Self.frequencyMax, usage: Self.usage, [], &readings)
      return builder.attributes.isEmpty ? nil : (device.entry, builder.attributes)
    }
  }
}
