import Foundation

/// A certificate authority of the test's own, made with the openssl program: it signs a broker's and a client's certificate.
struct Authority {
  let folder: TemporaryFolder

  /// `server` is the broker's subjectAltName, such as `IP:127.0.0.1`.
  init(server: String) throws {
    folder = try TemporaryFolder()
    try openssl("req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority -keyout ca.key -out ca.pem")
    try folder.write("names", "subjectAltName=\(server)\n")
    try folder.write("none", "")
    try issue("server", extensions: "names")
    try issue("client")
  }

  func path(_ name: String) -> String { folder.path(of: name) }

  /// Makes `name.key` and `name.pem`.
  func issue(_ name: String, extensions: String = "none") throws {
    try openssl("req -newkey rsa:2048 -nodes -subj /CN=\(name) -keyout \(name).key -out \(name).csr")
    try openssl(
      "x509 -req -in \(name).csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile \(extensions) -out \(name).pem")
  }

  /// Encrypts a key into `name.locked`.
  func lock(_ name: String, password: String) throws {
    try openssl("rsa -in \(name).key -aes256 -passout pass:\(password) -out \(name).locked")
  }

  /// A broker with the server's certificate.
  func broker(port: UInt16, wantsClients: Bool = false, more: [String] = []) throws -> Broker {
    try Broker(
      .init(
        extraLines: [
          "listener \(port) 127.0.0.1", "cafile \(path("ca.pem"))", "certfile \(path("server.pem"))",
          "keyfile \(path("server.key"))", "require_certificate \(wantsClients)", "allow_anonymous true",
        ] + more))
  }

  private func openssl(_ arguments: String) throws {
    let answer = try ChildProcess.run("sh", ["-c", "cd '\(folder.path)' && openssl \(arguments)"], in: folder)
    guard answer.end == .exited(0) else { throw ChildProcess.Failure(description: "openssl \(arguments): \(answer.errors)") }
  }
}
