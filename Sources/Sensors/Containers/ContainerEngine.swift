import Glibc
import Platform
import Telemetry

/// An engine with an API socket, and what it said last.
struct ContainerEngine {
  let socket: String
  /// `docker` or `podman`: what it said of itself, before that by the name of the socket that the path leads to.
  private(set) var name: String
  private var isNamed = false
  private(set) var containers: [EngineContainer] = []
  /// Nil while it was never asked.
  private(set) var isUp: Bool?
  private(set) var problem: SensorError?
  private var askedAt: Int64?
  private var answeredAt: Int64?
  /// Whether details are missing that the last question was about: asked for again at the next sample.
  private var lacksDetails = false

  init(socket: String, resolved: String) {
    self.socket = socket
    name = Glob("*podman*").matches(resolved) ? "podman" : "docker"
  }

  /// Whether it must be asked. Podman is started by systemd for each question and ends again: it is asked rarely while nothing changes,
  /// unless there is health to be asked for.
  func isDue(hasChanged: Bool, every nanoseconds: Int64, at now: Int64) -> Bool {
    guard let askedAt else { return true }
    if hasChanged || lacksDetails, isUp == true { return true }
    let isPatient = name == "podman" && !containers.contains { $0.hasHealthCheck }
    return now - askedAt >= (isPatient ? nanoseconds * ContainerLimits.rarely : nanoseconds)
  }

  /// Whether what it said still holds.
  func isFresh(every nanoseconds: Int64, at now: Int64) -> Bool {
    guard let answeredAt else { return false }
    let factor = name == "podman" ? ContainerLimits.rarely : 1
    return now - answeredAt <= nanoseconds * factor * ContainerLimits.staleAfter
  }

  /// Whether systemd listens for an engine that somebody stopped: a question would start it.
  private func isAsleep(_ host: Host) -> Bool {
    guard name == "docker", socket.hasSuffix("/run/docker.sock") else { return false }
    let folders = ["/etc", "/lib", "/usr/lib"]
    let service = "/system.slice/docker.service"
    let signs = ["/run/docker.pid", "/sys/fs/cgroup" + service, "/sys/fs/cgroup/systemd" + service]
    let isListenedFor = folders.contains { host.exists($0 + "/systemd/system/docker.socket") }
    return isListenedFor && !signs.contains(where: host.exists)
  }

  /// Asks for the list, then for the details of those that are new or changed, those that run first.
  mutating func ask(
    _ host: Host, restarted: Set<String>, until end: Int64, at now: Int64, admits: (String) -> Bool
  ) {
    askedAt = now
    guard !isAsleep(host) else {
      (isUp, problem) = (false, nil)
      return
    }
    do throws(SensorError) {
      try askName(host, until: end)
      let unclear = try askList(host, restarted: restarted, until: end, at: now, admits: admits)
      (isUp, answeredAt) = (true, now)
      askDetails(of: unclear, host, until: end, at: now)
    } catch {
      // Another one may stand behind the socket when it answers again.
      isNamed = false
      switch error {
      case .io(_, EACCES):
        let remedy =
          name == "docker" ? "the agent must be in the group docker, which is as good as root" : "only root may ask it"
        (isUp, problem) = (nil, .device(socket, what: "permission denied: \(remedy) (docs/sensors/containers.md)"))
      case .absent: (isUp, problem) = (false, nil)
      default: (isUp, problem) = (false, error)
      }
    }
  }

  /// Podman may stand behind Docker's socket, and either behind one of any name: GET /version (SystemVersion.Components) tells. An engine
  /// without that page keeps the name it has.
  private mutating func askName(_ host: Host, until end: Int64) throws(SensorError) {
    guard !isNamed else { return }
    var bytes: [UInt8] = []
    let status = try host.calls.page("/version", of: socket, timeoutMilliseconds: Self.left(until: end)) { piece in
      bytes += piece
      return bytes.count <= ContainerLimits.elementBytes
    }
    if status == 200, let parts = EngineContainer.json(bytes)?["Components"]?.elements, !parts.isEmpty {
      name = parts.contains { $0["Name"]?.text == "Podman Engine" } ? "podman" : "docker"
    }
    isNamed = true
  }

  /// Gives the places of those whose details are new or changed.
  private mutating func askList(
    _ host: Host, restarted: Set<String>, until end: Int64, at now: Int64, admits: (String) -> Bool
  ) throws(SensorError) -> [Int] {
    var elements = JSONElements()
    var listed: [EngineContainer] = []
    var isCut = false
    let target = "/containers/json?all=true"
    let status = try host.calls.page(target, of: socket, timeoutMilliseconds: Self.left(until: end)) { piece in
      elements.take(piece) { element in
        guard listed.count < ContainerLimits.listed else {
          isCut = true
          return false
        }
        if let container = EngineContainer(element), admits(container.name) { listed.append(container) }
        return true
      }
    }
    guard status == 200 else { throw .malformed(path: socket, what: "the list of containers has HTTP status \(status)") }
    guard elements.hasBegun, isCut || elements.isWhole else { throw .malformed(path: socket, what: "no list of containers") }
    problem = nil
    if isCut { problem = .device(socket, what: "more than \(ContainerLimits.listed) containers: the rest is left out") }
    if elements.skipped > 0 {
      problem = .malformed(path: socket, what: "\(elements.skipped) containers of the list cannot be read")
    }
    let earlier = containers
    containers = listed
    var unclear: [Int] = []
    for index in containers.indices {
      let known = earlier.first { $0.id == containers[index].id }
      if let known { containers[index].adopt(known) }
      let isRestarted = restarted.contains(containers[index].id)
      if containers[index].isUnclear(since: known, isRestarted: isRestarted, at: now) { unclear.append(index) }
    }
    return unclear.filter { containers[$0].state == .running } + unclear.filter { containers[$0].state != .running }
  }

  /// One that hangs costs the others no more than its own time.
  private mutating func askDetails(of places: [Int], _ host: Host, until end: Int64, at now: Int64) {
    lacksDetails = false
    for index in places {
      let milliseconds = min(Self.left(until: end), ContainerLimits.detailsMilliseconds)
      guard SystemClock.bootMilliseconds < end else {
        lacksDetails = true
        for late in places { containers[late].expire() }
        problem = problem ?? .device(socket, what: "no time was left for the details of \(containers[index].name) and others")
        return
      }
      do throws(SensorError) {
        try askDetails(of: index, host, milliseconds: milliseconds, at: now)
      } catch {
        lacksDetails = true
        containers[index].expire()
        problem = .device(socket, what: "the details of \(containers[index].name): \(error)")
      }
    }
  }

  private mutating func askDetails(of index: Int, _ host: Host, milliseconds: Int, at now: Int64) throws(SensorError) {
    var bytes: [UInt8] = []
    let target = "/containers/\(containers[index].id)/json"
    let status = try host.calls.page(target, of: socket, timeoutMilliseconds: milliseconds) { piece in
      bytes += piece
      return bytes.count <= ContainerLimits.elementBytes
    }
    // Removed since.
    if status == 404 { return }
    guard status == 200, let details = EngineContainer.json(bytes), containers[index].take(details, at: now) else {
      throw .malformed(path: "the answer", what: "no details in it, HTTP status \(status)")
    }
  }

  private static func left(until end: Int64) -> Int { max(Int(end - SystemClock.bootMilliseconds), 1) }
}
