import Buffer
import Telemetry

/// All series of the node: gives each its id for the life of the buffer.
struct SeriesTable {
  /// By id.
  private(set) var series: [Series] = []
  /// As the buffer knows them, by id.
  private(set) var stored: [StoredSeries] = []
  /// Series refused because `Limits.seriesPerNode` was reached.
  private(set) var refused = 0
  private var ids: [String: Int] = [:]

  /// Takes over the series that are in the buffer.
  init(_ known: [StoredSeries]) {
    for entry in known {
      let metric = Metric(
        entry.name, unit: Unit(rawValue: entry.unit) ?? .none, kind: MetricKind(rawValue: entry.kind) ?? .gauge,
        decimals: entry.decimals, labels: entry.labels.map(\.key), help: "")
      series.append(Series(metric, entry.labels))
      stored.append(entry)
      ids[entry.key] = entry.id
    }
  }

  var count: Int { series.count }

  /// The id of a series, made on first use; nil when the table is full.
  mutating func id(of wanted: Series) -> Int? {
    if let known = ids[wanted.key] { return known }
    guard series.count < Limits.seriesPerNode else {
      refused += 1
      return nil
    }
    let id = series.count
    ids[wanted.key] = id
    series.append(wanted)
    stored.append(StoredSeries(id: id, wanted))
    return id
  }
}
