import Buffer
import Glibc
import Platform
import Synchronization
import Uplink

/// StorageBench drain <broker's port> <folder> [seconds]: what delivering the realistic day to a broker costs, by payload.
enum Drain {
  /// Room for an outage of eleven days.
  private static let policy = RetentionPolicy(retainMilliseconds: 30 * 86_400_000, maximumBytes: 1 << 30)

  static func run(_ arguments: [String]) throws {
    guard arguments.count >= 2, let port = Int(arguments[0]) else { exit(2) }
    let seconds = arguments.count > 2 ? Int(arguments[2]) ?? 86_400 : 86_400
    let path = arguments[1] + "/godwit-drain-bench.db"
    Comparison.forget(path)
    let feed = SealedDesign.Feed(ticks: seconds, ticksPerCommit: 10, ticksPerBlock: BufferLimits.ticksPerBlock)
    _ = try SealedDesign.keep(feed, at: path, policy: policy)
    try live(BufferReader(path: path), ticks: min(seconds, 7_200))
    print("a backlog of 130 series at 1 Hz, \(seconds) s, to a broker on this machine")
    for payload in ["packed", "json"] {
      let found = Part.run(["drained", "\(port)", path, payload, "\(seconds)"])
      guard found.count == 4 else { continue }
      let samples = Double(seconds * 130)
      row("\(payload): time for all", found[0] / 1_000, 2, "s", payload == "packed" ? "≤ 1.5" : "≤ 15")
      row("\(payload): of it this process' CPU", found[1], 2, "s")
      row("\(payload): on the wire per sample", found[2] / samples, 3, "B", payload == "packed" ? "≤ 2" : "")
      row("\(payload): memory above idle, at most", found[3] / 1_024, 2, "MB", "≤ 4")
    }
    Comparison.forget(path)
  }

  private static func monotonicMilliseconds() -> Double { Double(SystemClock().bootNanoseconds()) / 1e6 }

  private static func live(_ reader: BufferReader, ticks: Int) throws {
    var day = RealisticDay(seed: 1)
    var encoder = PackedLiveEncoder(boot: "be154352-07bb-4ae6-8774-e214869e617b")
    encoder.learn(reader.series)
    // Topic with its length, packet id, no properties, type and length of a PUBLISH (MQTT 5, 3.3).
    let around = "godwit/v1/edge-01/packed/metrics".utf8.count + 2 + 2 + 1 + 3
    var (bytes, values) = (0, 0)
    for sequence in 1...UInt64(ticks) {
      let row = day.tick()
      values += row.count
      let tick = LiveTick(
        sequence: 10_000_000 + sequence, wallMilliseconds: SealedDesign.begin + Int64(sequence) * 1_000, synced: true, values: row
      )
      bytes += encoder.encode(tick).count + around
    }
    row("packed, live: on the wire per value", Double(bytes) / Double(values), 2, "B", "≤ 4")
  }

  /// Drains in a process of its own and prints milliseconds, CPU seconds, bytes, kilobytes of memory.
  static func drain(_ arguments: [String]) throws {
    guard arguments.count == 4, let port = Int(arguments[0]), let payload = UplinkSettings.Payload(rawValue: arguments[2]),
      let last = UInt64(arguments[3])
    else { exit(2) }
    // As the agent does.
    ProcessMemory.economize()
    var settings = UplinkSettings()
    settings.brokers = [.init(host: "127.0.0.1", port: port)]
    settings.clientID = "bench"
    settings.node = "bench"
    settings.payloads = [payload]
    settings.drainBytesPerSecond = .max
    let writer = try BufferWriter(path: arguments[1], node: "bench", policy: policy)
    let uplink = Uplink()
    // As the agent's storage does: positions are committed, by another thread, while the drain goes on.
    let asked = Mutex<[String: DeliveryPosition]>([:])
    uplink.saves { positions in
      asked.withLock { $0 = positions }
      return true
    }
    let started = uplink.start(
      settings: settings, clock: SystemClock(), buffer: arguments[1], positions: [:], lastCommitted: nil, firstOfRun: last + 1,
      firstEvent: 1)
    guard started else { exit(1) }
    while uplink.status.state != .connected { usleep(1_000) }
    usleep(200_000)
    let (idle, begin, before) = (Meter.residentKilobytes(), monotonicMilliseconds(), Meter.now())
    uplink.committed = last
    _ = uplink.put(.inherited([:], lastCommitted: last))
    var most = idle
    while uplink.status.owedTicks == 0, uplink.status.deliveredTicks == 0 { usleep(100) }
    while uplink.status.owedTicks > 0 {
      most = max(most, Meter.residentKilobytes())
      var transaction = BufferTransaction()
      transaction.deliveries = asked.withLock { positions in
        defer { positions = [:] }
        return positions
      }
      if !transaction.isEmpty {
        try writer.commit(transaction)
        uplink.saved(transaction.deliveries.mapValues(\.mark))
      }
      usleep(200)
    }
    let (end, after) = (monotonicMilliseconds(), Meter.now())
    let cpu = after.userSeconds + after.kernelSeconds - before.userSeconds - before.kernelSeconds
    print("\(end - begin) \(cpu) \(uplink.status.sentBytes) \(most - idle)")
    uplink.stop(waitMilliseconds: 1_000)
  }
}
