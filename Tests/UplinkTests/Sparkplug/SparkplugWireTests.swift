import Foundation
import Randomness
import SparkplugProto
import SwiftProtobuf
import Telemetry
import Testing

@testable import Uplink

/// Our writer and reader against protoc's.
@Suite struct SparkplugWireTests {
  /// What we should read, by what the generated code read. Property sets within properties, data sets and templates are read past.
  static func expected(_ payload: Sparkplug_Payload) -> SparkplugPayload {
    var result = SparkplugPayload()
    if payload.hasTimestamp { result.timestamp = payload.timestamp }
    if payload.hasSeq { result.sequence = payload.seq }
    result.metrics = payload.metrics.map(expected)
    return result
  }

  private static func expected(_ metric: Sparkplug_Metric) -> SparkplugMetric {
    var result = SparkplugMetric()
    if metric.hasName { result.name = metric.name }
    if metric.hasAlias { result.alias = metric.alias }
    if metric.hasTimestamp { result.timestamp = metric.timestamp }
    if metric.hasDatatype { result.datatype = SparkplugDatatype(rawValue: metric.datatype) }
    result.isHistorical = metric.isHistorical
    result.isTransient = metric.isTransient
    result.isNull = metric.isNull
    result.properties = zip(metric.properties.keys, metric.properties.values).map(expected)
    switch metric.value {
    case .intValue(let value): result.value = .int(value)
    case .longValue(let value): result.value = .long(value)
    case .floatValue(let value): result.value = .float(value)
    case .doubleValue(let value): result.value = .double(value)
    case .booleanValue(let value): result.value = .boolean(value)
    case .stringValue(let value): result.value = .string(value)
    case .bytesValue(let value): result.value = .bytes([UInt8](value))
    case .datasetValue, .templateValue, nil: break
    }
    return result
  }

  private static func expected(_ key: String, _ property: Sparkplug_PropertyValue) -> SparkplugProperty {
    var result = SparkplugProperty(key, property.hasType ? SparkplugDatatype(rawValue: property.type) : nil, nil)
    if property.isNull { return result }
    switch property.value {
    case .intValue(let value): result.value = .int(value)
    case .longValue(let value): result.value = .long(value)
    case .floatValue(let value): result.value = .float(value)
    case .doubleValue(let value): result.value = .double(value)
    case .booleanValue(let value): result.value = .boolean(value)
    case .stringValue(let value): result.value = .string(value)
    case .propertysetValue, .propertysetsValue, nil: break
    }
    return result
  }

  @Test(arguments: 1...300 as ClosedRange<UInt64>) func readsWhatProtocWrites(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let payload = random.payload()
    let bytes: [UInt8] = try payload.serializedBytes()
    #expect(try SparkplugPayload(decoding: bytes) == SparkplugWireTests.expected(payload), "seed \(seed)")
  }

  @Test(arguments: 1...300 as ClosedRange<UInt64>) func protocReadsWhatWeWrite(seed: UInt64) throws {
    var random = SplitMix64(seed: seed &+ 1_000_000)
    let ours = SparkplugWireTests.expected(random.payload())
    let theirs = try Sparkplug_Payload(serializedBytes: ours.encoded())
    #expect(SparkplugWireTests.expected(theirs) == ours, "seed \(seed)")
    // Nothing that they would not know, and nothing written twice.
    #expect(theirs.unknownFields.data.isEmpty)
    let again: [UInt8] = try theirs.serializedBytes()
    #expect(again.count == ours.encoded().count, "seed \(seed)")
  }

  @Test func halvesOfASingleMessageAreMerged() throws {
    // A field that is a message and comes twice is one message; of a repeated scalar the last counts.
    var first = Sparkplug_Metric()
    first.properties.keys = ["a"]
    first.intValue = 1
    var second = Sparkplug_Metric()
    second.properties.values = [.with { $0.stringValue = "b" }]
    second.doubleValue = 2.5
    var bytes: [UInt8] = try first.serializedBytes()
    bytes += try second.serializedBytes() as [UInt8]
    let payload = [0x12, UInt8(bytes.count)] + bytes
    let theirs = try Sparkplug_Payload(serializedBytes: payload)
    let ours = try SparkplugPayload(decoding: payload)
    #expect(ours == SparkplugWireTests.expected(theirs))
    #expect(ours.metrics.first?.properties == [SparkplugProperty("a", nil, .string("b"))])
    #expect(ours.metrics.first?.value == .double(2.5))
    // A data set, which is not read, takes the place of the number before it.
    let replaced = [0x12, 0x05] + [0x50, 0x07, 0x8A, 0x01, 0x00] as [UInt8]
    #expect(try Sparkplug_Payload(serializedBytes: replaced).metrics.first?.datasetValue.columns == [])
    #expect(try SparkplugPayload(decoding: replaced).metrics == [SparkplugMetric()])
  }

  /// 10,000 damaged payloads: no crash; what protoc's code reads we read alike, and what we refuse it refuses, too.
  @Test(arguments: 0..<20 as Range<UInt64>) func damagedPayloads(part: UInt64) throws {
    var readByBoth = 0
    var refusedByBoth = 0
    for index in 0..<500 as Range<UInt64> {
      let seed = part &* 500 &+ index
      var random = SplitMix64(seed: seed &+ 2_000_000)
      var bytes: [UInt8] = try random.payload().serializedBytes()
      for _ in 0...random.below(6) { random.damage(&bytes) }
      let theirs = try? Sparkplug_Payload(serializedBytes: bytes)
      let ours = try? SparkplugPayload(decoding: bytes)
      switch (ours, theirs) {
      case (let ours?, let theirs?):
        readByBoth += 1
        // As bytes, since NaN is not equal to itself.
        #expect(ours.encoded() == SparkplugWireTests.expected(theirs).encoded(), "seed \(seed)")
      case (nil, nil): refusedByBoth += 1
      case (nil, _?): Issue.record("seed \(seed): protoc's code reads it, we do not")
      // They look into data sets, templates and metadata, which we pass over.
      case (_?, nil): break
      }
    }
    #expect(readByBoth > 20)
    #expect(refusedByBoth > 100)
  }

  @Test func boundsHold() throws {
    let metric: [UInt8] = [0x12, 0x00]
    let most = Array(repeatElement(metric, count: UplinkLimits.Sparkplug.metrics).joined())
    #expect(try SparkplugPayload(decoding: most).metrics.count == UplinkLimits.Sparkplug.metrics)
    #expect(throws: ProtobufDamage.tooLarge) { try SparkplugPayload(decoding: most + metric) }
    let large = [UInt8](repeating: 0, count: UplinkLimits.Sparkplug.payloadBytes + 1)
    #expect(throws: ProtobufDamage.tooLarge) { try SparkplugPayload(decoding: large) }
    // Groups of field 100, opened and never closed; then a closed one.
    let open: [UInt8] = [0xA3, 0x06]
    let deep = Array(repeatElement(open, count: 100_000).joined())
    #expect(throws: ProtobufDamage.tooLarge) { try SparkplugPayload(decoding: deep) }
    #expect(try SparkplugPayload(decoding: open + [0xA4, 0x06, 0x18, 0x05]).sequence == 5)
    #expect(throws: ProtobufDamage.malformed) { try SparkplugPayload(decoding: open + [0xAC, 0x06]) }
    // A length beyond the end, and beyond what an Int holds.
    #expect(throws: ProtobufDamage.truncated) { try SparkplugPayload(decoding: [0x12, 0x05, 0x00]) }
    let endless: [UInt8] = [0x12] + Array(repeating: 0xFF, count: 9) + [0x01]
    #expect(throws: ProtobufDamage.truncated) { try SparkplugPayload(decoding: endless) }
    var properties = Sparkplug_Payload()
    properties.metrics = [.with { $0.properties.keys = Array(repeating: "k", count: UplinkLimits.Sparkplug.properties + 1) }]
    let many: [UInt8] = try properties.serializedBytes()
    #expect(throws: ProtobufDamage.tooLarge) { try SparkplugPayload(decoding: many) }
    let wrong: [UInt8] = [0x12, 0x04, 0x0A, 0x02, 0xC3, 0x28]
    #expect(throws: ProtobufDamage.notUTF8) { try SparkplugPayload(decoding: wrong) }
  }
}

extension SplitMix64 {
  fileprivate mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
  private mutating func chance(_ percent: Int) -> Bool { below(100) < percent }

  /// Small ones as often as large ones.
  private mutating func number() -> UInt64 { next() >> (next() % 64) }

  private mutating func text() -> String {
    let letters = ["a", "Z", "/", " ", "°", "é", "漢", "🦜", "\u{0}", "\"", "cpu"]
    return (0..<below(chance(5) ? 200 : 8)).map { _ in letters[below(letters.count)] }.joined()
  }

  private mutating func property(depth: Int) -> Sparkplug_PropertyValue {
    var value = Sparkplug_PropertyValue()
    if chance(80) { value.type = UInt32(below(22)) }
    if chance(10) { value.isNull = chance(70) }
    switch below(depth < 2 ? 10 : 7) {
    case 0: value.intValue = UInt32(truncatingIfNeeded: number())
    case 1: value.longValue = number()
    case 2: value.floatValue = Float(below(1_000)) / 7
    case 3: value.doubleValue = Double(below(1_000)) / 7
    case 4: value.booleanValue = chance(50)
    case 5: value.stringValue = text()
    case 6: break
    case 7: value.propertysetValue = propertySet(depth: depth + 1)
    default: value.propertysetsValue.propertyset = [propertySet(depth: depth + 1)]
    }
    return value
  }

  private mutating func propertySet(depth: Int) -> Sparkplug_PropertySet {
    var properties = Sparkplug_PropertySet()
    let count = below(4)
    properties.keys = (0..<count).map { _ in text() }
    // Sometimes one too many or too few.
    properties.values = (0..<max(count + (chance(5) ? below(3) - 1 : 0), 0)).map { _ in property(depth: depth) }
    return properties
  }

  private mutating func metric(depth: Int) -> Sparkplug_Metric {
    var metric = Sparkplug_Metric()
    if chance(50) { metric.name = text() }
    if chance(70) { metric.alias = number() }
    if chance(90) { metric.timestamp = number() }
    if chance(50) { metric.datatype = UInt32(below(35)) }
    if chance(30) { metric.isHistorical = chance(70) }
    if chance(10) { metric.isTransient = chance(70) }
    if chance(20) { metric.isNull = chance(70) }
    if chance(10) { metric.metadata.contentType = text() }
    if chance(40) { metric.properties = propertySet(depth: depth) }
    switch below(depth < 2 ? 12 : 9) {
    case 0: metric.intValue = UInt32(truncatingIfNeeded: number())
    case 1: metric.longValue = number()
    case 2: metric.floatValue = chance(10) ? .infinity : Float(below(1_000)) / 7
    case 3, 4: metric.doubleValue = chance(10) ? -.infinity : Double(below(1_000)) / 7
    case 5: metric.booleanValue = chance(50)
    case 6: metric.stringValue = text()
    case 7: metric.bytesValue = Data((0..<below(40)).map { _ in UInt8(truncatingIfNeeded: next()) })
    case 8: break
    case 9: metric.templateValue.metrics = [self.metric(depth: depth + 1)]
    default:
      metric.datasetValue.columns = [text()]
      metric.datasetValue.rows = [.with { $0.elements = [.with { $0.longValue = 7 }] }]
    }
    return metric
  }

  fileprivate mutating func payload() -> Sparkplug_Payload {
    var payload = Sparkplug_Payload()
    if chance(90) { payload.timestamp = number() }
    if chance(90) { payload.seq = UInt64(below(256)) }
    if chance(5) { payload.uuid = text() }
    if chance(5) { payload.body = Data([1, 2, 3]) }
    payload.metrics = (0..<below(chance(10) ? 60 : 6)).map { _ in metric(depth: 0) }
    return payload
  }

  fileprivate mutating func damage(_ bytes: inout [UInt8]) {
    guard !bytes.isEmpty else { return bytes.append(UInt8(truncatingIfNeeded: next())) }
    let place = below(bytes.count)
    switch below(6) {
    case 0: bytes[place] ^= 1 << UInt8(below(8))
    case 1: bytes[place] = UInt8(truncatingIfNeeded: next())
    case 2: bytes.remove(at: place)
    case 3: bytes.insert(UInt8(truncatingIfNeeded: next()), at: place)
    case 4: bytes.removeSubrange(place...)
    default:
      let end = min(place + below(16), bytes.count)
      bytes.insert(contentsOf: bytes[place..<end], at: below(bytes.count))
    }
  }
}
