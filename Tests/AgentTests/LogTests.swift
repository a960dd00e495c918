import Testing

@testable import Agent

/// What others said, as a line of the log.
@Suite struct LogTests {
  @Test func aMessageIsOneLine() {
    #expect(Log.line("all is well: 5 °C") == "all is well: 5 °C")
    #expect(Log.line("one\ntwo") == "one; two")
    // In Swift both together are one character.
    #expect(Log.line("one\r\ntwo") == "one ; two")
    #expect(Log.line("\u{1B}]0;title\u{7}\u{1B}[31mred\u{0}\u{7F}\u{9B}2J") == " ]0;title  [31mred   2J")
  }

  @Test func aMessageIsBounded() {
    let exact = String(repeating: "é", count: AgentLimits.logMessageBytes / 2)
    #expect(Log.line(exact) == exact)
    #expect(Log.line(exact + "é") == exact + "…")
    #expect(Log.line(String(repeating: "x", count: 1 << 20)).utf8.count == AgentLimits.logMessageBytes + 3)
  }
}
