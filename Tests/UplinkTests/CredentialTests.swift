import Foundation
import Testing

@testable import Uplink

/// Who we are and whom we trust, with files that change while the agent runs.
@Suite struct CredentialTests {
  /// A broker that wants a certificate, and a node with one whose key has a password.
  private func locked(_ authority: Authority, port: UInt16, password: String) throws -> Bench {
    try authority.lock("client", password: "correct-horse")
    return try Bench(port: port) {
      $0.brokers[0].transport = .tls
      $0.tls.caFile = authority.path("ca.pem")
      $0.tls.certificateFile = authority.path("client.pem")
      $0.tls.keyFile = authority.path("client.locked")
      $0.tls.keyPasswordFile = try? authority.folder.write("password", password + "\n")
    }
  }

  @Test func aKeyMayHaveAPassword() throws {
    let authority = try Authority(server: "IP:127.0.0.1")
    let port = try freeLoopbackPort()
    let broker = try authority.broker(port: port, wantsClients: true)
    let bench = try locked(authority, port: port, password: "wrong-horse")
    try bench.start()
    eventually("the refusal") {
      bench.status.attempts >= 2 && bench.status.lastError?.contains("Unable to load client key file") == true
    }
    #expect(bench.status.lastError?.contains("horse") == false)
    // The file is read at each attempt.
    try authority.folder.write("password", "correct-horse\n")
    eventually("a connection") { bench.isConnected }
    broker.stop()
  }

  @Test func aBrokerThatWantsACertificateIsUnderstood() throws {
    let authority = try Authority(server: "IP:127.0.0.1")
    let port = try freeLoopbackPort()
    let broker = try authority.broker(port: port, wantsClients: true)
    let bench = try Bench(port: port) {
      $0.brokers[0].transport = .tls
      $0.tls.caFile = authority.path("ca.pem")
    }
    try bench.start()
    eventually("the refusal") { bench.status.lastError?.contains("certificate required") == true }
    #expect(bench.status.connections == 0)
    broker.stop()
  }

  @Test func aRenewedCertificateIsTakenUp() throws {
    let authority = try Authority(server: "IP:127.0.0.1")
    let port = try freeLoopbackPort()
    let broker = try authority.broker(port: port, wantsClients: true, more: ["use_identity_as_username true"])
    let bench = try Bench(port: port) {
      $0.brokers[0].transport = .tls
      $0.tls.caFile = authority.path("ca.pem")
      $0.tls.certificateFile = authority.path("client.pem")
      $0.tls.keyFile = authority.path("client.key")
    }
    try bench.start()
    eventually("a connection") { bench.isConnected && broker.log.contains("u'client'") }
    // Nothing may be under way when time lapses: it would count as a stall.
    try bench.tick()
    eventually("delivery") { bench.isAllDelivered }
    // A look at files that did not change changes nothing.
    bench.clock.lapse(seconds: UplinkLimits.credentialSeconds + 1)
    try bench.tick(3)
    eventually("delivery") { bench.isAllDelivered }
    #expect(bench.status.connections == 1)
    try authority.issue("renewed")
    for kind in ["key", "pem"] { rename(authority.path("renewed.\(kind)"), authority.path("client.\(kind)")) }
    bench.clock.lapse(seconds: UplinkLimits.credentialSeconds + 1)
    bench.wake()
    eventually("the new one") { bench.isConnected && bench.status.connections == 2 && broker.log.contains("u'renewed'") }
    #expect(bench.status.lastError == nil)
  }

  @Test func aChangedPasswordIsTakenUp() throws {
    let broker = try Broker(.init(passwords: ["edge": "first"]))
    let file = try broker.folder.write("secret", "first\n")
    let bench = try Bench(port: broker.port) {
      $0.username = "edge"
      $0.passwordFile = file
    }
    try bench.start()
    eventually("a connection") { bench.isConnected }
    try broker.change(password: "second", of: "edge")
    try broker.folder.write("secret", "second\n")
    bench.clock.lapse(seconds: UplinkLimits.credentialSeconds + 1)
    bench.wake()
    try bench.tick(3)
    eventually("delivery with the new one") { bench.isAllDelivered && bench.status.connections >= 2 && bench.isConnected }
  }

  @Test func aClockBeforeTheCertificateIsToldApart() throws {
    let authority = try Authority(server: "IP:127.0.0.1")
    let port = try freeLoopbackPort()
    let broker = try authority.broker(port: port)
    let bench = try Bench(port: port) {
      $0.brokers[0].transport = .tls
      $0.tls.caFile = authority.path("ca.pem")
      $0.backoffMaximumMilliseconds = 86_400_000
    }
    bench.clock.setWall(aheadSeconds: -3_650 * 86_400, isSynchronized: false)
    try bench.start()
    eventually("the refusal") { bench.status.lastError?.contains("begins at") == true }
    let error = bench.status.lastError ?? ""
    #expect(error.hasPrefix("the device's clock, which is not set yet, says 20"), "\(error)")
    // Waits grow to hours; the lapse lets them pass.
    eventually("many attempts") {
      bench.clock.lapse(seconds: 86_400)
      bench.wake()
      return bench.status.attempts >= 22
    }
    bench.clock.setWall(aheadSeconds: 0, isSynchronized: true)
    bench.wake()
    eventually("a connection as soon as the clock is set") { bench.isConnected }
    #expect(bench.status.lastError == nil)
    broker.stop()
  }

  @Test func anExpiredCertificateIsToldApart() throws {
    let authority = try Authority(server: "IP:127.0.0.1")
    let port = try freeLoopbackPort()
    let broker = try authority.broker(port: port)
    let bench = try Bench(port: port) {
      $0.brokers[0].transport = .tls
      $0.tls.caFile = authority.path("ca.pem")
    }
    bench.clock.setWall(aheadSeconds: 30 * 86_400, isSynchronized: true)
    try bench.start()
    eventually("the refusal") { bench.status.lastError?.contains(" expired at 20") == true }
    #expect(bench.status.lastError?.contains("; the device's clock says 20") == true)
    broker.stop()
  }
}

/// When a change of a file asks for another connection.
@Suite struct CredentialWatchTests {
  private let minute = Int64(UplinkLimits.credentialSeconds) * 1_000

  @Test func onlyAnotherFileCounts() throws {
    let folder = try TemporaryFolder()
    var settings = UplinkSettings()
    settings.username = "edge"
    settings.passwordFile = try folder.write("password", "one")
    var watch = CredentialWatch(settings, now: 0)
    var wants = [watch.wantsRenewal(now: minute, isIdle: true)]
    unlink(folder.path(of: "password"))
    wants.append(watch.wantsRenewal(now: 2 * minute, isIdle: true))
    try folder.write("password", "another")
    wants.append(watch.wantsRenewal(now: 2 * minute + 1, isIdle: true))
    wants.append(watch.wantsRenewal(now: 3 * minute, isIdle: true))
    #expect(wants == [false, false, false, true])
  }

  @Test func whatIsUnderWayIsWaitedForUntilTheNextLook() throws {
    let folder = try TemporaryFolder()
    var settings = UplinkSettings()
    settings.username = "edge"
    settings.passwordFile = try folder.write("password", "one")
    var watch = CredentialWatch(settings, now: 0)
    try folder.write("password", "another")
    let busy = watch.wantsRenewal(now: minute, isIdle: false)
    var idle = watch
    let wants = [idle.wantsRenewal(now: minute + 5, isIdle: true), watch.wantsRenewal(now: 2 * minute, isIdle: false)]
    #expect(!busy && wants == [true, true])
  }

  @Test func withoutCredentialsNothingIsLookedAt() {
    var watch = CredentialWatch(UplinkSettings(), now: 0)
    let wants = watch.wantsRenewal(now: minute, isIdle: true)
    #expect(!wants)
    var settings = UplinkSettings()
    settings.tls.keyFile = "/a"
    settings.passwordFile = "/b"
    #expect(settings.credentialFiles.isEmpty)
    settings.brokers.append(.init(transport: .tls))
    settings.username = "edge"
    #expect(settings.credentialFiles == ["/b", "/a"])
  }
}
