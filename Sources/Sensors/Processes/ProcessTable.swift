import Platform
import Telemetry

/// All processes, from scan to scan. A process is its number and its start time: a number is given anew after a while.
struct ProcessTable {
  struct Process {
    var stat: ProcessStat
    /// Processor time in the time between two scans, clock ticks; of a process that was started since the scan before, all of it.
    var usedTicks: UInt64 = 0
    /// What it read and wrote in all, and since the scan before; nil where rights are missing or nobody asked.
    var io: ProcessIO?
    var moved = ProcessIO()
    /// Rights are missing: it is not asked again.
    var isBarred = false
    /// Scans that saw it, 3 for more. A program looks like its parent between fork(2) and execve(2), so that what it is called is
    /// looked at twice, and again when its name changed.
    var scans: Int
    var isRenamed = false
    /// Bit n for the group n whose pattern it matched.
    var groups: UInt64 = 0
    /// A group has it: it is looked at in each scan.
    fileprivate var isWatched = false
    /// The scans that last saw it and last read its figures.
    fileprivate var scan, readIn: UInt64

    fileprivate init(_ stat: ProcessStat, scan: UInt64) {
      self.stat = stat
      scans = 1
      (self.scan, readIn) = (scan, scan)
    }

    /// Whether it slept when it was last looked at, and had slept since the look before.
    fileprivate var isAsleep: Bool {
      usedTicks == 0 && scans > 2 && (stat.state == .sleeping || stat.state == .idle)
    }
  }

  /// By number.
  private(set) var processes: [Int32: Process] = [:]
  /// The numbers of those that the last scan saw, ascending.
  private(set) var ids: [Int32] = []
  /// Whether the last scan saw all there are: every namespace has a process 1, and a /proc mounted with hidepid hides it.
  private(set) var isComplete = false
  /// Seconds between the last two scans; nil after the first.
  private(set) var seconds: Double?

  private let ticksPerSecond: Double
  private var scan: UInt64 = 0
  private var scannedAt = Int64.min
  private var previouslyScannedAt = Int64.min
  /// What processes that ended had read and written, by the parent that has it added to its own (kernel/exit.c).
  private var inherited: [Int32: ProcessIO] = [:]

  init(ticksPerSecond: Double) { self.ticksPerSecond = ticksPerSecond }

  /// Sees every process, and looks at each that may have done something: where there are many, those that sleep take turns, so that what
  /// a scan costs grows with what goes on.
  ///
  /// - Throws: when `/proc` cannot be listed. What costs single processes is told to `note`.
  mutating func scan(_ files: ProcessFiles, at now: Int64, note: (SensorError) -> Void) throws(SensorError) {
    let listed = try files.list(limit: ProcessLimits.scanned)
    scan &+= 1
    seconds = scannedAt == .min || now <= scannedAt ? nil : Double(now - scannedAt) / 1e9
    (previouslyScannedAt, scannedAt) = (scannedAt, now)
    ids.removeAll(keepingCapacity: true)
    let takeTurns = listed.ids.count > ProcessLimits.lookedAtInEachScan
    for id in listed.ids {
      if takeTurns, rests(id) { continue }
      do {
        let stat = try files.read(id, "stat") { (text) throws(SensorError) in
          try ProcessStat.parse(&text, path: "/proc/\(id)/stat")
        }
        see(id, stat)
      } catch {
        // Processes end while they are looked at, and those of others may be hidden.
        if case .malformed = error { note(error) }
      }
    }
    forgetUnseen()
    isComplete = !listed.isCut && processes[1] != nil
    if listed.isCut {
      note(.malformed(path: "/proc", what: "more than \(ProcessLimits.scanned) processes: the others are not looked at"))
    } else if !isComplete {
      note(.device("/proc", what: "process 1 cannot be seen: it is mounted with hidepid, and the agent is not of its group"))
    }
  }

  /// Whether a process sleeps and it is not its turn: then it is taken for unchanged.
  private mutating func rests(_ id: Int32) -> Bool {
    guard let index = processes.index(forKey: id), processes.values[index].isAsleep, !processes.values[index].isWatched,
      (scan &+ UInt64(id.magnitude)) % ProcessLimits.scansBetweenLooks != 0
    else { return false }
    ids.append(id)
    processes.values[index].scan = scan
    return true
  }

  private mutating func see(_ id: Int32, _ stat: ProcessStat) {
    ids.append(id)
    if let index = processes.index(forKey: id), processes.values[index].stat.startTicks == stat.startTicks {
      let old = processes.values[index].stat
      // What one used that was not looked at for some scans is spread over them, and rounded up: it did something.
      let scans = max(scan - processes.values[index].readIn, 1)
      processes.values[index].usedTicks = (stat.ticks - min(old.ticks, stat.ticks) + scans - 1) / scans
      processes.values[index].readIn = scan
      processes.values[index].isRenamed = old.name != stat.name
      processes.values[index].scans = min(processes.values[index].scans + 1, 3)
      processes.values[index].stat = stat
      processes.values[index].scan = scan
      return
    }
    if let gone = processes[id] { bequeath(gone) }
    var process = Process(stat, scan: scan)
    // Not so of one that was hidden before.
    if isNew(stat) { process.usedTicks = stat.ticks }
    processes[id] = process
  }

  /// Whether a process was started since the scan before, to a second: both clocks tell the time since boot.
  private func isNew(_ stat: ProcessStat) -> Bool {
    seconds != nil && Double(stat.startTicks) / ticksPerSecond + 1 >= Double(previouslyScannedAt) / 1e9
  }

  private mutating func forgetUnseen() {
    guard ids.count < processes.count else { return }
    let scan = scan
    for process in processes.values where process.scan != scan { bequeath(process) }
    processes = processes.filter { $0.value.scan == scan }
  }

  private mutating func bequeath(_ process: Process) {
    if let io = process.io { inherited[process.stat.parent, default: ProcessIO()] += io }
  }

  /// Reads what processes read and wrote: of those that `isWanted` and that used the processor or lost a child since they were last
  /// asked. One that did neither moved next to nothing, and it is not lost: it counts when it is next asked.
  mutating func readIO(_ files: ProcessFiles, of isWanted: (Process) -> Bool) {
    for id in ids {
      guard let index = processes.index(forKey: id) else { continue }
      processes.values[index].moved = ProcessIO()
      let process = processes.values[index]
      let heritage = inherited[id]
      guard !process.isBarred, !process.stat.isKernelThread, isWanted(process) else { continue }
      guard process.io == nil || process.usedTicks > 0 || heritage != nil else { continue }
      do {
        let io = try files.read(id, "io") { (text) throws(SensorError) in ProcessIO(&text) }
        guard let io else { continue }
        // A child's bytes were counted as its own while it lived.
        var base = process.io ?? (isNew(process.stat) ? ProcessIO() : io)
        if let heritage { base += heritage }
        processes.values[index].io = io
        processes.values[index].moved = io.growth(since: base)
      } catch {
        if case .io = error { processes.values[index].isBarred = true }
      }
    }
    inherited.removeAll(keepingCapacity: true)
  }

  /// Remembers which groups a process belongs to.
  mutating func assign(_ id: Int32, groups: UInt64) { processes[id]?.groups = groups }

  /// Has these processes looked at in each scan from now on.
  mutating func watch(_ ids: [Int32]) {
    for id in ids where processes[id]?.isWatched == false { processes[id]?.isWatched = true }
  }
}
