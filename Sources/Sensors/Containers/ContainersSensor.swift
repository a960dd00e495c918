import Platform
public import Telemetry

/// Containers: what their control groups count, and what Docker's and Podman's API sockets say of them.
///
/// In the slow lane because an engine may take its time. A container whose engine does not answer is known by its control group alone.
public struct ContainersSensor: Sensor {
  /// The catalogue entry.
  public static let kind = SensorKind(
    name: "containers", summary: "Containers of Docker, Podman and others: state, health, restarts, CPU, memory, I/O, network.",
    sources: [
      "/sys/fs/cgroup (Documentation/admin-guide/cgroup-v2.rst, cgroup-v1)", "/proc/*/net/dev (proc_pid_net(5))",
      "GET /version, /containers/json, /containers/*/json (Docker Engine API 1.41 or later, Podman)",
    ],
    lane: .slow, everySeconds: 30,
    settings: [
      SettingSpec(
        "sockets", .patterns, default: "/var/run/docker.sock,/run/podman/podman.sock",
        help:
          "API sockets of engines, \(ContainerLimits.sockets) at most, patterns among them: `/run/user/*/podman/podman.sock`."
          + " `[]` asks none."),
      SettingSpec(
        "include", .patterns, default: "",
        help: "When given, these containers are reported, whatever exclude says, and no others."),
      SettingSpec("exclude", .patterns, default: "", help: "Containers left out, by the label `container`: `test-*`."),
      SettingSpec(
        "ask_every", .duration(5_000...3_600_000), default: "60s",
        help:
          "How often an engine is asked for names, states and health while no container comes or goes; Podman ten times more rarely, unless"
          + " one has a health check."),
      SettingSpec(
        "containers", .integer(1...75), default: "50",
        help: "How many containers get series while the agent runs; later ones are only counted."),
    ],
    metrics: ContainerMetrics.all,
    check: { settings in
      let sockets = settings.list("sockets")
      var faults: [SettingFault] = []
      for (index, path) in sockets.enumerated() where !path.hasPrefix("/") {
        faults.append(
          SettingFault(
            "sockets", item: index, what: "'\(path)' is no absolute path of a socket", remedy: "write /var/run/docker.sock"))
      }
      if sockets.count > ContainerLimits.sockets {
        faults.append(
          SettingFault(
            "sockets", what: "more than \(ContainerLimits.sockets) sockets",
            remedy: "use a pattern: /run/user/*/podman/podman.sock"))
      }
      return faults
    },
    bounds: ContainerMetrics.bounds)

  private let host: Host
  private let filter: NameFilter
  private let askNanoseconds: Int64
  private let limit: Int
  private let sockets: [String]
  private let tree: CgroupTree
  private var engines: [ContainerEngine] = []
  private var watched: [WatchedContainer] = []
  /// The ids and first processes of the sample before.
  private var processes: [String: Int32] = [:]
  private var ids: [String] = []
  private var sample = 0
  private var leftOut = 0

  /// Looks for sockets and control groups.
  public init(context: SensorContext, settings: Settings, readings: inout Readings) throws(SensorError) {
    host = context.host
    filter = NameFilter(include: settings.list("include"), exclude: settings.list("exclude"))
    askNanoseconds = Int64(settings.milliseconds("ask_every")) * 1_000_000
    limit = settings.integer("containers")
    sockets = settings.list("sockets")
    tree = CgroupTree(host)
    let found = tree.containers()
    findEngines(found)
    guard !engines.isEmpty || !found.isEmpty else { throw .absent("containers, or a socket of an engine") }
  }

  /// Reads all control groups of containers, and asks the engines when something changed or it is time.
  public mutating func sample(into readings: inout Readings) throws(SensorError) {
    sample += 1
    leftOut = 0
    let found = tree.containers()
    let restarted = advance(found)
    let hasChanged = ids != found.map(\.id) || !restarted.isEmpty
    ids = found.map(\.id)
    if hasChanged || sample % ContainerLimits.samplesBetweenSockets == 0 { findEngines(found) }
    ask(hasChanged: hasChanged, restarted, into: &readings)
    var counts = [Int](repeating: 0, count: ContainerState.allCases.count)
    var above = (path: "", kills: Double?.none)
    for container in found {
      let parent = tree.parent(of: container)
      if above.path != parent { above = (parent, tree.oomKills(parent)) }
      tell(container, above: above.kills, &counts, into: &readings)
    }
    tellOthers(&counts, into: &readings)
    for index in watched.indices where watched[index].sample != sample {
      watched[index].vanish(tree, into: &readings)
      // Their names stay, and no engine tells more of them.
      if watched[index].engine == "lxc" || watched[index].engine == "nspawn" {
        watched[index].tell(isRunning: false, into: &readings)
      }
    }
    try finish(counts, found, into: &readings)
  }

  /// A container that has a control group.
  private mutating func tell(
    _ container: CgroupContainer, above: Double?, _ counts: inout [Int], into readings: inout Readings
  ) {
    let known = known(container.id)
    let isFresh = known.map { $0.engine.isFresh(every: askNanoseconds, at: readings.nanoseconds) } ?? false
    let name = known?.container.name ?? (container.id.utf8.count == 64 ? String(container.id.prefix(12)) : container.id)
    guard filter.admits(name) else { return }
    let state = isFresh ? known?.container.state : nil
    counts[(state ?? .running).rawValue] += 1
    guard let index = index(of: name, known?.engine.name ?? container.engine, container.id) else { return }
    let isLost = watched[index].process != nil && watched[index].process != processes[container.id]
    watched[index].become(container.id, process: processes[container.id], parent: tree.parent(of: container))
    if let known, isFresh { watched[index].tell(known.container, into: &readings) }
    if state == nil { watched[index].tell(isRunning: true, into: &readings) }
    watched[index].measure(
      container, in: tree, sharesNetwork: known?.container.usesHostNetwork, above: above, lostProcess: isLost, into: &readings)
  }

  /// Those that only an engine knows: most of them do not run. Of an engine that is silent their states are not known any more.
  private mutating func tellOthers(_ counts: inout [Int], into readings: inout Readings) {
    for engine in engines {
      let isFresh = engine.isFresh(every: askNanoseconds, at: readings.nanoseconds)
      for container in engine.containers where !ids.contains(container.id) {
        if isFresh, let state = container.state { counts[state.rawValue] += 1 }
        guard let index = index(of: container.name, engine.name, container.id) else { continue }
        watched[index].vanish(tree, into: &readings)
        if isFresh {
          watched[index].tell(container, into: &readings)
        } else if watched[index].hadGroup {
          watched[index].tell(isRunning: false, into: &readings)
        }
      }
    }
  }

  private mutating func finish(
    _ counts: [Int], _ found: [CgroupContainer], into readings: inout Readings
  ) throws(SensorError) {
    let isComplete = engines.contains { $0.isFresh(every: askNanoseconds, at: readings.nanoseconds) }
    for state in ContainerState.allCases where isComplete || (state == .running && !found.isEmpty) {
      readings.set(readings.slot(ContainerMetrics.count, [Label("state", state.word)]), Double(counts[state.rawValue]))
    }
    for engine in engines {
      guard let isUp = engine.isUp else { continue }
      let labels = [Label("engine", engine.name), Label("socket", EngineContainer.clean(engine.socket))]
      readings.set(readings.slot(ContainerMetrics.engineUp, labels), isUp ? 1 : 0)
    }
    if leftOut > 0 {
      readings.note(
        .device("containers", what: "\(leftOut) are only counted: the setting 'containers' allows \(limit) names in one run"))
    }
    guard readings.values.contains(where: { !$0.isMissing }) else { throw readings.problem ?? .absent("containers") }
  }

  /// Sockets may come and go with their engines. One in a directory that may not be read counts only where names are missing for it.
  private mutating func findEngines(_ found: [CgroupContainer]) {
    for pattern in sockets {
      for path in host.paths(pattern) where engines.count < ContainerLimits.sockets {
        let engine = ContainerEngine(socket: path, resolved: host.resolved(path))
        // `/var/run` is `/run`, and Podman may stand in for Docker.
        if engines.contains(where: { host.resolved($0.socket) == host.resolved(path) }) { continue }
        let isNeeded = found.contains { $0.engine == engine.name } && host.isBarred(path)
        if host.exists(path) || isNeeded { engines.append(engine) }
      }
    }
  }

  /// Takes the first process of each; gives those that have another one than before.
  private mutating func advance(_ found: [CgroupContainer]) -> Set<String> {
    var now: [String: Int32] = [:]
    var restarted: Set<String> = []
    for container in found {
      now[container.id] = tree.process(of: container)
      if let before = processes[container.id], now[container.id] != before { restarted.insert(container.id) }
    }
    processes = now
    return restarted
  }

  private mutating func ask(
    hasChanged: Bool, _ restarted: Set<String>, into readings: inout Readings
  ) {
    let end = SystemClock.bootMilliseconds + ContainerLimits.sampleMilliseconds
    let filter = filter
    for index in engines.indices {
      if engines[index].isDue(hasChanged: hasChanged, every: askNanoseconds, at: readings.nanoseconds) {
        // One that hangs leaves their share to the others.
        let now = SystemClock.bootMilliseconds
        let share = now + (end - now) / Int64(engines.count - index)
        engines[index].ask(host, restarted: restarted, until: share, at: readings.nanoseconds) { filter.admits($0) }
      }
      if let problem = engines[index].problem { readings.note(problem) }
    }
  }

  private func known(_ id: String) -> (container: EngineContainer, engine: ContainerEngine)? {
    for engine in engines {
      if let container = engine.containers.first(where: { $0.id == id }) { return (container, engine) }
    }
    return nil
  }

  /// The place of a name in `watched`; nil when there are enough of them.
  private mutating func index(of name: String, _ engine: String, _ id: String) -> Int? {
    var name = name
    var index = watched.firstIndex { $0.name == name && $0.engine == engine }
    if let taken = index, watched[taken].sample == sample {
      // Two users' engines may each have one of this name.
      name += "-" + id.prefix(12)
      index = watched.firstIndex { $0.name == name && $0.engine == engine }
    }
    if index == nil {
      guard watched.count < limit else {
        leftOut += 1
        return nil
      }
      index = watched.count
      watched.append(WatchedContainer(name: name, engine: engine))
    }
    if let index { watched[index].sample = sample }
    return index
  }
}
