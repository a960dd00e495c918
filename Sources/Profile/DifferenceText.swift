import Telemetry

/// Writes what differs between two profiles, for the log.
struct DifferenceText {
  private(set) var lines: [String] = []

  init(from old: Profile, to new: Profile) {
    change("node", old.node, new.node)
    change("tick", Quantity.duration(old.tickMilliseconds), Quantity.duration(new.tickMilliseconds))
    change("labels", Self.text(old.labels), Self.text(new.labels))
    sensors(old.sensors, new.sensors)
    alerts(old.alerts, new.alerts)
    outputs(old.outputs, new.outputs)
    change("watchdog", Self.text(old.watchdog), Self.text(new.watchdog))
    change("shutdown.grace", Self.text(old.shutdown), Self.text(new.shutdown))
    change("shutdown.unless", Self.unless(old.shutdown), Self.unless(new.shutdown))
    change("identity", Self.text(old.identity), Self.text(new.identity))
    buffer(old.buffer, new.buffer)
    uplink(old.uplink, new.uplink)
    change("control.socket", old.control.socketPath, new.control.socketPath, note: Self.restart)
    change("log.level", old.log.level.rawValue, new.log.level.rawValue)
    change("log.format", old.log.format.rawValue, new.log.format.rawValue)
  }

  private static let restart = " (from the next start)"

  private mutating func change(_ key: String, _ old: String, _ new: String, note: String = "") {
    if old != new { lines.append("\(key): \(old) -> \(new)\(note)") }
  }

  private static func text(_ labels: [Label]) -> String {
    labels.isEmpty ? "none" : labels.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
  }

  private mutating func sensors(_ old: [SensorProfile], _ new: [SensorProfile]) {
    for sensor in new where !old.contains(where: { $0.kind == sensor.kind }) { lines.append("sensors.\(sensor.kind): added") }
    for before in old {
      guard let after = new.first(where: { $0.kind == before.kind }) else {
        lines.append("sensors.\(before.kind): removed")
        continue
      }
      change(
        "sensors.\(before.kind).every", Quantity.duration(before.everyMilliseconds), Quantity.duration(after.everyMilliseconds))
      change(
        "sensors.\(before.kind).deadline", Quantity.duration(before.deadlineMilliseconds),
        Quantity.duration(after.deadlineMilliseconds))
      if before.settings != after.settings { lines.append("sensors.\(before.kind): other settings") }
    }
  }

  private mutating func alerts(_ old: [AlertRule], _ new: [AlertRule]) {
    let start = lines.count
    for rule in new where !old.contains(where: { $0.name == rule.name }) { lines.append("alerts.\(rule.name): added") }
    for before in old {
      guard let after = new.first(where: { $0.name == before.name }) else {
        lines.append("alerts.\(before.name): removed")
        continue
      }
      if before != after { lines.append("alerts.\(before.name): changed") }
    }
    if lines.count == start, old != new { lines.append("alerts: another order") }
  }

  private mutating func outputs(_ old: [OutputProfile], _ new: [OutputProfile]) {
    let start = lines.count
    for output in new where !old.contains(where: { $0.name == output.name }) { lines.append("outputs.\(output.name): added") }
    for before in old {
      guard let after = new.first(where: { $0.name == before.name }) else {
        lines.append("outputs.\(before.name): removed")
        continue
      }
      if before != after { lines.append("outputs.\(before.name): changed") }
    }
    if lines.count == start, old != new { lines.append("outputs: another order") }
  }

  private static func text(_ watchdog: WatchdogProfile?) -> String {
    watchdog.map { "\($0.device), \($0.timeoutSeconds)s" } ?? "none"
  }

  private static func text(_ shutdown: ShutdownProfile?) -> String {
    shutdown.map { Quantity.duration($0.graceMilliseconds) } ?? "none"
  }

  private static func text(_ identity: IdentityProfile?) -> String {
    guard let identity else { return "none" }
    let key = identity.keyFile.map { ", key \($0)" } ?? ""
    return "private \(identity.privateFacts.rawValue)\(key), every \(Quantity.duration(identity.everyMilliseconds))"
  }

  private static func unless(_ shutdown: ShutdownProfile?) -> String {
    shutdown?.unless.map { "\($0.metric) \($0.when)" } ?? "none"
  }

  private mutating func buffer(_ old: BufferProfile, _ new: BufferProfile) {
    change("buffer.path", old.path, new.path, note: Self.restart)
    change("buffer.max_size", Quantity.size(old.maximumBytes), Quantity.size(new.maximumBytes))
    change("buffer.retain", Quantity.duration(old.retainMilliseconds), Quantity.duration(new.retainMilliseconds))
    change(
      "buffer.retain_minutes", Quantity.duration(old.retainMinutesMilliseconds), Quantity.duration(new.retainMinutesMilliseconds))
    change("buffer.retain_hours", Quantity.duration(old.retainHoursMilliseconds), Quantity.duration(new.retainHoursMilliseconds))
    change(
      "buffer.commit_every", Quantity.duration(old.commitEveryMilliseconds), Quantity.duration(new.commitEveryMilliseconds))
    change("buffer.memory_limit", Quantity.size(old.pendingBytes), Quantity.size(new.pendingBytes))
  }

  private mutating func uplink(_ old: UplinkProfile?, _ new: UplinkProfile?) {
    guard old != new else { return }
    guard let old, let new else {
      lines.append(new.map { "uplink: added, \(Self.brokers($0))" } ?? "uplink: removed")
      return
    }
    let start = lines.count
    change("uplink.broker", Self.brokers(old), Self.brokers(new))
    change("uplink.commands", Self.commands(old), Self.commands(new))
    change("uplink.payloads", Self.payloads(old), Self.payloads(new), note: Self.restart)
    change("uplink.protocol", old.version.rawValue, new.version.rawValue)
    change("uplink.client_id", old.clientID, new.clientID)
    change("uplink.qos", "\(old.qos)", "\(new.qos)")
    change("uplink.topic_prefix", old.topicPrefix, new.topicPrefix)
    change("uplink.drain_rate", Self.rate(old.drainBytesPerSecond), Self.rate(new.drainBytesPerSecond))
    // The rest is rarely changed, and names of files and users need not stand in a log.
    if lines.count == start { lines.append("uplink: other settings") }
  }

  private static func brokers(_ uplink: UplinkProfile) -> String { uplink.brokers.map(\.description).joined(separator: ", ") }

  private static func commands(_ uplink: UplinkProfile) -> String {
    uplink.commands.isEmpty ? "none" : uplink.commands.map(\.rawValue).joined(separator: ", ")
  }

  private static func payloads(_ uplink: UplinkProfile) -> String {
    uplink.payloads.map(\.rawValue).joined(separator: ", ")
  }

  private static func rate(_ bytes: Int) -> String {
    bytes == Int.max ? "unlimited" : "\(Quantity.size(bytes))/s"
  }
}
