import Platform
public import Telemetry

/// How long reads and writes of block devices take.
///
/// In the slow lane: setting up the tracepoints waits for all processors, and probes are waited for a while.
public struct IOLatencySensor: Sensor {
  /// The catalogue entry.
  public static let kind = SensorKind(
    name: "io_latency", summary: "How long reads and writes of each block device take: percentiles by tracepoints, else means.",
    sources: [
      "/proc/diskstats (Documentation/admin-guide/iostats.rst)",
      "perf_event_open(2) on block:block_rq_issue and block:block_rq_complete (include/trace/events/block.h)",
      "read(2) with O_DIRECT, write(2) and fsync(2)",
    ],
    lane: .slow, timesAnswers: true, everySeconds: 10,
    settings: [
      SettingSpec(
        "tracepoints", .bool, default: "false",
        help: "Whether each request is timed in the kernel, about 2 µs of processor time each; else only means are known."),
      SettingSpec(
        "include_devices", .patterns, default: "",
        help: "When given, these devices are reported, whatever exclude_devices says, and no others."),
      SettingSpec(
        "exclude_devices", .patterns, default: "loop*,ram*,zram*,fd*,sr*,mmcblk?boot*", help: "Devices left out."),
      SettingSpec("probes", .items(StorageProbe.specs), default: nil, help: "Reads and writes of the agent's own, 8 at most."),
    ],
    metrics: IOLatencyMetrics.all,
    check: StorageProbe.check, bounds: IOLatencyMetrics.bounds)

  private let host: Host
  private let filter: NameFilter
  private let diskstats: HostFile
  private let wantsTrace: Bool
  private var trace: (any BlockTrace)?
  private var samplesToTry = 0
  private var problem: SensorError?
  private var latencies = RequestLatencies()
  private var lostCount: UInt64 = 0
  private var devices: [LatencyDevice] = []
  private var probes: [StorageProbe]
  private let clock = SystemClock()

  /// Finds the counters; devices are found as they are listed.
  public init(context: SensorContext, settings: Settings, readings: inout Readings) throws(SensorError) {
    host = context.host
    filter = NameFilter(include: settings.list("include_devices"), exclude: settings.list("exclude_devices"))
    diskstats = host.file("/proc/diskstats", limit: 1 << 20)
    wantsTrace = settings.bool("tracepoints")
    probes = []
    for item in settings.items("probes") { probes.append(StorageProbe(item, &readings)) }
    guard host.exists(diskstats.path) || !probes.isEmpty else { throw .absent(diskstats.path) }
  }

  /// Takes what the kernel recorded, reads the counters, and makes the probes that are due.
  public mutating func sample(into readings: inout Readings) throws(SensorError) {
    for index in probes.indices { probes[index].ask(on: host, at: readings.nanoseconds, clock: clock) }
    // The sample in which the trace begins has nothing of it yet.
    let wasTraced = trace != nil
    if wantsTrace { takeRequests(into: &readings) }
    let isTraced = wasTraced && trace != nil
    let diskstats = diskstats
    readings.attempt { (readings) throws(SensorError) in
      try diskstats.read { (text) throws(SensorError) in readDevices(&text, isTraced: isTraced, into: &readings) }
    }
    let end = SystemClock.bootMilliseconds + IOLatencyLimits.waitMilliseconds
    for index in probes.indices { probes[index].report(at: readings.nanoseconds, waitingUntil: end, into: &readings) }
    guard readings.values.contains(where: { !$0.isMissing }) || !probes.isEmpty else {
      throw readings.problem ?? .absent("a block device")
    }
  }

  private mutating func takeRequests(into readings: inout Readings) {
    if let trace {
      do throws(SensorError) {
        var recorded: [BlockRequest] = []
        let (lost, isComplete) = try trace.take(into: &recorded)
        lostCount &+= lost
        latencies.take(recorded, isComplete: isComplete)
        readings.set(readings.slot(IOLatencyMetrics.lost), Double(lostCount))
        return
      } catch {
        self.trace = nil
        samplesToTry = 0
      }
    }
    samplesToTry -= 1
    if samplesToTry < 0 {
      samplesToTry = IOLatencyLimits.samplesBetweenTries
      do throws(SensorError) {
        trace = try host.calls.blockTrace()
        problem = nil
      } catch {
        if case .absent(let what) = error {
          problem = .device("tracepoints", what: "\(what) is not there; means are reported instead")
        } else {
          problem = error
        }
      }
    }
    if let problem { readings.note(problem) }
  }

  /// Lines of major number, minor number, name and at least eleven counters.
  private mutating func readDevices(_ text: inout ByteScanner, isTraced: Bool, into readings: inout Readings) {
    for index in devices.indices { devices[index].isSeen = false }
    while !text.isAtEnd {
      if let major = text.unsigned(), let minor = text.unsigned(), major < 4096, minor < 1 << 20 {
        let name = text.word()
        if let counters = BlockDevice.Counters(&text) {
          sample(UInt32(major << 20 | minor), name, counters, isTraced: isTraced, into: &readings)
        } else {
          readings.note(.malformed(path: diskstats.path, what: "a device needs eleven counters"))
        }
      } else if !text.isAtLineEnd {
        readings.note(.malformed(path: diskstats.path, what: "a line begins with two device numbers"))
      }
      text.skipLine()
    }
    devices.removeAll { !$0.isSeen }
  }

  private mutating func sample(
    _ number: UInt32, _ name: String, _ counters: BlockDevice.Counters, isTraced: Bool, into readings: inout Readings
  ) {
    let index: Int
    if let known = devices.firstIndex(where: { $0.number == number && $0.name == name }) {
      index = known
    } else {
      guard devices.count < IOLatencyLimits.devices else { return }
      index = devices.count
      devices.append(LatencyDevice(number, name, isReported: filter.admits(name), host: host))
    }
    devices[index].sample(counters, isTraced ? latencies : nil, into: &readings)
  }
}

/// A block device, and what it was at the last sample.
struct LatencyDevice {
  let number: UInt32
  let name: String
  var isSeen = true
  private let isReported: Bool
  /// Whether it has requests of its own: the device mapper, md and the heads of NVMe multipath pass on those of others.
  private let hasRequests: Bool
  private var last: BlockDevice.Counters?

  init(_ number: UInt32, _ name: String, isReported: Bool, host: Host) {
    (self.number, self.name) = (number, name)
    // Whole devices have a directory of their own, where a slash in the name is an exclamation mark.
    let directory = "/sys/block/\(String(name.map { $0 == "/" ? "!" : $0 }))"
    self.isReported = isReported && host.exists(directory)
    hasRequests = host.exists("\(directory)/mq")
  }

  mutating func sample(_ now: BlockDevice.Counters, _ latencies: RequestLatencies?, into readings: inout Readings) {
    isSeen = true
    defer { last = now }
    guard isReported else { return }
    let traced = hasRequests ? latencies : nil
    let source = [Label("device", name), Label("source", traced == nil ? "diskstats" : "tracepoints")]
    readings.set(readings.slot(IOLatencyMetrics.source, source), 1)
    for isWrite in [false, true] {
      let labels = [Label("device", name), Label("operation", isWrite ? "write" : "read")]
      guard let traced else {
        if let mean = mean(now, isWrite: isWrite) { readings.set(readings.slot(IOLatencyMetrics.mean, labels), mean) }
        continue
      }
      guard let figures = traced.figures(of: number, isWrite: isWrite) else { continue }
      readings.set(readings.slot(IOLatencyMetrics.p50, labels), figures.p50)
      readings.set(readings.slot(IOLatencyMetrics.p95, labels), figures.p95)
      readings.set(readings.slot(IOLatencyMetrics.p99, labels), figures.p99)
      readings.set(readings.slot(IOLatencyMetrics.longest, labels), figures.longest)
      readings.set(readings.slot(IOLatencyMetrics.mean, labels), figures.mean)
    }
  }

  /// Nil when there was none, or a counter was reset.
  private func mean(_ now: BlockDevice.Counters, isWrite: Bool) -> Double? {
    guard let last,
      let count = Rate.delta(from: isWrite ? last.writes : last.reads, to: isWrite ? now.writes : now.reads, .word), count > 0,
      let milliseconds = Rate.delta(
        from: isWrite ? last.writeMilliseconds : last.readMilliseconds,
        to: isWrite ? now.writeMilliseconds : now.readMilliseconds, .bits32)
    else { return nil }
    return Double(milliseconds) / Double(count)
  }
}
