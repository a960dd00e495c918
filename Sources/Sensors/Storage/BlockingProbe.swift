import Platform
import Synchronization
import Telemetry

/// Asks what may never answer, such as NFS of a server that is gone or a disk that hangs: each on a thread of its own, and never twice at a time.
///
/// A thread that hangs in the kernel cannot be ended. So it is left there, known by its path for the life of the process, and nothing more is
/// asked there until it comes back.
final class BlockingProbe: Sendable {
  /// What came of asking.
  struct Answer: Sendable {
    /// How long it took, milliseconds.
    var milliseconds: Double
    /// Nil when it answered; for a file system a stale handle (ESTALE) or an error of the server else.
    var error: SensorError?
  }

  private enum State {
    case idle
    case asking
    case answered(Answer)
  }

  /// All probes of this process, by tree and path: a sensor that is made anew takes up those of the one before.
  private static let known = Mutex<[String: BlockingProbe]>([:])
  /// Probes at a time, and so threads: what is beyond that is not asked.
  static let most = 16

  private let state = Mutex(State.idle)
  private let bell: Bell

  private init() { bell = Bell() }

  /// The probe of a mount or disk, new or known; nil when there are too many.
  static func of(_ path: String, on host: Host) -> BlockingProbe? {
    known.withLock { known in
      if let probe = known[host.root + path] { return probe }
      // Those that rest can be made again at any time.
      if known.count >= most { known = known.filter { $0.value.isAsking } }
      guard known.count < most else { return nil }
      let probe = BlockingProbe()
      known[host.root + path] = probe
      return probe
    }
  }

  private var isAsking: Bool {
    state.withLock { state in
      if case .asking = state { return true }
      return false
    }
  }

  /// How many are asking now, in the whole process.
  static var asking: Int { known.withLock { $0.values.count { $0.isAsking } } }

  /// Asks, unless the last question is still open. `question` gives the nanoseconds that it took itself, if it knows better.
  func ask(clock: any Clock, _ question: @escaping @Sendable () throws(SensorError) -> Int64?) {
    let begins = state.withLock { state in
      if case .asking = state { return false }
      state = .asking
      // For an answer that nobody took.
      bell.silence()
      return true
    }
    guard begins else { return }
    let started = Thread.start(name: "probe") { [self] in
      let begun = clock.bootNanoseconds()
      var failure: SensorError?
      var nanoseconds: Int64?
      do throws(SensorError) {
        nanoseconds = try question()
      } catch {
        failure = error
      }
      let took = Double(nanoseconds ?? clock.bootNanoseconds() - begun) / 1e6
      let answer = Answer(milliseconds: took, error: failure)
      // Within the lock: the bell is silenced there too.
      state.withLock { state in
        state = .answered(answer)
        bell.ring()
      }
    }
    if !started { state.withLock { $0 = .idle } }
  }

  /// The answer, waited for until a time of CLOCK_BOOTTIME in milliseconds; nil when there is none yet.
  func answer(until end: Int64) -> Answer? {
    while true {
      if let answer = takeAnswer() { return answer }
      let left = end - SystemClock.bootMilliseconds
      guard left > 0, isOpen else { return nil }
      _ = Poll.wait([(bell.descriptor, .readable)], milliseconds: Int(left))
    }
  }

  /// Whether an answer is there, or may still come.
  var isOpen: Bool {
    state.withLock { state in
      if case .idle = state { return false }
      return true
    }
  }

  private func takeAnswer() -> Answer? {
    state.withLock { state in
      guard case .answered(let answer) = state else { return nil }
      state = .idle
      bell.silence()
      return answer
    }
  }
}
