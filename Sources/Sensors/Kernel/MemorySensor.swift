import Platform
public import Telemetry

/// Main memory, swap and compressed swap.
///
/// `/proc/meminfo` (proc_meminfo(5), Documentation/filesystems/proc.rst) counts in KiB. Used memory is what is not available:
/// MemTotal − MemAvailable, as free(1) and psutil take it. Cached is the kernel's `Cached` alone, which contains shared memory;
/// reclaimable slab is in `memory.slab_bytes`.
public struct MemorySensor: Sensor {
  private static func bytes(_ name: String, _ help: String) -> Metric { Metric("memory.\(name)", unit: .bytes, help: help) }

  private static let total = bytes("total_bytes", "Usable memory: physical memory without what the kernel keeps for itself.")
  private static let used = bytes("used_bytes", "Total minus available.")
  private static let available = bytes("available_bytes", "The kernel's estimate of what can be had without swapping.")
  private static let free = bytes("free_bytes", "Memory that nothing uses at all.")
  private static let buffers = bytes("buffers_bytes", "Cache of raw block devices.")
  private static let cached = bytes("cached_bytes", "Page cache, with shared memory and tmpfs.")
  private static let slab = bytes("slab_bytes", "The kernel's own data structures.")
  private static let dirty = bytes("dirty_bytes", "Waiting to be written to disk.")
  private static let usage = Metric("memory.usage_percent", unit: .percent, decimals: 1, help: "Used of total.")
  private static let swapTotal = bytes("swap_total_bytes", "Swap space, all devices.")
  private static let swapUsed = bytes("swap_used_bytes", "Swap space in use.")
  private static let swapUsage = Metric(
    "memory.swap_usage_percent", unit: .percent, decimals: 1, help: "Swap used of its total; missing without swap.")
  private static let swapIn = Metric(
    "memory.swap_in_pages_per_second", unit: .perSecond, decimals: 1, help: "Pages read back from swap.")
  private static let swapOut = Metric(
    "memory.swap_out_pages_per_second", unit: .perSecond, decimals: 1, help: "Pages written to swap.")
  private static let majorFaults = Metric(
    "memory.major_faults_per_second", unit: .perSecond, decimals: 1, help: "Page faults that had to read from a disk.")
  private static let oomKills = Metric(
    "memory.oom_kills", unit: .none, kind: .counter, help: "Tasks killed for want of memory since boot.")

  private static func zram(_ name: String, _ unit: Unit, decimals: Int = 0, _ help: String) -> Metric {
    Metric("memory.zram_\(name)", unit: unit, decimals: decimals, labels: ["device"], help: help)
  }

  private static let zramOriginal = zram("original_bytes", .bytes, "Data stored in the device, before compression.")
  private static let zramCompressed = zram("compressed_bytes", .bytes, "The same data, compressed.")
  private static let zramUsed = zram("used_bytes", .bytes, "Memory the device takes, with its allocator's overhead.")
  private static let zramRatio = zram("ratio", .none, decimals: 2, "Original by compressed bytes; missing while it is empty.")

  /// The catalogue entry.
  public static let kind = SensorKind(
    name: "memory", summary: "Main memory, swap, compressed swap, OOM kills, major faults.",
    sources: [
      "/proc/meminfo (proc_meminfo(5))", "/proc/vmstat (proc_vmstat(5))",
      "/sys/block/zram*/mm_stat (Documentation/admin-guide/blockdev/zram.rst)",
    ],
    metrics: [
      total, used, available, free, buffers, cached, slab, dirty, usage, swapTotal, swapUsed, swapUsage, swapIn, swapOut,
      majorFaults, oomKills, zramOriginal, zramCompressed, zramUsed, zramRatio,
    ])

  private struct Slots {
    let total, used, available, free, buffers, cached, slab, dirty, usage: Slot
    let swapTotal, swapUsed, swapUsage, swapIn, swapOut, majorFaults, oomKills: Slot
  }

  /// The lines of interest, KiB.
  private struct Lines {
    var total, free, available, buffers, cached, swapTotal, swapFree, dirty, slab: Double?
  }

  private struct Zram {
    let file: HostFile
    let original, compressed, used, ratio: Slot
  }

  private let host: Host
  private let meminfo: HostFile
  private let vmstat: HostFile
  private let slots: Slots
  private var majorFaultRate = Rate(.word)
  private var swapInRate = Rate(.word)
  private var swapOutRate = Rate(.word)
  private var hotPlug: HotPlug
  private var zrams: [Zram] = []

  /// Names the series and finds the zram devices.
  public init(context: SensorContext, settings: Settings, readings: inout Readings) throws(SensorError) {
    host = context.host
    guard host.exists("/proc/meminfo") else { throw .absent("/proc/meminfo") }
    meminfo = host.file("/proc/meminfo")
    vmstat = host.file("/proc/vmstat")
    hotPlug = HotPlug(host: host, directory: "/sys/block")
    slots = Slots(
      total: readings.slot(Self.total), used: readings.slot(Self.used), available: readings.slot(Self.available),
      free: readings.slot(Self.free), buffers: readings.slot(Self.buffers), cached: readings.slot(Self.cached),
      slab: readings.slot(Self.slab), dirty: readings.slot(Self.dirty), usage: readings.slot(Self.usage),
      swapTotal: readings.slot(Self.swapTotal), swapUsed: readings.slot(Self.swapUsed),
      swapUsage: readings.slot(Self.swapUsage), swapIn: readings.slot(Self.swapIn), swapOut: readings.slot(Self.swapOut),
      majorFaults: readings.slot(Self.majorFaults), oomKills: readings.slot(Self.oomKills))
    findZram(into: &readings)
  }

  /// Reads meminfo, vmstat and one file of each zram device; only a failure of the first costs the sample.
  public mutating func sample(into readings: inout Readings) throws(SensorError) {
    if hotPlug.isDue() { findZram(into: &readings) }
    let (meminfo, vmstat) = (meminfo, vmstat)
    let lines = try meminfo.read { (text) throws(SensorError) in Self.parseMeminfo(&text) }
    try report(lines, into: &readings)
    do {
      try vmstat.read { (text) throws(SensorError) in parseVmstat(&text, into: &readings) }
    } catch .absent {
      // Some containers have none: those values are missing, and nothing is wrong.
    } catch {
      readings.note(error)
    }
    for zram in zrams {
      do {
        try zram.file.read { (text) throws(SensorError) in try Self.parseZram(&text, of: zram, into: &readings) }
      } catch {
        readings.note(error)
        if case .absent = error { hotPlug.deviceVanished() }
      }
    }
  }

  private static func parseMeminfo(_ text: inout ByteScanner) -> Lines {
    var lines = Lines()
    func kibibytes() -> Double? { text.unsigned().map { Double($0) } }
    while !text.isAtEnd {
      if text.skip("MemTotal:") {
        lines.total = kibibytes()
      } else if text.skip("MemFree:") {
        lines.free = kibibytes()
      } else if text.skip("MemAvailable:") {
        lines.available = kibibytes()
      } else if text.skip("Buffers:") {
        lines.buffers = kibibytes()
      } else if text.skip("Cached:") {
        lines.cached = kibibytes()
      } else if text.skip("SwapTotal:") {
        lines.swapTotal = kibibytes()
      } else if text.skip("SwapFree:") {
        lines.swapFree = kibibytes()
      } else if text.skip("Dirty:") {
        lines.dirty = kibibytes()
      } else if text.skip("Slab:") {
        // The last one of interest, in every kernel since 2.6.
        lines.slab = kibibytes()
        return lines
      }
      text.skipLine()
    }
    return lines
  }

  private func report(_ lines: Lines, into readings: inout Readings) throws(SensorError) {
    guard let total = lines.total, total > 0 else { throw .malformed(path: meminfo.path, what: "no number after 'MemTotal:'") }
    func set(_ slot: Slot, _ kibibytes: Double?) {
      if let kibibytes { readings.set(slot, kibibytes * 1024) }
    }
    set(slots.total, total)
    set(slots.free, lines.free)
    set(slots.buffers, lines.buffers)
    set(slots.cached, lines.cached)
    set(slots.slab, lines.slab)
    set(slots.dirty, lines.dirty)
    if let available = lines.available {
      // Inside a container the estimate can be that of the whole machine: never more than there is.
      let used = max(total - available, 0)
      set(slots.available, total - used)
      set(slots.used, used)
      readings.set(slots.usage, 100 * used / total)
    } else {
      readings.note(.malformed(path: meminfo.path, what: "no line 'MemAvailable'"))
    }
    guard let swapTotal = lines.swapTotal, let swapFree = lines.swapFree else { return }
    let swapUsed = max(swapTotal - swapFree, 0)
    set(slots.swapTotal, swapTotal)
    set(slots.swapUsed, swapUsed)
    if swapTotal > 0 { readings.set(slots.swapUsage, 100 * swapUsed / swapTotal) }
  }

  private mutating func parseVmstat(_ text: inout ByteScanner, into readings: inout Readings) {
    let now = readings.nanoseconds
    var left = 4
    while left > 0, !text.isAtEnd {
      left -= 1
      if text.skip("pswpin ") {
        readings.set(slots.swapIn, text.unsigned().flatMap { swapInRate.perSecond($0, at: now) })
      } else if text.skip("pswpout ") {
        readings.set(slots.swapOut, text.unsigned().flatMap { swapOutRate.perSecond($0, at: now) })
      } else if text.skip("pgmajfault ") {
        readings.set(slots.majorFaults, text.unsigned().flatMap { majorFaultRate.perSecond($0, at: now) })
      } else if text.skip("oom_kill ") {
        readings.set(slots.oomKills, text.unsigned().map { Double($0) })
      } else {
        left += 1
      }
      text.skipLine()
    }
  }

  /// `orig_data_size compr_data_size mem_used_total mem_limit …`, bytes.
  private static func parseZram(_ text: inout ByteScanner, of zram: Zram, into readings: inout Readings) throws(SensorError) {
    guard let original = text.unsigned(), let compressed = text.unsigned(), let used = text.unsigned() else {
      throw .malformed(path: zram.file.path, what: "less than three numbers")
    }
    readings.set(zram.original, Double(original))
    readings.set(zram.compressed, Double(compressed))
    readings.set(zram.used, Double(used))
    if compressed > 0 { readings.set(zram.ratio, Double(original) / Double(compressed)) }
  }

  private mutating func findZram(into readings: inout Readings) {
    let names = ((try? host.list("/sys/block")) ?? []).filter { $0.hasPrefix("zram") && host.exists("/sys/block/\($0)/mm_stat") }
    zrams = names.map { name in
      let label = [Label("device", name)]
      return Zram(
        file: host.file("/sys/block/\(name)/mm_stat"), original: readings.slot(Self.zramOriginal, label),
        compressed: readings.slot(Self.zramCompressed, label), used: readings.slot(Self.zramUsed, label),
        ratio: readings.slot(Self.zramRatio, label))
    }
  }
}
