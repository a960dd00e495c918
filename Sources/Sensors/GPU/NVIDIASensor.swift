import Platform
public import Telemetry

/// NVIDIA's GPUs, by NVML: load, memory, temperature, power, clocks, why they are held down, memory errors, and who uses the memory.
///
/// NVML is NVIDIA's library; it is called in a process of its own (`SensorHostLink`).
public struct NVIDIASensor: Sensor {
  private static let answered = [
    GPUMetrics.info, GPUMetrics.usage, GPUMetrics.memoryBusy, GPUMetrics.engineUsage, GPUMetrics.memoryUsed,
    GPUMetrics.memoryTotal, GPUMetrics.memoryUsage, GPUMetrics.temperature, GPUMetrics.temperatureCritical, GPUMetrics.power,
    GPUMetrics.powerLimit, GPUMetrics.fanPercent, GPUMetrics.clock, GPUMetrics.clockMax, GPUMetrics.throttled,
    GPUMetrics.eccErrors, GPUMetrics.linkWidth, GPUMetrics.linkWidthMax, GPUMetrics.linkSpeed, GPUMetrics.linkSpeedMax,
    GPUMetrics.processes, GPUMetrics.processMemory,
  ]

  /// The catalogue entry.
  public static let kind = SensorKind(
    name: "nvidia", summary: "NVIDIA's GPUs: load, memory, temperature, power, clocks, errors and processes.",
    sources: ["libnvidia-ml.so.1 (NVML, docs.nvidia.com/deploy/nvml-api), called by godwit sensor-host"],
    lane: .slow,
    settings: SensorHostLink.settings(file: "libnvidia-ml.so.1", device: "/dev/nvidiactl") + [
      SettingSpec(
        "processes", .integer(0...32), default: "8",
        help: "Names of processes whose memory is reported for each GPU, the largest first; the others count as `other`.")
    ],
    metrics: answered,
    bounds: { settings in
      guard settings.integer("processes") == 0 else { return [] }
      // Then all of them count as this one.
      return [.label("process", of: [GPUMetrics.processMemory], is: [ChosenNames.other], remedy: "write 'processes: 8'")]
    })

  private let link: SensorHostLink
  private let values = AnsweredValues(Self.answered)
  private let processes: Int
  private var names = ChosenNames()

  /// Looks for NVIDIA's driver; no process is started yet.
  public init(context: SensorContext, settings: Settings, readings: inout Readings) throws(SensorError) {
    let host = context.host
    let path = settings.text("library")
    guard !path.isEmpty || host.exists("/dev/nvidiactl") || host.exists("/proc/driver/nvidia") else {
      throw .absent("/dev/nvidiactl")
    }
    link = SensorHostLink(
      library: "nvidia", path: path, timeoutMilliseconds: settings.milliseconds("answer_within"), context: context)
    processes = settings.integer("processes")
  }

  /// Asks the library once.
  public mutating func sample(into readings: inout Readings) throws(SensorError) {
    let answer = try link.sample(at: readings.nanoseconds)
    var users: [String: [(name: String, bytes: Double)]] = [:]
    for entry in answer.entries {
      if entry.metric == GPUMetrics.processMemory.name {
        users[entry.label("gpu"), default: []].append((entry.label("process"), entry.value))
      } else {
        values.set(entry, in: &readings)
      }
    }
    for (gpu, list) in users { report(gpu, list, into: &readings) }
    for problem in answer.problems { readings.note(.device("nvidia", what: problem)) }
  }

  private mutating func report(_ gpu: String, _ list: [(name: String, bytes: Double)], into readings: inout Readings) {
    // The host sums what is beyond its own bound under that name already.
    let sorted = list.filter { $0.name != ChosenNames.other }.sorted { ($1.bytes, $0.name) < ($0.bytes, $1.name) }
    var sums: [String: Double] = [:]
    for user in list where user.name == ChosenNames.other { sums[ChosenNames.other, default: 0] += user.bytes }
    for (place, user) in sorted.enumerated() {
      sums[place < processes ? names.admit(user.name) : ChosenNames.other, default: 0] += user.bytes
    }
    for (name, bytes) in sums {
      readings.set(readings.slot(GPUMetrics.processMemory, [Label("gpu", gpu), Label("process", name)]), bytes)
    }
  }
}
