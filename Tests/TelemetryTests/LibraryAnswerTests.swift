import Telemetry
import Testing

@Suite struct LibraryAnswerTests {
  private static func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }
  private static let header = "godwit-sensor-host\t1\tnvidia\n"

  @Test(arguments: [LibraryAnswer.Outcome.read, .absent("no\tlibrary\n"), .failed("status 999")])
  func comesBackAsItWent(outcome: LibraryAnswer.Outcome) throws {
    var answer = LibraryAnswer()
    answer.add(LibraryAnswer.Entry("gpu.power_watts", [Label("gpu", "0000:01:00.0")], 23.456))
    answer.add(LibraryAnswer.Entry("gpu.info", [Label("model", "a=b \"c\" é"), Label("gpu", "")], 1))
    answer.add(LibraryAnswer.Entry("plain", [], -0.1))
    answer.note("something\tof the\nlibrary")
    answer.outcome = outcome
    let bytes = answer.encoded(library: "nvidia")
    let back = try LibraryAnswer.decoded(bytes, library: "nvidia")
    #expect(back.entries == answer.entries)
    #expect(back.problems == ["something of the library"])
    switch outcome {
    case .absent: #expect(back.outcome == .absent("no library "))
    default: #expect(back.outcome == outcome)
    }
    #expect(back.encoded(library: "nvidia") == bytes)
  }

  @Test func whatIsNoNumberIsDropped() throws {
    var answer = LibraryAnswer()
    for value in [Double.nan, .infinity, -.infinity] { answer.add(LibraryAnswer.Entry("x", [], value)) }
    #expect(answer.entries.isEmpty)
    let text = Self.header + "value\tx\tnan\nvalue\ty\tinf\nvalue\tz\t1e999\nvalue\tw\t2\nend\n"
    #expect(try LibraryAnswer.decoded(Self.bytes(text), library: "nvidia").entries.map(\.metric) == ["w"])
  }

  @Test func countsAreBounded() {
    var answer = LibraryAnswer()
    for index in 0..<5_000 {
      answer.add(LibraryAnswer.Entry("x\(index)", [], 1))
      answer.note("\(index)")
    }
    #expect(answer.entries.count == Limits.seriesPerSensor)
    #expect(answer.problems.count == 32)
  }

  @Test(arguments: [
    "", "\n", "end\n", "godwit-sensor-host\t1\thailo\nend\n", "godwit-sensor-host\t2\tnvidia\nend\n", header,
    header + "value\tx\n",
    header + "value\tx\tmuch\nend\n", header + "value\tx\t1\tlabel\nend\n", header + "value\tx\t1\n", header + "noise\nend\n",
    header + "\nend\n", header + "problem\nend\n", header + "end\tearly\n",
  ])
  func anythingElseIsMalformed(text: String) {
    #expect(throws: SensorError.self) { try LibraryAnswer.decoded(Self.bytes(text), library: "nvidia") }
  }

  @Test func bytesThatAreNoTextAreMalformed() {
    #expect(throws: SensorError.malformed(path: "nvidia", what: "not UTF-8")) {
      try LibraryAnswer.decoded(Self.bytes(Self.header) + [0xFF, 0x0A], library: "nvidia")
    }
  }
}
