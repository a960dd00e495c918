import Telemetry

/// What a plug-in for Nagios and its kin writes
/// (https://www.monitoring-plugins.org/doc/guidelines.html, "Plugin Output for Nagios" and "Performance data"):
///
/// ```
/// DISK OK - free space: / 3326 MB (56%) | '/'=2643MB;5948;5958;0;5968      text | values
/// long text                                                                   more text
/// long text | '/boot'=68MB;88;93;0;98                                         more text | values
/// 'swap'=0%                                                                   more values
/// ```
///
/// A value is `'label'=number[UOM];warn;crit;min;max`.
enum NagiosAnswer {
  /// What the exit status 0 to 3 means: OK, WARNING, CRITICAL, UNKNOWN. The sample's name.
  static let status = "status"

  /// All values of a text.
  static func samples(_ bytes: [UInt8]) throws(CustomFault) -> [CustomSample] {
    var samples: [CustomSample] = []
    var lines = CustomLines(bytes)
    var hasOnlyValues = false
    while let line = lines.next() {
      var values = line
      if !hasOnlyValues {
        guard let bar = line.firstIndex(of: UInt8(ascii: "|")) else { continue }
        values = line[(bar + 1)...]
        hasOnlyValues = lines.number > 1
      }
      while true {
        values = values.drop(while: CustomText.isBlank)
        if values.isEmpty { break }
        let label = try label(&values, lines)
        let word = values.prefix { !CustomText.isBlank($0) }
        values = values[word.endIndex...]
        samples += try Self.samples(label, word, lines)
        guard samples.count <= CustomLimits.samples else { throw lines.fault("more than \(CustomLimits.samples) values") }
      }
    }
    return samples
  }

  /// A label, in quotes when it holds blanks, and the `=` behind it. Two quotes in quotes are one.
  private static func label(_ rest: inout ArraySlice<UInt8>, _ lines: CustomLines) throws(CustomFault) -> String {
    var label: [UInt8] = []
    let quote = UInt8(ascii: "'")
    let isQuoted = rest.first == quote
    if isQuoted { rest.removeFirst() }
    while let byte = rest.popFirst() {
      if isQuoted, byte == quote {
        if rest.first == quote {
          rest.removeFirst()
          label.append(quote)
          continue
        }
        guard rest.popFirst() == UInt8(ascii: "=") else { throw lines.fault("'=' is missing behind a label") }
        return try named(label, lines)
      }
      if !isQuoted {
        if byte == UInt8(ascii: "=") { return try named(label, lines) }
        guard !CustomText.isBlank(byte) else { throw lines.fault("a word that is no 'label'=value") }
      }
      label.append(byte)
    }
    throw lines.fault(isQuoted ? "a quote is missing" : "a word that is no 'label'=value")
  }

  private static func named(_ label: [UInt8], _ lines: CustomLines) throws(CustomFault) -> String {
    guard !label.isEmpty, label.count <= CustomLimits.nameBytes else { throw lines.fault("a label is empty or too long") }
    return String(decoding: label, as: UTF8.self)
  }

  /// The value and, where they are numbers, its thresholds and bounds, which are in its unit.
  private static func samples(
    _ label: String, _ word: ArraySlice<UInt8>, _ lines: CustomLines
  ) throws(CustomFault) -> [CustomSample] {
    let fields = word.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false)
    guard let first = fields.first, fields.count <= 6 else { throw lines.fault("too many fields of '\(label)'") }
    // "U" says that the plug-in could not tell the value.
    if first.elementsEqual([UInt8(ascii: "U")]) { return [] }
    let digits = first.prefix { (0x30...0x39).contains($0) || $0 == 0x2B || $0 == 0x2D || $0 == 0x2E }
    guard let value = CustomText.number(digits) else { throw lines.fault("no number behind '\(label)'") }
    guard let unit = units[String(decoding: first[digits.endIndex...], as: UTF8.self)] else {
      throw lines.fault("'\(label)' has an unknown unit")
    }
    var samples = [CustomSample(name: label, value: value, unit: unit.unit, kind: unit.kind)]
    for (field, name) in zip(fields.dropFirst(), ["warn", "crit", "min", "max"]) {
      guard let bound = CustomText.number(field) else { continue }
      samples.append(CustomSample(name: "\(label)_\(name)", value: bound, unit: unit.unit, isExtra: true))
    }
    return samples
  }

  /// The guidelines' units. They do not say what `KB` is; their own check_disk divides by 1024.
  private static let units: [String: (unit: CustomUnit?, kind: MetricKind?)] = {
    let kibi = 1024.0
    return [
      "": (nil, nil), "c": (nil, .counter), "%": (CustomUnit(unit: .percent), nil),
      "s": (CustomUnit(unit: .seconds), nil), "ms": (CustomUnit(unit: .seconds, factor: 1e-3), nil),
      "us": (CustomUnit(unit: .seconds, factor: 1e-6), nil), "B": (CustomUnit(unit: .bytes), nil),
      "KB": (CustomUnit(unit: .bytes, factor: kibi), nil), "MB": (CustomUnit(unit: .bytes, factor: kibi * kibi), nil),
      "GB": (CustomUnit(unit: .bytes, factor: kibi * kibi * kibi), nil),
      "TB": (CustomUnit(unit: .bytes, factor: kibi * kibi * kibi * kibi), nil),
    ]
  }()
}
