import Foundation
import Platform
import Telemetry
import Testing

/// A program at the other end of a socket.
@Suite struct AttachedProgramTests {
  private static let last = Array("end\n".utf8)

  private static func shell(_ script: String) throws -> AttachedProgram {
    // The socket is the standard input only; what answers writes there.
    try AttachedProgram("/bin/sh", ["-c", script])
  }

  @Test func answersARequest() throws {
    let program = try Self.shell("read word; printf 'got %s\\nend\\n' \"$word\" >&0; read word")
    let answer = try program.ask(Array("hello\n".utf8), last: Self.last, timeoutMilliseconds: 10_000, limit: 100)
    #expect(String(decoding: answer, as: UTF8.self) == "got hello\nend\n")
    #expect(program.reaped() == nil)
  }

  @Test func aLineThatOnlyEndsLikeTheLastIsNotIt() throws {
    let program = try Self.shell("read word; printf 'trend\\n' >&0; printf 'end\\n' >&0; read word")
    let answer = try program.ask(Array("x\n".utf8), last: Self.last, timeoutMilliseconds: 10_000, limit: 100)
    #expect(String(decoding: answer, as: UTF8.self) == "trend\nend\n")
  }

  @Test func aSilentOneTimesOut() throws {
    let program = try Self.shell("read word; read word")
    #expect(throws: SensorError.timedOut) {
      try program.ask(Array("x\n".utf8), last: Self.last, timeoutMilliseconds: 50, limit: 100)
    }
    program.kill()
    #expect(program.reaped() == .signal(SIGKILL))
    #expect(AttachedProgram.isGone(program.pid))
  }

  @Test func oneThatTalksTooMuchIsCut() throws {
    let program = try Self.shell("read word; while :; do printf 'more\\n' >&0; done")
    #expect(throws: SensorError.malformed(path: "socket", what: "the answer is longer than 1000 bytes")) {
      try program.ask(Array("x\n".utf8), last: Self.last, timeoutMilliseconds: 10_000, limit: 1000)
    }
  }

  @Test(arguments: [("exit 3", AttachedProgram.End.exit(3)), ("kill -SEGV $$", .signal(SIGSEGV))])
  func oneThatEndsSaysHow(script: String, end: AttachedProgram.End) throws {
    let program = try Self.shell("read word; \(script)")
    #expect(throws: SensorError.absent("its end of the socket is closed")) {
      try program.ask(Array("x\n".utf8), last: Self.last, timeoutMilliseconds: 10_000, limit: 100)
    }
    #expect(program.awaitedEnd() == end)
  }

  @Test func whatItStartedEndsWithIt() throws {
    let program = try Self.shell("sleep 1000 & printf '%s\\nend\\n' $! >&0; wait")
    let answer = try program.ask([], last: Self.last, timeoutMilliseconds: 10_000, limit: 100)
    let child = try #require(Int32(String(decoding: answer, as: UTF8.self).split(separator: "\n")[0]))
    program.kill()
    for _ in 0..<1000 where Self.runs(child) { Thread.sleep(forTimeInterval: 0.01) }
    #expect(!Self.runs(child))
  }

  /// Not a zombie that waits for its parent, which here may be nobody.
  private static func runs(_ pid: Int32) -> Bool {
    guard let status = FileManager.default.contents(atPath: "/proc/\(pid)/stat") else { return false }
    return !String(decoding: status, as: UTF8.self).contains(") Z ")
  }

  @Test func itsSignalsAreTheUsual() throws {
    let program = try Self.shell("grep SigBlk /proc/self/status >&0; echo end >&0; read word")
    let answer = try program.ask([], last: Self.last, timeoutMilliseconds: 10_000, limit: 100)
    #expect(String(decoding: answer, as: UTF8.self) == "SigBlk:\t0000000000000000\nend\n")
  }

  @Test func whatIsNotThereIsAnError() {
    #expect(throws: SensorError.device("/no/such/program", what: "there is no program /no/such/program")) {
      try AttachedProgram("/no/such/program", [])
    }
  }
}
