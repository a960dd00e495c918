import Platform
import Randomness
import Telemetry
import Testing

@testable import Sensors

/// What processes and control groups write, changed by a seeded generator: a parser may refuse it, but comes back with what the
/// unit allows.
@Suite struct ProcessesParserTests {
  private static let stat = """
    4012 (Web Content (2) S) S 3120 3120 3120 0 -1 4194560 2317 0 3 0 5120 731 0 0 20 0 34 0 918273 2914050048 61234 \
    18446744073709551615 1 1 0 0 0 0 0 4096 0 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0

    """

  private static let texts: [String: String] = [
    "stat": stat,
    "io":
      "rchar: 323934931\nwchar: 323929600\nsyscr: 632687\nread_bytes: 4096\nwrite_bytes: 323932160\ncancelled_write_bytes: 0\n",
    "smaps_rollup": "00100000-ff709000 ---p 00000000 00:00 0 [rollup]\nRss: 884 kB\nPss: 385 kB\nAnonymous: 96 kB\n",
    "status": "Name:\tcat\nTgid:\t18993\nvoluntary_ctxt_switches:\t120\nnonvoluntary_ctxt_switches:\t545\n",
    "cmdline": "/usr/bin/python3\0/srv/worker.py\0--all\0",
    "events": "low 0\nhigh 0\nmax 3\noom 5\noom_kill 5\noom_group_kill 0\n",
  ]

  private static func parse(_ kind: String, _ text: inout ByteScanner) throws(SensorError) {
    switch kind {
    case "stat":
      let stat = try ProcessStat.parse(&text, path: kind)
      #expect(stat.residentPages <= UInt64(Int64.max) && stat.name.utf8.count <= 3_000)
    case "io": _ = ProcessIO(&text)
    case "smaps_rollup": #expect((MemoryRollup.parse(&text).proportionalBytes ?? 0) >= 0)
    case "status": _ = ContextSwitches.count(&text)
    case "cmdline":
      let words = CommandMatch.words(&text)
      #expect(words.count <= 100)
    default: _ = WatchedCgroup.number("oom_kill ", &text)
    }
  }

  @Test(arguments: ["stat", "io", "smaps_rollup", "status", "cmdline", "events"])
  func comesBackFromAnyBytes(kind: String) throws {
    let bytes = Array(try #require(Self.texts[kind]).utf8)
    let seed: UInt64 = 20_261_123
    var generator = SplitMix64(seed: seed)
    for _ in 0..<10_000 {
      var changed = bytes
      if Bool.random(using: &generator) { changed.removeLast(Int.random(in: 0...changed.count, using: &generator)) }
      for _ in 0..<Int.random(in: 0...8, using: &generator) where !changed.isEmpty {
        changed[Int.random(in: changed.indices, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
      }
      _ = try? ByteScanner.scan(bytes: changed) { (text) throws(SensorError) in try Self.parse(kind, &text) }
    }
  }

  @Test func aNameMayHoldParenthesesAndLookLikeMoreFields() throws {
    let stat = try ByteScanner.scan(Self.stat) { (text) throws(SensorError) in try ProcessStat.parse(&text, path: "stat") }
    #expect(stat.name == "Web Content (2) S")
    #expect(stat.state == .sleeping)
    #expect(stat.parent == 3120)
    #expect(stat.ticks == 5851)
    #expect(stat.threads == 34)
    #expect(stat.startTicks == 918_273)
    #expect(stat.virtualBytes == 2_914_050_048)
    #expect(stat.residentPages == 61_234)
    #expect(!stat.isKernelThread)
  }

  @Test(arguments: [("kworker/0:1-events", "kworker"), ("ksoftirqd/3", "ksoftirqd"), ("jbd2/sda1-8", "jbd2"), (":x", ":x")])
  func threadsOfTheKernelGoByWhatTheyAre(name: String, common: String) throws {
    let text = Self.stat.replacing("Web Content (2) S", with: name).replacing("4194560", with: "\(0x0020_8040)")
    let stat = try ByteScanner.scan(text) { (text) throws(SensorError) in try ProcessStat.parse(&text, path: "stat") }
    #expect(stat.name == common)
    #expect(stat.isKernelThread)
  }
}
