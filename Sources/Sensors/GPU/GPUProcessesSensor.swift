import Glibc
import Platform
public import Telemetry

/// Which processes use the GPUs, and how busy the engines are, as the graphics drivers account each open file.
///
/// Other users' processes can be looked at only with CAP_SYS_PTRACE. What holds only when all are seen, the load of engines and
/// the number of processes, is left out otherwise. In the slow lane: it looks at the descriptors of all processes, and a driver may
/// wait for the GPU before it answers.
public struct GPUProcessesSensor: Sensor {
  /// Processes, descriptors of one, and open files of GPUs that are looked at.
  private static let processLimit = 10_000
  private static let descriptorLimit = 4096
  private static let clientLimit = 2048

  /// The catalogue entry.
  public static let kind = SensorKind(
    name: "gpu_processes", summary: "GPU memory and engine time by process, as AMD, Intel, Pi and Mali drivers account it.",
    sources: [
      "/proc/*/fd, /proc/*/fdinfo/* of /dev/dri/* (Documentation/gpu/drm-usage-stats.rst)", "/proc/*/comm (proc_pid_comm(5))",
    ],
    lane: .slow, everySeconds: 10,
    settings: [
      SettingSpec(
        "names", .integer(1...200), default: "32",
        help: "How many names of processes get series of their own; others are 'other'.")
    ],
    metrics: [
      GPUMetrics.processes, GPUMetrics.engineUsage, GPUMetrics.processMemory, GPUMetrics.processShared, GPUMetrics.processUsage,
    ])

  private struct GPU {
    let name: String
    /// v3d tells its engines' load in a file that the sensor `gpu` reads.
    let hasEngines: Bool
    /// Of xe, which wakes the device to read its clock; the others tell what they know.
    let power: RuntimePower?
    var engines: [String: Slot] = [:]
  }

  private struct ClientKey: Hashable {
    let gpu: Int
    let id: UInt64
  }

  /// What all processes of one name use of one GPU.
  private struct Use {
    var memory = DRMClient.Memory()
    var engines: [String: Double] = [:]

    var bytes: UInt64 { (memory.own ?? 0) &+ (memory.shared ?? 0) }

    mutating func add(_ more: DRMClient.Memory) {
      if let own = more.own { memory.own = (memory.own ?? 0) &+ own }
      if let shared = more.shared { memory.shared = (memory.shared ?? 0) &+ shared }
    }
  }

  private let host: Host
  private let nameLimit: Int
  private var hotPlug: HotPlug
  private var gpus: [GPU] = []
  /// The nodes under `/dev/dri`, and whose they are.
  private var nodes: [Substring: Int] = [:]
  private var usages: [ClientKey: DRMUsage] = [:]
  private var names: Set<String> = []

  /// Finds the GPUs that have a render node.
  public init(context: SensorContext, settings: Settings, readings: inout Readings) throws(SensorError) {
    host = context.host
    nameLimit = settings.integer("names")
    hotPlug = HotPlug(host: host, directory: DRMCard.directory)
    findGPUs()
    guard !gpus.isEmpty else { throw .absent("\(DRMCard.directory)/renderD*") }
  }

  private mutating func findGPUs() {
    let known = gpus
    (gpus, nodes) = ([], [:])
    for node in DRMCard.all(on: host, prefix: "renderD") where !node.driver.hasPrefix("nvidia") {
      nodes[node.entry[...]] = gpus.count
      let power = node.driver == "xe" ? RuntimePower(device: "\(node.path)/device", host: host, letSleep: false) : nil
      let name = gpus.contains { $0.name == node.name } ? node.device : node.name
      gpus.append(GPU(name: name, hasEngines: node.driver != "v3d", power: power))
      for card in DRMCard.all(on: host) where card.device == node.device { nodes[card.entry[...]] = gpus.count - 1 }
    }
    // The same ones as before: rates go on, and engines at rest stay known.
    if known.map(\.name) == gpus.map(\.name) { gpus = known } else { usages = [:] }
  }

  /// Looks at all processes.
  public mutating func sample(into readings: inout Readings) throws(SensorError) {
    if hotPlug.isDue() { findGPUs() }
    guard !gpus.isEmpty else { throw .absent("\(DRMCard.directory)/renderD*") }
    let awake = gpus.map { $0.power?.state(at: readings.nanoseconds) != .asleep }
    var look = Look(uses: Array(repeating: [:], count: gpus.count), processes: Array(repeating: 0, count: gpus.count))
    let pids = try host.list("/proc").filter { $0.utf8.first.map { (0x30...0x39).contains($0) } ?? false }
    for pid in pids.prefix(Self.processLimit) { self.look(at: pid, awake, &look, readings.nanoseconds) }
    usages = look.usages
    for index in gpus.indices where awake[index] { report(index, look, into: &readings) }
  }

  /// What one look at all processes gathers.
  private struct Look {
    var uses: [[String: Use]]
    var processes: [Int]
    var usages: [ClientKey: DRMUsage] = [:]
    var isComplete = true
  }

  private func look(at pid: String, _ awake: [Bool], _ look: inout Look, _ now: Int64) {
    let descriptors: [String]
    do {
      descriptors = try host.list("/proc/\(pid)/fd")
    } catch {
      if case .io(_, EACCES) = error { look.isComplete = false }
      return
    }
    var name: String?
    var counted: Set<Int> = []
    for descriptor in descriptors.prefix(Self.descriptorLimit) where look.usages.count < Self.clientLimit {
      guard let target = host.link("/proc/\(pid)/fd/\(descriptor)"), target.hasPrefix("/dev/dri/"),
        let gpu = nodes[target.dropFirst(9)], awake[gpu]
      else { continue }
      let file = host.file("/proc/\(pid)/fdinfo/\(descriptor)", limit: 16_384)
      guard let client = (try? file.read { (text) throws(SensorError) in DRMClient(&text) }) ?? nil else { continue }
      if counted.insert(gpu).inserted { look.processes[gpu] += 1 }
      // Before Linux 5.19 there were no ids: then a file that two processes share counts twice.
      let key = ClientKey(gpu: gpu, id: client.id ?? UInt64(pid).map { $0 << 32 | (UInt64(descriptor) ?? 0) } ?? 0)
      guard look.usages[key] == nil else { continue }
      let owner = name ?? host.line("/proc/\(pid)/comm") ?? pid
      name = owner
      look.uses[gpu][owner, default: Use()].add(client.memory)
      var usage = usages[key] ?? DRMUsage(client, at: now)
      usage.advance(client, at: now) { look.uses[gpu][owner, default: Use()].engines[$0, default: 0] += $1 }
      look.usages[key] = usage
    }
  }

  private mutating func report(_ index: Int, _ look: Look, into readings: inout Readings) {
    let label = Label("gpu", gpus[index].name)
    let uses = look.uses[index]
    // The largest first, should the names run out.
    for (name, use) in uses.sorted(by: { ($1.value.bytes, $0.key) < ($0.value.bytes, $1.key) }) {
      let isNamed = names.contains(name) || names.count < nameLimit
      if isNamed { names.insert(name) }
      let labels = [label, Label("process", isNamed ? name : "other")]
      Self.add(use.memory.own.map { Double($0) }, to: GPUMetrics.processMemory, labels, &readings)
      Self.add(use.memory.shared.map { Double($0) }, to: GPUMetrics.processShared, labels, &readings)
      Self.add(use.engines.values.max().map { min($0, 100) }, to: GPUMetrics.processUsage, labels, &readings)
    }
    guard look.isComplete else { return }
    readings.set(readings.slot(GPUMetrics.processes, [label]), Double(look.processes[index]))
    guard gpus[index].hasEngines else { return }
    var engines: [String: Double] = gpus[index].engines.mapValues { _ in 0 }
    for use in uses.values { for (engine, share) in use.engines { engines[engine, default: 0] += share } }
    for (engine, share) in engines {
      let slot = gpus[index].engines[engine] ?? readings.slot(GPUMetrics.engineUsage, [label, Label("engine", engine)])
      gpus[index].engines[engine] = slot
      readings.set(slot, min(share, 100))
    }
  }

  /// Several names may share the series `other`.
  private static func add(_ value: Double?, to metric: Metric, _ labels: [Label], _ readings: inout Readings) {
    guard let value else { return }
    let slot = readings.slot(metric, labels)
    let known = slot.index >= 0 ? readings.values[slot.index] : .missing
    readings.set(slot, known.isMissing ? value : known + value)
  }
}
