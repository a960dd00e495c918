public import Buffer
import Telemetry

/// Finds the series behind the names that payloads give them, for readers. See `MetricTree` and `HomeAssistantNames` for how those
/// are made.
///
/// A sender's tree depends on all series that it knew then, the reader's catalogue is of now. So a path is looked up in each form
/// that it may have had.
public struct SeriesNames: Sendable {
  private var plain: [[String]: String] = [:]
  private var labelled: [[String]: String] = [:]
  private var members: [String: String] = [:]

  /// Knows no series.
  public init() {}

  /// Knows these.
  public init(_ series: [StoredSeries]) {
    for one in series {
      let name = Self.levels(of: one.name)
      if plain[name + one.labels.map(\.value)] == nil { plain[name + one.labels.map(\.value)] = one.key }
      labelled[name + one.labels.map { "\($0.key)=\($0.value)" }] = one.key
      members[HomeAssistantNames.key(hash: HomeAssistantNames.hash(one.key))] = one.key
    }
  }

  /// The key of the series at a place in the tree of the payload `json`: family, quantity, then what stands below it. Where it is not
  /// known, the labels have their position for a name: `cpu.core_usage_percent{_1="0"}`.
  public func key(path: [String]) -> String {
    let short = Array(path.reversed().drop(while: \.isEmpty).reversed())
    if let known = plain[path] ?? labelled[path] ?? plain[short] ?? labelled[short] { return known }
    let labels = short.dropFirst(2).enumerated().map { Label("_\($0.offset + 1)", $0.element) }
    return Series.key(name: short.prefix(2).joined(separator: "."), labels: labels)
  }

  /// The key of the series that a member of Home Assistant's state messages stands for; nil when it is not known.
  public func key(member: String) -> String? { members[member] }

  private static func levels(of name: String) -> [String] { name.split(separator: ".", maxSplits: 1).map(String.init) }
}
