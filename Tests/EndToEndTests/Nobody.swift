import Foundation

/// Running the agent or another program as the user `nobody`, which only root can do.
enum Nobody {
  /// The user and group id.
  static let id: UInt32 = 65_534

  /// What starts a program as nobody; nil, with a line that says why, where that cannot be done. The program is copied into the
  /// folder: the checkout may lie where only its owner comes.
  static func launcher(_ program: String = "godwitd", in folder: TemporaryFolder) throws -> [String]? {
    guard getuid() == 0 else {
      print("skipped: only root can run \(program) as another user")
      return nil
    }
    let copy = folder.path(of: program)
    if !FileManager.default.fileExists(atPath: copy) {
      try FileManager.default.copyItem(atPath: AgentProcess.program(program), toPath: copy)
    }
    chmod(folder.path, 0o755)
    chmod(copy, 0o755)
    let launcher = ["setpriv", "--reuid=\(id)", "--regid=\(id)", "--clear-groups", copy]
    let answer = try ChildProcess.run(launcher[0], launcher.dropFirst() + ["--version"], in: folder)
    guard answer.end == .exited(0) else {
      print("skipped: nobody cannot run this build here (\(answer.errors.prefix(200)))")
      return nil
    }
    return launcher
  }

  /// Makes a directory that belongs to nobody.
  static func own(_ path: String) throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    guard chown(path, id, id) == 0 else { throw ChildProcess.Failure(description: "chown \(path): errno \(errno)") }
  }
}
