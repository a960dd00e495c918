import Buffer
import Glibc

/// All measures, each beside its goal and the naive design.
struct Comparison {
  var seconds = 86_400
  var folder = "/tmp"
  var ticksPerBlock = BufferLimits.ticksPerBlock
  /// The 30 days are fed at this pace: a tenth of the work, and as many minutes and hours.
  var monthTickSeconds = 10
  private static let month = 30 * 86_400
  private static let naiveSeconds = 7_200

  private var sealed: String { folder + "/godwit-storage-bench.db" }
  private var sealedMonth: String { folder + "/godwit-storage-bench-month.db" }
  private var naive: String { folder + "/godwit-storage-bench-naive.db" }
  private var naiveMonth: String { folder + "/godwit-storage-bench-naive-month.db" }

  func run() throws {
    forget()
    defer { forget() }
    print("130 series at 1 Hz, \(seconds) s, \(ticksPerBlock) ticks a block, in \(folder)")
    print("naive: a row a sample, a commit a tick, \(min(seconds, Self.naiveSeconds)) s")
    guard let kept = keep("sealed", sealed, seconds, commit: 10),
      let naiveKept = keep("naive", naive, min(seconds, Self.naiveSeconds), commit: 1)
    else { fail("a design could not be measured") }
    line("", "sealed", "", "goal", "naive")
    try sizes(kept, naiveKept)
    costs(kept, naiveKept)
    print("questions: a new process each, warm cache, from main to the answer, median of nine")
    _ = run("keep", "series", naiveMonth, Self.month)
    let end = SealedDesign.begin + Int64(seconds) * 1_000
    ask("one series, 24 h raw", sealed, end - 86_399_999...end, .raw, "≤ 5")
    ask("one series, 24 h by minute", sealed, end - 86_399_999...end, .minute, "≤ 5")
    month()
    print("naive answers from 30 days of that one series at 1 Hz, filled in one go")
  }

  private func sizes(_ kept: Cost, _ naiveKept: Cost) throws {
    let few = Double(naiveKept.samples)
    for size in try BufferReader(path: sealed).tierSizes() {
      let held = Double(max(size.ticks, 1) * 130)
      let isRaw = size.tier == .raw
      row(
        "\(size.tier) tier, bytes per sample (\(size.blocks) block\(size.blocks == 1 ? "" : "s"))", Double(size.bytes) / held,
        isRaw ? 3 : 4, "B", isRaw ? "≤ 0.9" : "", naive: isRaw ? Self.bytes(naive) / few : nil)
    }
    row("file, all tiers and tables", Self.bytes(sealed) / 1_048_576, 2, "MiB")
  }

  private func costs(_ kept: Cost, _ naiveKept: Cost) {
    row(
      "handed to the file system per sample", kept.writtenPerSample, 2, "B", "≤ 12", naive: naiveKept.writtenPerSample)
    row("  times less than naive", naiveKept.writtenPerSample / kept.writtenPerSample, 0, "", "≥ 400")
    row(
      "CPU per sample, sealing included", kept.userMicroseconds + kept.kernelMicroseconds, 3, "µs", "≤ 0.15",
      naive: naiveKept.userMicroseconds + naiveKept.kernelMicroseconds)
    row("  of it user", kept.userMicroseconds, 3, "µs", naive: naiveKept.userMicroseconds)
    row("  of it kernel: file system, disk, fsync", kept.kernelMicroseconds, 3, "µs", naive: naiveKept.kernelMicroseconds)
    row("writer's memory above idle, peak", kept.memoryMegabytes, 2, "MB", "≤ 2", naive: naiveKept.memoryMegabytes)
  }

  private func month() {
    print("30 days: ticks of \(monthTickSeconds) s, a commit every 200, raw ticks kept for 7 days; only questions are measured")
    guard keep("sealed", sealedMonth, Self.month / monthTickSeconds, tick: monthTickSeconds, commit: 200) != nil else {
      fail("the 30 days could not be made")
    }
    let end = SealedDesign.begin + Int64(Self.month) * 1_000
    ask("one series, 30 days by hour", sealedMonth, end - Int64(Self.month) * 1_000 + 1...end, .hour, "≤ 3")
  }

  private func keep(_ design: String, _ path: String, _ ticks: Int, tick: Int = 1, commit: Int) -> Cost? {
    Cost(run("keep", design, path, ticks, tick, commit))
  }

  private func run(_ verb: String, _ design: String, _ path: String, _ ticks: Int, _ tick: Int = 1, _ commit: Int = 1) -> [Double]
  {
    Part.run([verb, design, path, "\(ticks)", "\(tick)", "\(commit)", "\(ticksPerBlock)"])
  }

  private func ask(_ name: String, _ path: String, _ range: ClosedRange<Int64>, _ tier: Tier, _ goal: String) {
    let span = range.upperBound - range.lowerBound
    let naiveEnd = SealedDesign.begin + Int64(Self.month) * 1_000
    // Series of each shape.
    guard let found = median((0..<9).map { time("sealed", path, $0 * 14, range, tier) }),
      let slow = median((0..<9).map { _ in time("naive", naiveMonth, 0, naiveEnd - span...naiveEnd, tier) })
    else { fail("\(name) was not answered") }
    row("\(name), \(Int(found.points)) points", found.milliseconds, 2, "ms", goal, naive: slow.milliseconds)
    row("  of it at work, the rest is waiting for a processor", found.work, 2, "ms", naive: slow.work)
  }

  private struct Answer {
    var milliseconds: Double
    var work: Double
    var points: Double
  }

  private func time(
    _ design: String, _ path: String, _ series: Int, _ range: ClosedRange<Int64>, _ tier: Tier
  ) -> Answer? {
    let found = Part.run([
      "query", design, path, "\(series)", "\(range.lowerBound)", "\(range.upperBound)", "\(tier.rawValue)",
    ])
    return found.count == 3 ? Answer(milliseconds: found[0], work: found[1], points: found[2]) : nil
  }

  private func median(
    _ answers: [Answer?]
  ) -> Answer? {
    let good = answers.compactMap { $0 }.sorted { $0.milliseconds < $1.milliseconds }
    return good.count == answers.count ? good[good.count / 2] : nil
  }

  /// Deletes a database and what lies beside it.
  static func forget(_ path: String) { for suffix in ["", "-wal", "-shm"] { unlink(path + suffix) } }

  private func forget() {
    for path in [sealed, sealedMonth, naive, naiveMonth] {
      for suffix in ["", "-wal", "-shm"] { unlink(path + suffix) }
    }
  }

  private func fail(_ message: String) -> Never {
    forget()
    let text = Array("bench: \(message)\n".utf8)
    write(STDERR_FILENO, text, text.count)
    exit(1)
  }

  private static func bytes(_ path: String) -> Double {
    var status = stat()
    return stat(path, &status) == 0 ? Double(status.st_size) : 0
  }
}
