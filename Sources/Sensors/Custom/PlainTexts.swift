import Telemetry

/// Lines of `key=value`. Blank lines and those that begin with `#` are passed over, so are values that are text.
enum KeyValueText {
  /// All numbers of a text.
  static func samples(_ bytes: [UInt8]) throws(CustomFault) -> [CustomSample] {
    var samples: [CustomSample] = []
    var lines = CustomLines(bytes)
    while let line = lines.next() {
      let line = CustomText.trimmed(line)
      if line.isEmpty || line.first == UInt8(ascii: "#") { continue }
      guard let sign = line.firstIndex(of: UInt8(ascii: "=")) else { throw lines.fault("'=' is missing") }
      let key = CustomText.trimmed(line[..<sign])
      guard !key.isEmpty, key.count <= CustomLimits.nameBytes else { throw lines.fault("the key is empty or too long") }
      var value = CustomText.trimmed(line[(sign + 1)...])
      for quote in [UInt8(ascii: "\""), UInt8(ascii: "'")] where value.count > 1 && value.first == quote && value.last == quote {
        value = value.dropFirst().dropLast()
      }
      guard let number = CustomText.number(value) else { continue }
      guard samples.count < CustomLimits.samples else { throw lines.fault("more than \(CustomLimits.samples) values") }
      samples.append(CustomSample(name: String(decoding: key, as: UTF8.self), value: number))
    }
    return samples
  }
}

/// The numbers of a JSON text, named by their keys, joined by `_`; elements of arrays by their places from 0. `true` is 1 and `false` 0;
/// texts and nulls are passed over.
enum JSONNumbers {
  /// All numbers of a text. A number that is the whole text is called `value`.
  static func samples(_ bytes: [UInt8]) throws(CustomFault) -> [CustomSample] {
    let limits = JSONReader.Limits(bytes: bytes.count, depth: CustomLimits.depth, values: CustomLimits.samples)
    var samples: [CustomSample] = []
    do throws(JSONError) {
      collect(try JSONReader.read(bytes, limits: limits), "", &samples)
    } catch {
      let line = bytes.prefix(error.offset).count { $0 == 0x0A } + 1
      throw .malformed(line: line, what: error.what)
    }
    return samples
  }

  private static func collect(_ value: JSONValue, _ name: String, _ samples: inout [CustomSample]) {
    // Long keys within each other would take the square of the text; what has no name is refused, and counted.
    guard name.utf8.count <= CustomLimits.nameBytes else { return samples.append(CustomSample(name: "", value: 0)) }
    func inner(_ key: String) -> String { name.isEmpty ? key : "\(name)_\(key)" }
    switch value {
    case .number(let number): samples.append(CustomSample(name: name.isEmpty ? "value" : name, value: number))
    case .bool(let bool): samples.append(CustomSample(name: name.isEmpty ? "value" : name, value: bool ? 1 : 0))
    case .null, .string: return
    case .array(let elements): for (place, element) in elements.enumerated() { collect(element, inner("\(place)"), &samples) }
    case .object(let members): for member in members { collect(member.value, inner(member.key), &samples) }
    }
  }
}
