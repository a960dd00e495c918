import Foundation
import Randomness
import Telemetry
import Testing

@testable import Platform
@testable import Sensors

/// Messages of systemd and ModemManager, cut short and with bytes changed by a seeded generator: they may be refused, but nothing crashes or
/// hangs, and what is reported is within the range of its unit.
@Suite struct DBusRobustnessTests {
  /// Whole messages by the name of their recording.
  static func recorded(_ path: String) throws -> [String: [UInt8]] {
    let folder = CaseTests.folder.appendingPathComponent(path + "/.host/dbus")
    var messages: [String: [UInt8]] = [:]
    for case let name as String in try #require(FileManager.default.enumerator(atPath: folder.path)) {
      guard let data = try? Data(contentsOf: folder.appendingPathComponent(name)) else { continue }
      let answer = try JSONValue(parsing: Array(data))
      guard let type = answer["type"]?.text, let first = answer["data"]?.elements?.first else { continue }
      var body = DBusMarshalling(type)
      let isTaken = body.append(first)
      #expect(isTaken, "\(name)")
      var message = DBusWriter()
      message.append([UInt8(ascii: "l"), 2, 1, 1])
      message.number(UInt64(body.body.bytes.count), size: 4)
      message.number(9, size: 4)
      message.number(0, size: 4)
      message.append([5])
      message.text("u", lengthSize: 1)
      message.number(1, size: 4)
      message.append([8])
      message.text("g", lengthSize: 1)
      message.text(type, lengthSize: 1)
      message.set(length: message.bytes.count - 16, at: 12)
      message.align(8)
      message.append(body.body.bytes)
      messages[name] = message.bytes
      #expect(DBusMessage(message.bytes) != nil, "\(name)")
    }
    return messages
  }

  /// A bus whose answers have changed bytes.
  private final class Fake: DBus {
    let messages: [String: [UInt8]]

    init(_ messages: [String: [UInt8]]) { self.messages = messages }

    func call(_ object: DBusObject, _ member: String, _ arguments: [String]) throws(SensorError) -> DBusValue? {
      let name = (["\(object.service)\(object.path)/\(object.interface).\(member)"] + arguments).joined(separator: " ")
      guard let message = messages[name] else {
        guard member == "Get" else { throw .absent(name) }
        guard let all = try call(object, "GetAll", [arguments[0]]) else { throw .absent(name) }
        for entry in all.items where entry.item(0)?.text == arguments[1] { return entry.item(1) }
        throw .absent(name)
      }
      // As the connection takes it.
      guard DBusMessage.length(Array(message.prefix(16))) == message.count, let answer = DBusMessage(message) else {
        throw .malformed(path: name, what: "malformed")
      }
      return answer.value
    }
  }

  private struct Calls: AbsentCalls {
    let messages: [String: [UInt8]]

    func dbus(at path: String, isBus: Bool) -> any DBus { Fake(messages) }
  }

  private static func check(_ readings: Readings, _ what: String) {
    for (series, value) in zip(readings.series, readings.values) where !value.isMissing {
      let isWithin =
        switch series.metric.unit {
        case .decibelMilliwatts, .decibels: value.magnitude < 300
        case .percent: (0...100).contains(value)
        case .none where series.metric.help.hasPrefix("1 "): value == 0 || value == 1
        default: value.isFinite && value >= 0
        }
      if !isWithin { Issue.record("\(what): \(series.key) \(value)") }
    }
    if readings.series.count > 400 { Issue.record("\(what): \(readings.series.count) series") }
  }

  static func mutate(_ bytes: [UInt8], _ generator: inout SplitMix64) -> [UInt8] {
    var bytes = bytes
    let codes = Array("abdghinoqstuvxy(){}".utf8)
    for _ in 0..<Int.random(in: 1...6, using: &generator) where !bytes.isEmpty {
      // Bytes of any kind, and those that make other types of a signature.
      let byte =
        Bool.random(using: &generator) ? UInt8.random(in: 0...255, using: &generator) : codes.randomElement(using: &generator)
      bytes[Int.random(in: bytes.indices, using: &generator)] = byte ?? 0
    }
    if Int.random(in: 0..<8, using: &generator) == 0 { bytes.removeLast(Int.random(in: 0...bytes.count, using: &generator)) }
    return bytes
  }

  /// Two samples of each of 10,000 sets of answers, all from one seed.
  @Test(arguments: [
    ("systemd", "systemd/x86-server/input", UInt64(20_261_131)), ("modem", "modem/lte/input", 20_261_132),
  ])
  func sensorsComeBackFromAnyAnswer(kind: String, path: String, seed: UInt64) throws {
    let good = try Self.recorded(path)
    #expect(good.count >= 3)
    let type = try #require(SensorCatalogue.type(named: kind))
    let settings = Settings(type.kind.settings, ["units": .list(["ssh", "myapp@*", "sshd.service", "backup", "-.mount"])])
    var generator = SplitMix64(seed: seed)
    var refused = 0
    for round in 0..<10_000 {
      var messages = good
      for name in good.keys.sorted() where Bool.random(using: &generator) {
        messages[name] = Self.mutate(good[name] ?? [], &generator)
      }
      var readings = Readings()
      do throws(SensorError) {
        readings.begin(nanoseconds: 1)
        let context = SensorContext(host: Host(root: "/nowhere", calls: Calls(messages: messages)))
        var sensor = try type.init(context: context, settings: settings, readings: &readings)
        try sensor.sample(into: &readings)
        Self.check(readings, "seed \(seed), round \(round)")
        readings.begin(nanoseconds: 10_000_000_001)
        try sensor.sample(into: &readings)
        Self.check(readings, "seed \(seed), round \(round)")
      } catch {
        refused += 1
      }
    }
    #expect(refused > 100 && refused < 9_900, "\(refused) were refused")
  }

  /// Whatever a message is made of, all of its values can be walked.
  @Test func messagesAreWalkedOrRefused() throws {
    let seed: UInt64 = 20_261_133
    var generator = SplitMix64(seed: seed)
    let good = try Self.recorded("modem/lte/input").merging(Self.recorded("systemd/x86-server/input")) { first, _ in first }
    let names = good.keys.sorted()
    var taken = 0
    func walk(_ value: DBusValue, _ depth: Int) -> Int {
      var count = 1
      _ = (value.number, value.unsigned, value.text, value.label, value.isText("x"), value.item(3) != nil, value["State"] != nil)
      if depth > 0 { for item in value.items { count += walk(item, depth - 1) } }
      return count
    }
    for round in 0..<10_000 {
      let name = names[round % names.count]
      guard let value = DBusMessage(Self.mutate(good[name] ?? [], &generator))?.value else { continue }
      taken += 1
      let count = walk(value, 64)
      if count > 100_000 { Issue.record("seed \(seed), round \(round): \(count) values") }
    }
    #expect(taken > 1_000, "\(taken) were taken")
  }
}
