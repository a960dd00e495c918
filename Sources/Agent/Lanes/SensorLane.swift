import Platform
import Profile
import Sensors
import Telemetry

/// Makes a sensor, on the thread that will sample it.
typealias SensorMaker = @Sendable (SensorContext, Settings, inout Readings) throws(SensorError) -> any Sensor

/// How long a sensor that failed or was absent waits before it is made anew, in CLOCK_BOOTTIME nanoseconds.
struct SensorRestart {
  private(set) var failuresInRow = 0
  private(set) var notBefore: Int64 = .min

  mutating func absent(at now: Int64) { notBefore = now + AgentLimits.absentRetrySeconds * 1_000_000_000 }

  mutating func failed(at now: Int64) {
    let seconds = min(AgentLimits.failedRetrySeconds, Int64(1) << min(failuresInRow, 20))
    failuresInRow += 1
    notBefore = now + seconds * 1_000_000_000
  }

  mutating func succeeded() {
    failuresInRow = 0
    notBefore = .min
  }
}

/// What a lane gives the tick.
struct LaneReport {
  /// The sample's values go into the tick.
  var hasValues = false
  /// How the last sample ended; nil when none ended since the last tick.
  var outcome: SensorOutcome?
  /// The problem to log and show.
  var problem: String?
  /// The parts of it that cost single values, to log one by one, and how many there are with those that are not named.
  var problems: [SensorError] = []
  var problemCount = 0
  /// What it left alone, see `Readings.passedOver`.
  var passedOver = 0

  /// Takes what a sample says that has values.
  mutating func take(_ readings: Readings) {
    hasValues = true
    outcome = readings.problem == nil ? .ok : .partial
    problem = readings.problemText
    (problems, problemCount) = (readings.problems, readings.problemCount)
    passedOver = readings.passedOver
  }
  var durationNanoseconds: Int64 = 0
  /// When the sample was begun.
  var sampledNanoseconds: Int64 = 0
  /// `begin` is to be called when all else of the tick is done.
  var isAsked = false
  /// It wants to be called at the next tick too, though no sample be due.
  var isWaiting = false
  /// It need not be called before this: CLOCK_BOOTTIME nanoseconds.
  var restsUntil: Int64 = .min
  /// A sample was due and could not be begun: it is, after the rest.
  var isOwed = false

  /// The sensor's word on what is there: with how many problems it looked, what it left alone among them, `Int.max` when it failed; nil when
  /// it did not look. Hardware that is absent as a whole is an answer too.
  var answer: Int? { hasValues ? problemCount + passedOver : outcome == .absent ? 0 : outcome == nil ? nil : .max }
}

/// One sensor on its way through the ticks.
protocol SensorLane: AnyObject {
  var profile: SensorProfile { get }
  /// The series and newest values; valid after `tick` said `hasValues`.
  var readings: Readings { get }
  /// Whether its samples keep away from the ticks of others.
  var isStaggered: Bool { get }
  /// Called when the sensor's own interval is up (`isDue`), or the last call asked for it.
  func tick(now: Int64, isDue: Bool) -> LaneReport
  /// Starts the sample that `tick` asked for.
  func begin()
  /// The sensor is no longer wanted.
  func stop()
}

/// A sensor that is read inside the tick.
final class FastLane: SensorLane {
  let profile: SensorProfile
  private(set) var readings = Readings()
  let isStaggered = false
  private let make: SensorMaker
  private let context: SensorContext
  private let clock: any Clock
  private var sensor: (any Sensor)?
  private var restart = SensorRestart()

  init(_ make: @escaping SensorMaker, profile: SensorProfile, context: SensorContext, clock: any Clock) {
    self.make = make
    self.profile = profile
    self.context = context
    self.clock = clock
  }

  func tick(now: Int64, isDue: Bool) -> LaneReport {
    var report = LaneReport()
    guard isDue else { return report }
    let begun = clock.bootNanoseconds()
    readings.begin(nanoseconds: begun)
    do throws(SensorError) {
      if sensor == nil { sensor = try make(context, profile.settings, &readings) }
      try sensor?.sample(into: &readings)
      restart.succeeded()
      report.take(readings)
    } catch {
      sensor = nil
      report.problem = "\(error)"
      if case .absent = error {
        report.outcome = .absent
        restart.absent(at: now)
      } else {
        report.outcome = .failed
        restart.failed(at: now)
      }
    }
    report.sampledNanoseconds = begun
    report.durationNanoseconds = clock.bootNanoseconds() - begun
    report.restsUntil = restart.notBefore
    return report
  }

  /// What is read inside the tick is read by then.
  func begin() {}

  func stop() { sensor = nil }
}
