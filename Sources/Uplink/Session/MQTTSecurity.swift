import CMosquitto
import Glibc
import Platform

extension MQTTClient {
  /// User name and password, as the file has it now.
  func authenticate() throws(MQTTError) {
    guard let username = settings.username else { return }
    var password: String?
    if let file = settings.passwordFile { password = try Secret.read(file, "password") }
    try check("set user name and password", mosquitto_username_pw_set(handle, username, password))
  }

  /// TLS with the files as they are now. `now` is Unix milliseconds: certificates are judged by the agent's clock.
  func secure(now: Int64) throws(MQTTError) {
    let tls = settings.tls
    for file in [tls.caFile, tls.certificateFile, tls.keyFile].compactMap(\.self) {
      // The library only says that an argument is invalid.
      guard let problem = CredentialFile.problem(of: file) else { continue }
      throw MQTTError(operation: "use the TLS files", text: "\(file): \(problem)")
    }
    if let file = tls.keyPasswordFile { box.keyPassword = Array(try Secret.read(file, "key password").utf8) }
    if tls.caFile == nil { mosquitto_int_option(handle, MOSQ_OPT_TLS_USE_OS_CERTS, 1) }
    // The library up to 2.0.11 refuses to have neither file nor folder, also with that option: the distributions' hashed folder.
    let folder = tls.caFile == nil ? "/etc/ssl/certs" : nil
    // Without a callback OpenSSL would ask for a key's password at the terminal.
    try check(
      "use the TLS files",
      mosquitto_tls_set(handle, tls.caFile, folder, tls.certificateFile, tls.keyFile, onKeyPassword))
    if !tls.verifyServerName { try check("skip the server name", mosquitto_tls_insecure_set(handle, true)) }
    box.wallMilliseconds = now
    box.serverName = tls.verifyServerName ? broker.host : nil
    mosquitto_log_callback_set(handle, onLog)
    // Freed by the library, too: it counts its own reference.
    guard let context = godwit_tls_context(onCertificate, Unmanaged.passUnretained(box).toOpaque()) else { return }
    defer { godwit_tls_release(context) }
    try check("set up TLS", mosquitto_void_option(handle, MOSQ_OPT_SSL_CTX, context))
    try check("set up TLS", mosquitto_int_option(handle, MOSQ_OPT_SSL_CTX_WITH_DEFAULTS, 1))
  }

  /// What was wrong with the broker's certificate; nil when it was not that.
  var certificateProblem: CertificateProblem? { box.certificateProblem }

  /// What OpenSSL or the library last complained of.
  var tlsComplaint: String? { box.complaint }
}

// Callbacks are global functions: closures handed to C would be bound to the caller's actor.

/// Judges a certificate by the agent's clock, and keeps what was wrong.
func onCertificate(_ store: UnsafeMutableRawPointer?, _ user: UnsafeMutableRawPointer?) -> Int32 {
  guard let box = eventBox(user) else { return 0 }
  var verdict = godwit_verdict()
  let result = godwit_tls_verify(store, box.wallMilliseconds / 1_000, box.serverName, &verdict)
  if result <= 0 {
    box.certificateProblem = CertificateProblem(
      error: verdict.error, depth: verdict.depth, begins: verdict.begins &* 1_000, ends: verdict.ends &* 1_000,
      text: verdict.text.map { String(cString: $0) } ?? "error \(verdict.error)")
  }
  return result
}

/// Hands over the password of the client's key; pem_password_cb(3).
func onKeyPassword(
  _ buffer: UnsafeMutablePointer<CChar>?, _ size: Int32, _: Int32, _ handle: UnsafeMutableRawPointer?
) -> Int32 {
  guard let buffer, let handle, let password = eventBox(mosquitto_userdata(OpaquePointer(handle)))?.keyPassword,
    password.count <= Int(size)
  else { return 0 }
  for (index, byte) in password.enumerated() { buffer[index] = CChar(bitPattern: byte) }
  return Int32(password.count)
}

/// Keeps the first complaint of a connection: the library's results do not say what was wrong with a file or a handshake.
func onLog(_: OpaquePointer?, _ user: UnsafeMutableRawPointer?, _ level: Int32, _ text: UnsafePointer<CChar>?) {
  guard level == Int32(MOSQ_LOG_ERR), let text, let box = eventBox(user) else { return }
  let line = String(cString: text)
  // `OpenSSL Error[0]: error:0A00045C:SSL routines::tlsv13 alert certificate required`
  let words = line.hasPrefix("OpenSSL") ? line.split(separator: ":").last.map(String.init) ?? line : line
  guard let before = box.complaint else { return box.complaint = words }
  if before.utf8.count < 200 { box.complaint = "\(before), \(words)" }
}
