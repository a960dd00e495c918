import Foundation
import Platform
import Telemetry
import Testing

@testable import Sensors

/// Probes of openssl's server and of mosquitto.
@Suite(.serialized) struct LatencyServerTests {
  private let prober = NetworkProber(Host())

  /// A certificate for localhost, valid for 30 days, that is its own authority.
  private static func makeCertificate(_ folder: URL) throws {
    let path = folder.path
    try ServerProgram.run(
      "/usr/bin/openssl",
      [
        "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30", "-subj",
        "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", "\(path)/key.pem", "-out",
        "\(path)/cert.pem",
      ])
  }

  private func secureServer(port: UInt16) throws -> ServerProgram? {
    try ServerProgram("openssl", files: Self.makeCertificate) { _ in
      ["s_server", "-accept", "127.0.0.1:\(port)", "-cert", "cert.pem", "-key", "key.pem", "-www", "-quiet"]
    }
  }

  private func probeSoon(_ target: LatencyTarget) -> ProbeAnswer {
    var answer = ProbeAnswer()
    #expect(
      holdsSoon {
        answer = prober.probe(target)
        return answer.fault != "refused"
      })
    return answer
  }

  @Test func aCertificateIsJudged() throws {
    let port = try LoopbackServer.closedPort()
    guard let server = try secureServer(port: port) else { return }
    func probe(_ given: [String: SettingValue]) throws -> ProbeAnswer {
      probeSoon(try .made("tls", given.merging(["port": .integer(Int(port))]) { $1 }))
    }
    let file = SettingValue.text(server.folder.appendingPathComponent("cert.pem").path)
    let trusted = try probe(["ca_file": file])
    #expect(trusted.fault == nil && trusted.milliseconds != nil)
    // 30 days, less what passed since it was made.
    let seconds = try #require(trusted.certificateSeconds)
    #expect(seconds <= 30 * 86_400 && seconds > 30 * 86_400 - 3_600)
    #expect(trusted.phases[.tls] == trusted.milliseconds && trusted.phases[.connect] != nil)
    #expect(try probe(["ca_file": file, "server_name": .text("localhost")]).fault == nil)
    let other = try probe(["ca_file": file, "server_name": .text("example.org")])
    #expect(other.fault?.lowercased().hasPrefix("tls: hostname mismatch") == true, "\(other.fault ?? "")")
    #expect(other.milliseconds != nil && other.certificateSeconds != nil)
    let stranger = try probe([:])
    #expect(stranger.fault?.contains("self") == true, "\(stranger.fault ?? "")")
    let nobody = try probe(["ca_file": .text("/nonexistent.pem")])
    withExtendedLifetime(server) {}
    #expect(nobody.isUnsent && nobody.fault == "no certificates can be read from /nonexistent.pem")
  }

  @Test func aSecurePageIsFetched() throws {
    let port = try LoopbackServer.closedPort()
    guard let server = try secureServer(port: port) else { return }
    let url = SettingValue.text("https://127.0.0.1:\(port)/")
    let file = SettingValue.text(server.folder.appendingPathComponent("cert.pem").path)
    let answer = probeSoon(try .made("http", ["url": url, "ca_file": file, "expect_text": .text("Ciphers supported")]))
    #expect(answer.fault == nil && answer.status == 200)
    #expect(Set(answer.phases.keys) == [.resolve, .connect, .tls, .firstByte, .total])
    // Nothing is asked of a server that is not trusted.
    let stranger = probeSoon(try .made("http", ["url": url]))
    #expect(stranger.status == nil && stranger.milliseconds == nil && stranger.certificateSeconds != nil)
    withExtendedLifetime(server) {}
  }

  @Test func whatIsNoTLSIsTold() throws {
    let server = try LoopbackServer { _ in [Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8)] }
    let answer = prober.probe(try .made("tls", ["port": .integer(Int(server.port))]))
    #expect(answer.fault?.hasPrefix("TLS: ") == true && answer.milliseconds == nil)
    withExtendedLifetime(server) {}
  }

  private func broker(port: UInt16, _ lines: String) throws -> ServerProgram? {
    try ServerProgram(
      "mosquitto",
      files: { folder in
        try Self.makeCertificate(folder)
        try "listener \(port) 127.0.0.1\nuser \(NSUserName())\n\(lines)\n".write(
          to: folder.appendingPathComponent("mosquitto.conf"), atomically: true, encoding: .utf8)
      }, arguments: { _ in ["-c", "mosquitto.conf"] })
  }

  @Test func aBrokerAnswersAPing() throws {
    let port = try LoopbackServer.closedPort()
    guard let server = try broker(port: port, "allow_anonymous true") else { return }
    let answer = probeSoon(try .made("mqtt", ["port": .integer(Int(port))]))
    #expect(answer.fault == nil)
    #expect(try #require(answer.milliseconds) >= 0)
    #expect(answer.phases[.session] != nil)
    withExtendedLifetime(server) {}
  }

  @Test func aBrokerAnswersAPingByTLS() throws {
    let port = try LoopbackServer.closedPort()
    guard let server = try broker(port: port, "allow_anonymous true\ncertfile cert.pem\nkeyfile key.pem") else { return }
    let file = SettingValue.text(server.folder.appendingPathComponent("cert.pem").path)
    let answer = probeSoon(try .made("mqtt", ["port": .integer(Int(port)), "tls": .bool(true), "ca_file": file]))
    #expect(answer.fault == nil && answer.milliseconds != nil && answer.phases[.tls] != nil)
    #expect(answer.certificateSeconds != nil)
    withExtendedLifetime(server) {}
  }

  @Test func aBrokerKnowsAUserByThePassword() throws {
    let port = try LoopbackServer.closedPort()
    guard
      let server = try ServerProgram(
        "mosquitto",
        files: { folder in
          try ServerProgram.run("/usr/bin/mosquitto_passwd", ["-b", "-c", "\(folder.path)/users", "edge", "s3cret phrase"])
          for (name, text) in [
            ("right", "s3cret phrase\n"), ("wrong", "another\n"),
            ("mosquitto.conf", "listener \(port) 127.0.0.1\nuser \(NSUserName())\nallow_anonymous false\npassword_file users\n"),
          ] { try text.write(to: folder.appendingPathComponent(name), atomically: true, encoding: .utf8) }
        }, arguments: { _ in ["-c", "mosquitto.conf"] })
    else { return }
    func probe(_ file: String?) throws -> ProbeAnswer {
      var given: [String: SettingValue] = ["port": .integer(Int(port)), "username": .text("edge")]
      if let file { given["password_file"] = .text(server.folder.appendingPathComponent(file).path) }
      return probeSoon(try .made("mqtt", given))
    }
    let right = try probe("right")
    #expect(right.fault == nil && right.milliseconds != nil)
    let refusal = "the broker refuses the session: not authorised"
    #expect(try probe("wrong").fault == refusal)
    #expect(try probe(nil).fault == refusal)
    // Nothing is sent without what the profile wants to be sent.
    let missing = try probe("missing")
    #expect(missing.isUnsent && missing.fault?.hasSuffix("missing cannot be used: No such file or directory") == true)
    withExtendedLifetime(server) {}
  }

  @Test func aBrokerKnowsAClientByItsCertificate() throws {
    let port = try LoopbackServer.closedPort()
    let lines = "allow_anonymous true\ncertfile cert.pem\nkeyfile key.pem\ncafile cert.pem\nrequire_certificate true"
    guard let server = try broker(port: port, lines) else { return }
    func path(_ name: String) -> SettingValue { .text(server.folder.appendingPathComponent(name).path) }
    var given: [String: SettingValue] = ["port": .integer(Int(port)), "tls": .bool(true), "ca_file": path("cert.pem")]
    let stranger = probeSoon(try .made("mqtt", given))
    #expect(stranger.fault != nil && stranger.milliseconds == nil)
    (given["certificate_file"], given["key_file"]) = (path("cert.pem"), path("key.pem"))
    let known = probeSoon(try .made("mqtt", given))
    #expect(known.fault == nil && known.milliseconds != nil)
    // A key with a password is not asked for at a terminal.
    try ServerProgram.run(
      "/usr/bin/openssl",
      [
        "pkey", "-in", "\(server.folder.path)/key.pem", "-aes128", "-passout", "pass:word", "-out",
        "\(server.folder.path)/locked.pem",
      ])
    given["key_file"] = path("locked.pem")
    let locked = probeSoon(try .made("mqtt", given))
    #expect(locked.isUnsent && locked.fault?.hasPrefix("no certificates can be read from ") == true)
    withExtendedLifetime(server) {}
  }

  @Test func aBrokerThatRefusesSaysWhy() throws {
    let port = try LoopbackServer.closedPort()
    guard let server = try broker(port: port, "allow_anonymous false") else { return }
    let answer = probeSoon(try .made("mqtt", ["port": .integer(Int(port))]))
    #expect(answer.fault == "the broker refuses the session: not authorised" && answer.milliseconds == nil)
    withExtendedLifetime(server) {}
  }
}
