import Platform
import Profile
import Sensors
import Synchronization
import Telemetry

/// A sensor that may block: sampled on a thread of its own. The tick asks for a sample and takes the newest one that is ready. A
/// sample past its deadline is given up with its thread, and the sensor is made anew on another after a while.
final class SlowLane: SensorLane {
  let profile: SensorProfile
  private(set) var readings = Readings()
  let isStaggered = true
  private let yields: Bool
  private let make: SensorMaker
  private let context: SensorContext
  private let clock: any Clock
  private var worker: SlowWorker?
  private var abandoned: [SlowWorker] = []
  private var askedAt: Int64?
  private var restart = SensorRestart()

  init(_ make: @escaping SensorMaker, _ kind: SensorKind, profile: SensorProfile, context: SensorContext, clock: any Clock) {
    self.make = make
    yields = !kind.timesAnswers
    self.profile = profile
    self.context = context
    self.clock = clock
  }

  func tick(now: Int64, isDue: Bool) -> LaneReport {
    var report = LaneReport()
    if let result = worker?.takeResult() { report = accept(result, now) }
    if let askedAt, now - askedAt > Int64(profile.deadlineMilliseconds) * 1_000_000 { report = abandon(now) }
    let (isFree, isResting) = (askedAt == nil, now < restart.notBefore)
    if isDue, isFree, !isResting { ask(now, &report) }
    report.isAsked = isFree && askedAt != nil
    report.isWaiting = askedAt != nil
    report.restsUntil = restart.notBefore
    report.isOwed = isDue && isFree && isResting
    return report
  }

  /// Absent hardware is looked for by a new thread, which costs the tick some dozens of microseconds: not all of it in the same tick.
  private var stagger: Int64 { Int64(keyHash(profile.kind) % AgentLimits.absentStaggerSeconds) * 1_000_000_000 }

  func stop() {
    worker?.retire()
    worker = nil
  }

  private func ask(_ now: Int64, _ report: inout LaneReport) {
    if worker == nil {
      abandoned.removeAll { $0.hasEnded }
      guard abandoned.count < AgentLimits.abandonedThreads else {
        report.outcome = .timedOut
        report.problem = "\(abandoned.count) threads of this sensor hang; no more are started until one returns"
        restart.failed(at: now)
        return
      }
      // It goes on with the series that there were: each keeps its slot, by which the supervisor knows it.
      worker = SlowWorker(make, profile: profile, context: context, clock: clock, yields: yields, readings: readings)
    }
    guard worker != nil else {
      report.outcome = .failed
      report.problem = "the kernel gives no thread"
      restart.failed(at: now)
      return
    }
    askedAt = now
  }

  func begin() { worker?.ask() }

  private func accept(_ result: SlowWorker.Result, _ now: Int64) -> LaneReport {
    askedAt = nil
    var report = LaneReport()
    report.sampledNanoseconds = result.begunNanoseconds
    report.durationNanoseconds = result.durationNanoseconds
    switch result.error {
    case nil:
      readings = result.readings
      report.hasValues = true
      report.outcome = readings.problem == nil ? .ok : .partial
      report.problem = readings.problemText
      restart.succeeded()
    case .absent(let what):
      // What is not there costs no thread until it is looked for again.
      stop()
      report.outcome = .absent
      report.problem = "absent: \(what)"
      restart.absent(at: now + stagger)
    case let error?:
      report.outcome = .failed
      report.problem = "\(error)"
      restart.failed(at: now)
    }
    return report
  }

  private func abandon(_ now: Int64) -> LaneReport {
    askedAt = nil
    if let worker {
      worker.retire()
      abandoned.append(worker)
    }
    worker = nil
    restart.failed(at: now)
    var report = LaneReport()
    report.outcome = .timedOut
    report.problem = "no answer within \(Quantity.duration(profile.deadlineMilliseconds)); its thread was given up"
    return report
  }
}

/// The thread of a slow sensor. The sensor lives and dies on it.
final class SlowWorker: Sendable {
  struct Result: Sendable {
    var readings: Readings
    var error: SensorError?
    var begunNanoseconds: Int64
    var durationNanoseconds: Int64
  }

  private let bell = Bell()
  private let isRetired = Atomic<Bool>(false)
  private let ended = Atomic<Bool>(false)
  private let result = Mutex<Result?>(nil)

  /// Nil when the kernel gives no thread.
  init?(
    _ make: @escaping SensorMaker, profile: SensorProfile, context: SensorContext, clock: any Clock, yields: Bool,
    readings: Readings
  ) {
    let settings = profile.settings
    let started = Thread.start(name: "sensor-\(profile.kind)") { [self] in
      // Long walks through /proc are in nobody's hurry.
      if yields { Thread.yieldToOthers() }
      work(make, settings: settings, context: context, clock: clock, readings)
      ended.store(true, ordering: .releasing)
    }
    if !started { return nil }
  }

  /// Whether the thread is gone.
  var hasEnded: Bool { ended.load(ordering: .acquiring) }

  func ask() { bell.ring() }

  func takeResult() -> Result? {
    result.withLock { result in
      defer { result = nil }
      return result
    }
  }

  /// The thread ends as soon as it can.
  func retire() {
    isRetired.store(true, ordering: .releasing)
    bell.ring()
  }

  private func work(_ make: SensorMaker, settings: Settings, context: SensorContext, clock: any Clock, _ readings: Readings) {
    var readings = readings
    var sensor: (any Sensor)?
    while true {
      ProcessMemory.releaseStack()
      _ = Poll.wait([(bell.descriptor, .readable)], milliseconds: -1)
      bell.silence()
      if isRetired.load(ordering: .acquiring) { return }
      let begun = clock.bootNanoseconds()
      readings.begin(nanoseconds: begun)
      var failure: SensorError?
      do throws(SensorError) {
        if sensor == nil { sensor = try make(context, settings, &readings) }
        try sensor?.sample(into: &readings)
      } catch {
        sensor = nil
        failure = error
      }
      let done = Result(
        readings: readings, error: failure, begunNanoseconds: begun, durationNanoseconds: clock.bootNanoseconds() - begun)
      result.withLock { $0 = done }
    }
  }
}
