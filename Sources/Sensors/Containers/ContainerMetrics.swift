import Telemetry

/// What is told of one container; the raw value is its place in `ContainerMetrics.values`.
enum ContainerValue: Int, CaseIterable {
  case running, down, exitCode, restarts, healthy, startTime
  case cpu, cpuSeconds, throttled, periods, throttledPeriods, throttledSeconds
  case memory, memoryLimit, memoryPercent, oomKills
  case readBytes, writtenBytes, reads, writes, received, sent
  case processes, processLimit

  /// Counts of which the growth is told.
  static let rates: [ContainerValue] = [.readBytes, .writtenBytes, .reads, .writes, .received, .sent]
}

/// The metrics of containers.
enum ContainerMetrics {
  static let count = Metric(
    "containers.count", unit: .none, labels: ["state"],
    help: "Containers by state as their engines say; those of other runtimes count as running while they have a control group.")
  static let engineUp = Metric(
    "containers.engine_up", unit: .none, labels: ["engine", "socket"],
    help: "1 when the engine behind the socket answered the last time it was asked, else 0.")
  static let state = Metric(
    "containers.state", unit: .none, labels: ["container", "engine", "state"],
    help: "1 for the state that the container is in, 0 for those that it was in before while the agent runs.")
  static let info = Metric(
    "containers.info", unit: .none, labels: ["container", "engine", "image"], help: "1; the image is a label.")

  /// In the order of `ContainerValue`.
  static let values = [
    metric("running", help: "1 while it runs, else 0: also when it is paused."),
    metric(
      "down",
      help:
        "1 when it does not run although its restart policy wants it to (always, unless-stopped, on-failure after a failure), else 0;"
        + " also after somebody stopped it by hand."),
    metric("exit_code", help: "What its first process ended with; missing while it runs. 137 is killed, 143 terminated."),
    metric("restarts_total", kind: .counter, help: "How often its engine started it again, as the engine counts."),
    metric("healthy", help: "1 when its health check passes, 0 when it fails; missing without one and while it starts."),
    metric("start_time_seconds", .seconds, help: "When it was started last, seconds since 1970."),
    metric("cpu_percent", .percent, decimals: 1, help: "Processor time as a share of one core."),
    metric("cpu_seconds", .seconds, kind: .counter, decimals: 2, help: "Processor time since its control group was made."),
    metric(
      "throttled_percent", .percent, decimals: 1,
      help: "Share of the scheduler's periods since the last sample in which it used up its processor limit and had to wait."),
    metric("periods", kind: .counter, help: "Periods of its processor limit in which it ran; missing without a limit."),
    metric("throttled_periods", kind: .counter, help: "Those of them in which it had to wait."),
    metric("throttled_seconds", .seconds, kind: .counter, decimals: 2, help: "How long it had to wait, all processors together."),
    metric("memory_bytes", .bytes, help: "Memory without the inactive part of the file cache, as docker stats shows it."),
    metric("memory_limit_bytes", .bytes, help: "Its memory limit; missing without one."),
    metric("memory_percent", .percent, decimals: 1, help: "Memory as a share of the limit; missing without one."),
    metric(
      "oom_kills_total", kind: .counter,
      help: "Processes of it that the kernel killed for want of memory since the sensor was started."),
    metric("read_bytes_per_second", .bytesPerSecond, help: "Bytes read from block devices."),
    metric("written_bytes_per_second", .bytesPerSecond, help: "Bytes written to block devices."),
    metric("reads_per_second", .perSecond, decimals: 1, help: "Read operations of block devices."),
    metric("writes_per_second", .perSecond, decimals: 1, help: "Write operations of block devices."),
    metric(
      "receive_bytes_per_second", .bytesPerSecond,
      help: "Bytes received in its network namespace, loopback left out; missing where it has the host's."),
    metric("transmit_bytes_per_second", .bytesPerSecond, help: "Bytes sent."),
    metric("processes", help: "Processes and threads."),
    metric("process_limit", help: "How many it may have; missing without a limit."),
  ]

  static let all = [count, engineUp, state, info] + values

  /// What settings leave of them.
  static func bounds(_ settings: Settings) -> [MetricBound] {
    var bounds: [MetricBound] = [
      .label("state", of: [count, state], is: ContainerState.allCases.map(\.word)),
      // Two of one name: see ContainersSensor.
      .filtered(
        "container", of: [state, info] + values, by: settings, include: "include", exclude: "exclude", ending: "-????????????"),
    ]
    if settings.list("sockets").isEmpty {
      bounds.append(.off([engineUp], why: "'sockets' is empty", remedy: "name a socket in 'sockets'"))
    }
    return bounds
  }

  private static func metric(
    _ name: String, _ unit: Unit = .none, kind: MetricKind = .gauge, decimals: Int = 0, help: String
  ) -> Metric {
    Metric("containers.\(name)", unit: unit, kind: kind, decimals: decimals, labels: ["container", "engine"], help: help)
  }
}

/// The states of the Docker Engine API, ContainerState.Status; other engines' are taken for the nearest.
enum ContainerState: Int, CaseIterable {
  case created, running, paused, restarting, removing, exited, dead

  /// As the API writes it.
  var word: String {
    switch self {
    case .created: "created"
    case .running: "running"
    case .paused: "paused"
    case .restarting: "restarting"
    case .removing: "removing"
    case .exited: "exited"
    case .dead: "dead"
    }
  }

  /// Nil for a word that no engine has.
  init?(_ word: String) {
    switch word {
    // Those of Podman that Docker has not: libpod/define/containerstate.go.
    case "configured", "initialized": self = .created
    case "stopped": self = .exited
    case "stopping": self = .running
    default:
      guard let known = Self.allCases.first(where: { $0.word == word }) else { return nil }
      self = known
    }
  }
}
