import Platform
public import Telemetry

/// Coral Edge TPUs on PCIe (M.2, mini PCIe; not the USB stick, which has no driver in the kernel).
///
/// The files of the gasket and apex drivers: temperatures in m°C; `status` is ALIVE, LAMED (healthy, but without interrupts), DEAD
/// or DRIVER_EXITING (drivers/staging/gasket/gasket_core.c of Linux 4.19 to 5.13). `temp`, the trip points and the warnings are
/// of the driver that Google went on with outside the kernel (gasket-driver, src/apex_driver.c): at each trip point it lowers the
/// clock once more, by default at 85, 90 and 95 °C.
public struct CoralSensor: Sensor {
  private static let directory = "/sys/class/apex"
  /// The driver has 256 minor numbers; a machine with more than a few has a special board.
  private static let limit = 32

  private static let metrics = DeviceMetrics.accelerator

  /// The catalogue entry.
  public static let kind = SensorKind(
    name: "coral", summary: "Temperature, throttling, state and resets of Coral Edge TPUs on PCIe.",
    sources: ["/sys/class/apex/apex_*/ (drivers/staging/gasket/gasket_core.c; Google's gasket-driver: src/apex_driver.c)"],
    metrics: [
      AcceleratorMetrics.info, AcceleratorMetrics.suspended, AcceleratorMetrics.alive, AcceleratorMetrics.owned,
      AcceleratorMetrics.temperature, AcceleratorMetrics.temperatureLimit, AcceleratorMetrics.throttled,
      AcceleratorMetrics.resets, AcceleratorMetrics.linkWidth, AcceleratorMetrics.linkWidthMax, AcceleratorMetrics.linkSpeed,
      AcceleratorMetrics.linkSpeedMax,
    ])

  private let host: Host
  private var devices: DeviceSet

  /// Finds the devices.
  public init(context: SensorContext, settings: Settings, readings: inout Readings) throws(SensorError) {
    host = context.host
    devices = DeviceSet(host: host, directory: Self.directory)
    devices.replace(with: Self.discover(host, &readings))
    guard !devices.isEmpty else { throw .absent(Self.directory) }
  }

  /// Reads the files of each device.
  public mutating func sample(into readings: inout Readings) throws(SensorError) {
    if devices.mustLookAnew() { devices.replace(with: Self.discover(host, &readings)) }
    try devices.sample(into: &readings)
  }

  private static func discover(_ host: Host, _ readings: inout Readings) -> [(name: String, attributes: DeviceAttributes)] {
    let entries = ((try? host.list(directory)) ?? []).filter { $0.hasPrefix("apex_") }
    return entries.prefix(limit).compactMap { entry in
      var builder = DeviceBuilder(
        host: host, directory: "\(directory)/\(entry)/device", metrics: metrics, name: entry, sleeps: true, letSleep: true,
        &readings)
      describe("\(directory)/\(entry)", in: &builder, &readings)
      return builder.attributes.isEmpty ? nil : (entry, builder.attributes)
    }
  }

  private static func describe(_ path: String, in builder: inout DeviceBuilder, _ readings: inout Readings) {
    let label = builder.label
    if let file = builder.file("\(path)/status") {
      // LAMED is not fatal: it works, by polling.
      let slot = readings.slot(AcceleratorMetrics.alive, [label])
      builder.attributes.tables.append(.state(DeviceState(file: file, slot: slot, working: ["ALIVE", "LAMED"])))
    }
    if let file = builder.file("\(path)/temp") {
      let temperature = ChipTemperature(
        file: file, slot: readings.slot(AcceleratorMetrics.temperature, [label, Label("sensor", "chip")]),
        throttled: readings.slot(AcceleratorMetrics.throttled, [label, Label("reason", "thermal")]),
        tripPoint: builder.host.exists("\(path)/trip_point0_temp") ? builder.host.file("\(path)/trip_point0_temp") : nil)
      builder.attributes.tables.append(.temperature(temperature))
    }
    for limit in ["trip_point0", "trip_point1", "trip_point2"] {
      builder.add(
        "\(path)/\(limit)_temp", AcceleratorMetrics.temperatureLimit, labels: [Label("limit", limit)], divisor: 1000, &readings)
    }
    for limit in ["hw_temp_warn1", "hw_temp_warn2"] {
      builder.add(
        "\(path)/\(limit)", AcceleratorMetrics.temperatureLimit, labels: [Label("limit", limit)], divisor: 1000, &readings)
    }
    builder.add("\(path)/is_device_owned", AcceleratorMetrics.owned, &readings)
    builder.add("\(path)/reset_count", AcceleratorMetrics.resets, &readings)
    builder.addLink(&readings)
    let version = builder.host.line("\(path)/driver_version") ?? ""
    builder.addInfo(model: "Edge TPU", driver: version.isEmpty ? "apex" : "apex \(version)", &readings)
  }
}

/// The temperature of an Edge TPU, and whether it is beyond the first point at which the driver lowers the clock.
struct ChipTemperature {
  /// What the driver makes of all ones from its converter: (662 − 1023) · 250 + 550 m°C. So reads a chip in reset, or one that
  /// fell off the bus.
  private static let noAnswerMillidegrees: Int64 = -89_700

  let file: HostFile
  let slot: Slot
  let throttled: Slot
  let tripPoint: HostFile?

  func sample(into readings: inout Readings) throws(SensorError) {
    guard let millidegrees = try file.integer() else { throw .malformed(path: file.path, what: "not a whole number") }
    guard millidegrees != Self.noAnswerMillidegrees else { return }
    guard millidegrees >= -273_150 else { throw .malformed(path: file.path, what: "colder than 0 K") }
    readings.set(slot, Double(millidegrees) / 1000)
    if let tripPoint, let limit = try tripPoint.integer() { readings.set(throttled, millidegrees >= limit ? 1 : 0) }
  }
}
