import Telemetry

/// The text forms of Prometheus (0.0.4) and OpenMetrics 1.0: names, labels and values are taken, `# TYPE` and `# UNIT` are held against
/// what the profile states, timestamps and exemplars are passed over.
///
/// ```
/// # TYPE backup_bytes gauge
/// # UNIT backup_bytes bytes
/// backup_bytes{job="db",host="a"} 1.5e9 1732190000.123 # {…} …
/// ```
struct OpenMetricsText {
  private var lines: CustomLines
  private var kinds: [String: MetricKind] = [:]
  private var units: [String: String] = [:]

  private init(_ bytes: [UInt8]) { lines = CustomLines(bytes) }

  /// All values of a text; those that are not finite too.
  static func samples(_ bytes: [UInt8]) throws(CustomFault) -> [CustomSample] {
    var text = OpenMetricsText(bytes)
    var samples: [CustomSample] = []
    while let line = text.lines.next() {
      let line = CustomText.trimmed(line)
      if line.isEmpty { continue }
      if line.first == UInt8(ascii: "#") {
        if try text.comment(line) { break }
        continue
      }
      guard samples.count < CustomLimits.samples else { throw text.lines.fault("more than \(CustomLimits.samples) values") }
      samples.append(try text.sample(line))
    }
    return samples
  }

  /// Whether it ends the text.
  private mutating func comment(_ line: ArraySlice<UInt8>) throws(CustomFault) -> Bool {
    let words = line.dropFirst().split(maxSplits: 3, whereSeparator: CustomText.isBlank)
    guard let keyword = words.first, line.dropFirst().first.map(CustomText.isBlank) == true else { return false }
    if keyword.elementsEqual("EOF".utf8) { return words.count == 1 }
    let isType = keyword.elementsEqual("TYPE".utf8)
    guard isType || keyword.elementsEqual("UNIT".utf8) else { return false }
    guard words.count == 3, let family = Self.name(words[1], first: Self.isNameStart) else {
      throw lines.fault("a name and one word belong behind \(isType ? "TYPE" : "UNIT")")
    }
    if !isType {
      units[family] = String(decoding: words[2], as: UTF8.self)
    } else if words[2].elementsEqual("counter".utf8) {
      kinds[family] = .counter
    } else if words[2].elementsEqual("gauge".utf8) {
      kinds[family] = .gauge
    }
    return false
  }

  private func sample(_ line: ArraySlice<UInt8>) throws(CustomFault) -> CustomSample {
    let nameEnd = line.firstIndex { !Self.isName($0) } ?? line.endIndex
    guard let name = Self.name(line[..<nameEnd], first: Self.isNameStart) else { throw lines.fault("no name of a metric") }
    guard name.utf8.count <= CustomLimits.nameBytes else { throw lines.fault("the name is too long") }
    var rest = line[nameEnd...].drop(while: CustomText.isBlank)
    var labels: [Label] = []
    if rest.first == UInt8(ascii: "{") { labels = try self.labels(&rest) }
    guard rest.startIndex > nameEnd else { throw lines.fault("no value behind the name") }
    rest = rest.drop(while: CustomText.isBlank)
    let word = rest.prefix { !CustomText.isBlank($0) }
    guard let value = Self.value(word) else { throw lines.fault("no number behind the name") }
    let more = rest[word.endIndex...].drop(while: CustomText.isBlank)
    let time = more.prefix { !CustomText.isBlank($0) }
    guard time.isEmpty || time.first == UInt8(ascii: "#") || CustomText.number(time) != nil else {
      throw lines.fault("no timestamp behind the value")
    }
    let behind = more[time.endIndex...].drop(while: CustomText.isBlank)
    guard time.first == UInt8(ascii: "#") || behind.isEmpty || behind.first == UInt8(ascii: "#") else {
      throw lines.fault("something follows the timestamp")
    }
    return CustomSample(name: name, labels: labels, value: value, unit: unit(of: name), kind: kind(of: name))
  }

  // MARK: - Metadata

  /// OpenMetrics names a counter's family without the `_total` of its values, Prometheus with it.
  private func kind(of name: String) -> MetricKind? {
    if let kind = kinds[name] { return kind }
    return name.hasSuffix("_total") ? kinds[String(name.dropLast(6))] : nil
  }

  private func unit(of name: String) -> CustomUnit? {
    guard let word = units[name] ?? (name.hasSuffix("_total") ? units[String(name.dropLast(6))] : nil) else { return nil }
    return Self.units[word]
  }

  /// The base units of the specification that there are here too.
  private static let units: [String: CustomUnit] = [
    "seconds": CustomUnit(unit: .seconds), "bytes": CustomUnit(unit: .bytes), "celsius": CustomUnit(unit: .celsius),
    "volts": CustomUnit(unit: .volts), "amperes": CustomUnit(unit: .amperes), "joules": CustomUnit(unit: .joules),
    "hertz": CustomUnit(unit: .hertz), "watts": CustomUnit(unit: .watts), "pascals": CustomUnit(unit: .pascals),
    "percent": CustomUnit(unit: .percent), "milliseconds": CustomUnit(unit: .milliseconds),
  ]

  // MARK: - Parts of a line

  private static func isNameStart(_ byte: UInt8) -> Bool { isLabelStart(byte) || byte == UInt8(ascii: ":") }
  private static func isLabelStart(_ byte: UInt8) -> Bool {
    (0x61...0x7A).contains(byte) || (0x41...0x5A).contains(byte) || byte == UInt8(ascii: "_")
  }
  private static func isName(_ byte: UInt8) -> Bool { isNameStart(byte) || (0x30...0x39).contains(byte) }

  private static func name(_ bytes: ArraySlice<UInt8>, first isStart: (UInt8) -> Bool) -> String? {
    guard let first = bytes.first, isStart(first), bytes.allSatisfy(isName) else { return nil }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func value(_ word: ArraySlice<UInt8>) -> Double? {
    if let number = CustomText.number(word) { return number }
    switch String(decoding: word, as: UTF8.self).lowercased() {
    case "nan": return .nan
    case "inf", "+inf", "infinity", "+infinity": return .infinity
    case "-inf", "-infinity": return -.infinity
    default: return nil
    }
  }

  /// `{key="value",…}`, with a comma behind the last allowed; moves behind it.
  private func labels(_ rest: inout ArraySlice<UInt8>) throws(CustomFault) -> [Label] {
    var labels: [Label] = []
    rest.removeFirst()
    while true {
      rest = rest.drop(while: CustomText.isBlank)
      if rest.first == UInt8(ascii: "}") {
        rest.removeFirst()
        return labels
      }
      let key = rest.prefix(while: Self.isName)
      guard let name = Self.name(key, first: Self.isLabelStart), labels.count < CustomLimits.labels else {
        throw lines.fault("no label, or more than \(CustomLimits.labels)")
      }
      rest = rest[key.endIndex...].drop(while: CustomText.isBlank)
      guard rest.popFirst() == UInt8(ascii: "=") else { throw lines.fault("'=' is missing behind a label") }
      rest = rest.drop(while: CustomText.isBlank)
      let label = Label(name.lowercased(), try quoted(&rest))
      guard !labels.contains(where: { $0.key == label.key }) else { throw lines.fault("a label is there twice") }
      labels.append(label)
      rest = rest.drop(while: CustomText.isBlank)
      if rest.first == UInt8(ascii: ",") {
        rest.removeFirst()
      } else if rest.first != UInt8(ascii: "}") {
        throw lines.fault("',' or '}' is missing behind a label")
      }
    }
  }

  private func quoted(_ rest: inout ArraySlice<UInt8>) throws(CustomFault) -> String {
    guard rest.popFirst() == UInt8(ascii: "\"") else { throw lines.fault("a label's value is not in quotes") }
    var value: [UInt8] = []
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "\"") { return String(decoding: value, as: UTF8.self) }
      guard byte == UInt8(ascii: "\\") else {
        value.append(byte)
        continue
      }
      switch rest.popFirst() {
      case UInt8(ascii: "n"): value.append(0x0A)
      case UInt8(ascii: "\\"): value.append(UInt8(ascii: "\\"))
      case UInt8(ascii: "\""): value.append(UInt8(ascii: "\""))
      case let other?: value += [UInt8(ascii: "\\"), other]
      case nil: break
      }
    }
    throw lines.fault("a quote is missing")
  }
}
