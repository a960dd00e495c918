public import Telemetry

/// The payload of a Sparkplug B message (specification 3.0, chapter 6).
///
/// ```
/// Payload:        timestamp 1, metrics 2 …, seq 3, uuid 4, body 5
/// Metric:         name 1, alias 2, timestamp 3, datatype 4, is_historical 5, is_transient 6, is_null 7, metadata 8,
///                 properties 9, value: int 10, long 11, float 12, double 13, boolean 14, string 15, bytes 16, …
/// PropertySet:    keys 1 …, values 2 …
/// PropertyValue:  type 1, is_null 2, value: int 3, long 4, float 5, double 6, boolean 7, string 8, …
/// ```
public struct SparkplugPayload: Hashable, Sendable {
  /// When it was sent, Unix milliseconds.
  public var timestamp: UInt64?
  /// Its place in the node's order, 0…255; none in deaths and commands.
  public var sequence: UInt64?
  /// What it is about.
  public var metrics: [SparkplugMetric] = []

  /// An empty payload.
  public init() {}

  /// A payload.
  public init(timestamp: UInt64?, sequence: UInt64?, _ metrics: [SparkplugMetric]) {
    self.timestamp = timestamp
    self.sequence = sequence
    self.metrics = metrics
  }

  /// The bytes on the wire.
  public func encoded() -> [UInt8] {
    var writer = ProtobufWriter(capacity: 64 * metrics.count)
    if let timestamp { writer.varint(1, timestamp) }
    for metric in metrics { metric.encode(to: &writer) }
    if let sequence { writer.varint(3, sequence) }
    return writer.bytes
  }

  /// Reads a payload within `UplinkLimits.Sparkplug`; unknown fields are skipped, and of a repeated one the last counts.
  public init(decoding bytes: [UInt8]) throws(ProtobufDamage) {
    guard bytes.count <= UplinkLimits.Sparkplug.payloadBytes else { throw .tooLarge }
    var reader = ProtobufReader(bytes)
    while let field = try reader.next() {
      switch (field.number, field.type) {
      case (1, .varint): timestamp = try reader.varint()
      case (2, .delimited):
        guard metrics.count < UplinkLimits.Sparkplug.metrics else { throw .tooLarge }
        metrics.append(try SparkplugMetric(from: try reader.message()))
      case (3, .varint): sequence = try reader.varint()
      default: try reader.skip(field)
      }
    }
  }
}

extension SparkplugMetric {
  /// Writes it as a field of a payload.
  func encode(to writer: inout ProtobufWriter) {
    writer.message(2) { writer in
      if let name { writer.string(1, name) }
      if let alias { writer.varint(2, alias) }
      if let timestamp { writer.varint(3, timestamp) }
      if let datatype { writer.varint(4, UInt64(datatype.rawValue)) }
      if isHistorical { writer.boolean(5, true) }
      if isTransient { writer.boolean(6, true) }
      if isNull { writer.boolean(7, true) }
      if !properties.isEmpty {
        writer.message(9) { writer in
          for property in properties { writer.string(1, property.key) }
          for property in properties { property.encode(to: &writer) }
        }
      }
      value?.encode(to: &writer, first: 10)
    }
  }

  fileprivate init(from message: ProtobufReader) throws(ProtobufDamage) {
    var reader = message
    var keys: [String] = []
    while let field = try reader.next() {
      switch (field.number, field.type) {
      case (1, .delimited): name = try reader.string()
      case (2, .varint): alias = try reader.varint()
      case (3, .varint): timestamp = try reader.varint()
      case (4, .varint): datatype = SparkplugDatatype(rawValue: UInt32(truncatingIfNeeded: try reader.varint()))
      case (5, .varint): isHistorical = try reader.varint() != 0
      case (6, .varint): isTransient = try reader.varint() != 0
      case (7, .varint): isNull = try reader.varint() != 0
      case (9, .delimited): try SparkplugProperty.read(from: try reader.message(), &keys, &properties)
      case (10...16, _):
        if let read = try SparkplugValue(place: field.number - 10, field, from: &reader) {
          value = read
        } else {
          try reader.skip(field)
        }
      case (17...19, .delimited):
        // One of the forms, and the last of them counts.
        value = nil
        try reader.skip(field)
      default: try reader.skip(field)
      }
    }
    // Keys and values are two arrays of the same size; what has no partner says nothing.
    properties.removeLast(max(properties.count - keys.count, 0))
    for index in properties.indices { properties[index].key = keys[index] }
  }
}

extension SparkplugProperty {
  fileprivate func encode(to writer: inout ProtobufWriter) {
    writer.message(2) { writer in
      if let datatype { writer.varint(1, UInt64(datatype.rawValue)) }
      if value == nil { writer.boolean(2, true) }
      value?.encode(to: &writer, first: 3)
    }
  }

  /// Reads a property set onto what was read of it before; keys come before or after their values.
  fileprivate static func read(
    from message: ProtobufReader, _ keys: inout [String], _ properties: inout [SparkplugProperty]
  ) throws(ProtobufDamage) {
    var reader = message
    while let field = try reader.next() {
      switch (field.number, field.type) {
      case (1, .delimited):
        guard keys.count < UplinkLimits.Sparkplug.properties else { throw .tooLarge }
        keys.append(try reader.string())
      case (2, .delimited):
        guard properties.count < UplinkLimits.Sparkplug.properties else { throw .tooLarge }
        properties.append(try SparkplugProperty(valueFrom: try reader.message()))
      default: try reader.skip(field)
      }
    }
  }

  private init(valueFrom message: ProtobufReader) throws(ProtobufDamage) {
    self.init("", nil, nil)
    var reader = message
    var isNull = false
    while let field = try reader.next() {
      switch (field.number, field.type) {
      case (1, .varint): datatype = SparkplugDatatype(rawValue: UInt32(truncatingIfNeeded: try reader.varint()))
      case (2, .varint): isNull = try reader.varint() != 0
      case (3...8, _):
        if let read = try SparkplugValue(place: field.number - 3, field, from: &reader) {
          value = read
        } else {
          try reader.skip(field)
        }
      case (9...11, .delimited):
        value = nil
        try reader.skip(field)
      default: try reader.skip(field)
      }
    }
    if isNull { value = nil }
  }
}
