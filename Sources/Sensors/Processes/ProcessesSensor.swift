import Platform
public import Telemetry

/// The processes of the machine: how many there are, which use most, and what groups of them do that the profile names.
public struct ProcessesSensor: Sensor {
  /// The catalogue entry.
  public static let kind = SensorKind(
    name: "processes", summary: "Processes by state, forks, the names that use most, and watched services and programs.",
    sources: [
      "/proc/*/stat, /proc/*/io, /proc/*/cmdline, /proc/*/exe, /proc/*/fd, /proc/*/task/*/status (proc(5))",
      "/proc/*/smaps_rollup (Documentation/ABI/testing/procfs-smaps_rollup)", "/proc/stat (proc_stat(5))",
      "/sys/fs/cgroup (Documentation/admin-guide/cgroup-v2.rst, cgroup-v1)",
    ],
    lane: .slow, everySeconds: 10,
    settings: [
      SettingSpec("top", .integer(0...50), default: "5", help: "How many names have values at a time, of each measure."),
      SettingSpec(
        "top_by", .choices(["cpu", "memory", "io"]), default: "cpu, memory, io",
        help: "What the names are ranked by. `io` asks each process that was at work, where rights allow it."),
      SettingSpec(
        "names", .integer(1...200), default: "32",
        help: "How many names get series of their own while the agent runs; later ones are 'other'."),
      SettingSpec(
        "pss_every", .duration(0...86_400_000), default: "10m",
        help: "How often the PSS of groups is looked up, which walks all their pages; 0 turns it off."),
      SettingSpec(
        "watch", .items(WatchedGroupSettings.specs), default: nil,
        help: "Groups of processes, 64 at most, each with a name and one way to know them by."),
    ],
    metrics: ProcessesMetrics.all, check: WatchedGroupSettings.check, bounds: ProcessesMetrics.bounds)

  private let host: Host
  private let files: ProcessFiles
  private let stat: HostFile
  private let ticksPerSecond, pageBytes: Double
  private let measures: [String]
  private let proportionalNanoseconds: Int64
  private let commands: CommandMatch
  private let counts: [Slot]
  private let threads, forks: Slot
  private var table: ProcessTable
  private var top: TopProcesses
  private var groups: [WatchedGroup] = []
  private var forkRate = Rate(.word)

  /// Finds `/proc/stat`.
  public init(context: SensorContext, settings: Settings, readings: inout Readings) throws(SensorError) {
    host = context.host
    files = ProcessFiles(host: host)
    stat = host.file("/proc/stat", limit: 4 << 20)
    ticksPerSecond = Double(host.calls.clockTicksPerSecond)
    pageBytes = Double(host.calls.pageBytes)
    measures = settings.integer("top") > 0 ? settings.list("top_by") : []
    proportionalNanoseconds = Int64(settings.milliseconds("pss_every")) * 1_000_000
    counts = ProcessState.allCases.map { readings.slot(ProcessesMetrics.count, [Label("state", $0.word)]) }
    threads = readings.slot(ProcessesMetrics.threads)
    forks = readings.slot(ProcessesMetrics.forks)
    table = ProcessTable(ticksPerSecond: ticksPerSecond)
    top = TopProcesses(count: settings.integer("top"), nameLimit: settings.integer("names"))
    let (watched, faults) = WatchedGroupSettings.all(settings, host: host)
    if let fault = faults.first { throw .device("watch", what: "\(fault.what); \(fault.remedy)") }
    commands = CommandMatch(watched)
    for (index, group) in watched.enumerated() {
      groups.append(WatchedGroup(group, bit: 1 << UInt64(index), host: host, readings: &readings))
    }
    guard host.exists(stat.path) else { throw .absent(stat.path) }
  }

  /// Looks at all processes once, then at what the groups need more.
  public mutating func sample(into readings: inout Readings) throws(SensorError) {
    try table.scan(files, at: readings.nanoseconds) { readings.note($0) }
    var bootSeconds: UInt64?
    readings.attempt { (readings) throws(SensorError) in bootSeconds = try sampleForks(into: &readings) }
    if table.isComplete { sampleCounts(into: &readings) }
    if !groups.isEmpty || measures.contains("io") { table.readIO(files) { _ in true } }
    if !measures.isEmpty { sampleTop(into: &readings) }
    guard !groups.isEmpty else { return }
    commands.assign(&table, files, host)
    sampleGroups(bootSeconds, into: &readings)
    for group in groups { table.watch(group.memberIDs) }
  }

  private mutating func sampleGroups(_ bootSeconds: UInt64?, into readings: inout Readings) {
    let scan = WatchedGroup.Scan(
      table: table, files: files, host: host, ticksPerSecond: ticksPerSecond, pageBytes: pageBytes, bootSeconds: bootSeconds,
      proportionalNanoseconds: proportionalNanoseconds)
    for index in groups.indices {
      readings.attempt { (readings) throws(SensorError) in try groups[index].sample(scan, into: &readings) }
    }
  }

  /// Takes `processes`, all that were ever started, and gives `btime`, when the machine was.
  private mutating func sampleForks(into readings: inout Readings) throws(SensorError) -> UInt64? {
    let found = try stat.read { (text) throws(SensorError) in
      var found: (forks: UInt64?, boot: UInt64?)
      while !text.isAtEnd, found.forks == nil || found.boot == nil {
        if text.skip("processes ") {
          found.forks = text.unsigned()
        } else if text.skip("btime ") {
          found.boot = text.unsigned()
        }
        text.skipLine()
      }
      return found
    }
    guard let total = found.forks else { throw .malformed(path: stat.path, what: "no number behind processes") }
    readings.set(forks, forkRate.perSecond(total, at: readings.nanoseconds))
    return found.boot
  }

  private func sampleCounts(into readings: inout Readings) {
    var states = [Int](repeating: 0, count: counts.count)
    var sum: UInt64 = 0
    for process in table.processes.values {
      if let state = process.stat.state { states[state.rawValue] += 1 }
      sum &+= process.stat.threads
    }
    for (slot, count) in zip(counts, states) { readings.set(slot, Double(count)) }
    readings.set(threads, Double(sum))
  }

  private mutating func sampleTop(into readings: inout Readings) {
    let uses = TopProcesses.uses(of: table)
    if measures.contains("memory") {
      top.report(ProcessesMetrics.topMemory, uses, least: 0, scale: pageBytes, into: &readings) { $0.residentPages }
    }
    guard let seconds = table.seconds else { return }
    if measures.contains("cpu") {
      let scale = 100 / ticksPerSecond / seconds
      top.report(ProcessesMetrics.topCPU, uses, least: ProcessLimits.leastCPUPercent, scale: scale, into: &readings) { $0.ticks }
    }
    if measures.contains("io") {
      top.report(
        ProcessesMetrics.topIO, uses, least: ProcessLimits.leastBytesPerSecond, scale: 1 / seconds, into: &readings
      ) { $0.movedBytes }
    }
  }
}
