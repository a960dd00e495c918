import Buffer
import Glibc

/// One query in a process of its own, as a technician's would be.
enum Query {
  /// Prints milliseconds since the process' main began, and how many points came.
  static func run(_ path: String, series: Int, span: Int64, tier: Tier) throws {
    let begin = Meter.monotonicMilliseconds()
    let reader = try BufferReader(path: path)
    let opened = Meter.monotonicMilliseconds()
    let stated = opened
    let end = SealedDesign.begin + Int64(try reader.extent()?.upperBound ?? 0) * 1_000
    let answer = try reader.samples(series: series, wall: (end - span + 1)...end, tier: tier)
    let done = Meter.monotonicMilliseconds()
    if getenv("PARTS") != nil { print("open \(opened - begin), read \(done - opened)") }
    print("\(done - stated + opened - begin) \(answer.values.count) \(answer.tier)")
  }
}
