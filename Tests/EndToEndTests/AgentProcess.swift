import Foundation

/// The real agent, `godwitd --profile FILE`, in a folder of the test's.
final class AgentProcess {
  let folder: TemporaryFolder
  let profilePath: String
  private let environment: [String: String]
  private let launcher: [String]
  private var child: ChildProcess

  /// Writes the profile to `profile.yaml` in the folder and starts the agent on it. A `launcher` is a program with arguments that
  /// becomes the program whose path follows, such as setpriv(1); the agent itself unless given.
  init(
    profile: String, in folder: TemporaryFolder, environment: [String: String] = [:], launcher: [String]? = nil
  ) throws {
    self.folder = folder
    self.environment = environment
    self.launcher = launcher ?? [AgentProcess.program("godwitd")]
    profilePath = try folder.write("profile.yaml", profile)
    child = try AgentProcess.start(self.launcher, profilePath, in: folder, environment: environment)
  }

  deinit { child.kill() }

  var pid: Int32 { child.pid }
  var isRunning: Bool { child.isRunning }
  /// What it wrote to its standard output, over all starts.
  var output: String { child.output }
  /// What it wrote to its standard error (its log), over all starts.
  var log: String { child.errors }

  /// Starts it again after it ended, on the profile as the file is now.
  func start() throws {
    guard !isRunning else { return }
    child = try AgentProcess.start(launcher, profilePath, in: folder, environment: environment)
  }

  /// Replaces the profile and asks for a reload (SIGHUP).
  func reload(profile: String) throws {
    try folder.write("profile.yaml", profile)
    child.signal(SIGHUP)
  }

  /// SIGTERM; how it ended, or nil when it had to be killed after so many seconds.
  @discardableResult
  func terminate(within seconds: Double = 5) -> ChildProcess.End? { child.terminate(within: seconds) }

  /// SIGKILL.
  func kill() { child.kill() }

  /// How it ended; nil when it still runs after so many seconds.
  func waitForExit(within seconds: Double) -> ChildProcess.End? { child.waitForExit(within: seconds) }

  /// A program of this build: those in the folder `GODWIT_BIN` names, else beside the test bundle.
  static func program(_ name: String) -> String {
    if let folder = ProcessInfo.processInfo.environment["GODWIT_BIN"] { return folder + "/" + name }
    return builtBeside(name)
  }

  /// A program of this build that is no part of what is shipped.
  static func builtBeside(_ name: String) -> String {
    var root = URL(fileURLWithPath: #filePath)
    for _ in 0..<3 { root.deleteLastPathComponent() }
    return root.appendingPathComponent(".build/debug/" + name).path
  }

  private static func start(
    _ launcher: [String], _ profile: String, in folder: TemporaryFolder, environment: [String: String]
  ) throws -> ChildProcess {
    try ChildProcess(
      launcher[0], launcher.dropFirst() + ["--profile", profile], name: "godwitd", in: folder, environment: environment)
  }
}
