import Platform
import Telemetry

/// The GPU of a Raspberry Pi (driver v3d), by its statistics file.
///
/// The driver counts in software: reading wakes nothing, and its runtime power state is of no interest.
enum VideoCoreGPU {
  static func add(to builder: inout DeviceBuilder, _ readings: inout Readings) {
    guard let file = builder.file("gpu_stats") else { return }
    let usage = readings.slot(GPUMetrics.usage, [builder.label])
    builder.attributes.tables.append(.queues(QueueStatistics(file: file, usage: usage, label: builder.label)))
  }
}

/// `gpu_stats` of v3d (drivers/gpu/drm/v3d/v3d_sysfs.c): tab separated, nanoseconds of
/// one clock.
///
/// ```
/// queue   timestamp       jobs    runtime
/// bin     239043069420    22620   17438164056
/// csd     239043069420    3168    10787905530
/// ```
struct QueueStatistics {
  private struct Queue {
    let hash: UInt64
    let slot: Slot
    /// Newer drivers count jobs that the processor does: no work of the GPU.
    let isProcessor: Bool
    var timestamp: UInt64?
    var runtime: UInt64 = 0
  }

  /// Queues that are reported; the hardware has six.
  private static let queueLimit = 16

  let file: HostFile
  let usage: Slot
  let label: Label
  private var queues: [Queue] = []

  init(file: HostFile, usage: Slot, label: Label) {
    (self.file, self.usage, self.label) = (file, usage, label)
  }

  /// Each queue's share of the time since the last sample, and the busiest one's as the GPU's: they work side by side.
  mutating func sample(into readings: inout Readings) throws(SensorError) {
    let file = file
    try file.read { (text) throws(SensorError) in
      guard text.skip("queue\ttimestamp\tjobs\truntime") else {
        throw .malformed(path: file.path, what: "it does not begin with queue, timestamp, jobs and runtime")
      }
      text.skipLine()
      while !text.isAtEnd {
        try line(&text, into: &readings)
        text.skipLine()
      }
    }
  }

  private mutating func line(_ text: inout ByteScanner, into readings: inout Readings) throws(SensorError) {
    let hash = text.keyHash()
    var name = text
    _ = text.skip { $0 == 0x09 || $0 == 0x0A }
    guard let timestamp = text.unsigned(), text.unsigned() != nil, let runtime = text.unsigned() else {
      throw .malformed(path: file.path, what: "a queue needs three numbers")
    }
    guard let index = queues.firstIndex(where: { $0.hash == hash }) ?? add(hash, name.word(), &readings) else { return }
    if let last = queues[index].timestamp, timestamp > last, runtime >= queues[index].runtime {
      let share = min(Double(runtime - queues[index].runtime) / Double(timestamp - last) * 100, 100)
      readings.set(queues[index].slot, share)
      let known = usage.index >= 0 ? readings.values[usage.index] : .missing
      if !queues[index].isProcessor { readings.set(usage, known.isMissing ? share : max(known, share)) }
    }
    (queues[index].timestamp, queues[index].runtime) = (timestamp, runtime)
  }

  private mutating func add(_ hash: UInt64, _ name: String, _ readings: inout Readings) -> Int? {
    guard queues.count < Self.queueLimit else { return nil }
    let slot = readings.slot(GPUMetrics.engineUsage, [label, Label("engine", name)])
    queues.append(Queue(hash: hash, slot: slot, isProcessor: name == "cpu"))
    return queues.count - 1
  }
}
