import Foundation

/// A program that the test started: its output goes to files, and it never outlives its reference.
final class ChildProcess {
  /// The program could not be started or used.
  struct Failure: Error, CustomStringConvertible {
    var description: String
  }

  /// How it ended.
  enum End: Equatable {
    case exited(Int32)
    case signalled(Int32)
  }

  let process: Process
  private let outputPath: String
  private let errorPath: String

  /// Starts it. Output and errors are appended to `<name>.out` and `<name>.err` in the folder.
  init(
    _ program: String, _ arguments: [String], name: String, in folder: TemporaryFolder, environment: [String: String] = [:]
  ) throws {
    outputPath = folder.path(of: name + ".out")
    errorPath = folder.path(of: name + ".err")
    process = Process()
    process.executableURL = URL(fileURLWithPath: try ChildProcess.find(program))
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    process.standardInput = FileHandle.nullDevice
    let (output, errors) = (try ChildProcess.append(to: outputPath), try ChildProcess.append(to: errorPath))
    process.standardOutput = output
    process.standardError = errors
    try ChildProcess.withSignalsUnblocked { try process.run() }
    // The child has its own; Foundation would keep ours open, and reads past a buffer once there are over a thousand.
    try output.close()
    try errors.close()
  }

  deinit { kill() }

  var pid: Int32 { process.processIdentifier }
  var isRunning: Bool { process.isRunning }

  /// Everything that it has written to its standard output so far, with that of earlier runs of its name.
  var output: String { ChildProcess.text(outputPath) }
  /// The same of its standard error.
  var errors: String { ChildProcess.text(errorPath) }

  /// Sends a signal, if it still runs.
  func signal(_ number: Int32) {
    if process.isRunning { Foundation.kill(pid, number) }
  }

  /// Waits for its end; nil when it still runs after so many seconds.
  func waitForExit(within seconds: Double) -> End? {
    guard holdsEventually(timeout: seconds, { !process.isRunning }) else { return nil }
    return process.terminationReason == .exit ? .exited(process.terminationStatus) : .signalled(process.terminationStatus)
  }

  /// Asks it to end, and answers how it did; nil when it had to be killed after so many seconds.
  @discardableResult
  func terminate(within seconds: Double = 5) -> End? {
    signal(SIGTERM)
    if let end = waitForExit(within: seconds) { return end }
    kill()
    return nil
  }

  /// SIGKILL, as a power cut would be for this process.
  func kill() {
    guard process.isRunning else { return }
    signal(SIGKILL)
    _ = waitForExit(within: 10)
  }

  /// Starts a program, waits for its end and answers how it ended and what it wrote.
  static func run(
    _ program: String, _ arguments: [String], in folder: TemporaryFolder, environment: [String: String] = [:],
    within seconds: Double = 30
  ) throws -> (end: End, output: String, errors: String) {
    let name = "run-" + UUID().uuidString.prefix(8)
    let child = try ChildProcess(program, arguments, name: name, in: folder, environment: environment)
    guard let end = child.waitForExit(within: seconds) else {
      throw Failure(description: "\(program) did not end within \(seconds) s: \(child.errors)")
    }
    return (end, child.output, child.errors)
  }

  /// The threads that run tests block signals, and a child inherits what its parent's thread blocks.
  private static func withSignalsUnblocked(_ body: () throws -> Void) rethrows {
    var none = sigset_t()
    var before = sigset_t()
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    try body()
  }

  private static func find(_ program: String) throws -> String {
    if program.contains("/") { return program }
    let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
    let folders = path.split(separator: ":").map(String.init) + ["/usr/sbin", "/sbin", "/usr/local/sbin"]
    for folder in folders where FileManager.default.isExecutableFile(atPath: folder + "/" + program) {
      return folder + "/" + program
    }
    throw Failure(description: "\(program) is not installed; `make test` installs it")
  }

  private static func append(to path: String) throws -> FileHandle {
    if !FileManager.default.fileExists(atPath: path) { try Data().write(to: URL(fileURLWithPath: path)) }
    guard let handle = FileHandle(forWritingAtPath: path) else { throw Failure(description: "\(path) cannot be written") }
    try handle.seekToEnd()
    return handle
  }

  private static func text(_ path: String) -> String {
    FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) } ?? ""
  }
}
