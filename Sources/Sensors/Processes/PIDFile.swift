import Platform
import Telemetry

/// The file in which a daemon writes the number of its main process.
struct PIDFile {
  private let path: String
  /// The process that was found last. It stays the one, whatever the clock is set to meanwhile.
  private var known: MainProcesses.Key?

  init(_ path: String) { self.path = path }

  /// The main process and its descendants, none where the file is not there or its process is gone.
  ///
  /// - Throws: when it cannot be read or holds no number.
  mutating func processes(_ scan: WatchedGroup.Scan, at now: Int64) throws(SensorError) -> [Int32] {
    guard let main = try process(scan, at: now) else { return [] }
    var found: Set<Int32> = [main]
    var ids = [main]
    // Children mostly come behind their parents; each round finds one more generation of the others.
    for _ in 0..<ProcessLimits.generations {
      let known = found.count
      for id in scan.table.ids where !found.contains(id) {
        guard let parent = scan.table.processes[id]?.stat.parent, found.contains(parent) else { continue }
        found.insert(id)
        ids.append(id)
      }
      if found.count == known { break }
    }
    return ids
  }

  private mutating func process(_ scan: WatchedGroup.Scan, at now: Int64) throws(SensorError) -> Int32? {
    let file: (bytes: [UInt8], ageMilliseconds: Int64)
    do {
      file = try scan.host.untrustedFile(path, limit: ProcessLimits.pidFileBytes)
    } catch {
      if case .absent = error { return nil }
      throw error
    }
    let number = ByteScanner.scan(bytes: file.bytes) { $0.unsigned() }
    guard let number, number > 0, number <= UInt64(Int32.max) else {
      throw .malformed(path: path, what: "it does not begin with the number of a process")
    }
    let id = Int32(number)
    guard let process = scan.table.processes[id] else { return nil }
    let key = MainProcesses.Key(id: id, startTicks: process.stat.startTicks)
    guard key == known || wasWritten(by: process, id, age: file.ageMilliseconds, scan, at: now) else { return nil }
    known = key
    return id
  }

  /// Whether a process may have written the file: one that began after it is another that was given the number.
  ///
  /// The file's age is by the wall clock, the process' by the time since boot: without a battery the clock is set forward after the
  /// first daemons were started. A file of /run is of this boot (file-hierarchy(7)), however old it seems.
  private func wasWritten(
    by process: ProcessTable.Process, _ id: Int32, age: Int64, _ scan: WatchedGroup.Scan, at now: Int64
  ) -> Bool {
    let uptime = now / 1_000_000
    // Within what 64 bits hold, whatever the kernel says.
    let life = uptime - Int64(min(Double(process.stat.startTicks) / scan.ticksPerSecond * 1000, 1e15))
    // The number was seen with another process.
    if known?.id == id { return age <= life + ProcessLimits.pidFileSlackMilliseconds }
    if age <= life + ProcessLimits.pidFileToleranceMilliseconds { return true }
    return age > uptime && scan.host.resolved(path).hasPrefix("/run/")
  }
}
