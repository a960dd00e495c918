/// A value of a chip: what it measures, and how it is made of bytes.
public struct ChipValue: Hashable, Sendable {
  /// What is measured, with its unit.
  public var quantity: ChipQuantity
  /// Which one of the chip's, the label `channel`: `bus`, `ambient`. Unique among those of its quantity.
  public var channel: String
  /// How it is made.
  public var source: Source
  /// What the chip can measure; anything else is a fault, not a reading.
  public var range: ClosedRange<Double>

  /// How a value is made.
  public enum Source: Hashable, Sendable {
    /// Of a field in bytes that were read.
    case field(ChipField)
    /// Made of values that stand before it: power is voltage times current.
    case product(ChipProduct)
    /// By code: a compensation that fields cannot say.
    case formula(ChipFormula)
  }

  /// Describes a value.
  public init(quantity: ChipQuantity, channel: String, source: Source, range: ClosedRange<Double>) {
    self.quantity = quantity
    self.channel = channel
    self.source = source
    self.range = range
  }
}

/// Values of the same chip multiplied, times factors, by divisors. Where one of them has no reading, this has none.
public struct ChipProduct: Hashable, Sendable {
  /// The places of the values.
  public var values: [Int]
  /// Options that multiply.
  public var factors: [String]
  /// Options that divide.
  public var divisors: [String]

  /// Describes a product.
  public init(values: [Int], factors: [String] = [], divisors: [String] = []) {
    self.values = values
    self.factors = factors
    self.divisors = divisors
  }
}

/// An integer in bytes that were read, and the number it stands for: `(raw >> shift) · scale · factors ÷ divisors + offset`.
public struct ChipField: Hashable, Sendable {
  /// The name of the read.
  public var read: String
  /// The first byte in it.
  public var at: Int
  /// Bytes, 1…4.
  public var width: Int
  /// Whether the least significant byte comes first.
  public var isLittleEndian: Bool
  /// Whether it is in two's complement.
  public var isSigned: Bool
  /// Bits below the number, which is shifted right by them.
  public var shift: Int
  /// Bits of the number itself; those above are not looked at.
  public var bits: Int
  /// Words, before they are shifted, that say there is no reading.
  public var invalid: [UInt32]
  /// What one count is worth.
  public var scale: Double
  /// Added last.
  public var offset: Double
  /// Options that multiply.
  public var factors: [String]
  /// Options that divide.
  public var divisors: [String]
  /// Numbers by count, with straight lines between them, in place of the scale; sorted by count. Empty when there is none.
  public var table: [Point]

  /// A count and what it stands for.
  public struct Point: Hashable, Sendable {
    /// The integer, shifted.
    public var count: Int64
    /// The number.
    public var number: Double

    /// Pairs them.
    public init(count: Int64, number: Double) {
      self.count = count
      self.number = number
    }
  }

  /// Describes a field.
  public init(
    read: String, at: Int = 0, width: Int, isLittleEndian: Bool = false, isSigned: Bool = false, shift: Int = 0,
    bits: Int? = nil, invalid: [UInt32] = [], scale: Double = 1, offset: Double = 0, factors: [String] = [],
    divisors: [String] = [], table: [Point] = []
  ) {
    self.read = read
    self.at = at
    self.width = width
    self.isLittleEndian = isLittleEndian
    self.isSigned = isSigned
    self.shift = shift
    self.bits = bits ?? max(width * 8 - shift, 1)
    self.invalid = invalid
    self.scale = scale
    self.offset = offset
    self.factors = factors
    self.divisors = divisors
    self.table = table
  }
}

/// A compensation in code, by the name that chip files use.
public enum ChipFormula: String, Hashable, Sendable, CaseIterable {
  case bmp280Temperature = "bmp280_temperature"
  case bmp280Pressure = "bmp280_pressure"
  case bme280Humidity = "bme280_humidity"

  /// The reads it takes by name, with the least bytes of each.
  public var inputs: [(read: String, bytes: Int)] {
    switch self {
    case .bmp280Temperature: [("calibration", 6), ("measurement", 6)]
    case .bmp280Pressure: [("calibration", 24), ("measurement", 6)]
    case .bme280Humidity: [("calibration", 26), ("humidity_calibration", 7), ("measurement", 8)]
    }
  }
}
