import Buffer
import Telemetry

/// The metrics of a node: each series has a name, a number (alias) and a type as long as the agent runs.
struct SparkplugMetricTable {
  struct Entry {
    let name: String
    let datatype: SparkplugDatatype
    let properties: [SparkplugProperty]
  }

  private(set) var entries: [Entry] = []
  private var places: [String: Int] = [:]
  /// Names in lower case: hosts' databases may not tell case apart (3.0, section 5.2).
  private var names: Set<String>

  /// `reserved` are names that a birth uses for other things.
  init(reserved: [String]) { names = Set(reserved.map { $0.lowercased() }) }

  var count: Int { entries.count }

  /// Places count from 0, aliases from 1: some hosts take an alias of 0 for none.
  static func alias(_ place: Int) -> UInt64 { UInt64(place) + 1 }

  /// The place of a series, made on first use; nil when the node has as many as it may have.
  mutating func place(of series: StoredSeries) -> Int? {
    if let known = places[series.key] { return known }
    guard entries.count < Limits.seriesPerNode else { return nil }
    var properties = [SparkplugProperty("series", series.key)]
    if !series.unit.isEmpty { properties.append(SparkplugProperty("engUnit", series.unit)) }
    let datatype: SparkplugDatatype = series.decimals == 0 ? .int64 : .double
    places[series.key] = entries.count
    entries.append(Entry(name: unique(SparkplugMetricTable.name(of: series)), datatype: datatype, properties: properties))
    return entries.count - 1
  }

  /// A value as the metric's type has it; nil, which is null on the wire, for what is none or has no place in the type.
  static func value(_ value: Double, _ datatype: SparkplugDatatype) -> SparkplugValue? {
    guard value.isFinite else { return nil }
    guard datatype == .int64 else { return .double(value) }
    return Int64(exactly: value.rounded()).map { .long(UInt64(bitPattern: $0)) }
  }

  /// `thermal.temperature_celsius{zone="cpu-thermal"}` becomes `thermal/temperature_celsius/cpu-thermal`: the slash makes folders at
  /// the host (3.0, section 6.4.6), and labels follow in the order of their keys.
  static func name(of series: StoredSeries) -> String {
    let levels = series.name.split(separator: ".").map { level(String($0)) } + series.labels.map { level($0.value) }
    return levels.joined(separator: "/")
  }

  /// One folder or name. What the specification advises against, what a host takes for a path and what cannot be seen is `_`.
  private static func level(_ text: String) -> String {
    // A mount point or a path.
    let path = text.first == "/" ? text.dropFirst() : Substring(text)
    guard !path.isEmpty else { return text.isEmpty ? "_" : "root" }
    var level = ""
    for scalar in path.unicodeScalars {
      let isDiscouraged = ".,\\@#$%^&*()[]{}|!`~:;'\"<>?/=+".unicodeScalars.contains(scalar)
      let isControl = scalar.properties.generalCategory == .control
      level.unicodeScalars.append(isDiscouraged || isControl ? "_" : scalar)
    }
    return level
  }

  private mutating func unique(_ name: String) -> String {
    if names.insert(name.lowercased()).inserted { return name }
    // As many attempts as there may be series suffice.
    for number in 2...Limits.seriesPerNode + 1 {
      let other = "\(name)_\(number)"
      if names.insert(other.lowercased()).inserted { return other }
    }
    return name
  }
}
