import Foundation
import Testing

@testable import Uplink

/// TLS with an authority of the test's own.
@Suite struct TLSTests {
  @Test(arguments: [true, false])
  func ticksArrive(isVersion5: Bool) throws {
    let authority = try Authority(server: "IP:127.0.0.1")
    let port = try freeLoopbackPort()
    let broker = try authority.broker(port: port, wantsClients: true)
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
    let broker = try authority.broker(port: port)
    let bench = try Bench(port: port) {
      $0.brokers[0].transport = .tls
      $0.tls.caFile = authority.path("ca.pem")
    }
    try bench.start()
    eventually("the refusal") { bench.status.attempts >= 3 && bench.status.lastError != nil }
    #expect(bench.status.connections == 0)
    #expect(bench.status.lastError == "the broker's certificate is for another name")
    // Told to, it looks only at the authority.
    #expect(bench.status.warning == nil)
    bench.settings.tls.verifyServerName = false
    _ = bench.uplink.put(.settings(bench.settings))
    eventually("a connection") { bench.isConnected }
    #expect(bench.status.warning?.contains("verify_server_name: false") == true)
    broker.stop()
  }

  @Test func aStrangersCertificateIsRefused() throws {
    let authority = try Authority(server: "IP:127.0.0.1")
    let stranger = try Authority(server: "IP:127.0.0.1")
    let port = try freeLoopbackPort()
    let broker = try authority.broker(port: port)
    let bench = try Bench(port: port) {
      $0.brokers[0].transport = .tls
      $0.tls.caFile = stranger.path("ca.pem")
    }
    try bench.start()
    eventually("the refusal") { bench.status.attempts >= 3 && bench.status.lastError != nil }
    let file = stranger.path("ca.pem")
    #expect(bench.status.lastError?.contains("is not signed by an authority of \(file) (") == true, "\(bench.status)")
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
    #expect(bench.status.lastError?.contains("is not signed by an authority of the system (") == true, "\(bench.status)")
    #expect(bench.status.connections == 0)
    broker.stop()
  }

  @Test func aMissingAuthorityFileIsAClearError() throws {
    let bench = try Bench(port: 8883) {
      $0.brokers[0].transport = .tls
      $0.tls.caFile = "/nowhere/ca.pem"
    }
    try bench.start()
    eventually("the error") { bench.status.lastError == "cannot use the TLS files: /nowhere/ca.pem: No such file or directory" }
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
