import Buffer
import Telemetry

/// Puts a node's catalogue together from its chunks, in whichever order they come.
struct CatalogueReader: Sendable {
  private struct Chunk {
    var series: [StoredSeries]
    /// How many series there are up to its end, and their CRC.
    var count: Int
    var crc: UInt32
  }

  /// The series by id, up to the first that is not known.
  private(set) var series: [StoredSeries] = []
  private(set) var checks = SeriesChecks()
  /// By the id of the first series. A chunk of another catalogue stays until it is replaced, and is not counted on.
  private var chunks: [Int: Chunk] = [:]

  mutating func learn(_ json: [UInt8]) throws(PackedFault) {
    guard json.count <= UplinkLimits.catalogueBytes else { throw .tooLarge }
    guard let value = try? JSONValue(parsing: json), let chunk = Self.chunk(value) else { throw .damaged }
    let held = chunks.reduce(0) { $0 + ($1.key == chunk.first ? 0 : $1.value.series.count) }
    guard chunk.first + chunk.held.series.count <= Limits.seriesPerNode,
      held + chunk.held.series.count <= 2 * Limits.seriesPerNode
    else { throw .tooLarge }
    chunks[chunk.first] = chunk.held
    join()
  }

  /// Takes what follows on without a hole and with the right CRC.
  private mutating func join() {
    var (joined, found): ([StoredSeries], SeriesChecks) = ([], SeriesChecks())
    while let chunk = chunks[joined.count] {
      var next = found
      for one in chunk.series { next.learn(key: one.key, decimals: one.decimals) }
      guard next.count == chunk.count, next.check(of: next.count) == chunk.crc else { break }
      joined += chunk.series
      found = next
    }
    (series, checks) = (joined, found)
  }

  private static func chunk(_ value: JSONValue) -> (first: Int, held: Chunk)? {
    guard let count = value["catalogue"]?["count"]?.count, let crc = value["catalogue"]?["crc"]?.count,
      let crc = UInt32(exactly: crc), let elements = value["series"]?.elements, let first = elements.first?["id"]?.count
    else { return nil }
    var series: [StoredSeries] = []
    for element in elements {
      guard let id = element["id"]?.count, id == first + series.count, let key = element["key"]?.text,
        let name = element["name"]?.text, let unit = element["unit"]?.text, let kind = element["kind"]?.text,
        let decimals = element["decimals"]?.count, decimals <= 9, let members = element["labels"]?.members
      else { return nil }
      var labels: [Label] = []
      for member in members {
        guard let text = member.value.text else { return nil }
        labels.append(Label(member.key, text))
      }
      series.append(
        StoredSeries(id: id, key: key, name: name, labels: labels, unit: unit, kind: kind, decimals: decimals))
    }
    return (first, Chunk(series: series, count: count, crc: crc))
  }
}
