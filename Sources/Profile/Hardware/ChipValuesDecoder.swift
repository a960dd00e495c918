import Telemetry

/// Reads what the bytes of a chip say.
struct ChipValuesDecoder {
  let options: [ChipOption]
  let reads: [ChipRead]
  let problems: ProblemList
  private(set) var values: [ChipValue] = []

  init(options: [ChipOption], reads: [ChipRead], problems: ProblemList) {
    self.options = options
    self.reads = reads
    self.problems = problems
  }

  private static let field = [
    "from", "at", "type", "byte_order", "shift", "bits", "invalid", "scale", "offset", "multiply_by", "divide_by", "table",
  ]

  mutating func decode(_ file: DescriptionReader) {
    for (index, node) in file.items("values", atMost: ChipLimits.values).enumerated() {
      guard
        let reader = DescriptionReader(
          node, path: "values[\(index + 1)]", keys: ["quantity", "channel", "range", "product", "formula"] + Self.field,
          problems: problems)
      else { continue }
      for key in ["quantity", "channel"] where reader.node(key) == nil {
        reader.miss(
          key, key == "channel" ? "say which one it is: 'channel: ambient'" : "say what it measures: 'quantity: voltage'")
      }
      // Read before anything is left out, so that all mistakes are told at once.
      let source = source(reader)
      let range = reader.range("range") ?? -Double.greatestFiniteMagnitude...Double.greatestFiniteMagnitude
      guard let word = reader.word("quantity", among: ChipQuantity.all.map(\.name)), let quantity = ChipQuantity.named(word),
        let channel = reader.identifier("channel"), let source
      else { continue }
      if values.contains(where: { $0.quantity == quantity && $0.channel == channel }) {
        problems.add(reader.place, "\(reader.path): \(word).\(channel) is there already", remedy: "give it another channel")
      }
      values.append(ChipValue(quantity: quantity, channel: channel, source: source, range: range))
    }
    if values.isEmpty, file.node("values") != nil, problems.isEmpty {
      file.fault("values", "there are none", "write at least one")
    }
  }

  private func source(_ reader: DescriptionReader) -> ChipValue.Source? {
    let ways = ["type", "product", "formula"].filter { reader.node($0) != nil }
    guard ways.count == 1 else {
      problems.add(
        reader.place, "\(reader.path) is made in \(ways.count) ways",
        remedy: "write one of 'type' (a field in bytes), 'product' (of earlier values) and 'formula'")
      return nil
    }
    if ways[0] != "type" {
      let common = ways[0] == "product" ? ["multiply_by", "divide_by"] : []
      for key in Self.field where reader.node(key) != nil && !common.contains(key) {
        reader.fault(key, "it means nothing beside '\(ways[0])'", "remove it")
      }
    }
    switch ways[0] {
    case "product": return product(reader)
    case "formula": return formula(reader)
    default: return field(reader).map { .field($0) }
    }
  }

  /// `[voltage.bus, current.load]`
  private func product(_ reader: DescriptionReader) -> ChipValue.Source? {
    let known = values.map { "\($0.quantity.name).\($0.channel)" }
    let places = reader.names("product", among: known, what: "earlier value").compactMap { known.firstIndex(of: $0) }
    guard !places.isEmpty else { return nil }
    return .product(ChipProduct(values: places, factors: factors(reader), divisors: divisors(reader)))
  }

  private func formula(_ reader: DescriptionReader) -> ChipValue.Source? {
    guard let word = reader.word("formula", among: ChipFormula.allCases.map(\.rawValue)),
      let formula = ChipFormula(rawValue: word)
    else { return nil }
    for input in formula.inputs {
      guard let read = reads.first(where: { $0.name == input.read }), read.count >= input.bytes else {
        reader.fault(
          "formula", "\(word) needs a read '\(input.read)' of \(input.bytes) bytes",
          "add the step: {write: […], read: \(input.bytes), name: \(input.read)}")
        return nil
      }
    }
    return .formula(formula)
  }

  private func field(_ reader: DescriptionReader) -> ChipField? {
    let types = ["u8", "s8", "u16", "s16", "u24", "s24", "u32", "s32"]
    guard let type = reader.word("type", among: types), let place = types.firstIndex(of: type) else { return nil }
    let width = place / 2 + 1
    guard let read = read(reader) else { return nil }
    let at = reader.integer("at", 0...ChipLimits.readBytes) ?? 0
    checkPlace(reader, at: at, width: width, in: read)
    let shift = reader.integer("shift", 0...(width * 8 - 1)) ?? 0
    let largest = 1 << (width * 8)
    return ChipField(
      read: read.name, at: at, width: width,
      isLittleEndian: reader.word("byte_order", among: ["big", "little"]) == "little", isSigned: type.hasPrefix("s"),
      shift: shift, bits: reader.integer("bits", 1...(width * 8 - shift)),
      invalid: reader.items("invalid", atMost: ChipLimits.choices)
        .compactMap { reader.integer($0, "invalid", 0...(largest - 1)).map { UInt32($0) } },
      scale: reader.number("scale") ?? 1, offset: reader.number("offset") ?? 0,
      factors: factors(reader), divisors: divisors(reader), table: table(reader, largest))
  }

  private func read(_ reader: DescriptionReader) -> ChipRead? {
    if let name = reader.text("from") {
      if let read = reads.first(where: { $0.name == name }) { return read }
      reader.fault("from", "there is no read '\(name)'", Suggestion.remedy(for: name, among: reads.map(\.name)))
      return nil
    }
    if reads.count > 1 { reader.miss("from", "say which read: \(reads.map(\.name).joined(separator: ", "))") }
    return reads.count == 1 ? reads.first : nil
  }

  private func checkPlace(_ reader: DescriptionReader, at: Int, width: Int, in read: ChipRead) {
    guard at + width <= read.count else {
      problems.add(
        reader.place(of: "at"), "\(reader.path): bytes \(at) to \(at + width - 1) are past the end of '\(read.name)'",
        remedy: "it has \(read.count) bytes, numbered from 0")
      return
    }
    guard let every = read.checksum?.every, at % (every + 1) + width > every else { return }
    problems.add(
      reader.place(of: "at"), "\(reader.path): a checksum lies among its bytes",
      remedy: "every byte \(every) of \(every + 1) is one, counted from 0")
  }

  private func factors(_ reader: DescriptionReader) -> [String] {
    reader.names("multiply_by", among: options.map(\.name), what: "option")
  }

  /// Nothing may be divided by 0.
  private func divisors(_ reader: DescriptionReader) -> [String] {
    let names = reader.names("divide_by", among: options.map(\.name), what: "option")
    for option in options where names.contains(option.name) && option.range.contains(0) {
      reader.fault("divide_by", "'\(option.name)' may be 0", "give the option a range above 0")
    }
    return names
  }

  /// `{0: 100.0, 512: 25.0, 1023: -10.0}`
  private func table(_ reader: DescriptionReader, _ largest: Int) -> [ChipField.Point] {
    guard reader.node("table") != nil else { return [] }
    for key in ["scale", "offset", "multiply_by", "divide_by"] where reader.node(key) != nil {
      reader.fault(key, "it means nothing beside a table", "remove it")
    }
    let points = reader.pairs("table", atMost: ChipLimits.tablePoints).compactMap { pair -> ChipField.Point? in
      guard let count = DescriptionReader.integer(pair.key), count.magnitude < largest else {
        problems.add(pair.place, "\(reader.path).table: '\(pair.key)' is no count", remedy: "write 'count: number' pairs")
        return nil
      }
      return reader.number(pair.value, "table").map { ChipField.Point(count: Int64(count), number: $0) }
    }
    if points.count < 2 { reader.fault("table", "it has \(points.count) points", "write at least two") }
    for (left, right) in zip(points, points.dropFirst()) where left.count >= right.count {
      reader.fault("table", "\(right.count) stands behind \(left.count)", "write the counts in rising order")
    }
    return points
  }
}
