import Foundation
import Testing

/// What keeps the agent from starting: a clear message and an exit status, before anything is touched.
@Suite struct BadStartTests {
  private func agent(_ arguments: String..., in folder: TemporaryFolder) throws -> (
    end: ChildProcess.End, output: String, errors: String
  ) {
    try ChildProcess.run(AgentProcess.program("godwitd"), arguments, in: folder)
  }

  @Test func aMissingProfileIsNamed() throws {
    let folder = try TemporaryFolder()
    let answer = try agent("--profile", folder.path(of: "none.yaml"), in: folder)
    #expect(answer.end == .exited(1))
    #expect(answer.errors.contains("none.yaml"))
    #expect(answer.errors.contains("No such file"))
  }

  @Test func anUnreadableProfileIsNamed() throws {
    let folder = try TemporaryFolder()
    // A directory can be opened by nobody as a file, whoever runs the test.
    let answer = try agent("--profile", folder.path, in: folder)
    #expect(answer.end == .exited(1))
    #expect(answer.errors.contains(folder.path))
    let device = try Device()
    try device.folder.write("profile.yaml", device.profile(.init()))
    chmod(device.profilePath, 0)
    guard let nobody = try Nobody.launcher(in: device.folder) else { return }
    let denied = try ChildProcess.run(nobody[0], nobody.dropFirst() + ["--profile", device.profilePath], in: device.folder)
    #expect(denied.end == .exited(1))
    #expect(denied.errors.contains("Permission denied"))
  }

  @Test func everythingThatIsWrongIsToldWithItsPlace() throws {
    let folder = try TemporaryFolder()
    let profile = """
      node: edge
      tick: soon
      sensors:
        cpuu:
        memory:
      alerts:
        - {name: hot, when: thermal.temprature_celsius > 80}
      buffer: {path: relative.db}
      """
    let path = try folder.write("profile.yaml", profile)
    let answer = try agent("--profile", path, in: folder)
    #expect(answer.end == .exited(1))
    let lines = answer.errors.split(separator: "\n").map(String.init)
    for place in ["2:7", "4:3", "7:23", "8:16"] {
      #expect(lines.contains { $0.contains("profile.yaml:\(place): error: ") }, "\(place) in \(answer.errors)")
    }
    #expect(answer.errors.contains("cpu"))
    // The command line says the same.
    let check = try ChildProcess.run(AgentProcess.program("godwit"), ["check", path], in: folder)
    #expect(check.end == .exited(1))
    #expect(check.errors == answer.errors)
    #expect(!FileManager.default.fileExists(atPath: folder.path(of: "relative.db")))
  }

  @Test(arguments: ["", "{", "- list", "\u{0}", "node: [", "tick: *x", "a: b: c", "\u{1B}[31m: 1", "sensors: {cpu: {cpu: {}}}"])
  func malformedProfilesAreRefused(_ text: String) throws {
    let folder = try TemporaryFolder()
    // An empty profile is a good one: everything has a default. It must not run here, where it would take the usual places.
    let path = try folder.write("profile.yaml", text.isEmpty ? "buffer: [" : text)
    let answer = try agent("--profile", path, in: folder)
    #expect(answer.end == .exited(1), "\(answer)")
    #expect(answer.errors.contains("profile.yaml:"))
    #expect(!answer.errors.contains("\u{1B}"))
  }

  @Test(arguments: [["--colour"], ["--profile"], ["extra"], ["--profile", "a.yaml", "-x"]])
  func unusableArgumentsExit2(_ arguments: [String]) throws {
    let folder = try TemporaryFolder()
    let answer = try ChildProcess.run(AgentProcess.program("godwitd"), arguments, in: folder)
    #expect(answer.end == .exited(2))
    #expect(answer.errors.contains("usage: godwitd"))
  }

  @Test func versionAndHelpAreTold() throws {
    let folder = try TemporaryFolder()
    let version = try agent("--version", in: folder)
    #expect(version.end == .exited(0))
    #expect(version.output.hasPrefix("godwitd "))
    let help = try agent("--help", in: folder)
    #expect(help.end == .exited(0))
    #expect(help.output.contains("--profile FILE"))
  }
}
