import Telemetry

/// The family `accelerator.*`: devices that run neural networks, one meaning for every maker.
///
/// The label `device` is the name of its device node (`hailo0`, `apex_0`, `accel0`); the NPU of a system on chip without one goes by
/// its device's name without the address (`npu`).
enum AcceleratorMetrics {
  /// Model, driver and firmware as text, on a value that is always 1.
  static let info = metric("info", .none, 0, ["model", "driver", "firmware"], "Always 1: what the device is, by its labels.")
  static let alive = metric("alive", .none, 0, [], "1 when the driver holds the device for working, 0 when it gave it up.")
  static let owned = metric("owned", .none, 0, [], "1 while a process has the device for itself, else 0.")
  static let suspended = metric(
    "suspended", .none, 0, [], "1 while runtime power management has it asleep: it is not woken to be read, else 0.")

  static let usage = metric("usage_percent", .percent, 1, [], "Share of time in which the device had work.")
  static let coreUsage = metric("core_usage_percent", .percent, 1, ["core"], "Share of time in which a core had work.")
  static let networkUsage = metric(
    "network_usage_percent", .percent, 1, ["network"], "Share of the device's time that a network used.")
  static let framesPerSecond = metric("frames_per_second", .perSecond, 1, ["network"], "Frames that a network answered.")
  static let memoryUsed = metric("memory_used_bytes", .bytes, 0, [], "Memory that jobs on the device use.")

  static let temperature = metric("temperature_celsius", .celsius, 1, ["sensor"], "Temperature.")
  static let temperatureLimit = metric(
    "temperature_limit_celsius", .celsius, 1, ["limit"], "A temperature at which the driver or the hardware acts, by its name.")
  static let power = metric("power_watts", .watts, 3, [], "Power drawn.")
  static let clock = metric("clock_hertz", .hertz, 0, [], "Frequency of the cores now; 0 while they stand still.")
  static let clockMax = metric("clock_max_hertz", .hertz, 0, [], "Highest frequency of the cores.")
  static let throttled = metric("throttled", .none, 0, ["reason"], "1 while the device is held down for this reason, else 0.")

  static let resets = counter("resets", [], "Times the device was reset.")
  static let errors = counter("errors", ["kind"], "Errors that the device or its library counted, by kind.")

  static let linkWidth = metric("pcie_link_width", .none, 0, [], "PCIe lanes in use.")
  static let linkWidthMax = metric("pcie_link_width_max", .none, 0, [], "PCIe lanes of the device.")
  static let linkSpeed = metric(
    "pcie_link_transfers_per_second", .perSecond, 0, [], "PCIe transfers per second and lane: 8 GT/s is 8e9.")
  static let linkSpeedMax = metric(
    "pcie_link_transfers_per_second_max", .perSecond, 0, [], "PCIe transfers per second and lane that the device could do.")

  /// A level of a device; `labels` besides `device`.
  static func metric(_ name: String, _ unit: Unit, _ decimals: Int, _ labels: [String], _ help: String) -> Metric {
    Metric("accelerator.\(name)", unit: unit, decimals: decimals, labels: ["device"] + labels, help: help)
  }

  private static func counter(_ name: String, _ labels: [String], _ help: String) -> Metric {
    Metric("accelerator.\(name)", unit: .none, kind: .counter, labels: ["device"] + labels, help: help)
  }
}

extension DeviceMetrics {
  static let accelerator = DeviceMetrics(
    label: "device", info: AcceleratorMetrics.info, suspended: AcceleratorMetrics.suspended,
    temperature: AcceleratorMetrics.temperature, power: AcceleratorMetrics.power, linkWidth: AcceleratorMetrics.linkWidth,
    linkWidthMax: AcceleratorMetrics.linkWidthMax, linkSpeed: AcceleratorMetrics.linkSpeed,
    linkSpeedMax: AcceleratorMetrics.linkSpeedMax)
}
