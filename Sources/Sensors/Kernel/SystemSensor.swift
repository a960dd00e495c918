import Platform
public import Telemetry

/// The machine as a whole: uptime, clock, entropy, file handles, processes, users.
public struct SystemSensor: Sensor {
  private static let uptime = Metric(
    "system.uptime_seconds", unit: .seconds, kind: .counter, help: "Time since boot, sleep included.")
  private static let bootTime = Metric(
    "system.boot_time_seconds", unit: .seconds,
    help: "When the kernel holds it was booted, seconds since 1970; moves when the clock is set.")
  private static let boots = Metric(
    "system.boots", unit: .none, kind: .counter, help: "Boots of the machine that the agent's buffer has seen, this one included."
  )
  private static let synchronized = Metric(
    "system.clock_synchronized", unit: .none,
    help: "1 when the kernel or systemd-timesyncd holds the clock for synchronised, else 0.")
  private static let offset = Metric(
    "system.clock_offset_seconds", unit: .seconds, decimals: 6, help: "Offset that the kernel is still slewing away.")
  private static let clockError = Metric(
    "system.clock_estimated_error_seconds", unit: .seconds, decimals: 6,
    help: "Error of the clock as its discipline estimates it.")
  private static let entropy = Metric(
    "system.entropy_available_bits", unit: .none, help: "Entropy in the kernel's pool; always 256 since Linux 5.18.")
  private static let filesUsed = Metric("system.file_handles_used", unit: .none, help: "File handles in use, all processes.")
  private static let filesMax = Metric(
    "system.file_handles_max", unit: .none, help: "How many file handles the kernel would give.")
  private static let processes = Metric(
    "system.processes", unit: .none, labels: ["state"],
    help: "Processes by state, counted every processes_every and repeated in between; idle are kernel threads at rest.")
  private static let threads = Metric(
    "system.threads", unit: .none, help: "Tasks the kernel schedules: the threads of all processes.")
  private static let users = Metric("system.users", unit: .none, help: "Logins: terminals and sessions of users.")
  private static let reboot = Metric(
    "system.reboot_required", unit: .none, help: "1 when a package asked for a reboot by /run/reboot-required, else 0.")

  /// Session files looked at in one sample.
  private static let sessionLimit = 1_000

  /// The catalogue entry.
  public static let kind = SensorKind(
    name: "system", summary: "Uptime, clock, entropy, file handles, processes by state, users, pending reboot.",
    sources: [
      "/proc/uptime (proc_uptime(5))", "/proc/stat (proc_stat(5))", "/proc/loadavg (proc_loadavg(5))", "adjtimex(2)",
      "/run/systemd/timesync/synchronized (systemd-timesyncd.service(8))",
      "/proc/sys/kernel/random/entropy_avail (random(4))", "/proc/sys/fs/file-nr (Documentation/admin-guide/sysctl/fs.rst)",
      "/proc/*/stat (proc_pid_stat(5))", "/run/utmp (utmp(5)), else /run/systemd/sessions",
      "/run/reboot-required, /var/run/reboot-required",
    ],
    lane: .slow, everySeconds: 10,
    settings: [
      SettingSpec(
        "processes_every", .duration(0...86_400_000), default: "60s",
        help: "How often the processes are counted by state, which costs as much as many other sensors together; 0 turns it off.")
    ],
    metrics: [
      uptime, bootTime, boots, synchronized, offset, clockError, entropy, filesUsed, filesMax, processes, threads, users, reboot,
    ],
    bounds: { settings in
      guard settings.milliseconds("processes_every") > 0 else {
        return [.off([processes], why: "'processes_every' is 0", remedy: "write 'processes_every: 60s'")]
      }
      return [.label("state", of: [processes], is: ProcessState.allCases.map(\.word))]
    })

  private struct Slots {
    let uptime, bootTime, boots, synchronized, offset, clockError, entropy, filesUsed, filesMax, threads, users, reboot: Slot
    let processes: [Slot]
  }

  private let host: Host
  private let statistics: AgentStatistics
  private let processFiles: ProcessFiles
  private let uptime, stat, loadavg, entropy, fileHandles: HostFile
  private let slots: Slots
  private let processNanoseconds: Int64
  private var processes: [Int]?
  /// Why they are not known, for as long.
  private var processesProblem: SensorError?
  private var processesCountedAt = Int64.min

  /// Finds `/proc/uptime`.
  public init(context: SensorContext, settings: Settings, readings: inout Readings) throws(SensorError) {
    host = context.host
    statistics = context.statistics
    processFiles = ProcessFiles(host: host)
    uptime = host.file("/proc/uptime", limit: 256)
    stat = host.file("/proc/stat", limit: 4 << 20)
    loadavg = host.file("/proc/loadavg", limit: 256)
    entropy = host.file("/proc/sys/kernel/random/entropy_avail", limit: 256)
    fileHandles = host.file("/proc/sys/fs/file-nr", limit: 256)
    processNanoseconds = Int64(settings.milliseconds("processes_every")) * 1_000_000
    let states = processNanoseconds > 0 ? ProcessState.allCases : []
    slots = Slots(
      uptime: readings.slot(Self.uptime), bootTime: readings.slot(Self.bootTime),
      boots: readings.slot(Self.boots), synchronized: readings.slot(Self.synchronized),
      offset: readings.slot(Self.offset), clockError: readings.slot(Self.clockError), entropy: readings.slot(Self.entropy),
      filesUsed: readings.slot(Self.filesUsed), filesMax: readings.slot(Self.filesMax), threads: readings.slot(Self.threads),
      users: readings.slot(Self.users), reboot: readings.slot(Self.reboot),
      processes: states.map { readings.slot(Self.processes, [Label("state", $0.word)]) })
    guard host.exists(uptime.path) else { throw .absent(uptime.path) }
  }

  /// Reads the uptime, then each other figure by itself: what is not there is left out.
  public mutating func sample(into readings: inout Readings) throws(SensorError) {
    let seconds = try uptime.read { (text) throws(SensorError) in text.decimal() }
    guard let seconds else { throw .malformed(path: uptime.path, what: "it begins with seconds") }
    readings.set(slots.uptime, seconds)
    // Only the agent counts boots, by what its buffer holds; elsewhere there is nothing to report.
    let boots = statistics.read { $0.boots }
    if boots > 0 { readings.set(slots.boots, Double(boots)) }
    readings.attempt { (readings) throws(SensorError) in try sampleFiles(into: &readings) }
    readings.attempt { (readings) throws(SensorError) in try sampleBootTime(into: &readings) }
    readings.attempt { (readings) throws(SensorError) in try sampleThreads(into: &readings) }
    readings.attempt { (readings) throws(SensorError) in
      readings.set(slots.entropy, try entropy.integer().map { Double($0) })
    }
    readings.attempt { (readings) throws(SensorError) in try sampleClock(into: &readings) }
    readings.attempt { (readings) throws(SensorError) in readings.set(slots.users, Double(try users())) }
    let rebootRequired = host.exists("/run/reboot-required") || host.exists("/var/run/reboot-required")
    readings.set(slots.reboot, rebootRequired ? 1 : 0)
    sampleProcesses(into: &readings)
  }

  /// Three numbers: handles allocated, allocated but unused (0 since Linux 2.6), the limit.
  private func sampleFiles(into readings: inout Readings) throws(SensorError) {
    try fileHandles.read { (text) throws(SensorError) in
      guard let allocated = text.unsigned(), let unused = text.unsigned(), let limit = text.unsigned() else {
        throw .malformed(path: fileHandles.path, what: "it holds three numbers")
      }
      readings.set(slots.filesUsed, Double(allocated - min(unused, allocated)))
      readings.set(slots.filesMax, Double(limit))
    }
  }

  private func sampleBootTime(into readings: inout Readings) throws(SensorError) {
    try stat.read { (text) throws(SensorError) in
      while !text.isAtEnd {
        if text.skip("btime ") {
          guard let seconds = text.unsigned() else { throw .malformed(path: stat.path, what: "no number behind btime") }
          readings.set(slots.bootTime, Double(seconds))
          return
        }
        text.skipLine()
      }
    }
  }

  /// `0.00 0.01 0.05 1/234 5678`: behind the averages the runnable and all tasks.
  private func sampleThreads(into readings: inout Readings) throws(SensorError) {
    try loadavg.read { (text) throws(SensorError) in
      for _ in 0..<3 { _ = text.decimal() }
      guard text.unsigned() != nil, text.skip(byte: UInt8(ascii: "/")), let all = text.unsigned() else {
        throw .malformed(path: loadavg.path, what: "no runnable/all tasks behind the averages")
      }
      readings.set(slots.threads, Double(all))
    }
  }

  private func sampleClock(into readings: inout Readings) throws(SensorError) {
    let state = try host.calls.clockState()
    let synchronized = state.synchronized || host.exists("/run/systemd/timesync/synchronized")
    readings.set(slots.synchronized, synchronized ? 1 : 0)
    readings.set(slots.offset, state.offsetSeconds)
    readings.set(slots.clockError, state.estimatedErrorSeconds)
  }

  private func users() throws(SensorError) -> Int {
    if host.exists("/run/utmp") {
      return try host.file("/run/utmp", limit: 1 << 20).read { (text) throws(SensorError) in
        try Logins.users(utmp: &text, path: "/run/utmp")
      }
    }
    var count = 0
    // Beside each session lies a fifo <id>.ref.
    for name in try host.list("/run/systemd/sessions").prefix(Self.sessionLimit) where !name.contains(".") {
      let file = host.file("/run/systemd/sessions/\(name)", limit: 1 << 16)
      // A session may end in between.
      let isUser = try? file.read { (text) throws(SensorError) in Logins.isUserSession(&text) }
      if isUser == true { count += 1 }
    }
    return count
  }

  private mutating func sampleProcesses(into readings: inout Readings) {
    guard processNanoseconds > 0 else { return }
    if processesCountedAt == .min || readings.nanoseconds - processesCountedAt >= processNanoseconds {
      processesCountedAt = readings.nanoseconds
      (processes, processesProblem) = (nil, nil)
      do {
        processes = try countProcesses()
      } catch {
        processesProblem = error
      }
    }
    if let processesProblem { readings.note(processesProblem) }
    guard let processes else { return }
    for index in processes.indices { readings.set(slots.processes[index], Double(processes[index])) }
  }

  private func countProcesses() throws(SensorError) -> [Int] {
    let listed = try processFiles.list(limit: ProcessLimits.scanned)
    guard !listed.isCut else {
      throw .malformed(path: "/proc", what: "more than \(ProcessLimits.scanned) processes are not counted")
    }
    var counts = [Int](repeating: 0, count: ProcessState.allCases.count)
    for id in listed.ids {
      do {
        let state = try processFiles.read(id, "stat") { (text) throws(SensorError) in
          try ProcessState.parse(&text, path: "/proc/\(id)/stat")
        }
        if let state { counts[state.rawValue] += 1 }
      } catch {
        // Processes end while they are counted (absent, ESRCH), and those of others may be hidden.
        if case .malformed = error { throw error }
      }
    }
    return counts
  }
}
