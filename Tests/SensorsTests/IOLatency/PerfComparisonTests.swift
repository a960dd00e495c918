import Foundation
import Platform
import Telemetry
import Testing

@testable import Sensors

/// The kernel's own reader beside ours: `perf record` on the same tracepoints while a file is read past the page cache.
@Suite struct PerfComparisonTests {
  private struct Line {
    var nanoseconds: UInt64
    var device: UInt32
    var sector: UInt64
    var isWrite: Bool
    var isDone: Bool
  }

  /// ` 4711.123456789:  block:block_rq_issue: 254,0 RS 4096 () 8193 + 8 none,0,0 [dd]`
  private static func line(_ text: Substring) -> Line? {
    let form = /^\s*(\d+)\.(\d{9}):\s+block:block_rq_(issue|complete):\s+(\d+),(\d+) F?([RW])[A-Z]* .*?(\d+) \+ \d+/
    guard let match = text.firstMatch(of: form), let seconds = UInt64(match.1), let rest = UInt64(match.2),
      let major = UInt32(match.4), let minor = UInt32(match.5), let sector = UInt64(match.7)
    else { return nil }
    return Line(
      nanoseconds: seconds * 1_000_000_000 + rest, device: major << 20 | minor, sector: sector, isWrite: match.6 == "W",
      isDone: match.3 == "complete")
  }

  /// What a program writes, or nil when it fails; `meanwhile` is called again and again while it runs.
  private static func run(_ program: String, _ arguments: [String], meanwhile: () -> Void = {}) throws -> String? {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    let path = "/tmp/godwit-perf-output-\(UUID().uuidString)"
    try Data().write(to: URL(fileURLWithPath: path))
    defer { try? FileManager.default.removeItem(atPath: path) }
    process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    process.standardError = FileHandle.nullDevice
    // A child inherits the signals that the threads of tests block, and perf waits for one.
    var none = sigset_t()
    var before = sigset_t()
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    try process.run()
    while process.isRunning {
      meanwhile()
      usleep(10_000)
    }
    return process.terminationStatus == 0 ? try String(contentsOfFile: path, encoding: .utf8) : nil
  }

  @Test func timesAreThoseOfPerf() throws {
    let folder = "\(FileManager.default.currentDirectoryPath)/godwit-perf-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let (file, data) = ("\(folder)/file", "\(folder)/perf.data")
    try Data(repeating: 7, count: 300 * 4096).write(to: URL(fileURLWithPath: file))
    sync()
    guard FileManager.default.isExecutableFile(atPath: "/usr/bin/perf"), let trace = try? LinuxCalls().blockTrace() else {
      print("skipped: there is no perf, or no rights for tracepoints")
      return
    }
    var ours: [BlockRequest] = []
    var lost: UInt64 = 0
    let recorded = try Self.run(
      "/usr/bin/timeout",
      [
        "60", "/usr/bin/perf", "record", "-q", "-a", "-k", "CLOCK_MONOTONIC", "-e", "block:block_rq_issue", "-e",
        "block:block_rq_complete", "-o", data,
        "--", "dd", "if=\(file)", "of=/dev/null", "iflag=direct", "bs=4096",
      ], meanwhile: { lost += (try? trace.take(into: &ours))?.lost ?? 1 })
    lost += try trace.take(into: &ours).lost
    guard recorded != nil,
      let text = try Self.run("/usr/bin/perf", ["script", "-i", data, "--ns", "-F", "time,event,trace"])
    else {
      print("skipped: perf does not work here")
      return
    }
    // What perf saw begin and end at one place, once; more at the same place cannot be told apart by place alone.
    var begun: [String: Line] = [:]
    var theirs: [String: UInt64] = [:]
    for line in text.split(separator: "\n").compactMap(Self.line) {
      let place = "\(line.device) \(line.sector) \(line.isWrite)"
      if !line.isDone {
        begun[place] = line
      } else if let first = begun[place] {
        theirs[place] = line.nanoseconds - first.nanoseconds
      }
    }
    #expect(theirs.count > 200, "dd reads 300 blocks")
    guard lost == 0 else {
      print("skipped: \(lost) records were lost to other load")
      return
    }
    var compared = 0
    var others: [String] = []
    for (place, time) in theirs {
      let parts = place.split(separator: " ")
      let mine = ours.filter { "\($0.device)" == parts[0] && "\($0.sector)" == parts[1] && "\($0.isWrite)" == parts[2] }
      guard mine.count == 2 else { continue }
      var latencies = RequestLatencies()
      latencies.take(mine)
      let figures = latencies.figures(of: mine[0].device, isWrite: mine[0].isWrite)
      compared += 1
      // Both take the time for themselves, one a moment after the other.
      let isSame = figures.map { ($0.longest - Double(time) / 1e6).magnitude < 0.2 } ?? false
      if !isSame { others.append("\(place): \(time) ns, \(mine)") }
    }
    #expect(compared > 200)
    // A virtual processor may be taken away between the two.
    #expect(others.count <= compared / 50, "\(others)")
  }
}
