import Platform
import Telemetry

/// One group of processes that the profile names: who belongs to it, and what is told of it.
struct WatchedGroup {
  private struct Slots {
    let running, members, cpu, resident, proportional, virtual, groupThreads, descriptors, read, written, switches: Slot
    let startTime, uptime, restarts, oomKills: Slot

    init(_ group: String, _ readings: inout Readings) {
      let label = [Label("group", group)]
      running = readings.slot(ProcessesMetrics.running, label)
      members = readings.slot(ProcessesMetrics.members, label)
      cpu = readings.slot(ProcessesMetrics.cpu, label)
      resident = readings.slot(ProcessesMetrics.resident, label)
      proportional = readings.slot(ProcessesMetrics.proportional, label)
      virtual = readings.slot(ProcessesMetrics.virtual, label)
      groupThreads = readings.slot(ProcessesMetrics.groupThreads, label)
      descriptors = readings.slot(ProcessesMetrics.descriptors, label)
      read = readings.slot(ProcessesMetrics.read, label)
      written = readings.slot(ProcessesMetrics.written, label)
      switches = readings.slot(ProcessesMetrics.switches, label)
      startTime = readings.slot(ProcessesMetrics.startTime, label)
      uptime = readings.slot(ProcessesMetrics.uptime, label)
      restarts = readings.slot(ProcessesMetrics.restarts, label)
      oomKills = readings.slot(ProcessesMetrics.oomKills, label)
    }
  }

  let settings: WatchedGroupSettings
  /// The processes of the last sample.
  private(set) var memberIDs: [Int32] = []
  private let bit: UInt64
  private let slots: Slots
  private var cgroup: WatchedCgroup?
  private var pidFile: PIDFile?
  private var mains = MainProcesses()
  private var kills = OOMKillTally()
  private var usage = Rate(.bits64)
  private var switches = ContextSwitches()
  private var proportionalBytes: Double?
  private var proportionalReadAt = Int64.min

  init(_ settings: WatchedGroupSettings, bit: UInt64, host: Host, readings: inout Readings) {
    self.settings = settings
    self.bit = bit
    switch settings.choice {
    case .unit(let name): cgroup = WatchedCgroup(host, unit: name)
    case .cgroup(let path): cgroup = WatchedCgroup(host, path: path)
    case .pidFile(let path): pidFile = PIDFile(path)
    case .executable, .command: break
    }
    slots = Slots(settings.name, &readings)
  }

  /// What a scan gave, and how to ask for more.
  struct Scan {
    let table: ProcessTable
    let files: ProcessFiles
    let host: Host
    let ticksPerSecond, pageBytes: Double
    /// When the machine was booted, seconds since 1970.
    let bootSeconds: UInt64?
    let proportionalNanoseconds: Int64
  }

  /// Tells of the group.
  mutating func sample(_ scan: Scan, into readings: inout Readings) throws(SensorError) {
    let ids = try members(scan, at: readings.nanoseconds)
    memberIDs = ids
    let members = ids.compactMap { id in scan.table.processes[id].map { (id: id, process: $0) } }
    let (isLost, oldest) = mains.advance(
      members.map { (MainProcesses.Key(id: $0.id, startTicks: $0.process.stat.startTicks), $0.process.stat.parent) })
    kills.advance(own: cgroup?.oomKills(), above: cgroup?.siblingOOMKills(), lostProcess: isLost)
    readings.set(slots.running, members.isEmpty ? 0 : 1)
    readings.set(slots.members, Double(members.count))
    readings.set(slots.restarts, Double(mains.restarts))
    if cgroup != nil { readings.set(slots.oomKills, Double(kills.total)) }
    if isLost { proportionalReadAt = .min }
    // Microseconds a second; none when the control group was made anew.
    let fromCgroup = cgroup?.usageMicroseconds().flatMap { usage.perSecond($0, at: readings.nanoseconds) }
    guard let oldest else {
      proportionalBytes = nil
      return
    }
    let seconds = Double(oldest) / scan.ticksPerSecond
    readings.set(slots.uptime, max(Double(readings.nanoseconds) / 1e9 - seconds, 0))
    readings.set(slots.startTime, scan.bootSeconds.map { Double($0) + seconds })
    report(members.map(\.process), scan, fromCgroup: fromCgroup, into: &readings)
    guard members.count <= ProcessLimits.groupMembers else {
      throw .device(
        "group '\(settings.name)'",
        what: "more than \(ProcessLimits.groupMembers) processes: their descriptors, PSS and context switches are not read")
    }
    readFiles(members.map(\.id), scan, into: &readings)
  }

  private mutating func members(_ scan: Scan, at now: Int64) throws(SensorError) -> [Int32] {
    let processes = scan.table.processes
    let found: [Int32]
    switch settings.choice {
    case .executable, .command: found = scan.table.ids.filter { processes[$0].map { $0.groups & bit != 0 } ?? false }
    case .pidFile: found = try pidFile?.processes(scan, at: now) ?? []
    case .unit, .cgroup: found = try cgroup?.processes() ?? []
    }
    // A zombie has ended, and only its parent does not know yet.
    return found.filter { id in processes[id].map { $0.stat.state != .zombie && $0.stat.state != nil } ?? false }
  }

  /// What `/proc/<pid>/stat` sums up to.
  private func report(
    _ processes: [ProcessTable.Process], _ scan: Scan, fromCgroup: Double?, into readings: inout Readings
  ) {
    var ticks: UInt64 = 0
    var pages: UInt64 = 0
    var virtual: UInt64 = 0
    var threads: UInt64 = 0
    var moved = ProcessIO()
    var isAsked = true
    for process in processes {
      ticks &+= process.usedTicks
      pages &+= process.stat.residentPages
      virtual &+= process.stat.virtualBytes
      threads &+= process.stat.threads
      moved += process.moved
      isAsked = isAsked && (process.io != nil || process.stat.isKernelThread)
    }
    readings.set(slots.resident, Double(pages) * scan.pageBytes)
    readings.set(slots.virtual, Double(virtual))
    readings.set(slots.groupThreads, Double(threads))
    guard let seconds = scan.table.seconds else { return }
    // A control group that was made anew has no rate yet.
    readings.set(slots.cpu, fromCgroup.map { $0 / 1e4 } ?? Double(ticks) / scan.ticksPerSecond / seconds * 100)
    guard isAsked else { return }
    readings.set(slots.read, Double(moved.readBytes) / seconds)
    readings.set(slots.written, Double(moved.writtenBytes) / seconds)
  }

  /// What only other files tell. A sum without some of the processes would be wrong, so it is left out.
  private mutating func readFiles(_ ids: [Int32], _ scan: Scan, into readings: inout Readings) {
    let growth = switches.advance(scan.files, ids)
    if let growth, let seconds = scan.table.seconds { readings.set(slots.switches, Double(growth) / seconds) }
    readings.set(slots.descriptors, Self.sum(ids) { id throws(SensorError) in try Double(scan.files.descriptorCount(id)) })
    guard scan.proportionalNanoseconds > 0 else { return }
    if proportionalReadAt == .min || readings.nanoseconds - proportionalReadAt >= scan.proportionalNanoseconds {
      proportionalReadAt = readings.nanoseconds
      proportionalBytes = Self.sum(ids) { id throws(SensorError) in
        let rollup = try scan.files.read(id, "smaps_rollup") { (text) throws(SensorError) in MemoryRollup.parse(&text) }
        return rollup.proportionalBytes
      }
    }
    readings.set(slots.proportional, proportionalBytes)
  }

  /// Nil without an answer, or where one is refused.
  private static func sum(_ ids: [Int32], _ value: (Int32) throws(SensorError) -> Double?) -> Double? {
    var sum: Double?
    for id in ids {
      do {
        if let value = try value(id) { sum = (sum ?? 0) + value }
      } catch {
        // One that ended has none.
        if case .absent = error { continue }
        return nil
      }
    }
    return sum
  }
}
