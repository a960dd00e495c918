import CLinux
import Glibc
import Synchronization

/// Runs a program to its end, within bounds of time and output. Blocks: for threads that may.
///
/// The program has a process group of its own, `/` as its directory, nothing on its standard input, a fixed environment and none of this
/// process's other descriptors. It ends with this process at the latest. What it started and left in its group is killed with its end; what
/// made itself a session of its own is not.
public enum Subprocess {
  /// How a program ended.
  public enum End: Hashable, Sendable {
    /// With a status.
    case exited(Int32)
    /// By a signal.
    case signalled(Int32)
    /// It took too long and was killed.
    case timedOut
  }

  /// What became of a program.
  public struct Outcome: Hashable, Sendable {
    /// How it ended.
    public let end: End
    /// What it wrote to its standard output, at most as much as was asked for.
    public let output: [UInt8]
    /// The same of its standard error.
    public let errors: [UInt8]
    /// Whether there was more of either.
    public let isCut: Bool

    /// The first line of its standard error for people: at most 200 bytes, without control characters.
    public var complaint: String {
      let line = errors.prefix(200).drop { $0 == 0x20 || $0 == 0x09 }.prefix { $0 != 0x0A && $0 != 0x0D }
      return String(decoding: line.map { $0 < 0x20 || $0 == 0x7F ? 0x20 : $0 }, as: UTF8.self)
    }
  }

  /// Runs the program at a path; no shell looks at the arguments.
  ///
  /// One that is killed and does not die, for it hangs in a driver, is left to the kernel: until it is gone the same command is `hangs`, and
  /// so is any when too many hang. Else each run would leave one more.
  ///
  /// - Parameters:
  ///   - timeoutMilliseconds: after which it is killed with its group.
  ///   - outputBytes: kept of its output, and as many of its errors; the rest is read and dropped, so that it does not wait for a reader.
  public static func run(
    _ path: String, _ arguments: [String], timeoutMilliseconds: Int, outputBytes: Int
  ) throws(SubprocessFailure) -> Outcome {
    let deadline = SystemClock.bootMilliseconds + Int64(timeoutMilliseconds)
    let command = [path] + arguments
    guard !isHanging(command) else { throw .hangs(path) }
    var output = try Stream(limit: outputBytes)
    defer { output.close() }
    var errors = try Stream(limit: outputBytes)
    defer { errors.close() }
    let process = try ChildStart.start(path, arguments, .init(output: output.writer, error: errors.writer))
    _ = endsWithThisProcess
    running.withLock { $0.append(process) }
    yieldMemory(process)
    output.closeWriter()
    errors.closeWriter()
    let descriptor = godwit_process_descriptor(process)
    defer { if descriptor >= 0 { close(descriptor) } }

    var isKilled = false
    var limit = deadline
    while true {
      var status: Int32 = 0
      let reaped = reap(process, &status)
      if reaped != 0 {
        // What it wrote before its end lies in the pipes.
        output.drain()
        errors.drain()
        let end: End = isKilled ? .timedOut : reaped > 0 ? Self.end(status) : .exited(-1)
        return Outcome(end: end, output: output.bytes, errors: errors.bytes, isCut: output.isCut || errors.isCut)
      }
      let left = limit - SystemClock.bootMilliseconds
      if left <= 0 {
        if isKilled {
          running.withLock { $0.removeAll { $0 == process } }
          hanging.withLock { $0.append((process, command)) }
          return Outcome(end: .timedOut, output: output.bytes, errors: errors.bytes, isCut: true)
        }
        kill(-process, SIGKILL)
        isKilled = true
        limit = SystemClock.bootMilliseconds + PlatformLimits.subprocessKillMilliseconds
        continue
      }
      // Without a descriptor of the process its end is looked for now and then.
      let pause = descriptor >= 0 ? left : min(left, PlatformLimits.subprocessPollMilliseconds)
      let ready = Poll.wait(
        [(output.reader, .readable), (errors.reader, .readable), (descriptor, .readable)], milliseconds: Int(pause))
      if !ready[0].isEmpty { output.drain() }
      if !ready[1].isEmpty { errors.drain() }
    }
  }

  /// Those that are waited for.
  private static let running = Mutex<[Int32]>([])

  /// Nobody would look at their deadline any more.
  private static let endsWithThisProcess = atexit { Subprocess.endRunning() }

  /// Kills the groups of those that run now and that `isWanted`.
  static func endRunning(where isWanted: (Int32) -> Bool = { _ in true }) {
    running.withLock { running in
      for process in running where isWanted(process) { kill(-process, SIGKILL) }
    }
  }

  /// Within the lock: once it is reaped its number may be another's.
  private static func reap(_ process: Int32, _ status: inout Int32) -> Int32 {
    running.withLock { running in
      let reaped = godwit_reap(process, &status)
      if reaped != 0 { running.removeAll { $0 == process } }
      return reaped
    }
  }

  /// When memory runs out it goes before this process, however small it is (proc_pid_oom_score_adj(5)).
  private static func yieldMemory(_ process: Int32) {
    let file = open("/proc/\(process)/oom_score_adj", O_WRONLY | O_CLOEXEC)
    guard file >= 0 else { return }
    _ = write(file, "500", 3)
    close(file)
  }

  /// What was killed and not reaped yet.
  private static let hanging = Mutex<[(process: Int32, command: [String])]>([])

  /// Reaps those that are gone, then looks whether the command is among the others.
  private static func isHanging(_ command: [String]) -> Bool {
    hanging.withLock { hanging in
      var status: Int32 = 0
      hanging.removeAll { godwit_reap($0.process, &status) != 0 }
      return hanging.count >= PlatformLimits.hangingSubprocesses || hanging.contains { $0.command == command }
    }
  }

  /// Macros of wait(2), which Swift does not see.
  private static func end(_ status: Int32) -> End {
    status & 0x7F == 0 ? .exited((status >> 8) & 0xFF) : .signalled(status & 0x7F)
  }

  /// One of the child's outputs.
  private struct Stream {
    private(set) var reader: Int32 = -1
    private(set) var writer: Int32 = -1
    private(set) var bytes: [UInt8] = []
    private(set) var isCut = false
    private let limit: Int

    init(limit: Int) throws(SubprocessFailure) {
      self.limit = limit
      var ends: [Int32] = [-1, -1]
      let result = godwit_pipe(&ends)
      guard result == 0 else { throw .io(call: "pipe2", errno: -result) }
      (reader, writer) = (ends[0], ends[1])
      _ = fcntl(reader, F_SETFL, O_NONBLOCK)
    }

    mutating func closeWriter() {
      if writer >= 0 { _ = Glibc.close(writer) }
      writer = -1
    }

    mutating func close() {
      closeWriter()
      if reader >= 0 { _ = Glibc.close(reader) }
      reader = -1
    }

    /// Takes what is there now. At its end it is not polled any more.
    mutating func drain() {
      var piece = [UInt8](repeating: 0, count: 16_384)
      // Somebody who writes without end must not keep the deadline from being looked at.
      for _ in 0..<64 where reader >= 0 {
        let count = read(reader, &piece, piece.count)
        if count < 0, errno == EINTR { continue }
        if count < 0, errno == EAGAIN { return }
        guard count > 0 else { return close() }
        let kept = min(count, limit - bytes.count)
        bytes += piece[0..<kept]
        if kept < count { isCut = true }
      }
    }
  }
}
