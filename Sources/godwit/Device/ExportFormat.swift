import ArgumentParser
import Buffer
import Telemetry

/// How exported values are written.
enum ExportFormat: String, CaseIterable, ExpressibleByArgument {
  case csv
  case jsonl
  case openmetrics
  case sqlite

  /// The endings of a file's name that mean it.
  private var endings: [String] {
    switch self {
    case .csv: ["csv"]
    case .jsonl: ["jsonl", "ndjson"]
    case .openmetrics: ["om", "openmetrics", "prom"]
    case .sqlite: ["sqlite", "sqlite3", "db"]
    }
  }

  /// All endings, for people.
  static var endings: String {
    allCases.map { $0.endings.map { "." + $0 }.joined(separator: " ") + " (\($0))" }.joined(separator: ", ")
  }

  /// By the ending of a file's name; nil when it says nothing.
  init?(fileName: String) {
    guard let point = fileName.lastIndex(of: ".") else { return nil }
    let ending = fileName[fileName.index(after: point)...].lowercased()
    guard let format = Self.allCases.first(where: { $0.endings.contains(ending) }) else { return nil }
    self = format
  }
}

/// Turns stored ticks into lines.
struct ExportWriter {
  private let format: ExportFormat
  private let series: [StoredSeries]
  /// Which series are wanted, by position; nil: all, and ticks without values too.
  private let only: [Bool]?
  private var ticks = TickJSON()
  private var json = JSONWriter(capacity: 16_384)

  init(_ format: ExportFormat, series: [StoredSeries], only: Set<Int>? = nil) {
    self.format = format
    self.series = series.filter { only?.contains($0.id) ?? true }
    self.only = only.map { wanted in series.map { wanted.contains($0.id) } }
    ticks.learn(series.map(\.key))
  }

  /// What stands before the ticks.
  var header: [UInt8] {
    guard format == .csv else { return [] }
    return CSV.line(["t", "boot", "seq", "q"] + series.map(\.key))
  }

  /// One tick, one line; nil when it has none of the wanted values.
  mutating func line(_ tick: borrowing StoredTick) -> [UInt8]? {
    if let only, !zip(only, tick.values).contains(where: { $0 && !$1.isMissing }) { return nil }
    return format == .csv ? row(tick) : object(tick)
  }

  /// As on the wire, with every value that was taken.
  private mutating func object(_ tick: borrowing StoredTick) -> [UInt8] {
    json.clear()
    ticks.append(
      to: &json, wallMilliseconds: tick.wallMilliseconds, boot: tick.epoch.boot, sequence: tick.sequence,
      synced: tick.epoch.synced,
      values: tick.values, only: only)
    return json.bytes + [UInt8(ascii: "\n")]
  }

  /// RFC 4180; a value that was not taken is an empty field.
  private mutating func row(_ tick: borrowing StoredTick) -> [UInt8] {
    let quality = tick.epoch.synced ? "synced" : "unsynced"
    var line = Array("\(WallTime.text(tick.wallMilliseconds)),\(CSV.field(tick.epoch.boot)),\(tick.sequence),\(quality)".utf8)
    let values = tick.values
    for series in series {
      line.append(UInt8(ascii: ","))
      guard series.id < values.count else { continue }
      line += CSV.number(values[series.id])
    }
    return line + CSV.end
  }
}

/// One value a step of each series as lines: `t` is when the step begins.
struct SteppedWriter {
  private let format: ExportFormat
  private let keys: [String]

  init(_ format: ExportFormat, series: [StoredSeries]) {
    self.format = format
    keys = series.map(\.key)
  }

  var header: [UInt8] { format == .csv ? CSV.line(["t"] + keys) : [] }

  func line(_ wallMilliseconds: Int64, _ values: ArraySlice<Double>) -> [UInt8] {
    if format == .csv {
      return WallTime.bytes(wallMilliseconds) + values.flatMap { [UInt8(ascii: ",")] + CSV.number($0) } + CSV.end
    }
    var json = JSONWriter(capacity: 1_024)
    json.beginObject()
    json.member("t", WallTime.text(wallMilliseconds))
    json.key("m")
    json.beginObject()
    for (key, value) in zip(keys, values) where !value.isMissing { json.member(key, value) }
    json.endObject()
    json.endObject()
    return json.bytes + [UInt8(ascii: "\n")]
  }
}

/// Comma-separated values (RFC 4180).
enum CSV {
  static let end = Array("\r\n".utf8)

  static func line(_ fields: [String]) -> [UInt8] { Array(fields.map(field).joined(separator: ",").utf8) + end }

  /// Empty for what is no finite number.
  static func number(_ value: Double) -> [UInt8] {
    guard value.isFinite else { return [] }
    var json = JSONWriter(capacity: 24)
    json.number(value)
    return json.bytes
  }

  static func field(_ text: String) -> String {
    guard text.contains(where: { $0 == "," || $0 == "\"" || $0.isNewline }) else { return text }
    return "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
  }
}
