import Telemetry

/// The names of processes that use most of something. Only those have values; how many names get series over time is bounded.
struct TopProcesses {
  /// What all processes of one name use.
  struct Use {
    var ticks: UInt64 = 0
    var residentPages: UInt64 = 0
    var movedBytes: UInt64 = 0
  }

  private let count, nameLimit: Int
  private var names: Set<String> = []
  /// For how many samples more a name that fell out has values, by metric and name. Without them an alert on it would not end.
  private var lasting: [String: Int] = [:]

  /// The `count` names that use most; `nameLimit` names in all, the rest are `other`.
  init(count: Int, nameLimit: Int) {
    self.count = count
    self.nameLimit = nameLimit
  }

  /// Sums the processes by name.
  static func uses(of table: ProcessTable) -> [(name: String, use: Use)] {
    var places: [String: Int] = [:]
    var uses: [(name: String, use: Use)] = []
    for id in table.ids {
      guard let process = table.processes[id] else { continue }
      let place = places[process.stat.name] ?? uses.count
      if place == uses.count {
        places[process.stat.name] = place
        uses.append((process.stat.name, Use()))
      }
      uses[place].use.ticks &+= process.usedTicks
      uses[place].use.residentPages &+= process.stat.residentPages
      uses[place].use.movedBytes &+= process.moved.readBytes &+ process.moved.writtenBytes
    }
    return uses
  }

  /// Sets the values of those that have most, if it is at least `least`; `scale` makes the metric's unit of what `amount` counts.
  mutating func report(
    _ metric: Metric, _ uses: [(name: String, use: Use)], least: Double, scale: Double, into readings: inout Readings,
    _ amount: (Use) -> UInt64
  ) {
    var largest: [(name: String, value: Double)] = []
    for (name, use) in uses {
      let value = Double(amount(use)) * scale
      guard value > 0, value >= least else { continue }
      let place = largest.firstIndex { ($0.value, name) < (value, $0.name) } ?? largest.count
      guard place < count else { continue }
      largest.insert((name, value), at: place)
      if largest.count > count { largest.removeLast() }
    }
    let prefix = metric.name + " "
    var leaving = lasting.filter { $0.key.hasPrefix(prefix) }
    for (name, value) in largest {
      let isNamed = names.contains(name) || names.count < nameLimit
      if isNamed { names.insert(name) }
      let label = isNamed ? name : "other"
      lasting[prefix + label] = ProcessLimits.samplesBehindTop
      leaving[prefix + label] = nil
      let slot = readings.slot(metric, [Label("process", label)])
      // Several names may share the series `other`.
      let known = slot.index >= 0 ? readings.values[slot.index] : .missing
      readings.set(slot, known.isMissing ? value : known + value)
    }
    for (key, left) in leaving {
      lasting[key] = left > 1 ? left - 1 : nil
      let name = String(key.dropFirst(prefix.count))
      let use = uses.first { $0.name == name }?.use
      readings.set(readings.slot(metric, [Label("process", name)]), use.map { Double(amount($0)) * scale } ?? 0)
    }
  }
}
