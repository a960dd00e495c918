import Buffer
import Platform

/// Says how monotonic time becomes wall time, in epochs. No I/O but the clock.
struct Timekeeper {
  /// Epochs of this boot that may still be corrected, oldest first; the last one is in force.
  private(set) var epochs: [Epoch] = []
  private let boot: String
  private var nextID: Int
  private var lastCheck: Int64 = .min
  private var isSynced = false
  private var opened = 0

  /// `earlier` are the epochs of this boot that an earlier run of the agent left in the buffer.
  init(boot: String, lastID: Int, earlier: [Epoch]) {
    self.boot = boot
    nextID = lastID + 1
    epochs = earlier.filter { $0.boot == boot }
    opened = epochs.count
  }

  /// The epoch in force.
  var current: Epoch? { epochs.last }

  /// Looks at the clocks before a tick with the number `sequence` is stamped.
  ///
  /// - Parameter due: CLOCK_BOOTTIME milliseconds that the tick will have: when it was due, which is before now. No tick of an epoch lies
  ///   before its begin.
  /// - Returns: epochs that are new or were corrected.
  mutating func observe(_ clock: any Clock, sequence: UInt64, due: Int64? = nil) -> [Epoch] {
    let now = clock.bootNanoseconds()
    if lastCheck == .min || now - lastCheck >= AgentLimits.clockCheckSeconds * 1_000_000_000 {
      lastCheck = now
      isSynced = clock.isSynchronized()
    }
    let offset = clock.wallMilliseconds() - now / 1_000_000
    let from = min(due ?? .max, now / 1_000_000)
    guard let epoch = epochs.last, isOfThisRun else { return [open(offset, from: from, sequence)] }
    if isSynced, !epoch.synced { return correct(steadyOffset(clock)) }
    guard abs(offset - epoch.offsetMilliseconds) > AgentLimits.clockStepMilliseconds else { return [] }
    let pause = opened < AgentLimits.epochsPerBoot ? 0 : AgentLimits.epochPauseMilliseconds
    guard now / 1_000_000 - epoch.fromMilliseconds >= pause else { return [] }
    let steady = steadyOffset(clock)
    guard abs(steady - epoch.offsetMilliseconds) > AgentLimits.clockStepMilliseconds else { return [] }
    // A step right after boot usually is the first synchronisation: ask at once rather than in some seconds.
    lastCheck = now
    isSynced = clock.isSynchronized()
    if isSynced, !epoch.synced { return correct(steady) }
    return [open(steady, from: from, sequence)]
  }

  /// Epochs of an earlier run are kept for correction only: this run opens its own.
  private var isOfThisRun: Bool { epochs.last.map { $0.id >= firstOfThisRun } ?? false }
  private var firstOfThisRun = Int.max

  private mutating func open(_ offset: Int64, from: Int64, _ sequence: UInt64) -> Epoch {
    let epoch = Epoch(
      id: nextID, boot: boot, firstSequence: sequence, fromMilliseconds: from, offsetMilliseconds: offset,
      synced: isSynced)
    if firstOfThisRun == .max { firstOfThisRun = nextID }
    nextID += 1
    opened += 1
    epochs.removeAll { $0.synced }
    epochs.append(epoch)
    return epoch
  }

  /// The clock became synchronised: what this boot stamped before gets the right wall time after the fact. Monotonic time runs on
  /// through all steps, so one offset is right for all of them.
  private mutating func correct(_ offset: Int64) -> [Epoch] {
    var changed: [Epoch] = []
    for index in epochs.indices where !epochs[index].synced {
      epochs[index].offsetMilliseconds = offset
      epochs[index].synced = true
      changed.append(epochs[index])
    }
    return changed
  }

  /// The offset from the tightest of three readings: being put to sleep between two clocks must not look like a step.
  private func steadyOffset(_ clock: any Clock) -> Int64 {
    var best = (width: Int64.max, offset: Int64(0))
    for _ in 0..<3 {
      let before = clock.bootNanoseconds()
      let wall = clock.wallMilliseconds()
      let after = clock.bootNanoseconds()
      if after - before < best.width { best = (after - before, wall - (before + (after - before) / 2) / 1_000_000) }
    }
    return best.offset
  }
}
