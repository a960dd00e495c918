import Platform
import Telemetry

/// One name and its series; the container behind it may be made anew.
struct WatchedContainer {
  let name: String
  let engine: String
  /// The sample in which it was seen last.
  var sample = 0
  private(set) var id = ""
  /// Its first process.
  private(set) var process: Int32?
  private var parent = ""
  /// Whether it ever had a control group.
  private(set) var hadGroup = false
  private var hasOwnNetwork = false
  private var slots = [Slot?](repeating: nil, count: ContainerValue.allCases.count)
  private var stateSlots = [Slot?](repeating: nil, count: ContainerState.allCases.count)
  private var images: [String] = []
  private var last = ContainerUsage()
  private var lastAt = Int64.min
  private var kills = OOMKillTally()
  private var countsKills = false

  init(name: String, engine: String) {
    self.name = name
    self.engine = engine
  }

  private var labels: [Label] { [Label("container", name), Label("engine", engine)] }

  private mutating func set(_ value: ContainerValue, _ number: Double?, in readings: inout Readings) {
    guard let number else { return }
    let slot = slots[value.rawValue] ?? readings.slot(ContainerMetrics.values[value.rawValue], labels)
    slots[value.rawValue] = slot
    readings.set(slot, number)
  }

  private mutating func set(_ value: ContainerValue, _ flag: Bool?, in readings: inout Readings) {
    if let flag { set(value, flag ? 1 : 0, in: &readings) }
  }

  /// Another container has the name now, or this one has other processes: counters begin anew.
  mutating func become(_ id: String, process: Int32?, parent: String) {
    if id != self.id || process != self.process {
      last = ContainerUsage()
      lastAt = .min
      hasOwnNetwork = false
    }
    if parent != self.parent { kills.move() }
    (self.id, self.process, self.parent) = (id, process, parent)
  }

  /// What its engine says.
  mutating func tell(_ container: EngineContainer, into readings: inout Readings) {
    set(.running, container.state.map { $0 == .running }, in: &readings)
    set(.down, container.isDown, in: &readings)
    set(.healthy, container.isHealthy, in: &readings)
    set(.restarts, container.restarts.map { Double($0) }, in: &readings)
    set(.startTime, container.startTime, in: &readings)
    if container.state == .exited || container.state == .dead {
      set(.exitCode, container.exitCode.map { Double($0) }, in: &readings)
    }
    tell(container.state, into: &readings)
    guard !container.image.isEmpty, images.contains(container.image) || images.count < ContainerLimits.images else { return }
    if !images.contains(container.image) { images.append(container.image) }
    readings.set(readings.slot(ContainerMetrics.info, labels + [Label("image", container.image)]), 1)
  }

  /// What the control groups alone tell.
  mutating func tell(isRunning: Bool, into readings: inout Readings) { set(.running, isRunning, in: &readings) }

  private mutating func tell(_ state: ContainerState?, into readings: inout Readings) {
    guard let state else { return }
    if stateSlots[state.rawValue] == nil {
      stateSlots[state.rawValue] = readings.slot(ContainerMetrics.state, labels + [Label("state", state.word)])
    }
    for (index, slot) in stateSlots.enumerated() {
      if let slot { readings.set(slot, index == state.rawValue ? 1 : 0) }
    }
  }

  /// What its control group counts. `above` is the count of kills of the one above it, in which those of a group that is gone stay.
  mutating func measure(
    _ container: CgroupContainer, in tree: CgroupTree, sharesNetwork: Bool?, above: Double?, lostProcess: Bool,
    into readings: inout Readings
  ) {
    hadGroup = true
    var usage = ContainerUsage(container.path, in: tree)
    if let process {
      if lastAt == .min { hasOwnNetwork = !(sharesNetwork ?? Self.hasNetworkOfHost(tree.host, process)) }
      if hasOwnNetwork { usage.readNetwork(tree.host, process: process) }
    }
    count(kills: usage[.oomKills], above: above, lostProcess: lostProcess, into: &readings)
    usage[.oomKills] = nil
    let seconds = lastAt == .min ? 0 : Double(readings.nanoseconds - lastAt) / 1e9
    // A rate has no meaning until its count was seen twice.
    var told = usage
    for value in ContainerValue.rates { told[value] = growth(value, usage, seconds) }
    told[.cpu] = growth(.cpuSeconds, usage, seconds).map { $0 * 100 }
    if let periods = growth(.periods, usage, 1), periods > 0, let throttled = growth(.throttledPeriods, usage, 1) {
      told[.throttled] = min(throttled / periods * 100, 100)
    }
    for value in ContainerValue.allCases { set(value, told[value], in: &readings) }
    last = usage
    lastAt = readings.nanoseconds
  }

  private func growth(_ value: ContainerValue, _ now: ContainerUsage, _ seconds: Double) -> Double? {
    guard lastAt != .min, seconds > 0, let new = now[value], let old = last[value], new >= old else { return nil }
    return (new - old) / seconds
  }

  /// It has no control group (any more): a kill may have been the reason.
  mutating func vanish(_ tree: CgroupTree, into readings: inout Readings) {
    count(kills: nil, above: process == nil ? nil : tree.oomKills(parent), lostProcess: process != nil, into: &readings)
    become(id, process: nil, parent: parent)
  }

  private mutating func count(kills own: Double?, above: Double?, lostProcess: Bool, into readings: inout Readings) {
    countsKills = countsKills || own != nil
    guard countsKills else { return }
    kills.advance(
      own: own.flatMap { UInt64(exactly: $0) }, above: above.flatMap { UInt64(exactly: $0) }, lostProcess: lostProcess)
    set(.oomKills, Double(kills.total), in: &readings)
  }

  /// Without the rights of a debugger it cannot be told (namespaces(7)): then it is taken for so, for the host's traffic would be wrong.
  private static func hasNetworkOfHost(_ host: Host, _ process: Int32) -> Bool {
    guard let own = host.link("/proc/self/ns/net"), let other = host.link("/proc/\(process)/ns/net") else { return true }
    return own == other
  }
}
