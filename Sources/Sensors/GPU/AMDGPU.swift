import Platform
import Telemetry

/// AMD's GPUs (driver amdgpu; what radeon and nouveau have of it is read too).
///
/// Documentation/gpu/amdgpu/thermal.rst and driver-misc.rst, and the `DOC:` comments they take in: `gpu_busy_percent` and
/// `mem_busy_percent` in %, `mem_info_*` in bytes, the monitor as hwmon has it with `freq1` the graphics and `freq2` the memory
/// clock in Hz. On an APU `power1_average` is of the whole chip, processors included. Why it throttles stands in the binary
/// `gpu_metrics`, whose layout differs from chip to chip, and is left out.
enum AMDGPU {
  static func add(to builder: inout DeviceBuilder, driver: String, _ readings: inout Readings) {
    builder.add("gpu_busy_percent", GPUMetrics.usage, range: .fromZero, &readings)
    if let number = builder.attributes.numbers.last { builder.attributes.usage = number.slot }
    builder.add("mem_busy_percent", GPUMetrics.memoryBusy, range: .fromZero, &readings)
    // Sums that the memory manager keeps: no hardware is asked.
    builder.add("mem_info_vram_used", GPUMetrics.memoryUsed, isCalm: true, &readings)
    builder.addConstant("mem_info_vram_total", GPUMetrics.memoryTotal, isCalm: true, &readings)
    builder.add("mem_info_gtt_used", GPUMetrics.sharedUsed, isCalm: true, &readings)
    builder.addConstant("mem_info_gtt_total", GPUMetrics.sharedTotal, isCalm: true, &readings)
    if builder.file("mem_info_vram_used") != nil {
      let (used, total) = (GPUMetrics.memoryUsed, GPUMetrics.memoryTotal)
      builder.attributes.ratio = (
        readings.slot(used, [builder.label]), readings.slot(total, [builder.label]),
        readings.slot(GPUMetrics.memoryUsage, [builder.label])
      )
    }
    builder.addMonitor(driver: driver, &readings)
    for (file, clock) in [("pp_dpm_sclk", "graphics"), ("pp_dpm_mclk", "memory")] {
      addHighest(of: file, clock: clock, to: &builder, &readings)
    }
    if let file = builder.file("ras/umc_err_count") {
      builder.attributes.tables.append(.memoryErrors(MemoryErrorCounts(file: file, label: builder.label, &readings)))
    }
    builder.addLink(&readings)
    builder.addInfo(
      model: builder.host.line("\(builder.directory)/product_name") ?? "", driver: driver,
      firmware: builder.host.line("\(builder.directory)/vbios_version") ?? "", &readings)
  }

  /// `1: 2100Mhz *`: a level a line, the one in use starred.
  private static func addHighest(
    of name: String, clock: String, to builder: inout DeviceBuilder, _ readings: inout Readings
  ) {
    guard !builder.attributes.isAsleep, let file = builder.file(name) else { return }
    let highest = try? file.read { (text) throws(SensorError) -> UInt64 in
      var highest: UInt64 = 0
      while !text.isAtEnd {
        if text.unsigned() != nil, text.skip(byte: UInt8(ascii: ":")), let frequency = text.unsigned() {
          highest = max(highest, frequency)
        }
        text.skipLine()
      }
      return highest
    }
    guard let highest, highest > 0 else { return }
    let slot = readings.slot(GPUMetrics.clockMax, [builder.label, Label("clock", clock)])
    builder.attributes.constants.append((slot, Double(highest) * 1e6))
  }
}

/// Errors of the memory controller (drivers/gpu/drm/amd/amdgpu/amdgpu_ras.c, DOC: AMDGPU RAS sysfs Error Count Interface):
///
/// ```
/// ue: 0
/// ce: 1
/// ```
///
/// Each read asks the hardware, so it is read once a minute and repeated in between.
struct MemoryErrorCounts {
  private static let pauseNanoseconds: Int64 = 60_000_000_000

  let file: HostFile
  let uncorrected, corrected: Slot
  private var counts: [(slot: Slot, count: UInt64)] = []
  private var readAt = Int64.min

  init(file: HostFile, label: Label, _ readings: inout Readings) {
    self.file = file
    uncorrected = readings.slot(GPUMetrics.eccErrors, [label, Label("kind", "uncorrected")])
    corrected = readings.slot(GPUMetrics.eccErrors, [label, Label("kind", "corrected")])
  }

  mutating func sample(into readings: inout Readings) throws(SensorError) {
    if readAt == .min || readings.nanoseconds - readAt >= Self.pauseNanoseconds {
      readAt = readings.nanoseconds
      counts = try file.read { (text) throws(SensorError) in
        var counts: [(slot: Slot, count: UInt64)] = []
        while !text.isAtEnd {
          // While the GPU resets it says `Query currently inaccessible`.
          let slot = text.skip("ue:") ? uncorrected : text.skip("ce:") ? corrected : nil
          if let slot {
            guard let count = text.unsigned() else { throw .malformed(path: file.path, what: "no number behind ue or ce") }
            counts.append((slot, count))
          }
          text.skipLine()
        }
        return counts
      }
    }
    for (slot, count) in counts { readings.set(slot, Double(count)) }
  }
}
