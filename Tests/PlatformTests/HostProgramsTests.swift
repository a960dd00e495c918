import Foundation
import Telemetry
import Testing

@testable import Platform

/// One suite over programs that are run and programs whose answers are recorded.
@Suite struct HostProgramsTests {
  private static let recording = [
    "echo/one two": "one two\n", "sh/-c echo to a; echo to b >&2; exit 3": "to a\n",
    "sh/-c echo to a; echo to b >&2; exit 3.errors": "to b\n", "sh/-c echo to a; echo to b >&2; exit 3.end": "exited 3\n",
    "sh/-c kill -9 $$": "", "sh/-c kill -9 $$.end": "signalled 9\n", "sleep/600": "", "sleep/600.end": "timed-out\n",
    "ls/-d \\057": "/\n", "pwd/no arguments": "/\n",
  ]

  /// The calls under test, with what is to be removed.
  private static func calls(live: Bool) throws -> (calls: any HostCalls, root: URL?) {
    if live { return (LinuxCalls(), nil) }
    let root = FileManager.default.temporaryDirectory.appendingPathComponent("godwit-programs-\(UUID().uuidString)")
    for (name, text) in recording {
      let file = root.appendingPathComponent(".host/programs/\(name)")
      try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: file)
    }
    return (Host(root: root.path).calls, root)
  }

  @Test(arguments: [true, false])
  func aProgramsEndAndOutputsAreKnown(live: Bool) throws {
    let (calls, root) = try Self.calls(live: live)
    defer { root.map { try? FileManager.default.removeItem(at: $0) } }
    func run(_ path: String, _ arguments: [String], milliseconds: Int = 20_000, bytes: Int = 4096) throws -> Subprocess.Outcome {
      try calls.run(path, arguments, timeoutMilliseconds: milliseconds, outputBytes: bytes)
    }
    let echo = try run("/bin/echo", ["one", "two"])
    #expect(echo == Subprocess.Outcome(end: .exited(0), output: Array("one two\n".utf8), errors: [], isCut: false))
    let failed = try run("/bin/sh", ["-c", "echo to a; echo to b >&2; exit 3"])
    #expect(failed.end == .exited(3))
    #expect(failed.output == Array("to a\n".utf8) && failed.errors == Array("to b\n".utf8))
    #expect(try run("/bin/sh", ["-c", "kill -9 $$"]).end == .signalled(9))
    #expect(try run("/bin/sleep", ["600"], milliseconds: 50).end == .timedOut)
    #expect(try run("/bin/ls", ["-d", "/"]).output == Array("/\n".utf8))
    #expect(try run("/bin/pwd", []).output == Array("/\n".utf8))
    let cut = try run("/bin/echo", ["one", "two"], bytes: 3)
    #expect(cut.isCut && cut.output == Array("one".utf8))
    #expect(throws: SubprocessFailure.absent("/no/such/program")) { try run("/no/such/program", []) }
  }
}
