import Telemetry

/// What an engine says of a container: of its list the first part, when it is asked for this one the rest.
///
/// The Docker Engine API 1.41 (`ContainerSummary`, `ContainerInspectResponse`), which Podman speaks as well.
struct EngineContainer {
  let id: String
  private(set) var name: String
  private(set) var image: String
  private(set) var state: ContainerState?
  /// Nil when there is no health check, or no verdict yet.
  private(set) var isHealthy: Bool?
  /// Whether its health has to be asked for: Podman's list does not have it.
  private(set) var mustAskHealth = false
  private(set) var hasHealthCheck = false
  private(set) var usesHostNetwork: Bool?
  private(set) var exitCode: Int64?
  private(set) var restarts: Int?
  /// Seconds since 1970.
  private(set) var startTime: Double?
  /// `always`, `unless-stopped`, `on-failure` or `no`.
  private(set) var policy = ""
  /// When the details were asked for, CLOCK_BOOTTIME; nil before.
  private(set) var detailedAt: Int64?

  /// Reads an element of the list, or nil.
  init?(_ element: JSONValue) {
    guard let id = element["Id"]?.text, CgroupContainer.isID(id[...].utf8) else { return nil }
    self.id = id
    // `/web`; an old link shows as `/proxy/web` beside it.
    let names = (element["Names"]?.elements ?? []).compactMap { $0.text }.map { String($0.drop { $0 == "/" }) }
    name = Self.clean(names.first { !$0.utf8.contains(0x2F) } ?? names.first ?? "")
    if name.isEmpty { name = String(id.prefix(12)) }
    image = Self.clean(element["Image"]?.text ?? "")
    state = element["State"]?.text.flatMap { ContainerState($0) }
    // `Up 8 seconds (healthy)`.
    let status = element["Status"]?.text ?? ""
    if status.hasSuffix("(healthy)") {
      isHealthy = true
    } else if status.hasSuffix("(unhealthy)") {
      isHealthy = false
    } else {
      hasHealthCheck = status.hasSuffix("(health: starting)")
    }
    if isHealthy != nil { hasHealthCheck = true }
    usesHostNetwork = element["HostConfig"]?["NetworkMode"]?.text.map { $0 == "host" }
  }

  /// Takes over what was asked for earlier.
  mutating func adopt(_ earlier: EngineContainer) {
    exitCode = earlier.exitCode
    restarts = earlier.restarts
    startTime = earlier.startTime
    policy = earlier.policy
    detailedAt = earlier.detailedAt
    usesHostNetwork = usesHostNetwork ?? earlier.usesHostNetwork
    mustAskHealth = earlier.mustAskHealth && !hasHealthCheck
    if mustAskHealth { (hasHealthCheck, isHealthy) = (true, state == .running ? earlier.isHealthy : nil) }
  }

  /// Whether its details have to be asked for (again).
  func isUnclear(since earlier: EngineContainer?, isRestarted: Bool, at now: Int64) -> Bool {
    guard let detailedAt, let earlier, earlier.state == state else { return true }
    return isRestarted || mustAskHealth || state == .restarting || now - detailedAt >= ContainerLimits.detailsNanoseconds
  }

  /// Has the details asked for at the next question: what is known of them is of a run before.
  mutating func expire() { detailedAt = nil }

  /// Reads the details; false when they are none.
  mutating func take(_ details: JSONValue, at now: Int64) -> Bool {
    guard let found = details["State"], details["Id"]?.text == id else { return false }
    detailedAt = now
    state = found["Status"]?.text.flatMap { ContainerState($0) } ?? state
    exitCode = found["ExitCode"]?.whole
    restarts = details["RestartCount"]?.count
    startTime = found["StartedAt"]?.text.flatMap { WallTime.milliseconds($0) }.flatMap { $0 > 0 ? Double($0) / 1000 : nil }
    policy = details["HostConfig"]?["RestartPolicy"]?["Name"]?.text ?? ""
    if let mode = details["HostConfig"]?["NetworkMode"]?.text { usesHostNetwork = mode == "host" }
    // `none` or nothing without a health check.
    switch found["Health"]?["Status"]?.text ?? "" {
    case "healthy": takeHealth(true)
    case "unhealthy": takeHealth(false)
    case "starting": takeHealth(nil)
    default: (isHealthy, hasHealthCheck, mustAskHealth) = (nil, false, false)
    }
    return true
  }

  private mutating func takeHealth(_ verdict: Bool?) {
    mustAskHealth = state == .running && (mustAskHealth || !hasHealthCheck)
    hasHealthCheck = true
    isHealthy = state == .running ? verdict : nil
  }

  /// Whether it should run and does not; nil while its policy is unknown.
  var isDown: Bool? {
    guard detailedAt != nil, let state else { return nil }
    switch state {
    case .running, .paused, .removing: return false
    case .restarting: return true
    case .created, .exited, .dead: break
    }
    switch policy {
    case "always", "unless-stopped": return true
    case "on-failure": return (exitCode ?? 0) != 0
    default: return false
    }
  }

  /// Reads what an engine says of one container.
  static func json(_ bytes: [UInt8]) -> JSONValue? {
    let limits = JSONReader.Limits(
      bytes: ContainerLimits.elementBytes, depth: ContainerLimits.depthOfJSON, values: ContainerLimits.values)
    return try? JSONReader.read(bytes, limits: limits)
  }

  /// A text of others as a label: without control characters.
  static func clean(_ text: String) -> String {
    let isControl = { (scalar: Unicode.Scalar) in scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) }
    guard text.unicodeScalars.contains(where: isControl) else { return text }
    var cleaned = String.UnicodeScalarView()
    for scalar in text.unicodeScalars where !isControl(scalar) { cleaned.append(scalar) }
    return String(cleaned)
  }
}
