public import Telemetry

extension BrokerAddress {
  /// `mqtt://HOST[:PORT]`, `mqtts://HOST[:PORT]` or `unix:///PATH`. Messages never repeat what could be a password.
  public init(parsing text: String) throws(SettingError) {
    let example = "write mqtt://HOST, mqtts://HOST or unix:///PATH"
    guard let (name, after) = Self.split(text) else {
      let isHost = !text.contains("/") && !text.contains("@") && !text.isEmpty
      throw SettingError(what: "it has no scheme", remedy: isHost ? "write mqtt://\(text), or mqtts://\(text) for TLS" : example)
    }
    guard let scheme = Scheme(rawValue: name.lowercased()) else {
      let meant = ["tcp": "mqtt", "ssl": "mqtts", "tls": "mqtts", "mqtt+ssl": "mqtts"][name.lowercased()]
      throw SettingError(
        what: "'\(name)' is no scheme of a broker",
        remedy: meant.map { "write \($0):// instead" }
          ?? Suggestion.remedy(for: String(name), among: Scheme.allCases.map(\.rawValue), otherwise: example))
    }
    guard !after.contains("@") else {
      throw SettingError(
        what: "a user or password stands in the URL",
        remedy: "remove it, and write 'username: NAME' and 'password_file: /path' beside 'broker'")
    }
    guard scheme != .unix else {
      guard after.hasPrefix("/"), after.utf8.count > 1, after.utf8.count <= 107 else {
        throw SettingError(
          what: "a Unix socket is an absolute path of at most 107 bytes", remedy: "write unix:///run/mosquitto/mosquitto.sock")
      }
      self.init(scheme: .unix, host: "", port: 0, path: String(after))
      return
    }
    let rest = after.hasSuffix("/") ? after.dropLast() : after
    guard !rest.contains("/"), !rest.contains("?"), !rest.contains("#") else {
      throw SettingError(
        what: "a broker has no path", remedy: "end the URL behind the host and port; topics begin with 'topic_prefix'")
    }
    let (host, port) = try Self.hostAndPort(rest, scheme)
    self.init(scheme: scheme, host: host, port: port)
  }

  private static func split(_ text: String) -> (Substring, Substring)? {
    guard let colon = text.firstIndex(of: ":") else { return nil }
    let rest = text[text.index(after: colon)...]
    return rest.hasPrefix("//") ? (text[..<colon], rest.dropFirst(2)) : nil
  }

  private static func hostAndPort(_ text: Substring, _ scheme: Scheme) throws(SettingError) -> (String, Int) {
    var host = text
    var port: Substring?
    if text.hasPrefix("[") {
      guard let close = text.firstIndex(of: "]") else {
        throw SettingError(what: "'[' is not closed", remedy: "write mqtt://[2001:db8::1]:1883")
      }
      host = text[text.index(after: text.startIndex)..<close]
      let after = text[text.index(after: close)...]
      guard after.isEmpty || after.hasPrefix(":") else {
        throw SettingError(what: "text stands behind ']'", remedy: "write mqtt://[2001:db8::1]:1883")
      }
      port = after.isEmpty ? nil : after.dropFirst()
    } else if let colon = text.firstIndex(of: ":") {
      host = text[..<colon]
      port = text[text.index(after: colon)...]
      if port?.contains(":") == true {
        throw SettingError(what: "an IPv6 address without brackets", remedy: "write mqtt://[\(text)]")
      }
    }
    let isHost = host.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !#""'\(){}|<>^`,;"#.utf8.contains($0) }
    guard !host.isEmpty, isHost, host.utf8.count <= 253 else {
      throw SettingError(what: "'\(host)' is no host", remedy: "write a name or an address: \(scheme.rawValue)://broker.example")
    }
    guard let port else { return (String(host), scheme == .mqtts ? 8883 : 1883) }
    guard let number = Int(port), (1...65_535).contains(number) else {
      throw SettingError(what: "'\(port)' is no port", remedy: "use 1 to 65535, usually 1883, or 8883 for TLS")
    }
    return (String(host), number)
  }
}
