import Platform
public import Telemetry

/// The agent itself: what it costs the device, whether it keeps its time, what it has stored and delivered.
public struct SelfSensor: Sensor {
  private static let cpu = Metric(
    "godwit.cpu_percent", unit: .percent, decimals: 2,
    help:
      "Processor time of the agent as a share of one core, over ten seconds or more; the kernel counts hundredths of a second."
  )
  private static let cpuSeconds = Metric(
    "godwit.cpu_seconds", unit: .seconds, kind: .counter, decimals: 2, help: "Processor time of the agent since its start.")
  private static let resident = Metric("godwit.resident_bytes", unit: .bytes, help: "Memory of the agent that is in RAM.")
  private static let proportional = Metric(
    "godwit.proportional_bytes", unit: .bytes,
    help: "The same with shared pages divided among their users; looked up every memory_every and repeated in between.")
  private static let anonymous = Metric(
    "godwit.anonymous_bytes", unit: .bytes, help: "Memory that no file backs: heap and stacks; looked up with proportional_bytes."
  )
  private static let threads = Metric("godwit.threads", unit: .none, help: "Threads of the agent.")
  private static let duration = Metric(
    "godwit.sensor_duration_seconds", unit: .seconds, decimals: 6, labels: ["sensor"],
    help: "How long the sensor's last sample took.")
  private static let output = Metric(
    "godwit.output_active", unit: .none, labels: ["output"],
    help: "Whether the output is on: 1 or 0; missing while it is not driven.")
  private static let outcome = Metric(
    "godwit.sensor_outcome", unit: .none, labels: ["sensor"],
    help: "How the sensor's last sample ended: 0 ok, 1 partial, 2 absent, 3 failed, 4 timed out, 5 starting.")
  private static let age = Metric(
    "godwit.sensor_age_seconds", unit: .seconds, decimals: 1, labels: ["sensor"],
    help: "Age of the sensor's newest values; missing before the first.")

  private struct Figure {
    let metric: Metric
    let value: @Sendable (borrowing AgentStatistics.Figures) -> Double
  }

  private static let figures: [Figure] = [
    lateness("p50", help: "How late half of the last window's ticks began at most.") { $0.latenessP50Milliseconds },
    lateness("p99", help: "How late 99 of 100 of them began at most.") { $0.latenessP99Milliseconds },
    lateness("max", help: "How late the latest of them began.") { $0.latenessMaxMilliseconds },
    count("ticks", help: "Ticks taken since the agent's start.") { $0.ticks },
    count("skipped_ticks", help: "Ticks skipped because the one before took too long, or the machine slept.") { $0.skippedTicks },
    Figure(metric: Metric("godwit.buffer_bytes", unit: .bytes, help: "Size of the buffer's files.")) { Double($0.bufferBytes) },
    count("uncommitted_ticks", .gauge, help: "Ticks taken but not yet committed to disk.") { $0.uncommittedTicks },
    count("unstored_ticks", help: "Ticks that could not be stored for want of memory or disk.") { $0.unstoredTicks },
    count("queued_ticks", .gauge, help: "Committed ticks that wait for delivery.") { $0.queuedTicks },
    count("delivered_ticks", help: "Ticks that the broker acknowledged since the agent's start.") { $0.deliveredTicks },
    count("lost_ticks", help: "Ticks evicted before they were delivered.") { $0.lostTicks },
  ]

  private static func lateness(
    _ word: String, help: String, _ value: @escaping @Sendable (borrowing AgentStatistics.Figures) -> Double
  ) -> Figure {
    Figure(
      metric: Metric("godwit.tick_lateness_\(word)_milliseconds", unit: .milliseconds, decimals: 3, help: help), value: value)
  }

  private static func count(
    _ name: String, _ kind: MetricKind = .counter, help: String,
    _ value: @escaping @Sendable (borrowing AgentStatistics.Figures) -> UInt64
  ) -> Figure {
    Figure(metric: Metric("godwit.\(name)", unit: .none, kind: kind, help: help)) { Double(value($0)) }
  }

  /// The catalogue entry.
  public static let kind = SensorKind(
    name: "self",
    summary: "The agent itself: its processor time and memory, tick lateness, buffer, delivery, and each sensor's condition.",
    sources: [
      "/proc/self/stat (proc_pid_stat(5))", "/proc/self/smaps_rollup (Documentation/ABI/testing/procfs-smaps_rollup)",
      "the agent's own counters",
    ],
    everySeconds: 10,
    settings: [
      SettingSpec(
        "memory_every", .duration(0...86_400_000), default: "10m",
        help: "How often the memory is taken apart, which walks all pages of the agent; 0 turns it off.")
    ],
    metrics: [cpu, cpuSeconds, resident, proportional, anonymous, threads] + figures.map(\.metric) + [
      duration, outcome, age, output,
    ],
    bounds: { settings in
      var bounds = [MetricBound.label("sensor", of: [duration, outcome, age], is: SensorCatalogue.kinds.map(\.name))]
      if settings.milliseconds("memory_every") == 0 {
        bounds.append(.off([proportional, anonymous], why: "'memory_every' is 0", remedy: "write 'memory_every: 10m'"))
      }
      return bounds
    })

  /// Time between two looks at the processor time: a hundredth of a second in ten is a thousandth of a core.
  private static let cpuNanoseconds: Int64 = 10_000_000_000

  private struct Slots {
    let cpu, cpuSeconds, resident, proportional, anonymous, threads: Slot
    let figures: [Slot]
  }

  private struct SensorSlots {
    var name: String
    let duration, outcome, age: Slot
  }

  private let statistics: AgentStatistics
  private let stat, rollup: HostFile
  private let ticksPerSecond, pageBytes: Double
  private let memoryNanoseconds: Int64
  private let slots: Slots
  private var sensors: [SensorSlots] = []
  private var outputs: [(name: String, slot: Slot)] = []
  private var cpuRate = Rate(.bits64)
  private var cpuReadAt = Int64.min
  private var cpuPercent: Double?
  private var memory = MemoryRollup()
  private var memoryReadAt = Int64.min

  /// Takes the agent's figures from `context`; there is always an agent.
  public init(context: SensorContext, settings: Settings, readings: inout Readings) throws(SensorError) {
    statistics = context.statistics
    stat = context.host.file("/proc/self/stat", limit: 4096)
    rollup = context.host.file("/proc/self/smaps_rollup", limit: 4096)
    ticksPerSecond = Double(context.host.calls.clockTicksPerSecond)
    pageBytes = Double(context.host.calls.pageBytes)
    memoryNanoseconds = Int64(settings.milliseconds("memory_every")) * 1_000_000
    slots = Slots(
      cpu: readings.slot(Self.cpu), cpuSeconds: readings.slot(Self.cpuSeconds), resident: readings.slot(Self.resident),
      proportional: readings.slot(Self.proportional), anonymous: readings.slot(Self.anonymous),
      threads: readings.slot(Self.threads), figures: Self.figures.map { readings.slot($0.metric) })
  }

  /// Reads the process's own files, then copies the agent's figures.
  public mutating func sample(into readings: inout Readings) throws(SensorError) {
    sampleFigures(into: &readings)
    // Without /proc the agent still knows its own figures.
    readings.attempt { (readings) throws(SensorError) in
      let process = try stat.read { [path = stat.path] (text) throws(SensorError) in try ProcessStat.parse(&text, path: path) }
      report(process, into: &readings)
    }
    readings.attempt { (readings) throws(SensorError) in try sampleMemory(into: &readings) }
  }

  private mutating func report(_ process: ProcessStat, into readings: inout Readings) {
    readings.set(slots.cpuSeconds, Double(process.ticks) / ticksPerSecond)
    readings.set(slots.resident, Double(process.residentPages) * pageBytes)
    readings.set(slots.threads, Double(process.threads))
    if cpuReadAt == .min || readings.nanoseconds - cpuReadAt >= Self.cpuNanoseconds {
      cpuReadAt = readings.nanoseconds
      cpuPercent = cpuRate.perSecond(process.ticks, at: readings.nanoseconds).map { $0 / ticksPerSecond * 100 }
    }
    readings.set(slots.cpu, cpuPercent)
  }

  private mutating func sampleMemory(into readings: inout Readings) throws(SensorError) {
    guard memoryNanoseconds > 0 else { return }
    if memoryReadAt == .min || readings.nanoseconds - memoryReadAt >= memoryNanoseconds {
      memoryReadAt = readings.nanoseconds
      memory = MemoryRollup()
      memory = try rollup.read { (text) throws(SensorError) in MemoryRollup.parse(&text) }
    }
    readings.set(slots.proportional, memory.proportionalBytes)
    readings.set(slots.anonymous, memory.anonymousBytes)
  }

  private mutating func sampleFigures(into readings: inout Readings) {
    let switched = statistics.read { $0.outputs }
    if !switched.isEmpty { sampleOutputs(switched, into: &readings) }
    statistics.read { figures in
      for index in Self.figures.indices { readings.set(slots.figures[index], Self.figures[index].value(figures)) }
      for index in 0..<figures.sensors.count {
        if index == sensors.count || sensors[index].name != figures.sensors[index].name {
          name(figures.sensors[index].name, at: index, in: &readings)
        }
        let slots = sensors[index]
        readings.set(slots.duration, figures.sensors[index].durationSeconds)
        readings.set(slots.outcome, Double(figures.sensors[index].outcome.rawValue))
        if let sampledAt = figures.sensors[index].sampledAtNanoseconds {
          readings.set(slots.age, Double(max(readings.nanoseconds - sampledAt, 0)) / 1e9)
        }
      }
    }
  }

  private mutating func sampleOutputs(_ figures: [AgentStatistics.OutputFigures], into readings: inout Readings) {
    for (index, output) in figures.enumerated() {
      if index == outputs.count || outputs[index].name != output.name {
        let made = (name: output.name, slot: readings.slot(Self.output, [Label("output", output.name)]))
        if index == outputs.count { outputs.append(made) } else { outputs[index] = made }
      }
      readings.set(outputs[index].slot, output.isOn.map { $0 ? 1 : 0 })
    }
  }

  /// Makes the slots of the sensor at a position; after a reload another one may stand there.
  private mutating func name(_ name: String, at index: Int, in readings: inout Readings) {
    let label = [Label("sensor", name)]
    let made = SensorSlots(
      name: name, duration: readings.slot(Self.duration, label), outcome: readings.slot(Self.outcome, label),
      age: readings.slot(Self.age, label))
    if index == sensors.count { sensors.append(made) } else { sensors[index] = made }
  }
}
