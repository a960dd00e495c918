import Foundation
import Testing

@testable import Uplink

/// TLS with an authority of the test's own.
@Suite struct TLSTests {
  /// Made with the openssl program: an authority, a broker's and a client's certificate.
  private struct Authority {
    let folder: TemporaryFolder

    init(server: String) throws {
      folder = try TemporaryFolder()
      try openssl("req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority -keyout ca.key -out ca.pem")
      try folder.write("names", "subjectAltName=\(server)\n")
      try folder.write("none", "")
      try issue("server", extensions: "names")
      try issue("client", extensions: "none")
    }

    func path(_ name: String) -> String { folder.path(of: name) }

    private func issue(_ name: String, extensions: String) throws {
      try openssl("req -newkey rsa:2048 -nodes -subj /CN=\(name) -keyout \(name).key -out \(name).csr")
      try openssl(
        "x509 -req -in \(name).csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile \(extensions) -out \(name).pem")
    }

    private func openssl(_ arguments: String) throws {
      let answer = try ChildProcess.run("sh", ["-c", "cd '\(folder.path)' && openssl \(arguments)"], in: folder)
      guard answer.end == .exited(0) else { throw ChildProcess.Failure(description: "openssl \(arguments): \(answer.errors)") }
    }
  }

  private func broker(_ authority: Authority, port: UInt16, clients: Bool = false) throws -> Broker {
    try Broker(
      .init(extraLines: [
        "listener \(port) 127.0.0.1", "cafile \(authority.path("ca.pem"))", "certfile \(authority.path("server.pem"))",
        "keyfile \(authority.path("server.key"))", "require_certificate \(clients)", "allow_anonymous true",
      ]))
  }

  @Test(arguments: [true, false])
  func ticksArrive(isVersion5: Bool) throws {
    let authority = try Authority(server: "IP:127.0.0.1")
    let port = try freeLoopbackPort()
    let broker = try broker(authority, port: port, clients: true)
    let subscriber = try Subscriber(["godwit/#"], to: broker)
    let bench = try Bench(port: port, stored: 2_000) {
      $0.isVersion5 = isVersion5
      $0.brokers[0].transport = .tls
      $0.tls.caFile = authority.path("ca.pem")
      $0.tls.certificateFile = authority.path("client.pem")
      $0.tls.keyFile = authority.path("client.key")
    }
    try bench.start()
    try bench.tick(5)
    eventually("delivery", timeout: 40) { bench.isAllDelivered && Set(subscriber.sequences) == Set(1...2_005) }
    #expect(bench.status.connections == 1)
  }

  @Test func aCertificateForAnotherNameIsRefused() throws {
    let authority = try Authority(server: "DNS:other.example")
    let port = try freeLoopbackPort()
    let broker = try broker(authority, port: port)
    let bench = try Bench(port: port) {
      $0.brokers[0].transport = .tls
      $0.tls.caFile = authority.path("ca.pem")
    }
    try bench.start()
    eventually("the refusal") { bench.status.attempts >= 3 && bench.status.lastError != nil }
    #expect(bench.status.connections == 0)
    // The handshake fails while connecting or after: the library tells differently.
    let words = ["the broker closed the connection before accepting it", "A TLS error occurred"]
    #expect(words.contains { bench.status.lastError?.contains($0) == true }, "\(bench.status)")
    // Told to, it looks only at the authority.
    bench.settings.tls.verifyServerName = false
    _ = bench.uplink.put(.settings(bench.settings))
    eventually("a connection") { bench.isConnected }
    broker.stop()
  }

  @Test func aStrangersCertificateIsRefused() throws {
    let authority = try Authority(server: "IP:127.0.0.1")
    let stranger = try Authority(server: "IP:127.0.0.1")
    let port = try freeLoopbackPort()
    let broker = try broker(authority, port: port)
    let bench = try Bench(port: port) {
      $0.brokers[0].transport = .tls
      $0.tls.caFile = stranger.path("ca.pem")
    }
    try bench.start()
    eventually("the refusal") { bench.status.attempts >= 3 && bench.status.lastError != nil }
    #expect(bench.status.lastError?.contains("cannot use the TLS files") == false, "\(bench.status)")
    // The file has to be there until now.
    withExtendedLifetime(stranger) {}
    // Nor do the system's authorities know it.
    bench.settings.tls.caFile = nil
    // Another name of the same broker tells when the settings were taken.
    bench.settings.brokers[0].host = "localhost"
    _ = bench.uplink.put(.settings(bench.settings))
    eventually("the refusal") {
      let status = bench.status
      return status.broker.contains("localhost") && status.attempts >= 2 && status.lastError != nil
    }
    #expect(bench.status.lastError?.contains("cannot use the TLS files") == false, "\(bench.status)")
    #expect(bench.status.connections == 0)
    broker.stop()
  }

  @Test func aMissingAuthorityFileIsAClearError() throws {
    let bench = try Bench(port: 8883) {
      $0.brokers[0].transport = .tls
      $0.tls.caFile = "/nowhere/ca.pem"
    }
    try bench.start()
    eventually("the error") { bench.status.lastError?.hasPrefix("cannot use the TLS files") == true }
  }

  @Test func aPlainBrokerBehindTLS() throws {
    let authority = try Authority(server: "IP:127.0.0.1")
    let broker = try Broker()
    let bench = try Bench(port: broker.port) {
      $0.brokers[0].transport = .tls
      $0.tls.caFile = authority.path("ca.pem")
    }
    try bench.start()
    eventually("attempts") {
      bench.clock.lapse(seconds: 4)
      bench.wake()
      return bench.status.attempts >= 2 && bench.status.lastError != nil
    }
    #expect(bench.status.connections == 0)
  }
}
