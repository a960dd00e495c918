import Platform
public import Telemetry

/// Processor time, frequency, load and scheduling figures.
///
/// `/proc/stat` (proc_stat(5)) counts each mode in clock ticks since boot; `user` and `nice` contain the guests' time already, so
/// the total is the sum of the eight modes here, as psutil and htop take it.
public struct CPUSensor: Sensor {
  static let modes = ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"]
  private static let idle = 3
  private static let iowait = 4

  private static let usage = Metric(
    "cpu.usage_percent", unit: .percent, decimals: 1, help: "Share of time in which a task ran, all cores: everything but idle and iowait.")
  private static let mode = Metric(
    "cpu.mode_percent", unit: .percent, decimals: 1, labels: ["mode"], help: "Share of time by mode, all cores; user contains guests.")
  private static let coreUsage = Metric(
    "cpu.core_usage_percent", unit: .percent, decimals: 1, labels: ["core"], help: "Share of time in which a task ran on this core.")
  private static let coreMode = Metric(
    "cpu.core_mode_percent", unit: .percent, decimals: 1, labels: ["core", "mode"], help: "Share of this core's time by mode.")
  private static let frequency = Metric(
    "cpu.frequency_hertz", unit: .hertz, labels: ["core"], help: "Frequency the governor asks of this core.")
  private static let load1 = Metric("cpu.load1", unit: .none, decimals: 2, help: "Runnable and uninterruptible tasks, 1 minute average.")
  private static let load5 = Metric("cpu.load5", unit: .none, decimals: 2, help: "The same, 5 minute average.")
  private static let load15 = Metric("cpu.load15", unit: .none, decimals: 2, help: "The same, 15 minute average.")
  private static let switches = Metric(
    "cpu.context_switches_per_second", unit: .perSecond, decimals: 1, help: "Context switches, all cores.")
  private static let interrupts = Metric(
    "cpu.interrupts_per_second", unit: .perSecond, decimals: 1, help: "Interrupts serviced, all cores.")
  private static let runnable = Metric("cpu.runnable_tasks", unit: .none, help: "Tasks running or waiting for a core.")
  private static let blocked = Metric("cpu.blocked_tasks", unit: .none, help: "Tasks waiting for I/O to complete.")

  /// The catalogue entry.
  public static let kind = SensorKind(
    name: "cpu", summary: "Processor time by mode, in total and per core, frequency, load, interrupts.",
    sources: [
      "/proc/stat (proc_stat(5))", "/proc/loadavg (proc_loadavg(5))",
      "/sys/devices/system/cpu/cpu*/cpufreq/scaling_cur_freq (Documentation/admin-guide/pm/cpufreq.rst)",
    ],
    settings: [
      SettingSpec(
        "per_core", .choice(["modes", "usage", "off"]), default: "modes",
        help: "What is reported of each core: its share by mode, its usage only, or nothing.")
    ],
    metrics: [
      usage, mode, coreUsage, coreMode, frequency, load1, load5, load15, switches, interrupts, runnable, blocked,
    ])

  /// Clock ticks by mode, as of the last sample, and where the shares go.
  private struct Core {
    var ticks: [UInt64] = []
    var usage: Slot
    var modes: [Slot]
    var frequencyFile: HostFile?
    var frequency: Slot?
  }

  private struct Slots {
    let load1, load5, load15, switches, interrupts, runnable, blocked: Slot
  }

  private let host: Host
  private let perCore: String
  private let stat: HostFile
  private let loadavg: HostFile
  private let slots: Slots
  private var total: Core
  private var cores: [Int: Core] = [:]
  private var switchRate = Rate()
  private var interruptRate = Rate()

  /// Opens nothing yet; cores are found as `/proc/stat` lists them.
  public init(context: SensorContext, settings: Settings, readings: inout Readings) throws(SensorError) {
    host = context.host
    perCore = settings.text("per_core")
    stat = host.file("/proc/stat", limit: 4 << 20)
    loadavg = host.file("/proc/loadavg")
    total = Core(
      usage: readings.slot(Self.usage),
      modes: Self.modes.map { readings.slot(Self.mode, [Label("mode", $0)]) })
    slots = Slots(
      load1: readings.slot(Self.load1), load5: readings.slot(Self.load5), load15: readings.slot(Self.load15),
      switches: readings.slot(Self.switches), interrupts: readings.slot(Self.interrupts),
      runnable: readings.slot(Self.runnable), blocked: readings.slot(Self.blocked))
    guard host.exists("/proc/stat") else { throw .absent("/proc/stat") }
  }

  /// Reads the two proc files, then the frequency of each core that has one.
  public mutating func sample(into readings: inout Readings) throws(SensorError) {
    let (stat, loadavg) = (stat, loadavg)
    try stat.read { (text) throws(SensorError) in try parseStat(&text, into: &readings) }
    do {
      try loadavg.read { (text) throws(SensorError) in try parseLoad(&text, into: &readings) }
    } catch {
      readings.note(error)
    }
    for core in cores.values {
      guard let file = core.frequencyFile, let slot = core.frequency else { continue }
      // Offline cores have no cpufreq directory: absent is no problem here. The file counts kHz.
      if let kilohertz = try? file.integer() { readings.set(slot, Double(kilohertz) * 1000) }
    }
  }

  private mutating func parseStat(_ text: inout ByteScanner, into readings: inout Readings) throws(SensorError) {
    var sawTotal = false
    while !text.isAtEnd {
      if text.skip("cpu") {
        let number = text.next == 0x20 ? nil : text.unsigned()
        let ticks = try parseModes(&text)
        if let number {
          if perCore != "off", number < 4096 { sampleCore(Int(number), ticks, into: &readings) }
        } else {
          sawTotal = true
          Self.share(ticks, of: &total, withModes: true, into: &readings)
        }
      } else if text.skip("ctxt") {
        if let count = text.unsigned() { readings.set(slots.switches, switchRate.perSecond(count, at: readings.nanoseconds)) }
      } else if text.skip("intr") {
        if let count = text.unsigned() { readings.set(slots.interrupts, interruptRate.perSecond(count, at: readings.nanoseconds)) }
      } else if text.skip("procs_running") {
        readings.set(slots.runnable, text.unsigned().map(Double.init))
      } else if text.skip("procs_blocked") {
        readings.set(slots.blocked, text.unsigned().map(Double.init))
      }
      text.skipLine()
    }
    guard sawTotal else { throw .malformed(path: stat.path, what: "no line 'cpu'") }
  }

  /// The eight modes; kernels before 2.6.11 had fewer columns, which is malformed today.
  private func parseModes(_ text: inout ByteScanner) throws(SensorError) -> [UInt64] {
    var ticks: [UInt64] = []
    ticks.reserveCapacity(Self.modes.count)
    for _ in Self.modes {
      guard let value = text.unsigned() else { throw .malformed(path: stat.path, what: "a cpu line has less than eight numbers") }
      ticks.append(value)
    }
    return ticks
  }

  private mutating func sampleCore(_ number: Int, _ ticks: [UInt64], into readings: inout Readings) {
    var core = cores[number] ?? discover(number, into: &readings)
    Self.share(ticks, of: &core, withModes: perCore == "modes", into: &readings)
    cores[number] = core
  }

  private func discover(_ number: Int, into readings: inout Readings) -> Core {
    let label = Label("core", "\(number)")
    let modes = perCore == "modes" ? Self.modes.map { readings.slot(Self.coreMode, [label, Label("mode", $0)]) } : []
    var core = Core(usage: readings.slot(Self.coreUsage, [label]), modes: modes)
    let path = "/sys/devices/system/cpu/cpu\(number)/cpufreq/scaling_cur_freq"
    if host.exists(path) {
      core.frequencyFile = host.file(path)
      core.frequency = readings.slot(Self.frequency, [label])
    }
    return core
  }

  /// Shares of the ticks since the last sample. Idle and iowait may step back a little (the kernel documents iowait as
  /// unreliable); such a step counts as none. Any other fall means the counters were reset: no shares this time.
  private static func share(_ ticks: [UInt64], of core: inout Core, withModes: Bool, into readings: inout Readings) {
    let old = core.ticks
    core.ticks = ticks
    guard old.count == ticks.count else { return }
    var sum: UInt64 = 0
    for mode in ticks.indices {
      if ticks[mode] >= old[mode] {
        sum += ticks[mode] - old[mode]
      } else if mode != idle && mode != iowait {
        return
      }
    }
    guard sum > 0 else { return }
    let scale = 100 / Double(sum)
    func part(_ mode: Int) -> Double { ticks[mode] > old[mode] ? Double(ticks[mode] - old[mode]) * scale : 0 }
    readings.set(core.usage, 100 - part(idle) - part(iowait))
    if withModes {
      for mode in modes.indices { readings.set(core.modes[mode], part(mode)) }
    }
  }

  private func parseLoad(_ text: inout ByteScanner, into readings: inout Readings) throws(SensorError) {
    guard let one = text.decimal(), let five = text.decimal(), let fifteen = text.decimal() else {
      throw .malformed(path: loadavg.path, what: "it begins with three averages")
    }
    readings.set(slots.load1, one)
    readings.set(slots.load5, five)
    readings.set(slots.load15, fifteen)
  }
}
