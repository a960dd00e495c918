import Buffer
import Telemetry

/// The OpenMetrics text format, version 1.0 (github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md).
enum OpenMetrics {
  /// What must end it.
  static let end = Array("# EOF\n".utf8)

  /// Series of one name, which must stand together.
  struct Family {
    let name: String
    let isCounter: Bool
    let unit: String
    var series: [StoredSeries] = []

    /// Its type, and its unit where the name ends with it, as the format demands.
    var head: [UInt8] {
      var text = "# TYPE \(name) \(isCounter ? "counter" : "gauge")\n"
      if let word = OpenMetrics.units[unit], name.hasSuffix("_" + word) { text += "# UNIT \(name) \(word)\n" }
      return Array(text.utf8)
    }

    /// What stands before a value of a series, with the blank.
    func prefix(of series: StoredSeries) -> [UInt8] {
      let labels = series.labels.map { "\(OpenMetrics.name($0.key, colons: false))=\"\(OpenMetrics.escaped($0.value))\"" }
      let braces = labels.isEmpty ? "" : "{\(labels.joined(separator: ","))}"
      return Array("\(name)\(isCounter ? "_total" : "")\(braces) ".utf8)
    }
  }

  /// Families in the order of their first series. A counter's samples end with `_total`, its family does not.
  static func families(_ series: [StoredSeries]) -> [Family] {
    var families: [Family] = []
    var places: [String: Int] = [:]
    for series in series {
      let isCounter = series.kind == MetricKind.counter.rawValue
      var name = name(series.name, colons: true)
      if isCounter, name.hasSuffix("_total") { name.removeLast("_total".count) }
      // Two metrics whose names become one may be of two kinds: a family has only one.
      while let place = places[name], families[place].isCounter != isCounter { name += "_" }
      if places[name] == nil {
        places[name] = families.count
        families.append(Family(name: name, isCounter: isCounter, unit: series.unit))
      }
      if let place = places[name] { families[place].series.append(series) }
    }
    return families
  }

  /// One sample; times are seconds.
  static func line(_ prefix: [UInt8], _ value: Double, _ wallMilliseconds: Int64) -> [UInt8] {
    var json = JSONWriter(capacity: 48)
    if value.isFinite { json.number(value) }
    let text = value.isFinite ? json.bytes : Array((value.isNaN ? "NaN" : value < 0 ? "-Inf" : "+Inf").utf8)
    return prefix + text + Array(" \(seconds(wallMilliseconds))\n".utf8)
  }

  private static func seconds(_ milliseconds: Int64) -> String {
    let rest = "\(milliseconds.magnitude % 1_000 + 1_000)".dropFirst()
    return (milliseconds < 0 ? "-" : "") + "\(milliseconds.magnitude / 1_000).\(rest)"
  }

  /// Only letters, digits and `_` are allowed, and no digit at the begin.
  private static func name(_ text: String, colons: Bool) -> String {
    let clean = text.unicodeScalars.map { scalar -> Character in
      let isPlain = scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar))
      return isPlain || (colons && scalar == ":") ? Character(scalar) : "_"
    }
    return (clean.first?.isNumber == true ? "_" : "") + String(clean)
  }

  private static func escaped(_ text: String) -> String {
    var result = ""
    for character in text.unicodeScalars {
      switch character {
      case "\\": result += #"\\"#
      case "\"": result += #"\""#
      case "\n": result += #"\n"#
      default: result.unicodeScalars.append(character)
      }
    }
    return result
  }

  private static let units = [
    "%": "percent", "B": "bytes", "B/s": "bytes_per_second", "bit/s": "bits_per_second", "1/s": "per_second",
    "s/s": "seconds_per_second", "s": "seconds", "ms": "milliseconds", "Hz": "hertz", "°C": "celsius", "V": "volts",
    "A": "amperes",
    "W": "watts", "J": "joules", "rpm": "rpm",
  ]
}
