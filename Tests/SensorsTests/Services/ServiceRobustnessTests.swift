import Foundation
import Telemetry
import Testing

@testable import Platform
@testable import Sensors

/// Answers of services and of the firewall, cut short and with bytes changed by a seeded generator: 10,000 of each. They may be refused, but
/// nothing crashes, and no value is outside of its unit.
@Suite struct ServiceRobustnessTests {
  /// A host whose services and kernel answer as they are told.
  private final class Fake: AbsentCalls {
    let services: [String: [UInt8]]
    let netlink: [String: [UInt8]]

    init(services: [String: [UInt8]] = [:], netlink: [String: [UInt8]] = [:]) {
      (self.services, self.netlink) = (services, netlink)
    }

    func ask(_ request: ServiceRequest) throws(SensorError) -> [UInt8] {
      guard let answer = services[request.name] else { throw .absent(request.name) }
      return answer
    }

    func netlink(_ request: NetlinkRequest, _ body: (NetlinkBytes) throws(SensorError) -> Void) throws(SensorError) {
      guard let answer = netlink[request.name] else { throw .absent(request.name) }
      let bytes = NetlinkBytes(answer)
      var offset = 0
      while let length = bytes.unsigned32(at: offset), length >= 16,
        let content = bytes.part(from: offset + 16, count: Int(length) - 16)
      {
        if bytes.unsigned16(at: offset + 4).map({ $0 >= 16 }) ?? false { try body(content) }
        offset += (Int(length) + 3) & ~3
      }
    }
  }

  private static func check(_ readings: Readings, _ what: String) {
    for (series, value) in zip(readings.series, readings.values) where !value.isMissing {
      let name = series.metric.name
      // Offsets and what runs too slow are negative; all else is not.
      let isSigned =
        name.hasSuffix("offset_seconds") || name.hasSuffix("_ppm") || name.hasPrefix("time.root_")
        || name.hasSuffix("_error_seconds")
        || name == "time.update_interval_seconds"
      let isWithin =
        switch series.metric.unit {
        case .percent: (0...100).contains(value)
        default: value.isFinite && (isSigned || value >= 0)
        }
      let isFlag = !series.metric.help.hasPrefix("1 ") || value == 0 || value == 1
      if !isWithin || !isFlag { Issue.record("\(what): \(series.key) \(value)") }
      for label in series.labels
      where label.value.utf8.count > Limits.labelValueBytes || label.value.unicodeScalars.contains(where: { $0.value < 0x20 }) {
        Issue.record("\(what): the label \(label.key)")
      }
    }
    if readings.series.count > 1_000 { Issue.record("\(what): \(readings.series.count) series") }
  }

  private func run(_ kind: String, _ name: String, _ seed: UInt64, _ fake: ([UInt8]) -> Fake, of bytes: [UInt8]) throws {
    let type = try #require(SensorCatalogue.type(named: kind))
    let root = CaseTests.folder.appendingPathComponent("firewall/nftables/input").path
    var taken = 0
    LatencyFuzzTests.mutate(bytes, seed: seed) { changed in
      var readings = Readings()
      readings.begin(nanoseconds: 1)
      let context = SensorContext(host: Host(root: root, calls: fake(changed)))
      do throws(SensorError) {
        var sensor = try type.init(context: context, settings: Settings(type.kind.settings), readings: &readings)
        try sensor.sample(into: &readings)
        taken += 1
      } catch { return }
      Self.check(readings, "\(name), seed \(seed)")
    }
    // Else the mutations would show nothing.
    #expect(taken > 100, "\(name)")
  }

  @Test(arguments: [
    ("chrony.tracking", UInt64(20_261_131)), ("chrony.source.0", 20_261_132), ("chrony.sources", 20_261_133),
  ])
  func anyReplyOfChronyd(name: String, seed: UInt64) throws {
    let folder = CaseTests.folder.appendingPathComponent("time/chrony/input/.host/services")
    var services: [String: [UInt8]] = [:]
    for name in ["chrony.tracking", "chrony.sources", "chrony.source.0", "chrony.source.1"] {
      let text = try String(contentsOf: folder.appendingPathComponent(name + ".hex"), encoding: .utf8)
      let digits = text.filter(\.isHexDigit).map { $0 }
      services[name] = stride(from: 0, to: digits.count, by: 2).compactMap { UInt8(String(digits[$0...$0 + 1]), radix: 16) }
    }
    let whole = services
    try run(
      "time", name, seed,
      { changed in
        var services = whole
        services[name] = changed
        return Fake(services: services)
      }, of: try #require(whole[name]))
  }

  @Test(arguments: [
    ("nft.tables", UInt64(20_261_134)), ("nft.chains", 20_261_135), ("nft.rules", 20_261_136), ("nft.sets", 20_261_137),
    ("nft.counters", 20_261_138), ("nft.generation", 20_261_139), ("nft.elements.inet.filter.__map0", 20_261_140),
  ])
  func anyRulesOfTheKernel(name: String, seed: UInt64) throws {
    try changeAnswers("firewall/nftables/input", name, seed)
  }

  @Test(arguments: [
    ("nft.objects", UInt64(20_261_142)), ("nft.flowtables", 20_261_143), ("nft.elements.inet.filter.__set0", 20_261_144),
  ])
  func anyObjectsOfTheKernel(name: String, seed: UInt64) throws {
    try changeAnswers("firewall/objects/input", name, seed)
  }

  /// One of the kernel's recorded answers is changed, the others stay.
  private func changeAnswers(_ folder: String, _ name: String, _ seed: UInt64) throws {
    let whole = try NetlinkRobustnessTests.recorded(folder)
    try run(
      "firewall", name, seed,
      { changed in
        var answers = whole
        answers[name] = changed
        return Fake(netlink: answers)
      }, of: try #require(whole[name]))
  }

  @Test func anyRulesOfTheOlderIPTables() throws {
    let path = "firewall/legacy/input/.host/programs/iptables-legacy-save/-c"
    let text = [UInt8](try Data(contentsOf: CaseTests.folder.appendingPathComponent(path)))
    LatencyFuzzTests.mutate(text, seed: 20_261_141) { changed in
      var report = FirewallReport()
      ByteScanner.scan(bytes: changed) { IPTablesSave.add(&$0, "legacy-ip", to: &report) }
      if report.rules.count > FirewallLimits.counts { Issue.record("\(report.rules.count) rules") }
      for table in report.tables where table.rules > 200 { Issue.record("\(table.rules) rules of so few lines") }
    }
  }

  @Test func anyStatisticsOfUnbound() throws {
    let path = "dns/caches/input/.host/services/unbound.stats"
    let text = [UInt8](try Data(contentsOf: CaseTests.folder.appendingPathComponent(path)))
    var told = 0
    LatencyFuzzTests.mutate(text, seed: 20_261_142) { changed in
      var readings = Readings()
      readings.begin(nanoseconds: 1)
      if ByteScanner.scan(bytes: changed, { CacheStatistics.setUnbound(&$0, in: &readings) }) { told += 1 }
      Self.check(readings, "unbound")
    }
    #expect(told > 5_000)
  }

  /// A bus whose services answer with one value.
  private final class Bus: DBus {
    let value: DBusValue

    init(_ value: DBusValue) { self.value = value }

    func call(_ object: DBusObject, _ member: String, _ arguments: [String]) throws(SensorError) -> DBusValue? { value }
  }

  /// What services say on D-Bus, with texts, numbers and types changed: whatever can still be marshalled is taken.
  @Test(arguments: [
    ("time/timesyncd/input/.host/dbus/org.freedesktop.timesync1/org/freedesktop/timesync1/", UInt64(20_261_145)),
    ("dns/resolved/input/.host/dbus/org.freedesktop.resolve1/org/freedesktop/resolve1/", 20_261_146),
  ])
  func anyAnswerOnDBus(folder: String, seed: UInt64) throws {
    let files = CaseTests.folder.appendingPathComponent(folder)
    let name = try #require(try FileManager.default.contentsOfDirectory(atPath: files.path).first)
    let text = [UInt8](try Data(contentsOf: files.appendingPathComponent(name)))
    var taken = 0
    LatencyFuzzTests.mutate(text, seed: seed) { changed in
      guard let answer = try? JSONValue(parsing: changed), let type = answer["type"]?.text,
        let data = answer["data"]?.elements?.first
      else { return }
      var values = DBusMarshalling(type)
      guard values.append(data), let value = values.first else { return }
      taken += 1
      var readings = Readings()
      readings.begin(nanoseconds: 1)
      CacheStatistics.setResolved(Bus(value), in: &readings)
      Self.check(readings, "resolve1, seed \(seed)")
      guard let state = Timesync(value) else { return }
      let figures = [
        state.serverStratum, state.leap, state.offset, state.rootDelay, state.rootDispersion, state.jitter, state.interval,
        state.frequency,
      ]
      if !figures.allSatisfy(\.isFinite) { Issue.record("\(figures), seed \(seed)") }
      if !state.server.utf8.allSatisfy({ (0x21..<0x7F).contains($0) }) { Issue.record("\(state.server), seed \(seed)") }
    }
    #expect(taken > 100)
  }

  /// What dnsmasq answers in the class CHAOS.
  @Test func anyTextOfAResolver() throws {
    let query = try #require(DNSMessage.query(id: 7, name: "servers.bind", type: .TXT, isChaos: true))
    var records: [[UInt8]] = []
    for text in ["192.0.2.1#53 365 2", "192.0.2.7#5300 12 0"] {
      var record = DNSMessageTests.record(type: 16, seconds: 0, [UInt8(text.utf8.count)] + Array(text.utf8))
      record[5] = 3
      records.append(record)
    }
    let whole = try DNSMessage(DNSMessageTests.answer(to: query, records: records), to: query, type: .TXT)
    #expect(whole?.texts == ["192.0.2.1#53 365 2", "192.0.2.7#5300 12 0"])
    LatencyFuzzTests.mutate(DNSMessageTests.answer(to: query, records: records), seed: 20_261_143) { changed in
      guard let message = try? DNSMessage(changed, to: query, type: .TXT) else { return }
      for text in message.texts where !text.utf8.allSatisfy({ (0x20..<0x7F).contains($0) }) { Issue.record("\(text)") }
    }
  }

  @Test func anyResolvConf() {
    let text = Array("# a\nnameserver 127.0.0.53\noptions edns0\nnameserver 2001:db8::53\nnameserver fe80::1%eth0\n".utf8)
    LatencyFuzzTests.mutate(text, seed: 20_261_144) { changed in
      let servers = ByteScanner.scan(bytes: changed) { NameLookup.servers(&$0) }
      if servers.count > LatencyLimits.nameServers { Issue.record("\(servers.count) servers") }
    }
  }
}
