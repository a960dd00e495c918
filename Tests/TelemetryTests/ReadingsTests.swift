import Telemetry
import Testing

/// What a sensor may say at most.
@Suite struct ReadingsTests {
  private static let metric = Metric("t.value", unit: .none, decimals: 0, labels: ["mount"], help: "")

  @Test func aLongLabelIsCutBetweenCharacters() {
    var readings = Readings()
    // 127 bytes, then one character of two bytes: it does not fit any more.
    let head = String(repeating: "a", count: Limits.labelValueBytes - 1)
    let slot = readings.slot(Self.metric, [Label("mount", head + "é/x")])
    #expect(readings.series[slot.index].label("mount") == head)
    // The same label finds the same place again, and one that just fits stays whole.
    #expect(readings.slot(Self.metric, [Label("mount", head + "é/x")]) == slot)
    let whole = readings.slot(Self.metric, [Label("mount", head + "b")])
    #expect(readings.series[whole.index].label("mount") == head + "b")
    #expect(readings.series.count == 2)
  }

  @Test func seriesBeyondTheLimitAreCountedAndTakeNoPlace() {
    var readings = Readings()
    for number in 0..<Limits.seriesPerSensor { _ = readings.slot(Self.metric, [Label("mount", "\(number)")]) }
    let refused = readings.slot(Self.metric, [Label("mount", "more")])
    readings.set(refused, 1)
    #expect(readings.series.count == Limits.seriesPerSensor)
    #expect(readings.refusedSeries == 1)
  }

  @Test func problemsAreNamedWithinBounds() {
    var readings = Readings()
    #expect(readings.problemText == nil)
    readings.note(.timedOut)
    #expect(readings.problemText == "timed out")
    readings.note(.absent("x"))
    #expect(readings.problemText == "timed out; absent: x")
    for _ in 2..<Limits.problemsPerSample + 3 { readings.note(.timedOut) }
    #expect(readings.problems.count == Limits.problemsPerSample && readings.problemCount == Limits.problemsPerSample + 3)
    #expect(readings.problemText?.hasSuffix("; timed out (and 3 more)") == true)
    readings.begin(nanoseconds: 1)
    #expect(readings.problem == nil && readings.problems.isEmpty && readings.problemCount == 0)
    // One that is long leaves no room for others.
    readings.note(.device("d", what: String(repeating: "x", count: Limits.problemBytes)))
    readings.note(.timedOut)
    #expect(readings.problemText?.hasSuffix("x (and 1 more)") == true)
  }
}
