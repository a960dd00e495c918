import Platform
import Synchronization
import Telemetry

/// How the processes of device libraries fared, kept while their sensors come and go: a library that crashes in every second sample must not be
/// started again at once each time.
public final class SensorHostHistory: Sendable {
  struct Entry {
    var failuresInRow = 0
    /// CLOCK_BOOTTIME, nanoseconds.
    var notBefore: Int64 = .min
    var problem: SensorError?
    /// When it answered first since its last failure.
    var wellSince: Int64?
    /// A process that was killed and is still there.
    var hanging: Int32?
  }

  private let entries = Mutex<[String: Entry]>([:])

  /// No library was started yet.
  public init() {}

  /// Processes of a library that failed without one that worked for long since.
  public func failuresInRow(_ library: String) -> Int { entries.withLock { $0[library]?.failuresInRow ?? 0 } }

  /// Why the library must not be started yet; nil when it may.
  func obstacle(_ library: String, at now: Int64) -> SensorError? {
    entries.withLock { entries in
      guard var entry = entries[library] else { return nil }
      if let pid = entry.hanging {
        guard AttachedProgram.isGone(pid) else {
          return .device(library, what: "its process \(pid) hangs in the kernel; no other is started until it is gone")
        }
        entry.hanging = nil
        entries[library] = entry
      }
      return now < entry.notBefore ? entry.problem : nil
    }
  }

  func hangs(_ library: String, pid: Int32) {
    entries.withLock { $0[library, default: Entry()].hanging = pid }
  }

  func failed(_ library: String, _ problem: SensorError, at now: Int64) {
    entries.withLock { entries in
      var entry = entries[library] ?? Entry()
      let range = SensorHostLimits.restartSeconds
      let seconds = min(range.lowerBound << Int64(min(entry.failuresInRow, 20)), range.upperBound)
      entry.failuresInRow += 1
      entry.notBefore = now + seconds * 1_000_000_000
      entry.problem = problem
      entry.wellSince = nil
      entries[library] = entry
    }
  }

  func absent(_ library: String, _ problem: SensorError, at now: Int64) {
    let notBefore = now + SensorHostLimits.absentSeconds * 1_000_000_000
    entries.withLock { entries in
      let hanging = entries[library]?.hanging
      entries[library] = Entry(notBefore: notBefore, problem: problem, hanging: hanging)
    }
  }

  /// Failures are forgotten once it worked for as long as the longest wait.
  func answered(_ library: String, at now: Int64) {
    entries.withLock { entries in
      guard var entry = entries[library], entry.failuresInRow > 0 else { return }
      let since = entry.wellSince ?? now
      entry.wellSince = since
      if now - since >= SensorHostLimits.restartSeconds.upperBound * 1_000_000_000 { entry.failuresInRow = 0 }
      entries[library] = entry
    }
  }
}
