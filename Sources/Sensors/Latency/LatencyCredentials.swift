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

  /// Tells `wrong` the key, what is wrong with it and what to do where things do not belong together.
  init(_ settings: Settings, isMQTT: Bool, isSecure: Bool, _ wrong: (String, String, String) -> Void) {
    func given(_ key: String) -> String? { settings.text(key).isEmpty ? nil : settings.text(key) }
    username = given("username")
    passwordFile = given("password_file")
    certificateFile = given("certificate_file")
    keyFile = given("key_file")
    if passwordFile != nil, username == nil { wrong("password_file", "has a password but no 'username'", "add 'username: NAME'") }
    if let username {
      if !isMQTT { wrong("username", "has a 'username', which only 'kind: mqtt' takes", "remove it") }
      if username.utf8.count > LatencyLimits.mqttLoginBytes {
        wrong("username", "has a 'username' that is too long", "use at most \(LatencyLimits.mqttLoginBytes) bytes")
      }
    }
    if (certificateFile == nil) != (keyFile == nil) {
      wrong(
        certificateFile == nil ? "key_file" : "certificate_file", "has only one of 'certificate_file' and 'key_file'",
        "a certificate and its key belong together: add the other")
    }
    for (key, path) in [("certificate_file", certificateFile), ("key_file", keyFile)] {
      guard let path, !path.hasPrefix("/") else { continue }
      wrong(key, "has a \(key) that is no absolute path", "begin it with '/'")
    }
    if certificateFile != nil, !isSecure {
      wrong("certificate_file", "has a 'certificate_file' but no TLS", isMQTT ? "add 'tls: true', or remove it" : "remove it")
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
