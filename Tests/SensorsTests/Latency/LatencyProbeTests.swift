import Foundation
import Platform
import Synchronization
import Telemetry
import Testing

@testable import Sensors

/// Probes of real servers on the loopback.
@Suite struct LatencyProbeTests {
  private let prober = NetworkProber(Host())

  @Test func whoListensIsReached() throws {
    let server = try LoopbackServer { _ in nil }
    defer { withExtendedLifetime(server) {} }
    let answer = prober.probe(try .made("tcp", ["port": .integer(Int(server.port))]))
    #expect(answer.fault == nil)
    #expect((0..<10_000).contains(try #require(answer.milliseconds)))
  }

  @Test func aClosedPortRefuses() throws {
    let answer = prober.probe(try .made("tcp", ["port": .integer(Int(try LoopbackServer.closedPort()))]))
    #expect(answer.milliseconds == nil && answer.fault == "refused" && !answer.isUnsent)
  }

  @Test(arguments: ["127.0.0.1", "::1"]) func anEchoComesBack(host: String) throws {
    let answer = prober.probe(try .made("icmp", ["host": .text(host)]))
    if answer.isUnsent || answer.fault == "unreachable" { return print("skipped: \(host): \(answer.fault ?? "")") }
    #expect(answer.fault == nil)
    #expect((0..<10_000).contains(try #require(answer.milliseconds)))
  }

  private func get(_ text: String, _ more: [String: SettingValue] = [:]) throws -> ProbeAnswer {
    let server = try LoopbackServer { _ in [Array(text.utf8)] }
    defer { withExtendedLifetime(server) {} }
    let url = SettingValue.text("http://127.0.0.1:\(server.port)/health")
    return prober.probe(try .made("http", more.merging(["url": url]) { $1 }))
  }

  @Test func aPageIsFetchedInPhases() throws {
    let requests = Mutex<[String]>([])
    let answer = try withExtendedLifetime(
      try LoopbackServer { request in
        requests.withLock { $0.append(String(decoding: request, as: UTF8.self)) }
        return [Array("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n".utf8), Array("all ok\n".utf8)]
      }
    ) { server in
      prober.probe(
        try .made("http", ["url": .text("http://127.0.0.1:\(server.port)/health?a=b"), "expect_text": .text("all ok")]))
    }
    #expect(answer.fault == nil)
    #expect(answer.status == 200)
    let phases = answer.phases
    #expect(Set(phases.keys) == [.resolve, .connect, .firstByte, .total])
    #expect(try #require(phases[.firstByte]) <= #require(phases[.total]) && answer.milliseconds == phases[.total])
    let request = requests.withLock { $0.first ?? "" }
    #expect(request.hasPrefix("GET /health?a=b HTTP/1.1\r\nHost: 127.0.0.1:") && request.hasSuffix("\r\n\r\n"))
  }

  @Test func whatIsNotExpectedIsTold() throws {
    let page = "HTTP/1.1 200 OK\r\n\r\nmaintenance"
    #expect(try get(page, ["expect_text": .text("all ok")]).fault == "the expected text is not in the answer")
    #expect(try get(page, ["expect_status": .integer(204)]).fault == "the status is 200")
    let failure = try get("HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n")
    #expect(failure.fault == "the status is 503" && failure.status == 503 && failure.milliseconds != nil)
    let moved = "HTTP/1.1 301 Moved\r\nLocation: https://example.org/\r\nContent-Length: 0\r\n\r\n"
    #expect(try get(moved).fault == "the status is 301, and the redirect to https://example.org/ is not followed")
    #expect(try get(moved, ["expect_status": .integer(301)]).fault == nil)
    #expect(try get("220 mail ESMTP service ready\r\n\r\n").fault == "the answer is not HTTP/1.x")
    let half = try get("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    #expect(half.fault == "the connection was closed" && half.milliseconds == nil)
  }

  @Test func whoDoesNotAnswerIsLost() throws {
    let server = try LoopbackServer { _ in nil }
    defer { withExtendedLifetime(server) {} }
    let answer = prober.probe(
      try .made("http", ["url": .text("http://127.0.0.1:\(server.port)/"), "timeout": .milliseconds(100)]))
    #expect(answer.fault == "no answer in time")
    #expect(answer.milliseconds == nil && answer.phases[.connect] != nil)
  }

  @Test func aPageWithoutEndIsReadToItsBound() throws {
    let endless = "HTTP/1.1 200 OK\r\n\r\n" + String(repeating: "x", count: 1 << 20)
    #expect(try get(endless).fault == nil)
  }

  // MARK: Name servers

  private func query(
    _ record: String, _ answer: @escaping @Sendable ([UInt8]) -> [[UInt8]]
  ) throws -> ProbeAnswer {
    let server = try LoopbackServer.packets(answer)
    defer { withExtendedLifetime(server) {} }
    return prober.probe(
      try .made(
        "dns",
        [
          "query": .text("example.org"), "record": .text(record), "resolver": .text("127.0.0.1"),
          "port": .integer(Int(server.port)),
        ]))
  }

  @Test func aNameServersAnswerIsTold() throws {
    let found = try query("A") { query in
      // First an answer to another question, and one that is none.
      [
        [query[0] ^ 1] + query.dropFirst(), query,
        DNSMessageTests.answer(
          to: query, records: [DNSMessageTests.record(type: 1, seconds: 60, [192, 0, 2, 1])]),
      ]
    }
    #expect(found.fault == nil && found.dnsCode == 0 && found.dnsRecords == 1 && found.milliseconds != nil)
    let missing = try query("A") { [DNSMessageTests.answer(to: $0, code: 3, records: [])] }
    #expect(missing.fault == "there is no such name" && missing.dnsCode == 3 && missing.milliseconds != nil)
    let empty = try query("MX") { [DNSMessageTests.answer(to: $0, records: [])] }
    #expect(empty.fault == "the name has no MX record" && empty.dnsCode == 0)
    let broken = try query("A") { [DNSMessageTests.answer(to: $0, records: [[0xC0, 29, 0, 1]])] }
    #expect(broken.fault == "the name server's answer is malformed" && broken.milliseconds == nil)
  }

  @Test func whatDoesNotFitAPacketComesByStream() throws {
    let records = [DNSMessageTests.record(type: 16, seconds: 60, [2, 0x68, 0x69])]
    let udp = try LoopbackServer.packets { [DNSMessageTests.answer(to: $0, isTruncated: true, records: [])] }
    let tcp = try LoopbackServer(port: udp.port) { request in
      let answer = DNSMessageTests.answer(to: Array(request.dropFirst(2)), records: records)
      return [[0], [UInt8(answer.count)] + answer[0..<20], Array(answer[20...])]
    }
    let target = try LatencyTarget.made(
      "dns",
      [
        "query": .text("example.org"), "record": .text("TXT"), "resolver": .text("127.0.0.1"),
        "port": .integer(Int(tcp.port)),
      ])
    let answer = prober.probe(target)
    #expect(answer.fault == nil && answer.dnsRecords == 1)
    withExtendedLifetime((udp, tcp)) {}
  }

  /// A machine with a hosts file and a name server of its own.
  private func lookup(_ name: String, family: String, port: UInt16) throws -> Result<String, NetworkFailure> {
    let root = FileManager.default.temporaryDirectory.appendingPathComponent("godwit-names-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: root) }
    try FileManager.default.createDirectory(at: root.appendingPathComponent("etc"), withIntermediateDirectories: true)
    // As long as lists of blocked names are.
    let blocked = (0..<20_000).map { "0.0.0.0 blocked-\($0).example.net\n" }.joined()
    try "192.0.2.9 Gateway gw # ours\n2001:db8::9 gateway\n\(blocked)".write(
      to: root.appendingPathComponent("etc/hosts"), atomically: true, encoding: .utf8)
    try "nameserver 127.0.0.1\n".write(
      to: root.appendingPathComponent("etc/resolv.conf"), atomically: true, encoding: .utf8)
    let target = try LatencyTarget.made("icmp", ["host": .text(name), "family": .text(family)])
    let names = NameLookup(Host(root: root.path), port: port)
    do throws(NetworkFailure) {
      let deadline = SystemClock.monotonicNanoseconds + 10_000_000_000
      return .success("\(try names.address(of: target, isFresh: false, until: deadline))")
    } catch {
      return .failure(error)
    }
  }

  @Test func namesAreFoundInTheFileAndByTheServer() throws {
    let server = try LoopbackServer.packets { query in
      // One name, with an IPv6 address alone.
      let isWanted = query[12...].starts(with: [3, 0x73, 0x69, 0x78])
      let isV6 = query[query.count - 3] == 28
      let address = [UInt8](repeating: 0x20, count: 16)
      return [
        DNSMessageTests.answer(
          to: query, code: isWanted ? 0 : 3,
          records: isWanted && isV6 ? [DNSMessageTests.record(type: 28, seconds: 1, address)] : [])
      ]
    }
    #expect(try lookup("GATEWAY", family: "any", port: server.port) == .success("192.0.2.9"))
    #expect(try lookup("gateway", family: "ipv6", port: server.port) == .success("2001:db8::9"))
    #expect(
      try lookup("six.example.org", family: "any", port: server.port) == .success("2020:2020:2020:2020:2020:2020:2020:2020"))
    #expect(
      try lookup("none.example.org", family: "any", port: server.port)
        == .failure(.wrong("'none.example.org' cannot be resolved: there is no such name")))
    withExtendedLifetime(server) {}
  }

  // MARK: Path

  @Test func thePathToThisMachineIsOneHop() throws {
    let answer = prober.probe(try .made("icmp", [:]), hops: 1)
    guard case .end(let address, let milliseconds) = answer else {
      Issue.record("\(answer)")
      return
    }
    #expect(address == "127.0.0.1" && milliseconds >= 0)
  }
}
