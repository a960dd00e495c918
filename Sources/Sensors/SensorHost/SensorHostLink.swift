import Platform
import Telemetry

/// A device library, called in a process of its own: `godwit sensor-host <library>`. One that hangs is killed, one that crashed is noticed at
/// once; both are started again after a while that doubles.
///
/// On a recorded device the answer is the file `/.host/sensor-host/<library>`, and no process is started.
final class SensorHostLink {
  /// The program that holds the libraries; it lies beside the agent.
  private static let program = "godwit"

  private let library: String
  private let path: String
  private let timeoutMilliseconds: Int
  private let history: SensorHostHistory
  private let recording: HostFile?
  private var process: AttachedProgram?

  /// Starts nothing yet. `path` is that of the library's file, empty for the one that the loader finds.
  init(library: String, path: String, timeoutMilliseconds: Int, context: SensorContext) {
    self.library = library
    self.path = path
    self.timeoutMilliseconds = timeoutMilliseconds
    history = context.hosts
    let host = context.host
    recording =
      host.root.isEmpty ? nil : host.file("/.host/sensor-host/\(library)", limit: SensorHostLimits.answerBytes)
  }

  deinit { endProcess() }

  /// The settings that every kind with a library has.
  static func settings(file: String, device: String) -> [SettingSpec] {
    [
      SettingSpec(
        "library", .text, default: "",
        help: "Path of \(file) where the loader does not find it by name; it is then loaded even without \(device)."),
      SettingSpec(
        "answer_within", .duration(100...60_000), default: "3s",
        help: "How long the library may take for a sample before its process is killed; less than `deadline`."),
    ]
  }

  /// Takes one sample.
  ///
  /// - Throws: `absent` when there is no device, driver or library; `device` when the library failed, hung or crashed, also while its process
  ///   is not started again yet.
  func sample(at now: Int64) throws(SensorError) -> LibraryAnswer {
    let answer = if let recording { try recorded(recording) } else { try live(at: now) }
    switch answer.outcome {
    case .read: return answer
    case .absent(let what):
      endProcess()
      history.absent(library, .absent(what), at: now)
      throw .absent(what)
    case .failed(let what):
      throw failure(what, at: now)
    }
  }

  private func recorded(_ file: HostFile) throws(SensorError) -> LibraryAnswer {
    let text: String
    do throws(SensorError) {
      text = try file.read { (text) throws(SensorError) in text.text { _ in false } }
    } catch {
      guard case .absent = error else { throw error }
      throw .absent("an answer of the library \(library) among what was recorded")
    }
    return try LibraryAnswer.decoded(Array(text.utf8), library: library)
  }

  private func live(at now: Int64) throws(SensorError) -> LibraryAnswer {
    if process == nil {
      if let obstacle = history.obstacle(library, at: now) { throw obstacle }
      process = try started(at: now)
    }
    guard let process else { throw .absent(Self.program) }
    do throws(SensorError) {
      let bytes = try process.ask(
        LibraryAnswer.request, last: LibraryAnswer.last, timeoutMilliseconds: timeoutMilliseconds,
        limit: SensorHostLimits.answerBytes)
      let answer = try LibraryAnswer.decoded(bytes, library: library)
      history.answered(library, at: now)
      return answer
    } catch {
      throw failure(reason(error, process), at: now)
    }
  }

  /// Swift's own account of a crash takes seconds, with the answer's deadline running; that a signal ended it is told at once.
  private static let environment = ["HAILORT_LOGGER_PATH=NONE", "SWIFT_BACKTRACE=enable=no"]

  /// Only what the libraries need of the agent's environment: the profile's secrets may be in the rest.
  private func started(at now: Int64) throws(SensorError) -> AttachedProgram {
    guard let program = Program.find(Self.program) else {
      let problem = SensorError.absent("the program \(Self.program) beside this one, which calls the library")
      history.absent(library, problem, at: now)
      throw problem
    }
    do throws(SensorError) {
      return try AttachedProgram(
        program, ["sensor-host", library] + (path.isEmpty ? [] : ["--library", path]),
        environment: Self.environment + Program.environment(["LD_LIBRARY_PATH"]))
    } catch {
      throw failure("its process cannot be started: \(error)", at: now)
    }
  }

  private func reason(_ error: SensorError, _ process: AttachedProgram) -> String {
    switch error {
    case .timedOut: return "no answer within \(Quantity.duration(timeoutMilliseconds)); its process was killed"
    case .absent:
      // It hung up: its end is a matter of microseconds.
      return process.awaitedEnd().map { "its process \($0)" } ?? "its process hung up"
    default: return "\(error)"
    }
  }

  /// One that hangs in the kernel cannot be ended: as long as it is there, no other is started.
  private func endProcess() {
    guard let process else { return }
    process.kill()
    if process.reaped() == nil { history.hangs(library, pid: process.pid) }
    self.process = nil
  }

  private func failure(_ what: String, at now: Int64) -> SensorError {
    endProcess()
    let problem = SensorError.device(library, what: what)
    history.failed(library, problem, at: now)
    return problem
  }
}
