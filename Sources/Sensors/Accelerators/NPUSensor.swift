import Platform
public import Telemetry

/// Neural processors that a kernel driver runs: Rockchip's NPU, and the devices of the kernel's class accel.
///
/// - Rockchip (driver rknpu of their kernels): load of each core in `/sys/kernel/debug/rknpu/load`, for root only; frequency by
///   devfreq.
/// - Intel's NPU (ivpu; Documentation/ABI/testing/sysfs-driver-ivpu): `npu_busy_time_us`, `npu_memory_utilization` in bytes, and
///   the frequency in MHz, 0 while it sleeps. None of these wakes it.
/// - Habana's (habanalabs; Documentation/ABI/testing/sysfs-driver-habanalabs): `status`, `hard_reset_cnt`, `clk_cur_freq_mhz`.
/// - Of any other device of the class: its monitoring chip and its PCIe link.
public struct NPUSensor: Sensor {
  private static let classDirectory = "/sys/class/accel"
  private static let rockchipLoad = "/sys/kernel/debug/rknpu/load"
  private static let limit = 32

  /// The catalogue entry.
  public static let kind = SensorKind(
    name: "npu",
    summary: "Load, memory, clock and temperature of neural processors with a kernel driver: Rockchip, Intel, Habana.",
    sources: [
      "/sys/class/accel/accel*/device/ (Documentation/ABI/testing/sysfs-driver-ivpu, sysfs-driver-habanalabs)",
      "/sys/class/devfreq/*.npu/ (Documentation/ABI/testing/sysfs-class-devfreq)",
      "/sys/kernel/debug/rknpu/load (driver rknpu of Rockchip's kernels; readable by root)",
    ],
    metrics: [
      AcceleratorMetrics.info, AcceleratorMetrics.suspended, AcceleratorMetrics.alive, AcceleratorMetrics.usage,
      AcceleratorMetrics.coreUsage, AcceleratorMetrics.memoryUsed, AcceleratorMetrics.temperature, AcceleratorMetrics.power,
      AcceleratorMetrics.clock, AcceleratorMetrics.clockMax, AcceleratorMetrics.resets, AcceleratorMetrics.linkWidth,
      AcceleratorMetrics.linkWidthMax, AcceleratorMetrics.linkSpeed, AcceleratorMetrics.linkSpeedMax,
    ])

  private let host: Host
  private var devices: DeviceSet

  /// Finds the devices.
  public init(context: SensorContext, settings: Settings, readings: inout Readings) throws(SensorError) {
    host = context.host
    let directory = host.exists(Self.classDirectory) ? Self.classDirectory : DevfreqDevice.directory
    devices = DeviceSet(host: host, directory: directory)
    devices.replace(with: Self.discover(host, &readings))
    guard !devices.isEmpty else { throw .absent("\(Self.classDirectory), \(DevfreqDevice.directory)/*.npu") }
  }

  /// Reads the files of each device.
  public mutating func sample(into readings: inout Readings) throws(SensorError) {
    if devices.mustLookAnew() { devices.replace(with: Self.discover(host, &readings)) }
    try devices.sample(into: &readings)
  }

  private static func discover(_ host: Host, _ readings: inout Readings) -> [(name: String, attributes: DeviceAttributes)] {
    var found: [(name: String, attributes: DeviceAttributes)] = []
    for entry in ((try? host.list(classDirectory)) ?? []).prefix(limit) where entry.hasPrefix("accel") {
      var builder = DeviceBuilder(
        host: host, directory: "\(classDirectory)/\(entry)/device", metrics: .accelerator, name: entry, sleeps: true,
        letSleep: true, &readings)
      describe(&builder, &readings)
      if !builder.attributes.isEmpty { found.append((entry, builder.attributes)) }
    }
    for device in DevfreqDevice.all(on: host).prefix(limit) where device.role == .npu {
      var builder = DeviceBuilder(
        host: host, directory: "\(device.path)/device", metrics: .accelerator, name: device.name, sleeps: false, letSleep: true,
        &readings)
      describe(device, in: &builder, &readings)
      if !builder.attributes.isEmpty { found.append((device.entry, builder.attributes)) }
    }
    return found
  }

  private static func describe(_ builder: inout DeviceBuilder, _ readings: inout Readings) {
    let driver = builder.driver
    let usage = readings.slot(AcceleratorMetrics.usage, [builder.label])
    if let file = builder.file("npu_busy_time_us") {
      builder.attributes.calmCounters.append(CounterFile(share: file, slot: usage, unitsPerSecond: 1e6))
    }
    builder.add("npu_memory_utilization", AcceleratorMetrics.memoryUsed, isCalm: true, &readings)
    builder.add("npu_current_frequency_mhz", AcceleratorMetrics.clock, divisor: 1e-6, isCalm: true, &readings)
    builder.addConstant("npu_max_frequency_mhz", AcceleratorMetrics.clockMax, divisor: 1e-6, isCalm: true, &readings)
    if let file = builder.file("status") {
      let slot = readings.slot(AcceleratorMetrics.alive, [builder.label])
      builder.attributes.tables.append(.state(DeviceState(file: file, slot: slot, working: ["Operational", "In reset"])))
    }
    builder.add("hard_reset_cnt", AcceleratorMetrics.resets, &readings)
    builder.add("clk_cur_freq_mhz", AcceleratorMetrics.clock, divisor: 1e-6, &readings)
    builder.addMonitor(driver: driver, &readings)
    builder.addLink(&readings)
    builder.addInfo(driver: driver, &readings)
  }

  /// Rockchip's. There is one NPU on a chip: the debug file needs no matching.
  private static func describe(_ device: DevfreqDevice, in builder: inout DeviceBuilder, _ readings: inout Readings) {
    let usage = readings.slot(AcceleratorMetrics.usage, [builder.label])
    device.add(
      to: &builder, clock: AcceleratorMetrics.clock, max: AcceleratorMetrics.clockMax, usage: AcceleratorMetrics.usage, [],
      &readings)
    let load = builder.host.file(rockchipLoad, limit: 4096)
    // Debug file systems are for root; asked once a look, not at every sample.
    if (try? load.read({ (_) throws(SensorError) in })) != nil {
      builder.attributes.calm.removeAll { $0.slot == usage }
      builder.attributes.tables.append(.coreLoad(CoreLoad(file: load, usage: usage, label: builder.label)))
    }
    builder.addInfo(driver: builder.driver, &readings)
  }
}

/// The load file of Rockchip's NPU driver: all cores in one line, or one figure on chips with one core.
///
/// ```
/// NPU load:  Core0: 12%, Core1:  0%, Core2:  0%,
/// NPU load:  12%
/// ```
struct CoreLoad {
  private static let coreLimit = 16

  let file: HostFile
  let usage: Slot
  let label: Label

  /// Each core's load, and the mean of all as the device's.
  func sample(into readings: inout Readings) throws(SensorError) {
    try file.read { (text) throws(SensorError) in
      guard text.skip("NPU load:") else { throw .malformed(path: file.path, what: "it does not begin with 'NPU load:'") }
      text.skipBlanks()
      if let whole = text.unsigned() {
        readings.set(usage, Double(min(whole, 100)))
        return
      }
      var sum = 0.0
      var cores = 0
      while text.skip("Core"), cores < Self.coreLimit {
        guard let core = text.unsigned(), text.skip(byte: UInt8(ascii: ":")), let load = text.unsigned() else { break }
        let percent = Double(min(load, 100))
        readings.set(readings.slot(AcceleratorMetrics.coreUsage, [label, Label("core", "\(core)")]), percent)
        sum += percent
        cores += 1
        _ = text.skip(byte: UInt8(ascii: "%"))
        _ = text.skip(byte: UInt8(ascii: ","))
        text.skipBlanks()
      }
      guard cores > 0 else { throw .malformed(path: file.path, what: "no load of a core in it") }
      readings.set(usage, sum / Double(cores))
    }
  }
}
