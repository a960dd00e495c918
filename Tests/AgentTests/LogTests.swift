import Foundation
import Telemetry
import Testing

@testable import Agent
@testable import Profile

/// What others said, as a line of the log.
@Suite struct LogTests {
  @Test func aMessageIsOneLine() {
    #expect(Log.line("all is well: 5 °C") == "all is well: 5 °C")
    #expect(Log.line("one\ntwo") == "one; two")
    // In Swift both together are one character.
    #expect(Log.line("one\r\ntwo") == "one ; two")
    #expect(Log.line("\u{1B}]0;title\u{7}\u{1B}[31mred\u{0}\u{7F}\u{9B}2J") == " ]0;title  [31mred   2J")
  }

  /// What is logged by `body`, without times.
  private func logged(_ body: (Log) -> Void) throws -> [String] {
    let pipe = Pipe()
    let profile = LogProfile(level: .info, format: .text)
    body(Log(profile, clock: HandClock(), environment: [:], descriptor: pipe.fileHandleForWriting.fileDescriptor))
    try pipe.fileHandleForWriting.close()
    let text = String(decoding: try pipe.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    return text.split(separator: "\n").map { $0.split(separator: " ", maxSplits: 1).last.map(String.init) ?? "" }
  }

  @Test func eachProblemIsNamedOnce() throws {
    let (a, b, c) = (SensorError.device("a", what: "silent"), SensorError.timedOut, SensorError.io(path: "/c", errno: 5))
    let lines = try logged { log in
      log.problems("sensor i2c", [a, b], count: 2, areTold: false)
      log.problems("sensor i2c", [a, b], count: 2, areTold: true)
      log.problems("sensor i2c", [a, c], count: 2, areTold: false)
      log.problems("sensor i2c", [a, b, c], count: 9, areTold: false)
      log.problems("sensor i2c", [a, b, c], count: 12, areTold: false)
      log.recovered("sensor i2c", "reads again")
      log.problems("sensor i2c", [b], count: 1, areTold: false)
    }
    #expect(
      lines == [
        "warning sensor i2c: a: silent", "warning sensor i2c: timed out",
        "warning sensor i2c: cannot read /c: errno 5, Input/output error",
        "warning sensor i2c: more than 3 problems; the others are not named",
        "info sensor i2c: reads again (the problem came 9 more times)", "warning sensor i2c: timed out",
      ])
  }

  @Test func aMessageIsBounded() {
    let exact = String(repeating: "é", count: AgentLimits.logMessageBytes / 2)
    #expect(Log.line(exact) == exact)
    #expect(Log.line(exact + "é") == exact + "…")
    #expect(Log.line(String(repeating: "x", count: 1 << 20)).utf8.count == AgentLimits.logMessageBytes + 3)
  }
}
