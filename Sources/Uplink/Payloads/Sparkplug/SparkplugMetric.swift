import Telemetry

/// The type of a metric's or a property's value: the numbers of the specification, section 6.4.16.
public struct SparkplugDatatype: RawRepresentable, Hashable, Sendable {
  /// The number on the wire.
  public let rawValue: UInt32

  /// A type by its number; any is taken.
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// Signed, 32 bits; in `int`.
  public static let int32 = SparkplugDatatype(rawValue: 3)
  /// Signed, 64 bits; in `long`.
  public static let int64 = SparkplugDatatype(rawValue: 4)
  /// Floating point, 64 bits.
  public static let double = SparkplugDatatype(rawValue: 10)
  /// True or false.
  public static let boolean = SparkplugDatatype(rawValue: 11)
  /// UTF-8.
  public static let string = SparkplugDatatype(rawValue: 12)
}

/// A value in one of the forms that the wire has. Signed numbers are kept as their bit pattern.
public enum SparkplugValue: Hashable, Sendable {
  case int(UInt32)
  case long(UInt64)
  case float(Float)
  case double(Double)
  case boolean(Bool)
  case string(String)
  case bytes([UInt8])

  /// Writes it; the forms' numbers follow each other from `first` on, in metrics as in properties.
  func encode(to writer: inout ProtobufWriter, first: Int) {
    switch self {
    case .int(let value): writer.varint(first, UInt64(value))
    case .long(let value): writer.varint(first + 1, value)
    case .float(let value): writer.fixed32(first + 2, value.bitPattern)
    case .double(let value): writer.fixed64(first + 3, value.bitPattern)
    case .boolean(let value): writer.boolean(first + 4, value)
    case .string(let value): writer.string(first + 5, value)
    case .bytes(let value): writer.data(first + 6, value)
    }
  }

  /// Reads the form at `place`, counted from `int`; nil when it is none or laid out otherwise.
  init?(place: Int, _ field: ProtobufReader.Field, from reader: inout ProtobufReader) throws(ProtobufDamage) {
    switch (place, field.type) {
    case (0, .varint): self = .int(UInt32(truncatingIfNeeded: try reader.varint()))
    case (1, .varint): self = .long(try reader.varint())
    case (2, .fixed32): self = .float(Float(bitPattern: try reader.fixed32()))
    case (3, .fixed64): self = .double(Double(bitPattern: try reader.fixed64()))
    case (4, .varint): self = .boolean(try reader.varint() != 0)
    case (5, .delimited): self = .string(try reader.string())
    case (6, .delimited): self = .bytes(try reader.data())
    default: return nil
    }
  }
}

/// Something more that is said of a metric in a birth, for example its unit under `engUnit`.
public struct SparkplugProperty: Hashable, Sendable {
  /// The name.
  public var key: String
  /// The value's type.
  public var datatype: SparkplugDatatype?
  /// The value; nil for null, and for property sets, which are not read.
  public var value: SparkplugValue?

  /// Describes a property.
  public init(_ key: String, _ datatype: SparkplugDatatype?, _ value: SparkplugValue?) {
    self.key = key
    self.datatype = datatype
    self.value = value
  }

  /// A text.
  public init(_ key: String, _ text: String) { self.init(key, .string, .string(text)) }
}

/// One metric of a payload. Data sets, templates and metadata are read past.
public struct SparkplugMetric: Hashable, Sendable {
  /// Folders and name, separated by `/`; only births and commands carry it when aliases are used.
  public var name: String?
  /// The number that stands for the name after a birth.
  public var alias: UInt64?
  /// When the value was taken, Unix milliseconds.
  public var timestamp: UInt64?
  /// The value's type; births only.
  public var datatype: SparkplugDatatype?
  /// Whether it is late and must not become the current value.
  public var isHistorical = false
  /// Whether it is not worth storing.
  public var isTransient = false
  /// Whether there is no value now.
  public var isNull = false
  /// What more is said of it; births only.
  public var properties: [SparkplugProperty] = []
  /// The value.
  public var value: SparkplugValue?

  /// An empty metric.
  public init() {}

  /// A metric with its name and type, as births and deaths have it; without a value it is null.
  public init(name: String, timestamp: UInt64?, _ datatype: SparkplugDatatype, _ value: SparkplugValue?) {
    self.name = name
    self.timestamp = timestamp
    self.datatype = datatype
    self.value = value
    isNull = value == nil
  }

  /// A metric as data has it; without a value it is null.
  public init(alias: UInt64, timestamp: UInt64, isHistorical: Bool = false, _ value: SparkplugValue?) {
    self.alias = alias
    self.timestamp = timestamp
    self.isHistorical = isHistorical
    self.value = value
    isNull = value == nil
  }
}
