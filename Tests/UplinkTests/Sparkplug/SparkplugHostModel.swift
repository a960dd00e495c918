import SparkplugProto
import SwiftProtobuf

@testable import Uplink

/// A host application as the specification wants it, over protoc's code: it takes a node's messages in order and notes each
/// rule that is broken.
struct SparkplugHostModel {
  struct Known: Equatable {
    var name: String
    var datatype: UInt32
    var value: Double?
    var unit: String?
  }

  struct Sample: Hashable {
    var name: String
    var milliseconds: UInt64
    var value: Double?
  }

  private(set) var isOnline = false
  private(set) var metrics: [UInt64: Known] = [:]
  private(set) var texts: [String: String] = [:]
  private(set) var births = 0
  private(set) var historical: [Sample] = []
  private(set) var live: [Sample] = []
  private(set) var number: UInt64?
  private(set) var offences: [String] = []
  private var willNumber: UInt64?
  private var next: UInt64 = 0

  func value(of name: String) -> Double?? { metrics.values.first { $0.name == name }.map(\.value) }
  var aliasOfName: [String: UInt64] {
    metrics.reduce(into: [:]) { $0[$1.value.name] = $1.key }
  }

  private mutating func check(_ holds: Bool, _ rule: String) {
    if !holds { offences.append(rule) }
  }

  /// The will that a broker was given at a connect.
  mutating func connect(will: SparkplugMessage) {
    check(will.topic == "spBv1.0/plant/NDEATH/edge", "the will's topic")
    check(will.qualityOfService == 1, "the will has QoS 1")
    guard let payload = try? Sparkplug_Payload(serializedBytes: will.payload) else { return check(false, "a will") }
    check(!payload.hasSeq, "a death has no seq")
    check(payload.metrics.map(\.name) == ["bdSeq"], "a death has only bdSeq")
    check(payload.metrics.first?.datatype == 4, "bdSeq is an INT64")
    let number = payload.metrics.first?.longValue ?? .max
    if let willNumber { check(number == (willNumber + 1) % 256, "bdSeq counts up by one and wraps") }
    willNumber = number
  }

  mutating func take(_ messages: [SparkplugMessage]) {
    for message in messages { take(message) }
  }

  mutating func take(_ message: SparkplugMessage) {
    guard let payload = try? Sparkplug_Payload(serializedBytes: message.payload) else { return check(false, "a payload") }
    check(payload.hasTimestamp, "a payload has a timestamp")
    switch message.topic {
    case "spBv1.0/plant/NBIRTH/edge": birth(payload, message)
    case "spBv1.0/plant/NDATA/edge": data(payload, message)
    case "spBv1.0/plant/NDEATH/edge":
      check(!payload.hasSeq, "a death has no seq")
      check(payload.metrics.first?.longValue == willNumber, "a death has the will's number")
      isOnline = false
    default: check(false, "topic \(message.topic)")
    }
  }

  private mutating func birth(_ payload: Sparkplug_Payload, _ message: SparkplugMessage) {
    check(message.qualityOfService == 0, "a birth has QoS 0")
    check(payload.hasSeq && payload.seq == 0, "a birth has seq 0")
    next = 1
    births += 1
    isOnline = true
    metrics = [:]
    texts = [:]
    var lastTime: UInt64 = 0
    var names: Set<String> = []
    var rebirth: Sparkplug_Metric?
    number = nil
    for metric in payload.metrics {
      check(metric.hasName && metric.hasDatatype && metric.hasTimestamp, "a metric of a birth is complete")
      check(metric.timestamp >= lastTime, "in the order of their times")
      lastTime = metric.timestamp
      check(names.insert(metric.name.lowercased()).inserted, "names differ by more than case")
      check(!metric.isHistorical, "nothing in a birth is historical")
      check(metric.isNull == (metric.value == nil), "null has no value, all else has one")
      switch metric.name {
      case "bdSeq": number = metric.longValue
      case "Node Control/Rebirth": rebirth = metric
      default:
        guard metric.hasAlias else {
          texts[metric.name] = metric.stringValue
          continue
        }
        let unit = zip(metric.properties.keys, metric.properties.values).first { $0.0 == "engUnit" }?.1.stringValue
        check(metric.properties.values.allSatisfy { $0.type == 12 }, "properties have a type")
        let known = Known(
          name: metric.name, datatype: metric.datatype, value: Self.number(metric, metric.datatype), unit: unit)
        check(metrics.updateValue(known, forKey: metric.alias) == nil, "aliases are unique")
      }
    }
    check(number == willNumber, "a birth has the will's number")
    check(rebirth?.booleanValue == false && rebirth?.hasAlias == false, "rebirth is false and has no alias")
    check(rebirth?.datatype == 11, "rebirth is a Boolean")
  }

  private mutating func data(_ payload: Sparkplug_Payload, _ message: SparkplugMessage) {
    check(message.qualityOfService == 0, "data has QoS 0")
    check(isOnline, "data only after a birth")
    check(payload.hasSeq && payload.seq == next, "seq \(payload.seq), expected \(next)")
    next = (next + 1) % 256
    check(Set(payload.metrics.map(\.isHistorical)).count == 1, "historical and live are apart, and no message is empty")
    var lastTime: UInt64 = 0
    for metric in payload.metrics {
      check(!metric.hasName && !metric.hasDatatype && metric.hasTimestamp, "data goes by alias, with its time")
      check(metric.timestamp >= lastTime, "in the order of their times")
      lastTime = metric.timestamp
      check(metric.isNull == (metric.value == nil), "null has no value, all else has one")
      guard let known = metrics[metric.alias] else {
        check(false, "alias \(metric.alias) was not born")
        continue
      }
      let value = Self.number(metric, known.datatype)
      let sample = Sample(name: known.name, milliseconds: metric.timestamp, value: value)
      if metric.isHistorical {
        historical.append(sample)
      } else {
        check(known.value != value, "\(known.name) did not change")
        live.append(sample)
        metrics[metric.alias]?.value = value
      }
    }
  }

  private static func number(_ metric: Sparkplug_Metric, _ datatype: UInt32) -> Double? {
    switch (metric.value, datatype) {
    case (.longValue(let value), 4): Double(Int64(bitPattern: value))
    case (.doubleValue(let value), 10): value
    default: nil
    }
  }
}
