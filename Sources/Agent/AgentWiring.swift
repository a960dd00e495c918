import Buffer
import Platform
import Profile
import Sensors
import Telemetry
import Uplink

extension AgentProcess {
  /// Makes sensors by the name of their kind.
  static func maker(_ name: String) -> (kind: SensorKind, make: SensorMaker)? {
    guard let type = SensorCatalogue.type(named: name) else { return nil }
    return (
      type.kind,
      { (context, settings, readings) throws(SensorError) in
        guard let type = SensorCatalogue.type(named: name) else { throw .absent(name) }
        return try type.init(context: context, settings: settings, readings: &readings)
      }
    )
  }

  /// One agent a buffer. A directory that cannot be written is no reason not to run: ticks are kept in memory then.
  static func takeLock(_ buffer: String, _ log: Log) throws(AgentFailure) -> FileLock? {
    do throws(FileLock.Failure) {
      return try FileLock(path: buffer + ".lock")
    } catch {
      switch error {
      case .held(let process):
        let who = process.map { " (process \($0))" } ?? ""
        throw AgentFailure(
          description: "another agent\(who) uses the buffer \(buffer); stop it first, or give this one another buffer.path")
      case .io(let code):
        log.warning("buffer", "cannot lock \(buffer).lock: errno \(code); going on without")
        return nil
      }
    }
  }
}

extension StorageThread.Settings {
  init(_ profile: Profile) {
    self.init(
      path: profile.buffer.path, node: profile.node, policy: RetentionPolicy(profile.buffer),
      pendingBytes: profile.buffer.pendingBytes)
  }
}

extension RetentionPolicy {
  init(_ buffer: BufferProfile) {
    self.init(
      retainMilliseconds: buffer.retainMilliseconds, maximumBytes: buffer.maximumBytes,
      retainMinutesMilliseconds: buffer.retainMinutesMilliseconds, retainHoursMilliseconds: buffer.retainHoursMilliseconds)
  }
}

extension UplinkSettings {
  /// One for each connection: Sparkplug has its own, beside which all other payloads share one. None when the profile has no uplink.
  static func all(_ profile: Profile, _ host: Host) -> [UplinkSettings] {
    guard let uplink = profile.uplink else { return [] }
    let board = profile.identity.map { identity in
      BoardFacts(
        host, privacy: FactPrivacy(identity.privateFacts, keyFile: identity.keyFile, told: profile.told, host: host))
    }
    var common = UplinkSettings(uplink, node: profile.node)
    var all: [UplinkSettings] = []
    common.payloads = uplink.payloads.compactMap(Payload.init)
    common.homeAssistant = HomeAssistantSettings(profile, board)
    if !common.payloads.isEmpty || common.homeAssistant != nil { all.append(common) }
    if let sparkplug = SparkplugSettings(profile, board) {
      common.homeAssistant = nil
      common.commands = []
      // Sparkplug 3.0, tck-id-principles-persistence-clean-session-50.
      common.sessionExpirySeconds = 0
      common.payloads = [.sparkplug]
      common.sparkplug = sparkplug
      common.clientID += "-sparkplug"
      all.append(common)
    }
    return all
  }

  private init(_ uplink: UplinkProfile, node: String) {
    self.init()
    self.node = node
    brokers = uplink.brokers.map(Broker.init)
    isVersion5 = uplink.version == .mqtt5
    clientID = uplink.clientID
    username = uplink.username
    passwordFile = uplink.passwordFile
    tls.caFile = uplink.caFile
    tls.certificateFile = uplink.certificateFile
    tls.keyFile = uplink.keyFile
    tls.keyPasswordFile = uplink.keyPasswordFile
    tls.verifyServerName = uplink.verifyServerName
    keepAliveSeconds = uplink.keepAliveSeconds
    sessionExpirySeconds = uplink.sessionExpirySeconds
    messageExpirySeconds = uplink.messageExpirySeconds
    commands = Set(uplink.commands)
    drainsNewestFirst = uplink.drainOrder == .newest
    qualityOfService = uplink.qos
    topicPrefix = uplink.topicPrefix
    window = uplink.window
    drainBytesPerSecond = uplink.drainBytesPerSecond
    backoffMinimumMilliseconds = uplink.backoffMinimumMilliseconds
    backoffMaximumMilliseconds = uplink.backoffMaximumMilliseconds
  }
}

extension UplinkSettings.Payload {
  /// Nil for what carries no ticks over the common connection.
  init?(_ payload: UplinkProfile.Payload) {
    switch payload {
    case .json: self = .json
    case .packed: self = .packed
    case .homeassistant, .sparkplug: return nil
    }
  }
}

extension HomeAssistantSettings {
  /// Nil when the profile does not ask for it.
  init?(_ profile: Profile, _ board: BoardFacts?) {
    guard let uplink = profile.uplink, let wanted = uplink.homeAssistant else { return nil }
    self.init()
    (manufacturer, model, serialNumber) = (board?.manufacturer, board?.model, board?.serial)
    discoveryPrefix = wanted.prefix
    birthTopic = "\(wanted.prefix)/status"
    topicPrefix = uplink.topicPrefix
    node = profile.node
    version = Agent.version
    everyMilliseconds = wanted.everyMilliseconds
    for sensor in profile.sensors {
      for metric in SensorCatalogue.type(named: sensor.kind)?.kind.metrics(under: sensor.settings) ?? [] {
        let family = String(metric.name.prefix { $0 != "." })
        families[family] = max(families[family] ?? 0, sensor.everyMilliseconds)
      }
    }
    rules = profile.alerts.filter { $0.notifiers.contains(.mqtt) }.map(\.name)
    // What needs no argument becomes a button; each press is a command of its own, for it has a time of its own.
    commands = uplink.commands.filter { [.flush, .sample, .reload].contains($0) }.map { command in
      Command(
        name: command.rawValue, topic: "\(uplink.topicPrefix)/\(profile.node)/cmd/home-\(command.rawValue)",
        payload: command.rawValue, template: #"{"command":"{{ value }}","t":"{{ utcnow().isoformat() }}"}"#)
    }
  }
}

extension SparkplugSettings {
  /// Nil when the profile does not ask for it.
  init?(_ profile: Profile, _ board: BoardFacts?) {
    guard let wanted = profile.uplink?.sparkplug else { return nil }
    self.init()
    group = wanted.group
    primaryHost = wanted.primaryHost
    facts =
      [Fact(name: "Software", value: "godwit \(Agent.version)")] + profile.labels.map { Fact(name: $0.key, value: $0.value) }
    // The first two are named as in the specification's example of an NBIRTH.
    let known = [
      ("Hardware Make", board?.manufacturer), ("Hardware Model", board?.model), ("Hardware Serial", board?.serial),
      ("OS", board?.system), ("Kernel", board?.kernel),
    ]
    for (name, value) in known {
      if let value { facts.append(Fact(name: name, value: value)) }
    }
  }
}

extension UplinkSettings.Broker {
  init(_ address: BrokerAddress) {
    let transport: UplinkSettings.Transport =
      switch address.scheme {
      case .mqtt: .tcp
      case .mqtts: .tls
      case .unix: .unixSocket
      }
    self.init(transport: transport, host: address.path ?? address.host, port: address.port)
  }
}

/// Who the node is and what its metrics mean, for the retained topic `info`.
enum IdentityJSON {
  static func encode(_ profile: Profile, clock: any Clock, started: Int64, system: [UInt8]?) -> [UInt8] {
    var json = JSONWriter(capacity: 8192)
    json.beginObject()
    json.key("node")
    json.string(profile.node)
    json.key("version")
    json.string(Agent.version)
    json.key("boot")
    json.string(clock.boot)
    json.key("started")
    json.string(WallTime.text(clock.wallMilliseconds() - (clock.bootNanoseconds() - started) / 1_000_000))
    json.key("tick_ms")
    json.integer(profile.tickMilliseconds)
    json.key("labels")
    json.beginObject()
    for label in profile.labels {
      json.key(label.key)
      json.string(label.value)
    }
    json.endObject()
    if let system {
      json.key("system")
      json.raw(system)
    }
    json.key("metrics")
    json.beginObject()
    for sensor in profile.sensors {
      for metric in SensorCatalogue.type(named: sensor.kind)?.kind.metrics(under: sensor.settings) ?? [] {
        json.key(metric.name)
        json.beginObject()
        json.key("unit")
        json.string(metric.unit.rawValue)
        json.key("kind")
        json.string(metric.kind.rawValue)
        json.key("help")
        json.string(metric.help)
        json.endObject()
      }
    }
    json.endObject()
    json.endObject()
    return json.bytes
  }
}
