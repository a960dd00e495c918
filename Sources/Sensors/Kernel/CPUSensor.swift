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
  /// Clock ticks; USER_HZ is 100 on every architecture this runs on.
  private static let largestStepBack = 300 as UInt64

  private static let usage = Metric(
    "cpu.usage_percent", unit: .percent, decimals: 1,
    help: "Share of time in which a task ran, all cores: everything but idle and iowait.")
  private static let mode = Metric(
    "cpu.mode_percent", unit: .percent, decimals: 1, labels: ["mode"],
    help: "Share of time by mode, all cores; user contains guests.")
  private static let coreUsage = Metric(
    "cpu.core_usage_percent", unit: .percent, decimals: 1, labels: ["core"],
    help: "Share of time in which a task ran on this core.")
  private static let coreMode = Metric(
    "cpu.core_mode_percent", unit: .percent, decimals: 1, labels: ["core", "mode"], help: "Share of this core's time by mode.")
  private static let frequency = Metric(
    "cpu.frequency_hertz", unit: .hertz, labels: ["core"], help: "Frequency the governor asks of this core.")
  private static let load1 = Metric(
    "cpu.load1", unit: .none, decimals: 2, help: "Runnable and uninterruptible tasks, 1 minute average.")
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
    ],
    bounds: { settings in
      var bounds = [MetricBound.label("mode", of: [mode, coreMode], is: modes)]
      switch settings.text("per_core") {
      case "usage": bounds.append(.off([coreMode], why: "'per_core' is usage", remedy: "write 'per_core: modes'"))
      case "off":
        bounds.append(.off([coreUsage, coreMode], why: "'per_core' is off", remedy: "write 'per_core: usage', or 'modes'"))
      default: break
      }
      return bounds
    })

  /// Clock ticks of a core, or of all, as of the last sample, and where its shares go.
  private struct Core {
    let number: Int
    /// One lane a mode, in the order of `modes`.
    var ticks = SIMD8<UInt64>()
    /// The last round in which `/proc/stat` listed it.
    var round = -2
    let usage: Slot
    /// Empty where only the usage is reported.
    let modes: [Slot]
    /// Index into `policies`; nil while the core has none.
    var policy: Int?
    var frequency: Slot?
  }

  /// Cores that share a clock share a cpufreq policy: it is read once for all of them.
  private struct Policy {
    let file: HostFile
    var hertz: Double?
    var isOnline = false
  }

  private struct Slots {
    let load1, load5, load15, switches, interrupts, runnable, blocked: Slot
  }

  /// The largest core number; the kernel's NR_CPUS is at most 8192.
  private static let coreLimit = 8192
  /// How often cores without a frequency are looked at again: the cpufreq driver may be loaded late.
  private static let roundsBetweenLooks = 60

  private let host: Host
  private let perCore: String
  private let stat: HostFile
  private let loadavg: HostFile
  private let slots: Slots
  private var total: Core
  private var cores: [Core] = []
  /// Where a core number is in `cores`; −1 where it was never listed.
  private var positions: [Int] = []
  private var policies: [Policy] = []
  /// Tells whether the same cores are online as at the last sample.
  private var onlineHash = 0
  /// How often `/proc/stat` was read well.
  private var round = 0
  private var switchRate = Rate(.bits64)
  private var interruptRate = Rate(.bits64)

  /// Opens nothing yet; cores are found as `/proc/stat` lists them.
  public init(context: SensorContext, settings: Settings, readings: inout Readings) throws(SensorError) {
    host = context.host
    perCore = settings.text("per_core")
    stat = host.file("/proc/stat", limit: 4 << 20)
    loadavg = host.file("/proc/loadavg")
    total = Core(
      number: -1, usage: readings.slot(Self.usage),
      modes: Self.modes.map { readings.slot(Self.mode, [Label("mode", $0)]) })
    slots = Slots(
      load1: readings.slot(Self.load1), load5: readings.slot(Self.load5), load15: readings.slot(Self.load15),
      switches: readings.slot(Self.switches), interrupts: readings.slot(Self.interrupts),
      runnable: readings.slot(Self.runnable), blocked: readings.slot(Self.blocked))
    guard host.exists("/proc/stat") else { throw .absent("/proc/stat") }
  }

  /// Reads the two proc files, then the frequency of each policy.
  public mutating func sample(into readings: inout Readings) throws(SensorError) {
    let (stat, loadavg) = (stat, loadavg)
    try stat.read { (text) throws(SensorError) in try parseStat(&text, into: &readings) }
    do {
      try loadavg.read { (text) throws(SensorError) in try parseLoad(&text, into: &readings) }
    } catch {
      readings.note(error)
    }
    sampleFrequencies(into: &readings)
    round += 1
  }

  private mutating func parseStat(_ text: inout ByteScanner, into readings: inout Readings) throws(SensorError) {
    var totalTicks: SIMD8<UInt64>?
    var hash = 0
    while !text.isAtEnd {
      if text.skip("cpu") {
        let number = text.next == 0x20 ? nil : text.unsigned()
        let ticks = try parseModes(&text)
        if let number {
          hash = hash &* 31 &+ Int(truncatingIfNeeded: number) &+ 1
          if perCore != "off", number < Self.coreLimit { sampleCore(Int(number), ticks, into: &readings) }
        } else {
          totalTicks = ticks
        }
      } else if text.skip("ctxt") {
        if let count = text.unsigned() { readings.set(slots.switches, switchRate.perSecond(count, at: readings.nanoseconds)) }
      } else if text.skip("intr") {
        if let count = text.unsigned() {
          readings.set(slots.interrupts, interruptRate.perSecond(count, at: readings.nanoseconds))
        }
      } else if text.skip("procs_running") {
        readings.set(slots.runnable, text.unsigned().map { Double($0) })
      } else if text.skip("procs_blocked") {
        readings.set(slots.blocked, text.unsigned().map { Double($0) })
      }
      text.skipLine()
    }
    guard let totalTicks else { throw .malformed(path: stat.path, what: "no line 'cpu'") }
    // The total contains cores that are offline, but the kernel takes their idle time from elsewhere (get_idle_time in
    // fs/proc/stat.c), so it leaps when one comes or goes: no shares of it then.
    if hash != onlineHash { total.round = -2 }
    onlineHash = hash
    Self.share(totalTicks, of: &total, round: round, into: &readings)
  }

  /// The eight modes; kernels before 2.6.11 had fewer columns, which is malformed today.
  private func parseModes(_ text: inout ByteScanner) throws(SensorError) -> SIMD8<UInt64> {
    var ticks = SIMD8<UInt64>()
    for mode in ticks.indices {
      guard let value = text.unsigned() else { throw .malformed(path: stat.path, what: "a cpu line has less than eight numbers") }
      ticks[mode] = value
    }
    return ticks
  }

  private mutating func sampleCore(_ number: Int, _ ticks: SIMD8<UInt64>, into readings: inout Readings) {
    if number >= positions.count { positions += Array(repeating: -1, count: number + 1 - positions.count) }
    if positions[number] < 0 {
      positions[number] = cores.count
      let label = Label("core", "\(number)")
      cores.append(
        Core(
          number: number, usage: readings.slot(Self.coreUsage, [label]),
          modes: perCore == "modes" ? Self.modes.map { readings.slot(Self.coreMode, [label, Label("mode", $0)]) } : []))
      findPolicy(positions[number], into: &readings)
    }
    Self.share(ticks, of: &cores[positions[number]], round: round, into: &readings)
  }

  /// Shares of the ticks since the last sample. Idle and iowait may step back a little (the kernel documents iowait as
  /// unreliable); such a step counts as none. Any other fall, or one of more than 3 s (the bound that node_exporter found for a
  /// core that was offline in between), means the counters were reset: no shares this time. Nor are there any for a core that was
  /// offline at the last sample: its counters span another time.
  ///
  /// Static, because a copy of self would share the array that holds `core`, and changing that would then copy it.
  private static func share(_ ticks: SIMD8<UInt64>, of core: inout Core, round: Int, into readings: inout Readings) {
    let old = core.ticks
    let isContinuous = core.round == round - 1 || core.round == round
    core.ticks = ticks
    core.round = round
    guard isContinuous else { return }
    let fell = ticks .< old
    let growth = (ticks &- old).replacing(with: 0, where: fell)
    for mode in growth.indices where fell[mode] {
      if mode != idle && mode != iowait || old[mode] - ticks[mode] > largestStepBack { return }
    }
    let sum = growth.wrappedSum()
    guard sum > 0 else { return }
    let scale = 100 / Double(sum)
    readings.set(core.usage, Double(sum &- growth[idle] &- growth[iowait]) * scale)
    for mode in core.modes.indices { readings.set(core.modes[mode], Double(growth[mode]) * scale) }
  }

  /// The frequency of every core that is online. Its file counts kHz; a policy without an online core has none: no problem.
  private mutating func sampleFrequencies(into readings: inout Readings) {
    let looks = round % Self.roundsBetweenLooks == Self.roundsBetweenLooks - 1
    for index in policies.indices { policies[index].isOnline = false }
    for index in cores.indices where cores[index].round == round {
      if cores[index].policy == nil, looks { findPolicy(index, into: &readings) }
      if let policy = cores[index].policy { policies[policy].isOnline = true }
    }
    for index in policies.indices {
      if policies[index].isOnline {
        policies[index].hertz = (try? policies[index].file.integer()).map { Double($0) * 1000 }
      } else {
        // The kernel makes a new file when a core comes back.
        policies[index].file.close()
      }
    }
    for index in cores.indices where cores[index].round == round {
      if let policy = cores[index].policy, let slot = cores[index].frequency { readings.set(slot, policies[policy].hertz) }
    }
  }

  private mutating func findPolicy(_ index: Int, into readings: inout Readings) {
    let number = cores[index].number
    let directory = "/sys/devices/system/cpu/cpu\(number)/cpufreq"
    guard host.exists(directory + "/scaling_cur_freq") else { return }
    // A link to ../cpufreq/policyN since Linux 4.3; the policy stays while any of its cores is online.
    var path = directory
    if let policy = host.link(directory)?.split(separator: "/").last { path = "/sys/devices/system/cpu/cpufreq/\(policy)" }
    path += "/scaling_cur_freq"
    cores[index].policy = policies.firstIndex { $0.file.path == path } ?? policies.count
    if cores[index].policy == policies.count { policies.append(Policy(file: host.file(path))) }
    cores[index].frequency = readings.slot(Self.frequency, [Label("core", "\(number)")])
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
