import Platform
import Synchronization
import Telemetry

/// How to read what a program writes.
enum ExecFormat: String, CaseIterable {
  case json
  case keyValue = "key_value"
  case openmetrics
  case nagios

  func samples(_ bytes: [UInt8]) throws(CustomFault) -> [CustomSample] {
    switch self {
    case .json: try JSONNumbers.samples(bytes)
    case .keyValue: try KeyValueText.samples(bytes)
    case .openmetrics: try OpenMetricsText.samples(bytes)
    case .nagios: try NagiosAnswer.samples(bytes)
    }
  }
}

/// One program: when it is due, its run on a thread of its own, and what it said last.
struct ExecCommand {
  private let path: String
  private let arguments: [String]
  private let format: ExecFormat
  private let everyNanoseconds: Int64
  private let timeoutMilliseconds: Int
  private let outputBytes: Int
  private var source: CustomSource
  private var run: ExecRun?
  private var begun: Int64 = .min
  private var due: Int64 = .min
  /// Whether it is to be started.
  private(set) var isWaiting = false

  init(_ settings: Settings) {
    let command = settings.list("command")
    path = command.first ?? ""
    arguments = Array(command.dropFirst())
    format = ExecFormat(rawValue: settings.text("format")) ?? .json
    let every = settings.milliseconds("every")
    everyNanoseconds = Int64(every) * 1_000_000
    timeoutMilliseconds = settings.milliseconds("timeout")
    outputBytes = settings.bytes("max_output")
    let name = settings.text("name")
    source = CustomSource(
      kind: "exec", source: name, prefix: "\(name)_", settings: settings,
      staleMilliseconds: settings.isSet("stale_after") ? settings.milliseconds("stale_after") : 3 * every,
      more: Self.implied(settings))
  }

  /// What a program's metrics are besides those that are stated: a plug-in's status.
  static func implied(_ settings: Settings) -> [String: Metric] {
    guard settings.text("format") == ExecFormat.nagios.rawValue else { return [:] }
    return [
      NagiosAnswer.status: Metric(
        "custom.\(settings.text("name"))_status", unit: .none,
        help: "What a plug-in says: 0 all is well, 1 warning, 2 critical, 3 unknown.")
    ]
  }

  /// Whether its program has not ended yet.
  var isRunning: Bool { run != nil }

  /// Makes it wait for its turn when its time has come. A run that takes longer than the pace costs the runs between.
  mutating func look(at now: Int64) {
    guard now >= due, run == nil else { return }
    isWaiting = true
    begun = now
    // On the grid of its pace, and not behind by what was missed.
    due = due == .min || now - due >= everyNanoseconds ? now + everyNanoseconds : due + everyNanoseconds
  }

  /// Runs the program on a thread, which rings when it has ended.
  mutating func start(_ calls: any HostCalls, _ bell: Bell) {
    isWaiting = false
    let run = ExecRun()
    let (path, arguments, timeout, limit) = (path, arguments, timeoutMilliseconds, outputBytes)
    let started = Thread.start(name: "exec") {
      run.end(with: Self.outcome(calls, path, arguments, timeout, limit))
      bell.ring()
    }
    if started { self.run = run } else { source.fault = .notRun("the kernel gives no thread") }
  }

  private static func outcome(
    _ calls: any HostCalls, _ path: String, _ arguments: [String], _ timeout: Int, _ limit: Int
  ) -> Result<Subprocess.Outcome, SubprocessFailure> {
    do throws(SubprocessFailure) {
      return .success(try calls.run(path, arguments, timeoutMilliseconds: timeout, outputBytes: limit))
    } catch {
      return .failure(error)
    }
  }

  /// Takes what the program wrote, if it has ended.
  mutating func finish(into readings: inout Readings) {
    guard let outcome = run?.outcome else { return }
    run = nil
    // Its prefix keeps its series apart from those of others.
    var taken: Set<Slot> = []
    do throws(CustomFault) {
      source.take(try samples(outcome), at: begun, besides: &taken, into: &readings)
    } catch {
      source.fault = error
    }
  }

  mutating func report(into readings: inout Readings) { source.report(into: &readings) }

  private func samples(_ outcome: Result<Subprocess.Outcome, SubprocessFailure>) throws(CustomFault) -> [CustomSample] {
    switch outcome {
    case .failure(let failure): throw .notRun("\(failure)")
    case .success(let outcome):
      guard outcome.end != .timedOut else { throw .timedOut(milliseconds: timeoutMilliseconds) }
      var more: [CustomSample] = []
      switch outcome.end {
      case .exited(let status) where format == .nagios && (0...3).contains(status):
        more = [CustomSample(name: NagiosAnswer.status, value: Double(status))]
      case .exited(0): break
      case .exited(let status): throw .exited(status, outcome.complaint)
      case .signalled(let signal): throw .signalled(signal)
      case .timedOut: break
      }
      guard !outcome.isCut else { throw .tooMuchOutput(bytes: outputBytes) }
      return more + (try format.samples(outcome.output))
    }
  }
}

/// What the thread of a run and the sensor share.
private final class ExecRun: Sendable {
  private let ended = Mutex<Result<Subprocess.Outcome, SubprocessFailure>?>(nil)

  /// Nil while the program runs.
  var outcome: Result<Subprocess.Outcome, SubprocessFailure>? { ended.withLock { $0 } }

  func end(with outcome: Result<Subprocess.Outcome, SubprocessFailure>) { ended.withLock { $0 = outcome } }
}
