import Platform
import Telemetry

/// Context switches of all threads of some processes. `/proc/<pid>/status` tells those of one thread only (proc_pid_status(5)).
struct ContextSwitches {
  private var known: [Int32: UInt64] = [:]
  private var isFirst = true

  /// How many there were since the call before; nil on the first, and when there are too many threads to ask.
  mutating func advance(_ files: ProcessFiles, _ processes: [Int32]) -> UInt64? {
    var counts: [Int32: UInt64] = [:]
    var growth: UInt64 = 0
    for process in processes {
      // Processes and threads end while they are looked at.
      guard let threads = try? files.threads(of: process, limit: ProcessLimits.groupThreads) else { continue }
      guard !threads.isCut, counts.count + threads.ids.count <= ProcessLimits.groupThreads else {
        (known, isFirst) = ([:], true)
        return nil
      }
      for thread in threads.ids {
        let count = try? files.read(process, thread: thread, "status") { (text) throws(SensorError) in Self.count(&text) }
        guard let count else { continue }
        // Less than before is another thread of the same number.
        let before = known[thread] ?? 0
        growth &+= count >= before ? count - before : count
        counts[thread] = count
      }
    }
    defer { (known, isFirst) = (counts, false) }
    return isFirst || counts.isEmpty ? nil : growth
  }

  /// Adds the lines `voluntary_ctxt_switches:` and `nonvoluntary_ctxt_switches:`.
  static func count(_ text: inout ByteScanner) -> UInt64 {
    var sum: UInt64 = 0
    while !text.isAtEnd {
      if text.skip("voluntary_ctxt_switches:") || text.skip("nonvoluntary_ctxt_switches:") {
        text.skipBlanks()
        sum &+= text.unsigned() ?? 0
      }
      text.skipLine()
    }
    return sum
  }
}
