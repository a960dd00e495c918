import Telemetry

/// The metrics of processes.
enum ProcessesMetrics {
  static let count = Metric(
    "processes.count", unit: .none, labels: ["state"],
    help: "Processes by state in each scan; idle are kernel threads at rest. Missing when not all can be seen.")
  static let threads = Metric(
    "processes.threads", unit: .none, help: "Threads of all processes that were scanned. Missing when not all can be seen.")
  static let forks = Metric(
    "processes.forks_per_second", unit: .perSecond, decimals: 2,
    help: "Processes and threads that were started, however short they lived.")

  static let topCPU = Metric(
    "processes.top_cpu_percent", unit: .percent, decimals: 1, labels: ["process"],
    help: "Processor time of the names that use most, as a share of one core; all processes of a name together.")
  static let topMemory = Metric(
    "processes.top_resident_bytes", unit: .bytes, labels: ["process"],
    help: "Resident memory of the names that have most; pages that processes share count for each.")
  static let topIO = Metric(
    "processes.top_io_bytes_per_second", unit: .bytesPerSecond, decimals: 0, labels: ["process"],
    help: "Bytes read from and written to storage by the names that move most; only of processes that may be asked.")

  static let running = group("running", help: "1 when the group has a process, else 0: not running.")
  static let members = group("processes", help: "Processes of the group, zombies left out.")
  static let cpu = group(
    "cpu_percent", .percent, decimals: 1,
    help: "Processor time as a share of one core; from the control group, where it is watched, with what ended in between.")
  static let resident = group("resident_bytes", .bytes, help: "Resident memory; pages that processes share count for each.")
  static let proportional = group(
    "proportional_bytes", .bytes,
    help: "The same with shared pages divided among their users; looked up every pss_every and repeated in between.")
  static let virtual = group("virtual_bytes", .bytes, help: "Address space, most of which may never be used.")
  static let groupThreads = group("threads", help: "Threads.")
  static let descriptors = group(
    "descriptors", help: "Open descriptors; before Linux 6.2 only where rights allow it.")
  static let read = group("read_bytes_per_second", .bytesPerSecond, help: "Bytes read from storage; where rights allow it.")
  static let written = group(
    "written_bytes_per_second", .bytesPerSecond, help: "Bytes written towards storage; where rights allow it.")
  static let switches = group(
    "context_switches_per_second", .perSecond, decimals: 1, help: "Context switches of all threads, wanted or not.")
  static let startTime = group(
    "start_time_seconds", .seconds, help: "When the oldest main process was started, seconds since 1970.")
  static let uptime = group("uptime_seconds", .seconds, help: "Age of the oldest main process.")
  static let restarts = group(
    "restarts_total", kind: .counter,
    help: "Main processes that went and were replaced since the sensor was started; several between two samples count as one.")
  static let oomKills = group(
    "oom_kills_total", kind: .counter,
    help: "Processes of the unit or control group that the kernel killed for want of memory since the sensor was started.")

  static let all = [count, threads, forks, topCPU, topMemory, topIO] + groups
  static let groups = [
    running, members, cpu, resident, proportional, virtual, groupThreads, descriptors, read, written, switches, startTime, uptime,
    restarts, oomKills,
  ]

  /// What settings leave of them.
  static func bounds(_ settings: Settings) -> [MetricBound] {
    let items = settings.items("watch")
    let inCgroups = items.filter { $0.isSet("unit") || $0.isSet("cgroup") }
    var bounds: [MetricBound] = [
      .label("state", of: [count], is: ProcessState.allCases.map(\.word)),
      .named("group", of: groups, in: "watch", items.map { $0.text("name") }),
      inCgroups.isEmpty
        ? .off([oomKills], why: "no group is known by 'unit' or 'cgroup'", remedy: "write one at an item of 'watch'")
        : .label("group", of: [oomKills], is: inCgroups.map { $0.text("name") }),
    ]
    for (measure, metric) in [("cpu", topCPU), ("memory", topMemory), ("io", topIO)] {
      if settings.integer("top") == 0 {
        bounds.append(.off([metric], why: "'top' is 0", remedy: "write 'top: 5'"))
      } else if !settings.list("top_by").contains(measure) {
        bounds.append(.off([metric], why: "'top_by' lacks \(measure)", remedy: "add \(measure) to 'top_by'"))
      }
    }
    if settings.milliseconds("pss_every") == 0 {
      bounds.append(.off([proportional], why: "'pss_every' is 0", remedy: "write 'pss_every: 10m'"))
    }
    return bounds
  }

  private static func group(
    _ name: String, _ unit: Unit = .none, kind: MetricKind = .gauge, decimals: Int = 0, help: String
  ) -> Metric {
    Metric("processes.group_\(name)", unit: unit, kind: kind, decimals: decimals, labels: ["group"], help: help)
  }
}
