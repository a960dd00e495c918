import Telemetry

/// Reads `uplink:`.
struct UplinkDecoder {
  let node: String
  let environment: ProfileEnvironment
  let problems: ProblemList

  /// What to do with a password.
  static let passwordRemedy =
    "put it into a file and write 'password_file: /path', or 'password_file: credential:NAME' with LoadCredential=NAME:/path in the unit"

  private static let hints = [
    "user": "write 'username'", "url": "write 'broker'", "host": "write 'broker: mqtt://HOST'",
    "port": "write it into 'broker': mqtt://HOST:PORT",
    "tls": "write 'broker: mqtts://HOST'", "insecure": "write 'verify_server_name: false'",
    "backoff": "write 'backoff_min' and 'backoff_max'", "topic": "write 'topic_prefix'",
  ]

  /// Nil when there is no uplink.
  func decode(_ node: YAMLNode?) -> UplinkProfile? {
    guard let node, node.scalar?.text != "false" else { return nil }
    checkSecrets(node)
    let reader = SectionReader(
      withoutPassword(node), at: node.place, path: "uplink", specs: ProfileSchema.uplink.specs, hints: Self.hints,
      problems: problems, credentials: environment.credentials)
    guard reader.isMap else { return nil }
    let brokers = brokers(reader)
    let settings = reader.settings
    checkTLS(reader, brokers)
    checkLogin(reader)
    let profile = UplinkProfile(
      commands: settings.list("commands").compactMap { CommandName(rawValue: $0) }, brokers: brokers,
      version: UplinkProfile.Version(rawValue: settings.text("protocol")) ?? .mqtt5,
      clientID: clientID(reader), username: reader.text("username"), passwordFile: reader.text("password_file"),
      caFile: file(reader, "ca_file"), certificateFile: file(reader, "certificate_file"), keyFile: file(reader, "key_file"),
      keyPasswordFile: reader.text("key_password_file"),
      verifyServerName: settings.bool("verify_server_name"), keepAliveSeconds: keepAlive(reader),
      sessionExpirySeconds: settings.milliseconds("session_expiry") / 1000,
      messageExpirySeconds: messageExpiry(settings), qos: settings.integer("qos"),
      topicPrefix: topicPrefix(reader, "topic_prefix", example: "godwit/v1"), payloads: payloads(reader),
      homeAssistant: homeAssistant(reader), sparkplug: sparkplug(reader),
      drainBytesPerSecond: settings.bytes("drain_rate"),
      drainOrder: UplinkProfile.DrainOrder(rawValue: settings.text("drain_order")) ?? .oldest,
      window: settings.integer("window"), backoffMinimumMilliseconds: backoff(reader),
      backoffMaximumMilliseconds: settings.milliseconds("backoff_max"))
    // All problems are told at once, also those beside a bad broker.
    return brokers.isEmpty ? nil : profile
  }

  /// A password in a profile is told once, as what it is.
  private func checkSecrets(_ node: YAMLNode) {
    guard case .map(let entries) = node.content, let entry = entries.first(where: { $0.key == "password" }) else { return }
    problems.add(
      entry.place, "a password stands in the profile", why: "profiles are copied and read by many",
      remedy: Self.passwordRemedy)
  }

  private func withoutPassword(_ node: YAMLNode) -> YAMLNode {
    guard case .map(let entries) = node.content else { return node }
    var result = node
    result.content = .map(entries.filter { $0.key != "password" })
    return result
  }

  private func payloads(_ reader: SectionReader) -> [UplinkProfile.Payload] {
    let words = reader.settings.list("payloads")
    if let node = reader.entries["payloads"]?.value, case .list(let items) = node.content, items.isEmpty {
      problems.add(reader.place(of: "payloads"), "payloads: the list is empty", remedy: "use json, or remove the key")
    }
    return words.compactMap { UplinkProfile.Payload(rawValue: $0) }
  }

  private func has(_ payload: UplinkProfile.Payload, _ reader: SectionReader, wantedBy keys: [String]) -> Bool {
    guard !reader.isFaulty("payloads") else { return false }
    if reader.settings.list("payloads").contains(payload.rawValue) { return true }
    for key in keys where reader.given[key] != nil {
      problems.add(
        reader.place(of: key), "'\(key)' needs the payload \(payload.rawValue)",
        remedy: "add \(payload.rawValue) to 'payloads', or remove the key")
    }
    return false
  }

  private func homeAssistant(_ reader: SectionReader) -> UplinkProfile.HomeAssistant? {
    guard has(.homeassistant, reader, wantedBy: ["homeassistant_prefix", "homeassistant_every"]) else { return nil }
    return UplinkProfile.HomeAssistant(
      prefix: topicPrefix(reader, "homeassistant_prefix", example: "homeassistant"),
      everyMilliseconds: reader.settings.milliseconds("homeassistant_every"))
  }

  private func sparkplug(_ reader: SectionReader) -> UplinkProfile.Sparkplug? {
    guard has(.sparkplug, reader, wantedBy: ["sparkplug_group", "sparkplug_host"]) else { return nil }
    for key in ["sparkplug_group", "sparkplug_host"] {
      // Sparkplug 3.0, 4.1.1: an identifier is one level of a topic.
      let text = reader.settings.text(key)
      guard text.unicodeScalars.contains(where: { "+/#".unicodeScalars.contains($0) || $0.value < 0x20 }) else { continue }
      problems.add(
        reader.place(of: key), "'\(text)' is no identifier of Sparkplug", why: "it is one level of a topic",
        remedy: "use a word without '+', '/' and '#'")
    }
    return UplinkProfile.Sparkplug(
      group: reader.settings.text("sparkplug_group"), primaryHost: reader.text("sparkplug_host"))
  }

  private func clientID(_ reader: SectionReader) -> String {
    let text = reader.text("client_id") ?? "godwit-\(node)"
    if text.utf8.count > 128 || text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) {
      problems.add(
        reader.place(of: "client_id"), "client_id: it is too long or holds control characters",
        remedy: "use at most 128 bytes of text")
    }
    return text
  }

  private func topicPrefix(_ reader: SectionReader, _ key: String, example: String) -> String {
    let text = reader.settings.text(key)
    let levels = text.split(separator: "/", omittingEmptySubsequences: false)
    if text.utf8.count > 128 || levels.contains("")
      || text.unicodeScalars.contains(where: {
        "+#$".unicodeScalars.contains($0) || $0.properties.isWhitespace || $0.value < 0x20
      })
    {
      problems.add(
        reader.place(of: key), "'\(text)' is no topic prefix",
        why: "topics have no empty levels, wildcards, blanks or '$'",
        remedy: "write one such as \(example), without a slash at its ends")
    }
    return text
  }

  /// Less than a second is none: MQTT counts whole ones.
  private func messageExpiry(_ settings: Settings) -> Int? {
    let seconds = settings.milliseconds("message_expiry") / 1000
    return seconds > 0 ? seconds : nil
  }

  private func keepAlive(_ reader: SectionReader) -> Int {
    let milliseconds = reader.settings.milliseconds("keep_alive")
    if milliseconds % 1000 != 0 {
      problems.add(
        reader.place(of: "keep_alive"), "keep_alive: MQTT counts whole seconds", remedy: "write \(milliseconds / 1000)s")
    }
    return milliseconds / 1000
  }

  private func backoff(_ reader: SectionReader) -> Int {
    let (least, most) = (reader.settings.milliseconds("backoff_min"), reader.settings.milliseconds("backoff_max"))
    if least > most, !reader.isFaulty("backoff_min"), !reader.isFaulty("backoff_max") {
      let key = reader.given["backoff_min"] != nil ? "backoff_min" : "backoff_max"
      problems.add(
        reader.place(of: key), "backoff_min is longer than backoff_max",
        why: "\(Quantity.duration(least)) against \(Quantity.duration(most))", remedy: "make backoff_max the longer one")
    }
    return least
  }

  // MARK: - Files

  /// Reads `identity:`, which stands for itself but names a secret as `uplink` does; nil when it is switched off.
  func identity(_ node: YAMLNode?, at place: Place) -> IdentityProfile? {
    if node?.scalar?.text == "false" { return nil }
    let reader = SectionReader(
      node, at: place, path: ProfileSchema.identity.name, specs: ProfileSchema.identity.specs, hints: Self.identityHints,
      problems: problems, credentials: environment.credentials)
    let settings = reader.settings
    if reader.given["key_file"] != nil, !reader.isFaulty("private"), settings.text("private") != PrivateFacts.hash.rawValue {
      problems.add(
        reader.place(of: "key_file"), "there is a key but nothing to make digests of",
        remedy: "write 'private: hash', or remove 'key_file'")
    }
    return IdentityProfile(
      privateFacts: PrivateFacts(rawValue: settings.text("private")) ?? .omit, keyFile: reader.text("key_file"),
      everyMilliseconds: settings.milliseconds("every"))
  }

  private static let identityHints = [
    "key": "put it into a file and write 'key_file: /path'", "enabled": "write 'identity: false'",
    "privacy": "write 'private: omit', 'hash' or 'keep'",
  ]

  private func file(_ reader: SectionReader, _ key: String) -> String? {
    reader.text(key) == nil ? nil : reader.path(key)
  }

  private func checkLogin(_ reader: SectionReader) {
    if reader.given["password_file"] != nil, reader.given["username"] == nil {
      problems.add(reader.place(of: "password_file"), "there is a password but no 'username'", remedy: "add 'username: NAME'")
    }
  }

  private func checkTLS(_ reader: SectionReader, _ brokers: [BrokerAddress]) {
    if !brokers.contains(where: { $0.scheme == .mqtts }), let broker = brokers.first {
      for key in ["ca_file", "certificate_file", "key_file", "key_password_file", "verify_server_name"]
      where reader.given[key] != nil {
        problems.add(
          reader.place(of: key), "'\(key)' needs TLS", why: "the broker is \(broker.scheme.rawValue)://",
          remedy: "write 'broker: mqtts://…', or remove the key")
      }
    } else if (reader.given["certificate_file"] != nil) != (reader.given["key_file"] != nil) {
      let key = reader.given["key_file"] != nil ? "key_file" : "certificate_file"
      problems.add(
        reader.place(of: key), "'\(key)' is there alone", why: "a certificate and its key belong together",
        remedy: "add '\(key == "key_file" ? "certificate_file" : "key_file")'")
    } else if reader.given["key_password_file"] != nil, reader.given["key_file"] == nil {
      problems.add(
        reader.place(of: "key_password_file"), "there is a password but no 'key_file'", remedy: "add 'key_file: /path'")
    }
  }

  /// Empty when none is right.
  private func brokers(_ reader: SectionReader) -> [BrokerAddress] {
    guard reader.entries["broker"] != nil else {
      problems.add(reader.place, "the uplink has no 'broker'", remedy: "write 'broker: mqtt://HOST', or remove the section")
      return []
    }
    guard reader.given["broker"] != nil else { return [] }
    let texts = reader.settings.list("broker")
    if texts.isEmpty {
      problems.add(reader.place(of: "broker"), "'broker' is empty", remedy: "write a value, or remove the key")
    }
    if texts.count > ProfileLimits.brokers {
      problems.add(
        reader.place(of: "broker"), "broker: \(texts.count) brokers", remedy: "write at most \(ProfileLimits.brokers)")
    }
    var places = [reader.place(of: "broker")]
    if case .list(let items) = reader.entries["broker"]?.value.content { places = items.map(\.place) }
    return zip(texts, places).compactMap { text, place in
      do throws(SettingError) {
        return try BrokerAddress(parsing: text)
      } catch {
        problems.add(place, "broker: \(error.what)", remedy: error.remedy)
        return nil
      }
    }
  }
}
