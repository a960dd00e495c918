import Platform
public import Telemetry

/// GPUs whose drivers tell of them in sysfs: AMD, Intel, Raspberry Pi, Jetson, Mali. One file a maker says what there is to read;
/// `DeviceAttributes` reads it. What NVIDIA's own driver runs is left to the sensor `nvidia`.
public struct GPUSensor: Sensor {
  private static let metrics = DeviceMetrics(
    label: "gpu", info: GPUMetrics.info, suspended: GPUMetrics.suspended, temperature: GPUMetrics.temperature,
    power: GPUMetrics.power, linkWidth: GPUMetrics.linkWidth, linkWidthMax: GPUMetrics.linkWidthMax,
    linkSpeed: GPUMetrics.linkSpeed, linkSpeedMax: GPUMetrics.linkSpeedMax,
    temperatureCritical: GPUMetrics.temperatureCritical, powerLimit: GPUMetrics.powerLimit, clock: GPUMetrics.clock,
    fanRPM: GPUMetrics.fanRPM, fanPercent: GPUMetrics.fanPercent)

  /// GPUs that are read; more than any machine has.
  private static let limit = 32

  /// The catalogue entry.
  public static let kind = SensorKind(
    name: "gpu", summary: "Load, memory, clocks, temperatures, power, fans and throttling of GPUs: AMD, Intel, Pi, Jetson, Mali.",
    sources: [
      "/sys/class/drm/card*/device/ of amdgpu (Documentation/gpu/amdgpu/thermal.rst, driver-misc.rst)",
      "/sys/class/drm/card*/gt/ of i915 (drivers/gpu/drm/i915/gt/intel_gt_sysfs_pm.c)",
      "/sys/class/drm/card*/device/tile*/gt*/ of xe (drivers/gpu/drm/xe: xe_gt_freq.c, xe_gt_idle.c, xe_gt_throttle.c)",
      "/sys/class/drm/card*/device/gpu_stats of v3d (drivers/gpu/drm/v3d/v3d_sysfs.c)",
      "/sys/class/devfreq/*.gpu/ of Jetson and Mali (Documentation/ABI/testing/sysfs-class-devfreq)",
      "power/runtime_status of each device (Documentation/ABI/testing/sysfs-devices-power)",
    ],
    settings: [
      SettingSpec("exclude", .patterns, default: "", help: "GPUs that are not read, by name (PCI address) or driver."),
      SettingSpec(
        "let_sleep", .bool, default: "true",
        help:
          "Whether an idle GPU that may fall asleep is read only every twice its autosuspend delay, so that it can. It is never woken."
      ),
    ],
    metrics: [
      GPUMetrics.info, GPUMetrics.suspended, GPUMetrics.usage, GPUMetrics.engineUsage, GPUMetrics.memoryBusy,
      GPUMetrics.memoryUsed, GPUMetrics.memoryTotal, GPUMetrics.memoryUsage, GPUMetrics.sharedUsed, GPUMetrics.sharedTotal,
      GPUMetrics.temperature, GPUMetrics.temperatureCritical, GPUMetrics.power, GPUMetrics.powerLimit, GPUMetrics.clock,
      GPUMetrics.clockMax, GPUMetrics.fanRPM, GPUMetrics.fanPercent, GPUMetrics.throttled, GPUMetrics.eccErrors,
      GPUMetrics.linkWidth, GPUMetrics.linkWidthMax, GPUMetrics.linkSpeed, GPUMetrics.linkSpeedMax,
    ])

  private let host: Host
  private let excluded: [Glob]
  private let letSleep: Bool
  private var devices: DeviceSet

  /// Finds the GPUs.
  public init(context: SensorContext, settings: Settings, readings: inout Readings) throws(SensorError) {
    host = context.host
    excluded = settings.list("exclude").map { Glob($0) }
    letSleep = settings.bool("let_sleep")
    let directory = host.exists(DRMCard.directory) ? DRMCard.directory : DevfreqDevice.directory
    devices = DeviceSet(host: host, directory: directory)
    devices.replace(with: discover(&readings))
    guard !devices.isEmpty else { throw .absent("\(DRMCard.directory)/card*") }
  }

  /// Reads every GPU that is awake.
  public mutating func sample(into readings: inout Readings) throws(SensorError) {
    if devices.mustLookAnew() { devices.replace(with: discover(&readings)) }
    try devices.sample(into: &readings)
  }

  private func discover(_ readings: inout Readings) -> [(name: String, attributes: DeviceAttributes)] {
    var found: [(name: String, attributes: DeviceAttributes)] = []
    var names: Set<String> = []
    func add(_ name: String, or full: String, _ builder: DeviceBuilder) {
      guard found.count < Self.limit, !builder.attributes.isEmpty else { return }
      found.append((full, builder.attributes))
      names.insert(name)
      names.insert(full)
    }
    for card in DRMCard.all(on: host) {
      let name = names.contains(card.name) ? card.device : card.name
      guard !names.contains(card.device), !Glob.any(excluded, match: name), !Glob.any(excluded, match: card.driver) else {
        continue
      }
      if let builder = describe(card, name: name, &readings) { add(name, or: card.device, builder) }
    }
    for device in DevfreqDevice.all(on: host) where device.role == .gpu {
      let name = names.contains(device.name) ? device.entry : device.name
      guard !names.contains(device.entry), !Glob.any(excluded, match: name) else { continue }
      var builder = DeviceBuilder(
        host: host, directory: "\(device.path)/device", metrics: Self.metrics, name: name, sleeps: false, letSleep: letSleep,
        &readings)
      describe(device, in: &builder, &readings)
      builder.addInfo(driver: builder.driver, &readings)
      add(name, or: device.entry, builder)
    }
    return found
  }

  private func describe(_ card: DRMCard, name: String, _ readings: inout Readings) -> DeviceBuilder? {
    let isKnown: Bool
    let sleeps: Bool
    switch card.driver {
    case "amdgpu", "radeon", "nouveau", "i915", "xe": (isKnown, sleeps) = (true, true)
    case "v3d", "panfrost", "panthor", "lima", "msm", "msm_dpu": (isKnown, sleeps) = (true, false)
    default: (isKnown, sleeps) = (false, false)
    }
    guard isKnown else { return nil }
    var builder = DeviceBuilder(
      host: host, directory: "\(card.path)/device", metrics: Self.metrics, name: name, sleeps: sleeps, letSleep: letSleep,
      &readings)
    switch card.driver {
    case "i915", "xe": IntelGPU.add(to: &builder, card: card.path, driver: card.driver, &readings)
    case "amdgpu", "radeon", "nouveau": AMDGPU.add(to: &builder, driver: card.driver, &readings)
    default:
      if card.driver == "v3d" { VideoCoreGPU.add(to: &builder, &readings) }
      describe(DevfreqDevice(entry: card.device), in: &builder, &readings)
      builder.addInfo(driver: card.driver, &readings)
    }
    return builder
  }

  /// A GPU of a system on chip: clock and load by devfreq.
  private func describe(_ device: DevfreqDevice, in builder: inout DeviceBuilder, _ readings: inout Readings) {
    device.add(
      to: &builder, clock: GPUMetrics.clock, max: GPUMetrics.clockMax, usage: GPUMetrics.usage, [Label("clock", "graphics")],
      &readings)
  }
}
