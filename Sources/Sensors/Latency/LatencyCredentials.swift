import Platform
import Telemetry

/// Who asks a target, as far as it wants to know: the keys are those of the uplink.
struct LatencyCredentials: Sendable {
  static let specs = [
    SettingSpec("username", .text, default: nil, help: "Of `mqtt`: for brokers that ask for one."),
    SettingSpec(
      "password_file", .secretFile, default: nil,
      help: "Of `mqtt`: a file with the password in its first line, or `credential:NAME` for a systemd credential."),
    SettingSpec(
      "certificate_file", .text, default: nil, help: "PEM certificate that is shown over TLS; wants `key_file`."),
    SettingSpec("key_file", .text, default: nil, help: "PEM key of that certificate, without a password."),
  ]

  let username: String?
  let passwordFile: String?
  let certificateFile: String?
  let keyFile: String?

  /// - Throws: what does not belong together.
  init(_ settings: Settings, isMQTT: Bool, isSecure: Bool) throws(SettingError) {
    func given(_ key: String) -> String? { settings.text(key).isEmpty ? nil : settings.text(key) }
    username = given("username")
    passwordFile = given("password_file")
    certificateFile = given("certificate_file")
    keyFile = given("key_file")
    if passwordFile != nil, username == nil {
      throw SettingError(what: "has a password but no 'username'", remedy: "add 'username: NAME'")
    }
    if username != nil, !isMQTT {
      throw SettingError(what: "has a 'username', which only 'kind: mqtt' takes", remedy: "remove it")
    }
    if let username, username.utf8.count > LatencyLimits.mqttLoginBytes {
      throw SettingError(
        what: "has a 'username' that is too long", remedy: "use at most \(LatencyLimits.mqttLoginBytes) bytes")
    }
    if (certificateFile == nil) != (keyFile == nil) {
      throw SettingError(
        what: "has only one of 'certificate_file' and 'key_file'",
        remedy: "a certificate and its key belong together: add the other")
    }
    for (key, path) in [("certificate_file", certificateFile), ("key_file", keyFile)] {
      guard let path, !path.hasPrefix("/") else { continue }
      throw SettingError(what: "has a \(key) that is no absolute path", remedy: "begin it with '/'")
    }
    if certificateFile != nil, !isSecure {
      throw SettingError(
        what: "has a 'certificate_file' but no TLS", remedy: isMQTT ? "add 'tls: true', or remove it" : "remove it")
    }
  }

  /// The password as its file has it now.
  ///
  /// - Throws: `barred` when the file gives none.
  func password() throws(NetworkFailure) -> String? {
    guard let passwordFile else { return nil }
    do throws(CredentialError) {
      return try CredentialFile.secret(passwordFile, limit: LatencyLimits.mqttLoginBytes)
    } catch {
      throw .barred("the password file \(passwordFile) cannot be used: \(error.text)")
    }
  }
}
