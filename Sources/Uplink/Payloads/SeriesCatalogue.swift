public import Buffer
import Telemetry

/// The series of a node as retained messages, in chunks, so that a new series costs one chunk and no message is large.
///
/// Chunk n begins with series n · `seriesPerChunk` and lies at the topic level `series/<id of its first series>`:
///
///     {"catalogue":{"count":2,"crc":3735928559},"series":[
///       {"id":0,"key":"cpu.core_usage_percent{core=\"0\"}","name":"cpu.core_usage_percent","labels":{"core":"0"},
///        "unit":"%","kind":"gauge","decimals":1},…]}
///
/// `count` and `crc` are over all series up to the end of the chunk (`SeriesChecks`), so a chunk that is full never changes again.
public struct SeriesCatalogue: Sendable {
  private var series: [StoredSeries] = []
  private var checks = SeriesChecks()
  private let seriesPerChunk: Int

  /// Knows no series.
  public init(seriesPerChunk: Int = UplinkLimits.seriesPerChunk) { self.seriesPerChunk = max(seriesPerChunk, 1) }

  /// How many series are known.
  public var count: Int { series.count }

  /// How many chunks they take.
  public var chunks: Int { (series.count + seriesPerChunk - 1) / seriesPerChunk }

  /// Makes series known; ids follow on.
  ///
  /// - Returns: the chunks that have to be published.
  public mutating func learn(_ more: [StoredSeries]) -> Range<Int> {
    let first = series.count / seriesPerChunk
    for one in more {
      series.append(one)
      checks.learn(key: one.key, decimals: one.decimals)
    }
    return more.isEmpty ? first..<first : first..<chunks
  }

  /// The topic level of a chunk.
  public func level(_ chunk: Int) -> String { "series/\(chunk * seriesPerChunk)" }

  /// The payload of a chunk.
  public func json(_ chunk: Int) -> [UInt8] {
    let range = (chunk * seriesPerChunk..<(chunk + 1) * seriesPerChunk).clamped(to: series.indices)
    var writer = JSONWriter(capacity: 64 + range.count * 192)
    writer.beginObject()
    writer.key("catalogue")
    writer.beginObject()
    writer.member("count", range.upperBound)
    writer.member("crc", checks.check(of: range.upperBound) ?? 0)
    writer.endObject()
    writer.key("series")
    writer.beginArray()
    for one in series[range] { write(one, to: &writer) }
    writer.endArray()
    writer.endObject()
    return writer.bytes
  }

  private func write(_ one: StoredSeries, to writer: inout JSONWriter) {
    writer.beginObject()
    writer.member("id", one.id)
    writer.member("key", one.key)
    writer.member("name", one.name)
    writer.key("labels")
    writer.beginObject()
    for label in one.labels {
      writer.key(label.key)
      writer.string(label.value)
    }
    writer.endObject()
    writer.member("unit", one.unit)
    writer.member("kind", one.kind)
    writer.member("decimals", one.decimals)
    writer.endObject()
  }
}
