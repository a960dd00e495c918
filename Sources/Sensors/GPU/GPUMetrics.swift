import Telemetry

/// The family `gpu.*`, one meaning for every maker: a rule or a chart is written once. Each backend reports what its driver gives.
///
/// The label `gpu` is the PCI address (`0000:03:00.0`, as NVML's bus id with a domain of four digits), which does not depend on
/// the order in which drivers load; a GPU of a system on chip goes by its device's name without the address (`v3d`, `gpu`).
enum GPUMetrics {
  /// Model and driver as text, on a value that is always 1.
  static let info = metric("info", .none, 0, ["model", "driver", "firmware"], "Always 1: what the GPU is, by its labels.")
  static let suspended = metric(
    "suspended", .none, 0, [], "1 while runtime power management has it asleep: it is not woken to be read, else 0.")

  static let usage = metric("usage_percent", .percent, 1, [], "Share of time in which the GPU had work.")
  static let engineUsage = metric(
    "engine_usage_percent", .percent, 1, ["engine"], "Share of time in which an engine (render, copy, video …) had work.")
  static let memoryBusy = metric(
    "memory_busy_percent", .percent, 1, [], "Share of time in which its memory was read or written; not how full it is.")

  static let memoryUsed = metric("memory_used_bytes", .bytes, 0, [], "Memory of its own in use.")
  static let memoryTotal = metric("memory_total_bytes", .bytes, 0, [], "Memory of its own.")
  static let memoryUsage = metric("memory_usage_percent", .percent, 1, [], "How full its own memory is.")
  static let sharedUsed = metric("shared_memory_used_bytes", .bytes, 0, [], "System memory that the GPU uses.")
  static let sharedTotal = metric("shared_memory_total_bytes", .bytes, 0, [], "System memory that the GPU could use.")

  static let temperature = metric("temperature_celsius", .celsius, 1, ["sensor"], "Temperature.")
  static let temperatureCritical = metric(
    "temperature_critical_celsius", .celsius, 1, ["sensor"], "Where the hardware slows down or stops to save itself.")
  static let power = metric("power_watts", .watts, 2, [], "Power drawn; of the whole board where the driver tells it.")
  static let powerLimit = metric("power_limit_watts", .watts, 2, [], "Power it is allowed to draw.")
  static let clock = metric(
    "clock_hertz", .hertz, 0, ["clock"], "Frequency now of a clock (graphics, memory, video …); 0 while it stands still.")
  static let clockMax = metric("clock_max_hertz", .hertz, 0, ["clock"], "Highest frequency that the clock may take.")
  static let fanRPM = metric("fan_rpm", .revolutionsPerMinute, 0, ["fan"], "Fan speed; 0 is standing still.")
  static let fanPercent = metric("fan_percent", .percent, 1, ["fan"], "How strongly the fan is driven.")
  static let throttled = metric(
    "throttled", .none, 0, ["reason"], "1 while the clocks are held down for this reason (thermal, power …), else 0.")

  static let eccErrors = counter("ecc_errors", ["kind"], "Memory errors since the driver was loaded, by kind.")

  static let linkWidth = metric("pcie_link_width", .none, 0, [], "PCIe lanes in use.")
  static let linkWidthMax = metric("pcie_link_width_max", .none, 0, [], "PCIe lanes of the device.")
  static let linkSpeed = metric(
    "pcie_link_transfers_per_second", .perSecond, 0, [], "PCIe transfers per second and lane: 8 GT/s is 8e9. Falls when idle.")
  static let linkSpeedMax = metric(
    "pcie_link_transfers_per_second_max", .perSecond, 0, [], "PCIe transfers per second and lane that the device could do.")

  static let processes = metric("processes", .none, 0, [], "Processes that have the GPU open.")
  static let processMemory = metric(
    "process_memory_bytes", .bytes, 0, ["process"], "The GPU's own memory that all processes of one name use.")
  static let processShared = metric(
    "process_shared_memory_bytes", .bytes, 0, ["process"], "System memory that all processes of one name use by the GPU.")
  static let processUsage = metric(
    "process_usage_percent", .percent, 1, ["process"],
    "Share of time of the engine that all processes of one name kept busiest.")

  /// A level of a GPU; `labels` besides `gpu`.
  static func metric(_ name: String, _ unit: Unit, _ decimals: Int, _ labels: [String], _ help: String) -> Metric {
    Metric("gpu.\(name)", unit: unit, decimals: decimals, labels: ["gpu"] + labels, help: help)
  }

  private static func counter(_ name: String, _ labels: [String], _ help: String) -> Metric {
    Metric("gpu.\(name)", unit: .none, kind: .counter, labels: ["gpu"] + labels, help: help)
  }
}
