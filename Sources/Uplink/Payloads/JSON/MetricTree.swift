import Buffer
import Telemetry

/// The series of a node as a tree: family, quantity, then the values of the labels.
///
///     cpu.usage_percent                           "cpu":{"usage_percent":12.4,
///     cpu.core_usage_percent{core="0"}                   "core_usage_percent":{"0":3.1,"1":21.7}}
///     cpu.core_usage_percent{core="1"}
///
/// Names are told once per branch: half the bytes of a flat object, and each branch is what a dashboard asks for. Where the series of one
/// metric have different labels, the branches say `label=value`; where a branch has a value of its own, that stands under `""`.
struct MetricTree {
  /// A series with its place in the tree.
  private struct Leaf {
    var series: Int
    /// Its keys from the root down: where they are in `keys`.
    var path: Range<Int>
    /// How many keys from the root it shares with the leaf before.
    var shared = 0
    /// What stands between the value of the leaf before and its own, when both are there: where it is in `text`.
    var bridge = 0..<0
  }

  /// Keys as JSON texts, and bridges: as arrays of their own they would take three times the memory.
  private var text: [UInt8] = []
  /// Where each key is in `text`.
  private var keys: [Range<Int>] = []
  private var series: [StoredSeries] = []
  private var leaves: [Leaf] = []

  /// How many series are known.
  var seriesCount: Int { series.count }

  /// Makes series known; those that are known already are skipped.
  mutating func learn(_ more: some Sequence<StoredSeries>) {
    let before = series.count
    for one in more where one.id == series.count { series.append(one) }
    if series.count > before { arrange() }
  }

  /// Writes the values that are there as one object. NaN and infinities are `null`.
  func append(_ values: [Double], to writer: inout JSONWriter) {
    writer.beginObject()
    // The leaf that was written last.
    var last: Int?
    var shared = 0
    for place in leaves.indices {
      let series = leaves[place].series
      shared = min(shared, leaves[place].shared)
      guard series < values.count, !values[series].isMissing else { continue }
      if last == place - 1, place > 0 {
        writer.bridge(raw: text[leaves[place].bridge])
      } else {
        cross(from: last, to: place, shared: shared, &writer)
      }
      writer.number(values[series])
      last = place
      shared = .max
    }
    if let last { for _ in 1..<leaves[last].path.count { writer.endObject() } }
    writer.endObject()
  }

  /// Leaves the branches of one leaf and enters those of another.
  private func cross(from last: Int?, to place: Int, shared: Int, _ writer: inout JSONWriter) {
    var depth = last.map { leaves[$0].path.count - 1 } ?? 0
    while depth > shared {
      writer.endObject()
      depth -= 1
    }
    let end = leaves[place].path.upperBound - 1
    for key in keys[leaves[place].path.lowerBound + depth..<end] {
      writer.key(raw: text[key])
      writer.beginObject()
    }
    writer.key(raw: text[keys[end]])
  }

  private mutating func bridge(to place: Int) -> Range<Int> {
    var writer = JSONWriter()
    // As if behind a value.
    writer.null()
    let start = writer.bytes.count
    cross(from: place - 1, to: place, shared: leaves[place].shared, &writer)
    return keep(writer.bytes[start...])
  }

  private mutating func keep(_ piece: ArraySlice<UInt8>) -> Range<Int> {
    let start = text.count
    text.append(contentsOf: piece)
    return start..<text.count
  }

  private mutating func arrange() {
    var labels: [String: [String]] = [:]
    var mixed: Set<String> = []
    for one in series {
      let keys = one.labels.map(\.key)
      if let known = labels[one.name], known != keys { mixed.insert(one.name) } else { labels[one.name] = keys }
    }
    var paths = series.map { one in
      let name = one.name.split(separator: ".", maxSplits: 1).map(String.init)
      return name + one.labels.map { mixed.contains(one.name) ? "\($0.key)=\($0.value)" : $0.value }
    }
    // A branch that has a value of its own.
    var branches: Set<[String]> = []
    for path in paths { for length in 1..<max(path.count, 1) { branches.insert(Array(path[..<length])) } }
    var taken = Set(paths)
    for index in paths.indices where branches.contains(paths[index]) {
      repeat { paths[index].append("") } while branches.contains(paths[index]) || !taken.insert(paths[index]).inserted
    }
    let order = paths.indices.sorted { paths[$0].lexicographicallyPrecedes(paths[$1]) }
    (leaves, keys, text) = ([], [], [])
    leaves.reserveCapacity(order.count)
    for index in order { add(index, paths[index], after: leaves.last.map { paths[$0.series] } ?? []) }
    for place in leaves.indices.dropFirst() { leaves[place].bridge = bridge(to: place) }
  }

  private mutating func add(_ series: Int, _ path: [String], after before: [String]) {
    let shared = zip(path, before).prefix { $0 == $1 }.count
    let earlier = leaves.last?.path.lowerBound ?? 0
    let start = keys.count
    for depth in path.indices {
      keys.append(depth < shared ? keys[earlier + depth] : keep(Self.quoted(path[depth])[...]))
    }
    leaves.append(Leaf(series: series, path: start..<keys.count, shared: shared))
  }

  private static func quoted(_ text: String) -> [UInt8] {
    var writer = JSONWriter()
    writer.string(text)
    return writer.bytes
  }
}
