import Platform
import Telemetry

/// Intel's GPUs, by either driver.
///
/// - i915 (drivers/gpu/drm/i915/gt/intel_gt_sysfs_pm.c): `<card>/gt/gt0/{rps_act_freq_mhz,rps_RP0_freq_mhz,rc6_residency_ms,
///   throttle_reason_*}`; before Linux 5.18 `<card>/{gt_act_freq_mhz,gt_RP0_freq_mhz}` and `<card>/power/rc6_residency_ms`.
/// - xe (`DOC:` of xe_gt_freq.c, xe_gt_idle.c and xe_gt_throttle.c): `device/tile0/gt0/{freq0/{act_freq,rp0_freq},
///   freq0/throttle/{status,reason_*},gtidle/idle_residency_ms}`; frequencies in MHz.
///
/// Neither says how busy the engines are. The share of time outside the sleep state RC6 is reported as usage: an upper bound, for
/// the state is entered only some time after the work is done.
enum IntelGPU {
  static func add(to builder: inout DeviceBuilder, card: String, driver: String, _ readings: inout Readings) {
    if driver == "xe" {
      addTiles(to: &builder, &readings)
    } else {
      addGraphics(to: &builder, card: card, &readings)
    }
    builder.addMonitor(driver: driver, &readings)
    builder.addLink(&readings)
    builder.addInfo(driver: driver, &readings)
  }

  private static func addTiles(to builder: inout DeviceBuilder, _ readings: inout Readings) {
    let directory = builder.directory
    for tile in entries("tile", of: directory, builder.host) {
      for gt in entries("gt", of: "\(directory)/\(tile)", builder.host) {
        let path = "\(directory)/\(tile)/\(gt)"
        // The numbers of `gt` run through all tiles.
        addClock("\(path)/freq0/act_freq", max: "\(path)/freq0/rp0_freq", of: gt, to: &builder, &readings)
        addIdle("\(path)/gtidle/idle_residency_ms", to: &builder, &readings)
        addReasons("\(path)/freq0/throttle", prefix: "reason_", summary: "status", to: &builder, &readings)
      }
    }
  }

  private static func addGraphics(to builder: inout DeviceBuilder, card: String, _ readings: inout Readings) {
    let gts = entries("gt", of: "\(card)/gt", builder.host)
    for gt in gts {
      let path = "\(card)/gt/\(gt)"
      addClock("\(path)/rps_act_freq_mhz", max: "\(path)/rps_RP0_freq_mhz", of: gt, to: &builder, &readings)
      addIdle("\(path)/rc6_residency_ms", to: &builder, &readings)
      addReasons(path, prefix: "throttle_reason_", summary: "throttle_reason_status", to: &builder, &readings)
    }
    guard gts.isEmpty else { return }
    addClock("\(card)/gt_act_freq_mhz", max: "\(card)/gt_RP0_freq_mhz", of: "gt0", to: &builder, &readings)
    addIdle("\(card)/power/rc6_residency_ms", to: &builder, &readings)
  }

  private static func entries(_ prefix: String, of directory: String, _ host: Host) -> [String] {
    ((try? host.list(directory)) ?? []).filter { $0.hasPrefix(prefix) && Int($0.dropFirst(prefix.count)) != nil }
  }

  private static func addClock(
    _ now: String, max: String, of gt: String, to builder: inout DeviceBuilder, _ readings: inout Readings
  ) {
    let clock = [Label("clock", gt == "gt0" ? "graphics" : gt)]
    builder.add(now, GPUMetrics.clock, labels: clock, divisor: 1e-6, &readings)
    builder.addConstant(max, GPUMetrics.clockMax, labels: clock, divisor: 1e-6, &readings)
  }

  private static func addIdle(_ path: String, to builder: inout DeviceBuilder, _ readings: inout Readings) {
    guard let file = builder.file(path) else { return }
    let usage = readings.slot(GPUMetrics.usage, [builder.label])
    builder.attributes.usage = usage
    // i915 tells it as u32 (get_residency in intel_gt_sysfs_pm.c).
    builder.attributes.counters.append(CounterFile(share: file, slot: usage, unitsPerSecond: 1000, isIdle: true, .bits32))
  }

  private static func addReasons(
    _ directory: String, prefix: String, summary: String, to builder: inout DeviceBuilder, _ readings: inout Readings
  ) {
    let reasons = ThrottleReasons(
      directory: directory, prefix: prefix, summary: summary, metric: GPUMetrics.throttled, labels: [builder.label],
      host: builder.host, &readings)
    if !reasons.reasons.isEmpty { builder.attributes.throttles.append(reasons) }
  }
}
