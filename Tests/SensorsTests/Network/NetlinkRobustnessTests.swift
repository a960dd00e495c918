import Foundation
import Platform
import Randomness
import Telemetry
import Testing

@testable import Sensors

/// Answers of the kernel, cut short and with bytes changed by a seeded generator: the sensors may refuse them, but come back, and what they
/// report is within the range of its unit.
@Suite struct NetlinkRobustnessTests {
  /// A kernel that answers with changed bytes.
  private struct Fake: AbsentCalls {
    let answers: [String: [UInt8]]

    func netlink(_ request: NetlinkRequest, _ body: (NetlinkBytes) throws(SensorError) -> Void) throws(SensorError) {
      guard let answer = answers[request.name] else { throw .absent(request.name) }
      // As one message: what a changed header does is the business of the edge.
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

  static func recorded(_ path: String) throws -> [String: [UInt8]] {
    let folder = CaseTests.folder.appendingPathComponent(path + "/.host/netlink")
    var answers: [String: [UInt8]] = [:]
    for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
      let text = try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
      let digits = text.split(separator: "\n").filter { !$0.hasPrefix("#") }.joined().filter { !$0.isWhitespace }.map { $0 }
      answers[name] = stride(from: 0, to: digits.count - 1, by: 2).compactMap {
        UInt8(String(digits[$0...$0 + 1]), radix: 16)
      }
    }
    return answers
  }

  /// Plain comparisons: a million expectations would take minutes.
  private static func check(_ readings: Readings, _ what: String) {
    for (series, value) in zip(readings.series, readings.values) where !value.isMissing {
      let isWithin =
        switch series.metric.unit {
        case .decibelMilliwatts: value.isFinite
        case .percent: (0...100).contains(value)
        default: value.isFinite && value >= 0
        }
      if !isWithin { Issue.record("\(what): \(series.key) \(value)") }
    }
    if readings.series.count > 500 { Issue.record("\(what): \(readings.series.count) series") }
  }

  /// Two samples of each of 10,000 sets of answers, all from one seed.
  @Test(arguments: [
    ("wifi", "wifi/client/input", UInt64(20_261_124)), ("wifi", "wifi/access-point-label/input", 20_261_125),
    ("connections", "connections/server/input", 20_261_126),
  ])
  func comesBackFromAnyAnswer(kind: String, path: String, seed: UInt64) throws {
    let good = try Self.recorded(path)
    #expect(good.count >= 3)
    let root = FileManager.default.temporaryDirectory.appendingPathComponent("godwit-netlink-\(UUID().uuidString)")
    try FileManager.default.createDirectory(
      at: root.appendingPathComponent("sys/class/ieee80211/phy0"), withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: root) }
    let type = try #require(SensorCatalogue.type(named: kind))
    let settings = Settings(
      type.kind.settings, ["access_point_label": .bool(true), "local": .bool(true), "expected_ports": .list(["22", "5353/udp"])])
    var generator = SplitMix64(seed: seed)
    var refused = 0
    for round in 0..<10_000 {
      var answers = good
      for name in good.keys.sorted() where Bool.random(using: &generator) {
        var bytes = good[name] ?? []
        for _ in 0..<Int.random(in: 1...6, using: &generator) where !bytes.isEmpty {
          bytes[Int.random(in: bytes.indices, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
        }
        if Int.random(in: 0..<8, using: &generator) == 0 { bytes.removeLast(Int.random(in: 0...bytes.count, using: &generator)) }
        answers[name] = bytes
      }
      var readings = Readings()
      do throws(SensorError) {
        readings.begin(nanoseconds: 1)
        let first = SensorContext(host: Host(root: root.path, calls: Fake(answers: answers)))
        var sensor = try type.init(context: first, settings: settings, readings: &readings)
        try sensor.sample(into: &readings)
        Self.check(readings, "seed \(seed), round \(round)")
        readings.begin(nanoseconds: 10_000_000_001)
        try sensor.sample(into: &readings)
        Self.check(readings, "seed \(seed), round \(round)")
      } catch {
        refused += 1
      }
    }
    #expect(refused < 9_000, "most changes are of single values")
  }
}
