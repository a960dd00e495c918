import Platform
import Synchronization
import Telemetry

/// Probes the targets when it is their time: by a thread of its own, or for a recorded device as its time goes on. It ends when it is dropped.
final class LatencyEngine {
  /// What is known of one target.
  struct TargetState: Sendable {
    var sent: UInt64 = 0
    var lost: UInt64 = 0
    var last: ProbeAnswer?
    var window: LatencyWindow
    var path: PathTrace
    /// Why nothing can be sent along its path.
    var pathFault: String?
  }

  private let shared: Shared

  init(_ targets: [LatencyTarget], prober: any Prober, windowNanoseconds: Int64, at now: Int64) {
    var entries = targets.indices.map { (target: $0, isHop: false, interval: targets[$0].intervalNanoseconds) }
    for (index, target) in targets.enumerated() where target.isTraced {
      entries.append((target: index, isHop: true, interval: LatencyLimits.hopIntervalNanoseconds))
    }
    let states = targets.map { target in
      let probes = Int(windowNanoseconds / target.intervalNanoseconds) + 1
      return TargetState(
        window: LatencyWindow(capacity: min(probes, LatencyLimits.windowProbes), spanNanoseconds: windowNanoseconds),
        path: PathTrace(spanNanoseconds: windowNanoseconds))
    }
    shared = Shared(targets, prober, ProbeSchedule(entries, at: now), states)
  }

  deinit {
    shared.isStopping.store(true, ordering: .releasing)
    shared.bell.ring()
  }

  /// Starts threads, by name; false when the kernel gives none.
  typealias ThreadStarter = @Sendable (String, @escaping @Sendable () -> Void) -> Bool

  /// Has a thread do the work from now on.
  ///
  /// - Throws: when the kernel gives none.
  func start(by starter: @escaping ThreadStarter = { Thread.start(name: $0, $1) }) throws(SensorError) {
    let shared = shared
    guard starter("latency", { shared.run(starter) }) else { throw .device("latency", what: "there is no thread for it") }
  }

  /// Does all that is due by `now`, on this thread.
  func advance(to now: Int64) {
    var time = shared.work.withLock { $0.lastTime }
    // The schedule's own pace bounds how many there can be.
    while true {
      switch shared.work.withLock({ $0.schedule.step(at: time) }) {
      case .start(let index): shared.probe(index, at: time)
      case .wait(let until):
        guard let until, until <= now else {
          shared.work.withLock { $0.lastTime = now }
          return
        }
        time = until
      }
    }
  }

  /// What is known of all targets, in their order.
  var states: [TargetState] { shared.work.withLock { $0.states } }
}

/// What the threads and the sampling share.
private final class Shared: Sendable {
  struct Work: Sendable {
    var schedule: ProbeSchedule
    var states: [LatencyEngine.TargetState]
    var lastTime: Int64
  }

  let work: Mutex<Work>
  /// Wakes the thread: to stop, or because a probe has ended.
  let bell = Bell()
  let isStopping = Atomic(false)
  private let targets: [LatencyTarget]
  private let prober: any Prober

  init(
    _ targets: [LatencyTarget], _ prober: any Prober, _ schedule: ProbeSchedule, _ states: [LatencyEngine.TargetState]
  ) {
    self.targets = targets
    self.prober = prober
    work = Mutex(Work(schedule: schedule, states: states, lastTime: schedule.entries.first?.next ?? 0))
  }

  func run(_ starter: LatencyEngine.ThreadStarter) {
    while !isStopping.load(ordering: .acquiring) {
      let now = SystemClock.monotonicNanoseconds
      switch work.withLock({ $0.schedule.step(at: now) }) {
      case .start(let index):
        // Each waits on a thread of its own: one that is lost must not hold up the others.
        let isStarted = starter("probe") { [self] in
          probe(index, at: now)
          bell.ring()
        }
        if !isStarted { lose(index) }
      case .wait(let until):
        let milliseconds = until.map { Int(($0 - now) / 1_000_000) + 1 } ?? -1
        if Poll.wait([(bell.descriptor, .readable)], milliseconds: milliseconds).contains(where: { !$0.isEmpty }) {
          bell.silence()
        }
      }
    }
  }

  /// Nothing was sent: what the target said before must not stand as if it still did.
  private func lose(_ index: Int) {
    let fault = "the kernel gives no thread for a probe"
    work.withLock { work in
      work.schedule.end(index)
      let entry = work.schedule.entries[index]
      if entry.isHop {
        work.states[entry.target].pathFault = fault
      } else {
        work.states[entry.target].last = ProbeAnswer(fault: fault, isUnsent: true)
      }
    }
  }

  func probe(_ index: Int, at now: Int64) {
    let (entry, hops) = work.withLock { work in
      let entry = work.schedule.entries[index]
      return (entry, entry.isHop ? work.states[entry.target].path.next() : 0)
    }
    if entry.isHop {
      let answer = prober.probe(targets[entry.target], hops: hops)
      work.withLock { work in
        work.schedule.end(index)
        work.states[entry.target].path.take(answer, of: hops, at: now)
        if case .failed(let what) = answer {
          work.states[entry.target].pathFault = what
        } else {
          work.states[entry.target].pathFault = nil
        }
      }
      return
    }
    let answer = prober.probe(targets[entry.target])
    work.withLock { work in
      work.schedule.end(index)
      work.states[entry.target].last = answer
      guard !answer.isUnsent else { return }
      work.states[entry.target].sent += 1
      if answer.milliseconds == nil { work.states[entry.target].lost += 1 }
      work.states[entry.target].window.add(answer.milliseconds, at: now)
    }
  }
}
