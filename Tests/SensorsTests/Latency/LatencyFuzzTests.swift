import Foundation
import Platform
import Randomness
import Telemetry
import Testing

@testable import Sensors

/// What comes from the network, cut short and with bytes changed by a seeded generator: refused or taken within bounds, never a crash.
@Suite struct LatencyFuzzTests {
  /// 10,000 changed forms of `bytes`: bytes replaced, taken out, put in, doubled, and the end cut off.
  static func mutate(_ bytes: [UInt8], seed: UInt64, _ body: ([UInt8]) -> Void) {
    print("seed \(seed)")
    var generator = SplitMix64(seed: seed)
    for _ in 0..<10_000 {
      var changed = bytes
      for _ in 0..<Int.random(in: 1...6, using: &generator) {
        let place = Int.random(in: 0...changed.count, using: &generator)
        switch Int.random(in: 0...4, using: &generator) {
        case 0 where place < changed.count: changed[place] = .random(in: 0...255, using: &generator)
        case 1 where place < changed.count: changed.remove(at: place)
        case 2: changed.insert([0, 0xC0, 0xFF, 0x0A, 0x30].randomElement(using: &generator) ?? 0, at: place)
        case 3: changed.insert(contentsOf: changed[place...].prefix(40), at: place)
        case 4 where Bool.random(using: &generator): changed.removeLast(changed.count - place)
        default: break
        }
      }
      body(changed)
    }
  }

  @Test func anyDNSAnswer() throws {
    let query = try #require(DNSMessage.query(id: 0x1234, name: "www.example.org", type: .A))
    let answer = DNSMessageTests.answer(
      to: query,
      records: [
        DNSMessageTests.record(type: 5, seconds: 60, [3, 0x77, 0x65, 0x62, 0xC0, 0x10]),
        DNSMessageTests.record(type: 1, seconds: 300, [192, 0, 2, 1]),
        DNSMessageTests.record(type: 1, seconds: 30, [192, 0, 2, 2]),
      ])
    var taken = 0
    Self.mutate(answer, seed: 20_261_121) { bytes in
      guard let message = try? DNSMessage(bytes, to: query, type: .A) else { return }
      taken += 1
      #expect((0...15).contains(message.code) && message.found <= LatencyLimits.dnsRecords)
      #expect(message.addresses.count <= message.found && (0...Int64(Int32.max)).contains(message.seconds))
    }
    // Else the mutations would show nothing but that the id is compared.
    #expect(taken > 500)
  }

  @Test(arguments: [
    "HTTP/1.1 200 OK\r\nContent-Length: 10\r\nX: y\r\n\r\n0123456789",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4;a=b\r\nWiki\r\n5\r\npedia\r\n0\r\n\r\n",
    "HTTP/1.0 301 Moved\nLocation: http://192.0.2.1/\n\nbody",
  ]) func anyHTTPAnswer(text: String) {
    var taken = 0
    Self.mutate(Array(text.utf8), seed: 20_261_122) { bytes in
      var answer = HTTPAnswer()
      do throws(NetworkFailure) {
        // In pieces, as a network brings them.
        var rest = bytes[...]
        while !rest.isEmpty, !answer.isWhole {
          try answer.take(Array(rest.prefix(7)))
          rest = rest.dropFirst(7)
        }
        if !answer.isWhole { try answer.close() }
        taken += 1
      } catch {}
      #expect(answer.status == 0 || (100...599).contains(answer.status))
      #expect(answer.body.count <= LatencyLimits.httpBodyBytes)
    }
    #expect(taken > 500)
  }

  @Test func anyMQTTPacket() {
    Self.mutate([0x20, 2, 0, 0, 0xD0, 0], seed: 20_261_123) { bytes in
      guard let taken = try? MQTTProbe.packet(bytes) else { return }
      #expect(taken.count <= bytes.count && taken.packet.type <= 15)
      #expect(taken.packet.body.count <= LatencyLimits.mqttPacketBytes)
    }
  }

  @Test func anyEcho() {
    let echo = ICMPEcho(isIPv6: false, identifier: 7, sequence: 0x0102, token: Array(1...16))
    let reply = [0x45] + [UInt8](repeating: 0, count: 19) + [0, 0, 0, 0, 0, 7, 1, 2] + echo.token
    #expect(echo.isAnswered(by: reply, hasHeader: true))
    Self.mutate(reply, seed: 20_261_124) { bytes in
      if echo.isAnswered(by: bytes, hasHeader: true) { #expect(bytes.count >= 44) }
      _ = echo.isAnswered(by: bytes, hasHeader: false)
    }
  }

  @Test func anyFileOfNames() {
    let hosts = Array("127.0.0.1 localhost # me\n192.0.2.1\tgateway gw\n2001:db8::1 gateway\n".utf8)
    Self.mutate(hosts, seed: 20_261_125) { bytes in
      _ = ByteScanner.scan(bytes: bytes) { NameLookup.hosts(&$0, named: "gateway") }
    }
    let servers = Array("# made by hand\nsearch lan\nnameserver 192.0.2.53\nnameserver fe80::1%lo\noptions edns0\n".utf8)
    Self.mutate(servers, seed: 20_261_126) { bytes in
      let found = ByteScanner.scan(bytes: bytes) { NameLookup.servers(&$0) }
      #expect(found.count <= LatencyLimits.nameServers)
    }
  }

  @Test func anyURLAndRecording() {
    Self.mutate(Array("https://[2001:db8::1]:8443/a/b?c=d#e".utf8), seed: 20_261_127) { bytes in
      guard let url = WebAddress(String(decoding: bytes, as: UTF8.self)) else { return }
      // What could end a line of the request.
      #expect((url.target + url.authority).utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F })
      #expect(url.port > 0 && !url.host.isEmpty)
    }
    Self.mutate(Array("83.1 connect=20 tls=31 status=200 fault=a".utf8), seed: 20_261_128) { bytes in
      let words = String(decoding: bytes, as: UTF8.self).split(separator: " ").map(String.init)
      if let answer = RecordedProber.answer(words) { #expect((answer.milliseconds ?? 0) >= 0) }
      _ = RecordedProber.hop(words)
    }
  }
}
