import Platform
import Telemetry
import Testing

@testable import Sensors

/// What is told of a window, when probes start, and what is read of answers.
@Suite struct LatencyRulesTests {
  private static let second: Int64 = 1_000_000_000

  @Test func percentilesAreOfTheNearestRank() throws {
    var window = LatencyWindow(capacity: 600, spanNanoseconds: 1000 * Self.second)
    for value in (1...100).reversed() { window.add(Double(value), at: 0) }
    let figures = try #require(window.figures(at: 0))
    #expect(figures.p50 == 50 && figures.p95 == 95 && figures.p99 == 99 && figures.lossPercent == 0 && figures.jitter == 1)
  }

  @Test func whatIsOlderThanTheWindowCountsNoMore() throws {
    var window = LatencyWindow(capacity: 600, spanNanoseconds: 10 * Self.second)
    window.add(nil, at: 0)
    window.add(3, at: 8 * Self.second)
    #expect(window.figures(at: 10 * Self.second)?.lossPercent == 50)
    #expect(window.figures(at: 11 * Self.second) == LatencyWindow.Figures(lossPercent: 0, p50: 3, p95: 3, p99: 3))
    #expect(window.figures(at: 19 * Self.second) == nil)
  }

  @Test func aWindowKeepsTheNewest() throws {
    var window = LatencyWindow(capacity: 3, spanNanoseconds: .max)
    for value in [100, 1, 2, 4] { window.add(Double(value), at: 0) }
    #expect(window.figures(at: 0) == LatencyWindow.Figures(lossPercent: 0, p50: 2, p95: 4, p99: 4, jitter: 1.5))
  }

  /// As many targets as there may be, all of them silent: what starts when, for ten minutes.
  @Test func neitherATargetNorAllTogetherAreProbedTooOften() {
    var schedule = ProbeSchedule((0..<64).map { (target: $0, isHop: false, interval: 4 * Self.second) }, at: 0)
    var now: Int64 = 0
    var starts: [(target: Int, at: Int64)] = []
    var running: [(index: Int, ends: Int64)] = []
    while now < 600 * Self.second {
      for done in running where done.ends <= now { schedule.end(done.index) }
      running.removeAll { $0.ends <= now }
      switch schedule.step(at: now) {
      case .start(let index):
        starts.append((schedule.entries[index].target, now))
        running.append((index, now + Int64(10 + index % 10) * 1_000_000))
      case .wait(let until): now = min(until ?? .max, running.map(\.ends).min() ?? .max)
      }
      #expect(running.count <= LatencyLimits.probesInFlight)
    }
    for (earlier, later) in zip(starts, starts.dropFirst(LatencyLimits.probesPerSecond)) {
      #expect(later.at - earlier.at >= Self.second)
    }
    for target in 0..<64 {
      let times = starts.filter { $0.target == target }.map(\.at)
      // 150 rounds in 600 s; each of them within its own interval.
      #expect((148...150).contains(times.count))
      for (earlier, later) in zip(times, times.dropFirst()) { #expect(later - earlier >= LatencyLimits.spacingNanoseconds) }
    }
  }

  @Test func silentTargetsDoNotTakeAllThreads() {
    var schedule = ProbeSchedule((0..<20).map { (target: $0, isHop: false, interval: Self.second) }, at: 0)
    var started = 0
    var now: Int64 = 0
    waiting: for _ in 0..<100 {
      switch schedule.step(at: now) {
      case .start: started += 1
      case .wait(let until):
        guard let until else { break waiting }
        now = until
      }
    }
    #expect(started == LatencyLimits.probesInFlight)
  }

  @Test func aTraceEndsWhereTheTargetAnswersAndGrowsWithThePath() {
    var path = PathTrace(spanNanoseconds: .max)
    #expect((0..<5).map { _ in path.next() } == [1, 2, 3, 4, 1], "nobody answers")
    path.take(.router("192.0.2.1", milliseconds: 1), of: 1, at: 0)
    #expect((0..<5).map { _ in path.next() } == [2, 3, 4, 5, 1])
    path.take(.end("198.51.100.7", milliseconds: 9), of: 2, at: 0)
    #expect(path.hops.count == 2)
    #expect((0..<3).map { _ in path.next() } == [2, 1, 2])
    path.take(.router("192.0.2.2", milliseconds: 5), of: 2, at: 0)
    #expect((0..<5).map { _ in path.next() } == [3, 4, 5, 6, 1])
    for place in 0..<40 { path.take(.router("203.0.113.\(place)", milliseconds: 1), of: 30, at: 0) }
    #expect(path.hops.count == 30 && path.hops[29].known.count == LatencyLimits.hopAddresses + 1)
    #expect(path.hops[29].address == "other")
  }

  @Test(arguments: [
    ("http://example.org", "example.org", 80, "/", "example.org"),
    ("https://example.org:8443/a?b=c#d", "example.org", 8443, "/a?b=c", "example.org:8443"),
    ("https://[2001:db8::1]/", "2001:db8::1", 443, "/", "[2001:db8::1]"), ("http://h?q", "h", 80, "/?q", "h"),
  ]) func aURLIsTakenApart(text: String, host: String, port: Int, target: String, authority: String) throws {
    let url = try #require(WebAddress(text))
    #expect(url.host == host && Int(url.port) == port && url.target == target && url.authority == authority)
  }

  @Test(arguments: [
    "", "example.org", "ftp://h/", "http://", "http:///x", "http://u:p@h/", "http://h/a b", "http://h/\r\nX: y", "http://h:0/",
    "http://h:65536/", "http://[::1/", "http://[::1]x/",
  ]) func whatIsNoURLIsRefused(text: String) { #expect(WebAddress(text) == nil) }

  /// The chunked example of RFC 9112's predecessors ("Wikipedia"), a byte at a time.
  @Test func aChunkedBodyIsPutTogether() throws {
    var answer = HTTPAnswer()
    let text =
      "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n4\r\nWiki\r\n6;x=y\r\npedia \r\nE\r\nin \r\n\r\nchunks.\r\n0\r\n\r\n"
    for byte in text.utf8 where !answer.isWhole { try answer.take([byte]) }
    #expect(answer.isWhole && String(decoding: answer.body, as: UTF8.self) == "Wikipedia in \r\n\r\nchunks.")
  }

  @Test func aBodyOfKnownLengthThatBreaksOffIsTold() throws {
    var answer = HTTPAnswer()
    try answer.take(Array("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf".utf8))
    #expect(throws: NetworkFailure.closed) { try answer.close() }
  }

  /// RFC 9112, section 5: blanks on either side of a value are none of it.
  @Test(arguments: ["Content-Length:4 \t", "Content-Length: \t4", "Transfer-Encoding: Chunked "])
  func blanksAroundAValueAreNotOfIt(line: String) throws {
    var answer = HTTPAnswer()
    try answer.take(Array("HTTP/1.1 200 OK\r\n\(line)\r\n\r\n".utf8))
    try answer.take(Array((line.hasPrefix("C") ? "Wiki" : "4\r\nWiki\r\n0\r\n\r\n").utf8))
    #expect(answer.isWhole && String(decoding: answer.body, as: UTF8.self) == "Wiki")
  }

  @Test func theHeadOfAnAnswerHasItsBound() {
    var answer = HTTPAnswer()
    #expect(throws: NetworkFailure.self) {
      for _ in 0..<100 { try answer.take([UInt8](repeating: 0x61, count: 1000)) }
    }
  }

  /// RFC 1071's example: 00 01 f2 03 f4 f5 f6 f7 sums to ddf2.
  @Test func theInternetChecksum() {
    #expect(ICMPEcho.checksum([0, 1, 0xF2, 3, 0xF4, 0xF5, 0xF6, 0xF7]) == ~0xDDF2)
  }

  /// MQTT 3.1.1, figure 3.6: the variable header of CONNECT; a remaining length of 321 is C1 02 (section 2.2.3).
  @Test func packetsOfMQTT() throws {
    #expect(MQTTProbe.connect(client: "ab") == [0x10, 14, 0, 4, 0x4D, 0x51, 0x54, 0x54, 4, 2, 0, 60, 0, 2, 0x61, 0x62])
    // A user alone: 80; with a password: C0. Lengths beyond 127 take two bytes.
    let user = MQTTProbe.connect(client: "ab", username: "user")
    #expect(user[1] == 20 && user[9] == 0x82 && user.suffix(6) == [0, 4, 0x75, 0x73, 0x65, 0x72])
    let login = MQTTProbe.connect(client: "ab", username: "user", password: String(repeating: "x", count: 300))
    #expect(Array(login[0..<3]) == [0x10, 0xC2, 0x02] && login[10] == 0xC2 && login.count == 3 + 322)
    #expect(Array(login[23..<26]) == [0x01, 0x2C, 0x78])
    let long = try #require(try MQTTProbe.packet([0x30, 0xC1, 2] + [UInt8](repeating: 7, count: 321)))
    #expect(long.packet.body.count == 321 && long.count == 324)
    #expect(throws: NetworkFailure.self) { try MQTTProbe.packet([0x20, 0xFF, 0xFF, 0xFF, 0xFF, 1]) }
  }
}
