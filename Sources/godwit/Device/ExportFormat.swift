import ArgumentParser
import Buffer
import Telemetry

/// How exported ticks are written.
enum ExportFormat: String, CaseIterable, ExpressibleByArgument {
  case csv
  case jsonl

  /// What stands before the ticks.
  func header(_ series: [StoredSeries]) -> [UInt8] {
    guard self == .csv else { return [] }
    let names = ["t", "boot", "seq", "q"] + series.map { Self.field($0.key) }
    return Array((names.joined(separator: ",") + "\r\n").utf8)
  }

  /// One tick, one line.
  func line(_ tick: borrowing StoredTick, _ series: [StoredSeries], into json: inout JSONWriter) -> [UInt8] {
    switch self {
    case .jsonl: Self.object(tick, series, into: &json)
    case .csv: Self.row(tick, series, into: &json)
    }
  }

  /// As on the wire, with every value that was taken.
  private static func object(_ tick: borrowing StoredTick, _ series: [StoredSeries], into json: inout JSONWriter) -> [UInt8] {
    json.clear()
    json.beginObject()
    json.member("t", WallTime.text(tick.wallMilliseconds))
    json.member("boot", tick.epoch.boot)
    json.member("seq", tick.sequence)
    json.member("q", quality(tick))
    json.key("m")
    json.beginObject()
    let values = tick.values
    for series in series where series.id < values.count && !values[series.id].isMissing {
      json.member(series.key, values[series.id])
    }
    json.endObject()
    json.endObject()
    return json.bytes + [UInt8(ascii: "\n")]
  }

  /// RFC 4180; a value that was not taken is an empty field.
  private static func row(_ tick: borrowing StoredTick, _ series: [StoredSeries], into json: inout JSONWriter) -> [UInt8] {
    var line = Array("\(WallTime.text(tick.wallMilliseconds)),\(field(tick.epoch.boot)),\(tick.sequence),\(quality(tick))".utf8)
    let values = tick.values
    for series in series {
      line.append(UInt8(ascii: ","))
      guard series.id < values.count, values[series.id].isFinite else { continue }
      json.clear()
      json.number(values[series.id])
      line += json.bytes
    }
    return line + Array("\r\n".utf8)
  }

  private static func quality(_ tick: borrowing StoredTick) -> String { tick.epoch.synced ? "synced" : "unsynced" }

  private static func field(_ text: String) -> String {
    guard text.contains(where: { $0 == "," || $0 == "\"" || $0.isNewline }) else { return text }
    return "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
  }
}
