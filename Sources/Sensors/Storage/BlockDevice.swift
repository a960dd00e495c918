import Platform
import Telemetry

/// One block device's counters, a line of `/proc/diskstats` (Documentation/admin-guide/iostats.rst).
struct BlockDevice {
  /// The first eleven counters behind the name; later kernels add discards and flushes. Times are `unsigned int` and come round after
  /// 49.7 days of work, the others `unsigned long`.
  struct Counters: Hashable {
    var reads: UInt64 = 0
    var readSectors: UInt64 = 0
    var readMilliseconds: UInt64 = 0
    var writes: UInt64 = 0
    var writtenSectors: UInt64 = 0
    var writeMilliseconds: UInt64 = 0
    var busyMilliseconds: UInt64 = 0
    var weightedMilliseconds: UInt64 = 0

    /// Takes the numbers behind the name; nil when there are fewer than eleven.
    init?(_ text: inout ByteScanner) {
      for field in 1...11 {
        guard let value = text.unsigned() else { return nil }
        switch field {
        case 1: reads = value
        case 3: readSectors = value
        case 4: readMilliseconds = value
        case 5: writes = value
        case 7: writtenSectors = value
        case 8: writeMilliseconds = value
        case 10: busyMilliseconds = value
        case 11: weightedMilliseconds = value
        // Merged requests, and those in flight.
        default: break
        }
      }
    }
  }

  private static func metric(_ name: String, _ unit: Unit, decimals: Int, help: String) -> Metric {
    Metric("disk.\(name)", unit: unit, decimals: decimals, labels: ["device"], help: help)
  }

  private static let readBytes = metric(
    "read_bytes_per_second", .bytesPerSecond, decimals: 0, help: "Bytes read from the device.")
  private static let writeBytes = metric(
    "write_bytes_per_second", .bytesPerSecond, decimals: 0, help: "Bytes written to the device.")
  private static let reads = metric(
    "read_operations_per_second", .perSecond, decimals: 2, help: "Reads completed, after merging.")
  private static let writes = metric(
    "write_operations_per_second", .perSecond, decimals: 2, help: "Writes completed, after merging.")
  private static let readAwait = metric(
    "read_await_milliseconds", .milliseconds, decimals: 2,
    help: "Mean time of a read, queue and service; missing when none completed.")
  private static let writeAwait = metric(
    "write_await_milliseconds", .milliseconds, decimals: 2,
    help: "Mean time of a write, queue and service; missing when none completed.")
  private static let queue = metric("queue_depth", .none, decimals: 3, help: "Mean number of requests queued or in service.")
  private static let utilization = metric(
    "utilization_percent", .percent, decimals: 1,
    help: "Share of time with a request in service; 100 is no limit for parallel devices.")

  /// What is reported of a device.
  static let metrics = [readBytes, writeBytes, reads, writes, readAwait, writeAwait, queue, utilization]

  /// The kernel counts in sectors of 512 bytes, whatever the device's own sectors are.
  private static let sectorBytes = 512.0

  private let slots: [Slot]
  private var last: Counters?
  private var nanoseconds: Int64 = 0

  init(_ name: String, readings: inout Readings) {
    slots = Self.metrics.map { readings.slot($0, [Label("device", name)]) }
  }

  /// Takes the counters: rates are over the time since the last call. A counter that was reset leaves out its own value.
  mutating func sample(_ now: Counters, into readings: inout Readings) {
    defer {
      last = now
      nanoseconds = readings.nanoseconds
    }
    guard let last, readings.nanoseconds > nanoseconds else { return }
    let seconds = Double(readings.nanoseconds - nanoseconds) / 1e9
    func growth(_ counter: KeyPath<Counters, UInt64>, _ width: CounterWidth = .word) -> Double? {
      Rate.delta(from: last[keyPath: counter], to: now[keyPath: counter], width).map { Double($0) }
    }
    let (reads, writes) = (growth(\.reads), growth(\.writes))
    readings.set(slots[0], growth(\.readSectors).map { $0 * Self.sectorBytes / seconds })
    readings.set(slots[1], growth(\.writtenSectors).map { $0 * Self.sectorBytes / seconds })
    readings.set(slots[2], reads.map { $0 / seconds })
    readings.set(slots[3], writes.map { $0 / seconds })
    if let reads, reads > 0 { readings.set(slots[4], growth(\.readMilliseconds, .bits32).map { $0 / reads }) }
    if let writes, writes > 0 { readings.set(slots[5], growth(\.writeMilliseconds, .bits32).map { $0 / writes }) }
    readings.set(slots[6], growth(\.weightedMilliseconds, .bits32).map { $0 / 1000 / seconds })
    readings.set(slots[7], growth(\.busyMilliseconds, .bits32).map { min($0 / 10 / seconds, 100) })
  }
}
