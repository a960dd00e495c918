public import Telemetry

/// Makes values of the bytes that were read of a chip. Pure: no bus, no time.
public struct ChipEvaluation: Sendable {
  private let chip: ChipDescription
  private let options: [String: Double]

  /// Takes a chip and its options' numbers.
  public init(_ chip: ChipDescription, options: [String: Double]) {
    self.chip = chip
    self.options = options
  }

  /// The values in the order of the description, of the reads by their names.
  public func values(of reads: [String: [UInt8]]) -> [Result<Double, ChipFault>] {
    var values: [Result<Double, ChipFault>] = []
    for value in chip.values {
      values.append(Result { () throws(ChipFault) in try number(value, reads, before: values) })
    }
    return values
  }

  private func number(
    _ value: ChipValue, _ reads: [String: [UInt8]], before: [Result<Double, ChipFault>]
  ) throws(ChipFault) -> Double {
    let number: Double
    switch value.source {
    case .field(let field): number = try self.number(field, try Self.bytes(field.read, reads, atLeast: field.at + field.width))
    case .product(let product):
      var result = 1.0
      for place in product.values { result *= try before[place].get() }
      number = scaled(result, product.factors, product.divisors)
    case .formula(let formula):
      var inputs: [[UInt8]] = []
      for input in formula.inputs { inputs.append(try Self.bytes(input.read, reads, atLeast: input.bytes)) }
      number = try Bosch280.value(formula, inputs)
    }
    guard value.range.contains(number) else { throw .outOfRange(number) }
    return number
  }

  private static func bytes(_ name: String, _ reads: [String: [UInt8]], atLeast count: Int) throws(ChipFault) -> [UInt8] {
    let bytes = reads[name] ?? []
    guard bytes.count >= count else { throw .short(read: name, wanted: count, got: bytes.count) }
    return bytes
  }

  private func number(_ field: ChipField, _ bytes: [UInt8]) throws(ChipFault) -> Double {
    let ordered = bytes[field.at..<(field.at + field.width)]
    var word: UInt32 = 0
    for byte in field.isLittleEndian ? Array(ordered.reversed()) : Array(ordered) { word = word << 8 | UInt32(byte) }
    guard !field.invalid.contains(word) else { throw .noReading }
    var count = Int64(word >> field.shift) & (1 << field.bits - 1)
    // Two's complement of `bits` bits: the highest one counts negative.
    if field.isSigned, count >> (field.bits - 1) == 1 { count -= 1 << field.bits }
    guard field.table.isEmpty else { return try Self.interpolated(count, field.table) }
    return scaled(Double(count) * field.scale, field.factors, field.divisors) + field.offset
  }

  private func scaled(_ number: Double, _ factors: [String], _ divisors: [String]) -> Double {
    let raised = factors.reduce(number) { $0 * (options[$1] ?? 1) }
    return divisors.reduce(raised) { $0 / (options[$1] ?? 1) }
  }

  /// The straight line between two points; outside of the table there is no reading.
  private static func interpolated(_ count: Int64, _ table: [ChipField.Point]) throws(ChipFault) -> Double {
    guard let above = table.firstIndex(where: { $0.count >= count }) else { throw .noReading }
    let upper = table[above]
    if upper.count == count { return upper.number }
    guard above > 0 else { throw .noReading }
    let lower = table[above - 1]
    let share = Double(count - lower.count) / Double(upper.count - lower.count)
    return lower.number + share * (upper.number - lower.number)
  }
}
