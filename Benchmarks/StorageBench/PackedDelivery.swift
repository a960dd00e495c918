import Buffer
import Glibc
import Telemetry
import Uplink

/// What the payload `packed` costs on the realistic day: messages are made, not sent.
enum PackedDelivery {
  /// StorageBench packed [seconds] [folder]
  static func run(seconds: Int, folder: String) throws {
    let path = folder + "/godwit-packed-bench.db"
    forget(path)
    _ = try SealedDesign.keep(seconds, at: path, ticksPerBlock: BufferLimits.ticksPerBlock)
    print("130 series at 1 Hz, \(seconds) s, payload packed")
    let reader = try BufferReader(path: path)
    try live(reader, seconds: min(seconds, 7_200))
    // Each in a new process, so that its memory can be seen.
    for mostBytes in [UplinkLimits.packedMessageBytes, 64 * 1_024, 16 * 1_024] {
      guard let pipe = popen("\(arguments[0]) drain \(path) \(seconds) \(mostBytes)", "r") else { continue }
      var line = [CChar](repeating: 0, count: 256)
      while fgets(&line, 256, pipe) != nil { print(String(decoding: text(line), as: UTF8.self), terminator: "") }
      pclose(pipe)
    }
    forget(path)
  }

  private static func text(_ line: [CChar]) -> [UInt8] { line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) } }

  private static func live(_ reader: BufferReader, seconds: Int) throws {
    var day = RealisticDay(seed: 1)
    var encoder = PackedLiveEncoder(boot: "be154352-07bb-4ae6-8774-e214869e617b")
    encoder.learn(reader.series)
    // The topic, its length, packet id, empty properties, type and length of a PUBLISH in MQTT 5.
    let around = "godwit/v1/edge-01/packed".utf8.count + 2 + 2 + 1 + 3
    var (bytes, most, changed) = (0, 0, 0)
    var before: [Double] = []
    let ticks = (1...UInt64(seconds)).map { sequence in
      LiveTick(
        sequence: 10_000_000 + sequence, wallMilliseconds: SealedDesign.begin + Int64(sequence) * 1_000, synced: true,
        values: day.tick())
    }
    for tick in ticks {
      changed += before.isEmpty ? tick.values.count : zip(before, tick.values).count { $0 != $1 }
      before = tick.values
    }
    let start = Meter.now()
    for tick in ticks {
      let count = encoder.encode(tick).count + around
      bytes += count
      most = max(most, count)
    }
    let used = Meter.now().cpuSeconds - start.cpuSeconds
    let values = Double(seconds * 130)
    row("live, bytes per value with topic and MQTT", Double(bytes) / values, 2, "B", "≤ 4")
    row("live, bytes per value that changed", Double(bytes) / Double(changed), 2, "B")
    row("live, largest message", Double(most), 0, "B")
    row("live, CPU per message", used / Double(seconds) * 1e6, 1, "µs")
  }

  /// StorageBench drain <path> <last> <bytes>
  static func drain(_ path: String, _ last: UInt64, mostBytes: Int) throws {
    let name = "drained, at most \(mostBytes >> 10) KiB"
    let reader = try BufferReader(path: path)
    var backlog = PackedBacklog(reader)
    var (bytes, messages, from) = (0, 0, UInt64(1))
    let memory = Meter.residentKilobytes()
    var most = memory
    let (start, before) = (Meter.monotonicMilliseconds(), Meter.now().cpuSeconds)
    while from <= last {
      guard case .message(let range, _, let message) = try backlog.message(from...last, mostBytes: mostBytes) else { break }
      bytes += message.count
      messages += 1
      from = range.upperBound + 1
      if messages % 8 == 0 { most = max(most, Meter.residentKilobytes()) }
    }
    let milliseconds = Meter.monotonicMilliseconds() - start
    let cpu = Meter.now().cpuSeconds - before
    let samples = Double(last * 130)
    row("\(name), per sample, \(messages) messages", Double(bytes) / samples, 3, "B", "≤ 2")
    row("\(name), time for all", milliseconds, 0, "ms", "≤ 1500")
    row("\(name), CPU per sample", cpu * 1e6 / samples, 4, "µs")
    row("\(name), memory above before", Double(most - memory) / 1_024, 2, "MB", "≤ 4")
  }
}
