import Telemetry
import Testing

@testable import godwit

@Suite struct TerminalTests {
  @Test(arguments: [
    (0.0, "░░░░"), (1, "████"), (0.5, "██░░"), (0.53, "██▏░"), (-1, "░░░░"), (7, "████"), (.nan, "░░░░"), (0.01, "░░░░"),
    (0.04, "▏░░░"), (0.99, "████"),
  ])
  func bars(share: Double, text: String) {
    #expect(Bar.text(share, width: 4) == text)
  }

  @Test(arguments: [
    (12.4, "%", "12.4 %"), (0.0, "B", "0 B"), (1536, "B", "1.5 KiB"), (1_048_576, "B/s", "1 MiB/s"),
    (1_800_000_000, "Hz", "1.8 GHz"),
    (51.25, "°C", "51.25 °C"), (0.123456, "", "0.123"), (1e20, "B", "1e+20 B"), (90_061, "s", "1d 1h"), (3.5, "s", "3.5 s"),
    (.nan, "%", "–"), (-5, "V", "-5 V"), (150.04, "W", "150 W"),
  ])
  func readings(value: Double, unit: String, text: String) {
    #expect(Reading.text(value, unit: unit) == text)
  }

  @Test(arguments: [
    (0.0, "0s"), (59.9, "59s"), (61, "1m 1s"), (3600, "1h 0m"), (100_000, "1d 3h"), (-5, "-5s"), (.infinity, "–"),
  ])
  func durations(seconds: Double, text: String) {
    #expect(Reading.duration(seconds: seconds) == text)
  }

  @Test(arguments: [
    ("cpu.load1", "cpu.load1", []), (#"a.b{c="1",d="x y"}"#, "a.b", ["1", "x y"]), (#"a{b="q\"\\n\n"}"#, "a", ["q\"\\n\n"]),
    ("{", "{", []), ("a{", "a{", []), ("a{}", "a", []), (#"a{b="unended}"#, "a", []),
  ])
  func seriesKeys(key: String, name: String, instances: [String]) {
    #expect(SeriesKey(key).name == name)
    #expect(SeriesKey(key).instances == instances)
  }

  @Test func everyKeyOfASeriesComesApartAgain() {
    let values = ["plain", "", "\"", "\\", "a\nb", "},{", "é🐦"]
    let series = Series(Metric("m", unit: .none, help: ""), values.enumerated().map { Label("k\($0.offset)", $0.element) })
    #expect(SeriesKey(series.key).instances == values)
  }

  @Test func tablesAlignAndBreak() {
    var table = Table(.left, .right, .left)
    table.add(Span("a"), Span("1"), Span("short"))
    table.add(Span("long"), Span("22"), Span("much too long for it"))
    #expect(table.lines(indent: 1) == [" a      1  short", " long  22  much too long for it"])
    #expect(table.lines(width: 30) == ["a      1  short", "long  22  much too long for it"])
    // Too narrow for text beside the other columns.
    #expect(table.lines(width: 16) == ["a      1  short", "long  22", "    much too", "    long for it"])
  }

  @Test func aShortRowSpansTheRest() {
    var table = Table(.left, .right, .right, .left)
    table.add(Span("a"), Span("1"), Span("22"), Span("x"))
    table.add(Span("b"), Span("there is none of it here"))
    #expect(table.lines() == ["a  1  22  x", "b  there is none of it here"])
    #expect(table.lines(width: 27) == ["a  1  22  x", "b  there is none of it here"])
    #expect(table.lines(width: 20) == ["a  1  22  x", "b", "    there is none of", "    it here"])
  }

  @Test(arguments: [
    ("one two three", 9, ["one two", "three"]), ("abcdefghij", 4, ["abcd", "efgh", "ij"]), ("", 5, [""]),
    ("a /very/long/path b", 6, ["a", "/very/", "long/p", "ath b"]), ("a · b · cc", 5, ["a ·", "b ·", "cc"]),
    ("  blanks   between ", 20, ["blanks between"]),
  ])
  func textRunsOn(text: String, width: Int, lines: [String]) {
    #expect(Flow([Span(text)]).lines(width: width, style: .plain) == lines)
  }

  @Test func spansRunOnInTheirColours() {
    let flow = Flow([Span("red red", .red), Span(": plain", nil), Span(" "), Span("red", .red)])
    let lines = flow.lines(label: Span("label ", .cyan), width: 16, style: Style(isColoured: true))
    let (red, cyan, end) = ("\u{1B}[31m", "\u{1B}[36m", "\u{1B}[0m")
    #expect(lines == ["\(cyan)label\(end) \(red)red red\(end):", "      plain \(red)red\(end)"])
  }

  @Test func wrappingBreaksBetweenWords() {
    var table = Table(.left, .left)
    table.add(Span("key"), Span("one two three four five six seven eight nine"))
    #expect(table.lines(width: 41) == ["key  one two three four five six seven", "     eight nine"])
  }

  @Test func coloursCostNoWidthAndOnlyWhenWanted() {
    var table = Table(.left, .left)
    table.add(Span("a", .red), Span("b"))
    table.add(Span("ccc"), Span("d"))
    #expect(table.lines(style: Style(isColoured: true)) == ["\u{1B}[31ma\u{1B}[0m    b", "ccc  d"])
    #expect(table.lines() == ["a    b", "ccc  d"])
  }

  @Test func controlCharactersCannotSteerTheTerminal() {
    #expect(Span("a\u{1B}[2Jb\u{9B}c\n").text == "a·[2Jb·c·")
  }

  @Test func framesOverwriteOneAnother() {
    var frame = Frame()
    let first = frame.text(of: ["a", "b", "c"], isTerminal: true, rows: 3)
    let second = frame.text(of: ["d"], isTerminal: true, rows: 3)
    #expect(first == "\u{1B}[2J\u{1B}[Ha\u{1B}[K\nb\u{1B}[K\n\u{1B}[J")
    #expect(second == "\u{1B}[Hd\u{1B}[K\n\u{1B}[J")
    var plain = Frame()
    let texts = [plain.text(of: ["a"], isTerminal: false, rows: nil), plain.text(of: ["b"], isTerminal: false, rows: nil)]
    #expect(texts == ["a\n", "\nb\n"])
  }
}

@Suite struct HistoryTests {
  @Test func partsHoldWhatFallsIntoThem() {
    var history = History(from: 1000, to: 1999, parts: 4)
    for (value, time): (Double, Int64) in [
      (1, 1000), (3, 1249), (5, 1250), (.nan, 1300), (.missing, 1300), (9, 999), (9, 2000), (7, 1999),
    ] {
      history.add(value, at: time)
    }
    #expect(history.parts.map(\.count) == [2, 1, 0, 1])
    #expect(history.parts[0].mean == 2)
    #expect(history.minimum == 1)
    #expect(history.maximum == 7)
    #expect(history.start(of: 3) == 1750)
  }

  @Test func oneInstantIsATimeToo() {
    var history = History(from: 5, to: 5, parts: 3)
    history.add(1, at: 5)
    #expect(history.parts.map(\.count) == [1, 0, 0])
  }

  @Test func thePlotShowsLowAndHigh() {
    var history = History(from: 0, to: 7999, parts: 8)
    for step in 0..<8 where step != 5 { history.add(Double(step), at: Int64(step) * 1000) }
    #expect(
      history.plot(unit: "%", width: 8, height: 2, style: .plain) == [
        "7 % ┤    ▁ ▆█", "0 % ┤▁▂▅▇█ ██", "     00:00:00 00:00:07",
      ])
  }

  @Test func slowValuesFillTheirPlot() {
    var history = History(from: 0, to: 79_999, parts: 80)
    for step in 0..<8 { history.add(1, at: Int64(step) * 10_000) }
    let coarse = history.coarsened()
    #expect(coarse.parts.map(\.count) == [2, 2, 2, 2])
    #expect(coarse.plot(unit: "", width: 10, height: 1, style: .plain).first == "1 ┤▁▁▁▁▁▁▁▁")
    #expect(coarse.coarsened().parts == coarse.parts)
  }

  @Test func aLongPlotSaysItsDates() {
    var history = History(from: 0, to: 2 * 86_400_000, parts: 50)
    history.add(1, at: 0)
    #expect(
      history.plot(unit: "", width: 50, height: 1, style: .plain).last
        == "   1970-01-01 00:00:00            1970-01-03 00:00:00")
  }

  @Test func theTableListsPartsWithValues() {
    var history = History(from: 0, to: 7_199_999, parts: 2)
    history.add(10, at: 0)
    history.add(20, at: 1)
    #expect(
      history.table(unit: "%") == [
        "  time (UTC)            min  mean   max  values", "  1970-01-01 00:00:00  10 %  15 %  20 %       2",
      ])
  }
}
