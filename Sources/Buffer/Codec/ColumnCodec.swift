import Telemetry

// One series' part of a block.
//
//   +------------------------+----------------------------------------------------------+
//   | presence               | raw:    the present values, a value stream                |
//   | only where count < rows| rollup: the counts, an integer stream; then least, most,  |
//   |                        |         sum and last, a value stream each                 |
//   +------------------------+----------------------------------------------------------+
//
//   presence  varint: how many runs; then the runs' lengths as varints: present, missing, present, …; the first may be 0
//   A rollup row is present when its count is above 0. Nothing at all stands for a column without a present row.
//
// The whole is kept as it is, its integers packed, or deflated (RFC 1951), its integers as varints: whichever is shorter.

/// How a column lies in its block.
struct ColumnForm {
  /// Digits after the point of the scaled integers.
  var digits = 0
  /// Bytes before deflating; nil when it is not deflated.
  var inflatedBytes: Int?
  /// Present rows.
  var count = 0
  /// What the present rows hold, all together; NaN left out.
  var total = Rollup()
}

/// Writes columns.
struct ColumnEncoder {
  /// Below this many bytes deflate has nothing to gain but its own head.
  private static let smallestDeflated = 24

  private let deflater = Deflater()
  private var encoders = [ValueEncoder](repeating: ValueEncoder(), count: 4)
  private var counts = IntegerEncoder()
  private var runs: [Int] = []
  private var present: [Double] = []
  private var packed: [UInt8] = []
  private var loose: [UInt8] = []
  /// The scaled integers of the last column of values; nil when a value is missing or is no such.
  private(set) var wholeIntegers: [Int64]?

  /// Appends a column of values; `missing` is absent.
  mutating func append(_ values: ArraySlice<Double>, digits: Int, to bytes: inout [UInt8]) -> ColumnForm {
    present.removeAll(keepingCapacity: true)
    runs.removeAll(keepingCapacity: true)
    runs.append(0)
    for value in values {
      extendRuns(isPresent: !value.isMissing)
      if !value.isMissing { present.append(value) }
    }
    var form = ColumnForm(digits: digits, count: present.count)
    wholeIntegers = nil
    guard !present.isEmpty else { return form }
    let scale = Double.powersOfTen[digits]
    encoders[0].take(present, digits: digits)
    if let integers = encoders[0].scaledIntegers {
      form.total = Rollup(integers[...], scale: scale)
      if present.count == values.count { wholeIntegers = integers }
    } else {
      for value in present { form.total.add(value, scale: scale) }
    }
    finish(&form, rows: values.count, parts: 1, to: &bytes)
    return form
  }

  /// Appends a column of rollups.
  mutating func append(_ column: RollupColumn, digits: Int, to bytes: inout [UInt8]) -> ColumnForm {
    runs.removeAll(keepingCapacity: true)
    runs.append(0)
    for row in column.rows { extendRuns(isPresent: row.count > 0) }
    let rows = column.rows.filter { $0.count > 0 }
    var form = ColumnForm(digits: digits, count: rows.count)
    guard !rows.isEmpty else { return form }
    form.total = column.total(scale: Double.powersOfTen[digits])
    counts.plan(rows.map { Int64($0.count) })
    encoders[0].take(rows.map(\.min), digits: digits)
    encoders[1].take(rows.map(\.max), digits: digits)
    encoders[2].take(rows.map(\.sum), digits: digits)
    encoders[3].take(rows.map(\.last), digits: digits)
    finish(&form, rows: column.rows.count, parts: 4, to: &bytes)
    return form
  }

  @inline(__always)
  private mutating func extendRuns(isPresent: Bool) {
    // Runs of present rows have even places.
    if (runs.count % 2 == 1) == isPresent { runs[runs.count - 1] += 1 } else { runs.append(1) }
  }

  private mutating func finish(_ form: inout ColumnForm, rows: Int, parts: Int, to bytes: inout [UInt8]) {
    let isWhole = form.count == rows
    packed.removeAll(keepingCapacity: true)
    write(IntegerEncoder.packed, isWhole, parts, to: &packed)
    if packed.count >= Self.smallestDeflated {
      loose.removeAll(keepingCapacity: true)
      write(IntegerEncoder.varints, isWhole, parts, to: &loose)
      // One byte less has to pay for the length before deflating.
      if deflater.deflate(loose, to: &bytes, atMost: packed.count - 2) {
        form.inflatedBytes = loose.count
        return
      }
    }
    bytes.append(contentsOf: packed)
  }

  private func write(_ packing: UInt8, _ isWhole: Bool, _ parts: Int, to bytes: inout [UInt8]) {
    if !isWhole {
      WireNumber.append(varint: UInt64(runs.count), to: &bytes)
      for run in runs { WireNumber.append(varint: UInt64(run), to: &bytes) }
    }
    if parts > 1 { counts.write(packing, to: &bytes) }
    for part in 0..<parts { encoders[part].write(packing, to: &bytes) }
  }
}

/// Reads columns.
struct ColumnDecoder {
  private let inflater = Inflater()
  private var inflated: [UInt8] = []
  private var decoder = ValueDecoder()
  private var runs: [Int] = []
  private var present: [Double] = []
  private var integers: [Int64] = []

  /// Reads a column of `rows` values into `values`, `missing` where absent; false when it is damaged.
  mutating func read(_ bytes: UnsafeRawBufferPointer, form: ColumnForm, rows: Int, to values: inout [Double]) -> Bool {
    values.removeAll(keepingCapacity: true)
    return unfold(bytes, form, rows) { (decoder: inout Self, reader: inout VarintReader) in
      if form.count == rows { return decoder.decoder.read(rows, digits: form.digits, from: &reader, to: &values) }
      decoder.present.removeAll(keepingCapacity: true)
      guard decoder.decoder.read(form.count, digits: form.digits, from: &reader, to: &decoder.present) else { return false }
      decoder.spread(decoder.present, else: .missing, to: &values)
      return true
    }
  }

  /// Reads a column of `rows` rollups, empty ones where absent; false when it is damaged.
  mutating func read(_ bytes: UnsafeRawBufferPointer, form: ColumnForm, rows: Int, to column: inout RollupColumn) -> Bool {
    column.rows.removeAll(keepingCapacity: true)
    var found: [Rollup] = []
    let isGood = unfold(bytes, form, rows) { (decoder: inout Self, reader: inout VarintReader) in
      guard form.count > 0 else { return true }
      guard let mode = reader.byte(), mode < 16,
        IntegerDecoder.read(form.count, mode: mode, from: &reader, to: &decoder.integers)
      else { return false }
      found = Array(repeating: Rollup(), count: form.count)
      for index in found.indices { found[index].count = Int(decoder.integers[index]) }
      for part in [\Rollup.min, \Rollup.max, \Rollup.sum, \Rollup.last] as [WritableKeyPath<Rollup, Double>] {
        decoder.present.removeAll(keepingCapacity: true)
        guard decoder.decoder.read(form.count, digits: form.digits, from: &reader, to: &decoder.present) else { return false }
        for index in found.indices { found[index][keyPath: part] = decoder.present[index] }
      }
      // Larger ones would overflow when they are added up.
      return found.allSatisfy { (1...BufferLimits.ticksPerRollup).contains($0.count) }
    }
    guard isGood else { return false }
    if form.count == rows { column.rows = found } else { spread(found, else: Rollup(), to: &column.rows) }
    return true
  }

  /// Inflates, reads the presence, lets `body` read the rest, and checks that nothing is left over.
  private mutating func unfold(
    _ bytes: UnsafeRawBufferPointer, _ form: ColumnForm, _ rows: Int, _ body: (inout Self, inout VarintReader) -> Bool
  ) -> Bool {
    guard (0...rows).contains(form.count) else { return false }
    guard form.count > 0 else {
      runs = [0, rows]
      var reader = VarintReader(bytes)
      return bytes.isEmpty && body(&self, &reader)
    }
    guard let size = form.inflatedBytes else { return unfold(plain: bytes, form, rows, body) }
    guard size <= BlockFormat.largestColumn(rows: rows), inflater.inflate(bytes, count: size, to: &inflated) else { return false }
    // Taken out for the call: the body changes the rest of this.
    let taken = inflated
    inflated = []
    defer { inflated = taken }
    return taken.withUnsafeBytes { unfold(plain: $0, form, rows, body) }
  }

  private mutating func unfold(
    plain bytes: UnsafeRawBufferPointer, _ form: ColumnForm, _ rows: Int, _ body: (inout Self, inout VarintReader) -> Bool
  ) -> Bool {
    var reader = VarintReader(bytes)
    if form.count < rows, !readRuns(form.count, rows, from: &reader) { return false }
    return body(&self, &reader) && reader.isAtEnd
  }

  private mutating func readRuns(_ count: Int, _ rows: Int, from reader: inout VarintReader) -> Bool {
    runs.removeAll(keepingCapacity: true)
    guard let number = reader.varint(), number <= UInt64(reader.left) else { return false }
    var sums = [0, 0]
    for index in 0..<Int(number) {
      guard let run = reader.varint(), run <= UInt64(rows) else { return false }
      runs.append(Int(run))
      sums[index % 2] += Int(run)
    }
    return sums[0] == count && sums[1] == rows - count
  }

  private func spread<Value>(_ values: [Value], else absent: Value, to all: inout [Value]) {
    var next = 0
    for (index, run) in runs.enumerated() {
      if index % 2 == 0 {
        all.append(contentsOf: values[next..<next + run])
        next += run
      } else {
        all.append(contentsOf: repeatElement(absent, count: run))
      }
    }
  }
}
