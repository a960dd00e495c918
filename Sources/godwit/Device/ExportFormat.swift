import ArgumentParser
import Buffer
import Telemetry

/// How exported ticks are written.
enum ExportFormat: String, CaseIterable, ExpressibleByArgument {
  case csv
  case jsonl
}

/// Turns stored ticks into lines.
struct ExportWriter {
  private let format: ExportFormat
  private let series: [StoredSeries]
  private var ticks = TickJSON()
  private var json = JSONWriter(capacity: 16_384)

  init(_ format: ExportFormat, series: [StoredSeries]) {
    self.format = format
    self.series = series
    ticks.learn(series.map(\.key))
  }

  /// What stands before the ticks.
  var header: [UInt8] {
    guard format == .csv else { return [] }
    let names = ["t", "boot", "seq", "q"] + series.map { Self.field($0.key) }
    return Array((names.joined(separator: ",") + "\r\n").utf8)
  }

  /// One tick, one line.
  mutating func line(_ tick: borrowing StoredTick) -> [UInt8] {
    switch format {
    case .jsonl: object(tick)
    case .csv: row(tick)
    }
  }

  /// As on the wire, with every value that was taken.
  private mutating func object(_ tick: borrowing StoredTick) -> [UInt8] {
    json.clear()
    ticks.append(
      to: &json, wallMilliseconds: tick.wallMilliseconds, boot: tick.epoch.boot, sequence: tick.sequence,
      synced: tick.epoch.synced,
      values: tick.values)
    return json.bytes + [UInt8(ascii: "\n")]
  }

  /// RFC 4180; a value that was not taken is an empty field.
  private mutating func row(_ tick: borrowing StoredTick) -> [UInt8] {
    let quality = tick.epoch.synced ? "synced" : "unsynced"
    var line = Array("\(WallTime.text(tick.wallMilliseconds)),\(Self.field(tick.epoch.boot)),\(tick.sequence),\(quality)".utf8)
    let values = tick.values
    for index in series.indices {
      line.append(UInt8(ascii: ","))
      guard index < values.count, values[index].isFinite else { continue }
      json.clear()
      json.number(values[index])
      line += json.bytes
    }
    return line + Array("\r\n".utf8)
  }

  private static func field(_ text: String) -> String {
    guard text.contains(where: { $0 == "," || $0 == "\"" || $0.isNewline }) else { return text }
    return "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
  }
}
