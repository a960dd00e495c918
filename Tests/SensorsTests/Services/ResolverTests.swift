import Foundation
import Platform
import Synchronization
import Telemetry
import Testing

@testable import Sensors

/// The dns sensor with servers of its own, with dnsmasq as dig sees it, and with unbound as unbound-control does.
@Suite(.serialized) struct ResolverTests {
  private func settings(_ port: UInt16, _ more: String = "") -> String {
    "query: there.test\nrecord: A\nconfigured: false\nresolvers: ['127.0.0.1#\(port)']\ntimeout: 3s\nunbound_socket: ''\n" + more
  }

  @Test func resolversAreWrittenAsAddressesWithPorts() {
    #expect(Resolver("192.0.2.53")?.port == 53 && Resolver("192.0.2.53#5353")?.name == "192.0.2.53#5353")
    #expect(Resolver("2001:db8::1#54")?.name == "2001:db8::1#54" && Resolver("::1")?.isLocal == true)
    #expect(Resolver("127.0.0.53")?.isStub == true && Resolver("127.0.0.53#5353")?.isStub == false)
    for text in ["", "name", "192.0.2.53#", "192.0.2.53#0", "192.0.2.53#65536", "192.0.2.53#53#53", "#53"] {
      #expect(Resolver(text) == nil, "\(text)")
    }
  }

  private func outcomes(_ answer: @escaping @Sendable ([UInt8]) -> [[UInt8]]) throws -> [String: Double] {
    let server = try LoopbackServer.packets(answer)
    defer { withExtendedLifetime(server) {} }
    let sensor = try ServicePeers.Sampled("dns", settings(server.port).replacingOccurrences(of: "3s", with: "300ms"))
    try sensor.sample()
    var found: [String: Double] = [:]
    for (series, value) in zip(sensor.readings.series, sensor.readings.values) where !value.isMissing {
      let name = series.label("outcome") ?? String(series.metric.name.dropFirst(4))
      found[name] = value
    }
    return found
  }

  @Test func outcomesAreToldApart() throws {
    let good = try outcomes { [DNSMessageTests.answer(to: $0, records: [])] }
    #expect(good["noerror"] == 1 && good["up"] == 1 && good["response_milliseconds"] != nil)
    let none = try outcomes { [DNSMessageTests.answer(to: $0, code: 3, records: [])] }
    #expect(none["nxdomain"] == 1 && none["up"] == 1)
    let failed = try outcomes { [DNSMessageTests.answer(to: $0, code: 2, records: [])] }
    #expect(failed["servfail"] == 1 && failed["up"] == 0)
    let odd = try outcomes { [DNSMessageTests.answer(to: $0, code: 11, records: [])] }
    #expect(odd["other"] == 1 && odd["up"] == 0)
    let silent = try outcomes { _ in [] }
    #expect(silent["timeout"] == 1 && silent["up"] == 0 && silent["response_milliseconds"] == nil)
    // The id of nobody's question.
    let wrong = try outcomes { [[$0[0] ^ 1] + DNSMessageTests.answer(to: $0, records: [])[1...]] }
    #expect(wrong["mismatch"] == 1 && wrong["up"] == 0)
  }

  /// A name server that says it is a dnsmasq, and names others to forward to each time.
  @Test func forwardersWithoutEndMakeNoSeriesWithoutEnd() throws {
    let asked = Mutex(0)
    let server = try LoopbackServer.packets { query in
      guard query.suffix(2) == [0, 3] else { return [DNSMessageTests.answer(to: query, records: [])] }
      let isServers = query[13...].starts(with: Array("servers".utf8))
      let number = asked.withLock { asked in
        if isServers { asked += 1 }
        return asked
      }
      let texts = isServers ? (0..<8).map { "198.51.\(number).\($0)#53 9 1" } : ["150"]
      let records = texts.map { text in
        [0xC0, 12, 0, 16, 0, 3, 0, 0, 0, 0, 0, UInt8(text.utf8.count + 1), UInt8(text.utf8.count)] + Array(text.utf8)
      }
      return [DNSMessageTests.answer(to: query, records: records)]
    }
    let sensor = try ServicePeers.Sampled("dns", settings(server.port))
    for _ in 0..<40 { try sensor.sample() }
    #expect(asked.withLock { $0 } == 40)
    #expect(sensor.readings.series.count { $0.metric == DNSMetrics.forwarded } == DNSLimits.knownForwarders)
    #expect(sensor["dns.forwarded_total{resolver=\"127.0.0.1#\(server.port)\",server=\"198.51.1.0\"}"] == nil, "it is gone")
    withExtendedLifetime(server) {}
  }

  @Test func aClosedPortIsToldAtOnce() throws {
    let sensor = try ServicePeers.Sampled("dns", settings(try LoopbackServer.closedPort()))
    try sensor.sample()
    #expect(sensor.readings.values.contains(1), "the counter of closed")
    #expect(sensor.readings.series.contains { $0.label("outcome") == "closed" })
  }

  private func unbound(_ port: UInt16) throws -> ServerProgram? {
    try ServerProgram(
      "unbound",
      files: { folder in
        let text = """
          server:
            interface: 127.0.0.1@\(port)
            access-control: 127.0.0.0/8 allow
            do-daemonize: no
            username: ""
            chroot: ""
            directory: "\(folder.path)"
            pidfile: ""
            use-syslog: no
            local-zone: "test." static
            local-data: "there.test. 60 IN A 192.0.2.9"
            extended-statistics: yes
          remote-control:
            control-enable: yes
            control-interface: \(folder.path)/u.ctl
          """
        try text.write(to: folder.appendingPathComponent("u.conf"), atomically: true, encoding: .utf8)
      }, arguments: { _ in ["-d", "-c", "u.conf"] })
  }

  /// The numbers that are told, as unbound-control prints them.
  private static func statistics(_ text: String) -> [String: Double] {
    var numbers: [String: Double] = [:]
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: "=")
      if parts.count == 2 { numbers[String(parts[0])] = Double(parts[1]) }
    }
    return numbers
  }

  @Test func unboundIsReadAsItsOwnProgramDoes() throws {
    let port = try LoopbackServer.closedPort()
    guard let server = try unbound(port) else { return }
    let socket = server.folder.appendingPathComponent("u.ctl").path
    #expect(holdsSoon { FileManager.default.fileExists(atPath: socket) })
    let sensor = try ServicePeers.Sampled("dns", settings(port).replacingOccurrences(of: "''", with: socket))
    for _ in 0..<3 { try sensor.sample() }
    let arguments = ["-c", server.folder.appendingPathComponent("u.conf").path, "-s", socket, "stats_noreset"]
    let text = try #require(try ServicePeers.output("unbound-control", arguments))
    let theirs = Self.statistics(text)
    #expect(theirs["total.num.queries"].map { $0 >= 3 } == true, "three questions were asked: \(text)")
    #expect(sensor["dns.cache_hits_total{resolver=\"unbound\"}"] == theirs["total.num.cachehits"])
    #expect(sensor["dns.cache_misses_total{resolver=\"unbound\"}"] == theirs["total.num.cachemiss"])
    #expect(sensor["dns.cache_entries{resolver=\"unbound\"}"] == theirs["msg.cache.count"])
    #expect(sensor["dns.up{resolver=\"127.0.0.1#\(port)\"}"] == 1)
    withExtendedLifetime(server) {}
  }

  @Test func dnsmasqIsReadAsDigReadsIt() throws {
    let (port, upstream) = (try LoopbackServer.closedPort(), try LoopbackServer.closedPort())
    guard let source = try unbound(upstream) else { return }
    let user = NSUserName()
    let server = try ServerProgram("dnsmasq") { _ in
      [
        "--keep-in-foreground", "--conf-file=/dev/null", "--pid-file=", "--user=\(user)", "--port=\(port)", "--no-resolv",
        "--no-hosts",
        "--listen-address=127.0.0.1", "--bind-interfaces", "--server=127.0.0.1#\(upstream)", "--cache-size=321",
      ]
    }
    guard let server else { return }
    let sensor = try ServicePeers.Sampled("dns", settings(port))
    let name = "127.0.0.1#\(port)"
    #expect(
      holdsSoon {
        try? sensor.sample()
        return sensor["dns.up{resolver=\"\(name)\"}"] == 1 && sensor["dns.cache_capacity{resolver=\"\(name)\"}"] != nil
      })
    for _ in 0..<4 { try sensor.sample() }
    func dig(_ question: String) throws -> String? {
      try ServicePeers.output("dig", ["+short", "-p", "\(port)", "@127.0.0.1", "chaos", "txt", "\(question).bind"])
    }
    guard let hits = try dig("hits") else { return }
    func number(_ text: String?) -> Double? { text.flatMap { Double($0.filter { $0 != "\"" }) } }
    #expect(try #require(number(hits)) >= 3, "the first question filled the cache, the others found it there")
    #expect(sensor["dns.cache_hits_total{resolver=\"\(name)\"}"] == number(hits).map { $0 - 1 }, "dig's question is a hit, too")
    #expect(sensor["dns.cache_misses_total{resolver=\"\(name)\"}"] == number(try dig("misses")))
    #expect(sensor["dns.cache_capacity{resolver=\"\(name)\"}"] == 321)
    #expect(sensor["dns.cache_insertions_total{resolver=\"\(name)\"}"] == number(try dig("insertions")))
    #expect(sensor["dns.cache_evictions_total{resolver=\"\(name)\"}"] == number(try dig("evictions")))
    let servers = try #require(try dig("servers")).filter { $0 != "\"" }.split(separator: " ")
    #expect(servers.count == 3 && servers[0] == "127.0.0.1#\(upstream)")
    #expect(sensor["dns.forwarded_total{resolver=\"\(name)\",server=\"\(servers[0])\"}"] == Double(servers[1]))
    withExtendedLifetime((server, source)) {}
  }
}
