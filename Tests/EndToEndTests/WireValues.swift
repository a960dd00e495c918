import Foundation

/// The values of a tick, by their place in the tree of the wire (`family`, `quantity`, values of the labels). Exports name them by flat keys, as
/// OpenMetrics does: those are taken apart, so that both can be compared.
struct WireValues: Decodable, Equatable {
  private struct Key: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  private(set) var paths: [[String]: Double] = [:]

  init(from decoder: any Decoder) throws { try read(decoder.container(keyedBy: Key.self), []) }

  /// Values by flat keys.
  init(_ values: [String: Double]) { for (key, value) in values { paths[WireValues.path(key)] = value } }

  subscript(key: String) -> Double? { paths[WireValues.path(key)] }

  private mutating func read(_ container: KeyedDecodingContainer<Key>, _ above: [String]) throws {
    for key in container.allKeys {
      if try container.decodeNil(forKey: key) { continue }
      if let branch = try? container.nestedContainer(keyedBy: Key.self, forKey: key) {
        try read(branch, above + [key.stringValue])
      } else {
        let value = try container.decode(Double.self, forKey: key)
        paths[above.isEmpty ? WireValues.path(key.stringValue) : above + [key.stringValue]] = value
      }
    }
  }

  /// `cpu.core_usage_percent{core="0"}` is at `cpu`, `core_usage_percent`, `0`.
  static func path(_ key: String) -> [String] {
    let name = key.prefix { $0 != "{" }
    let labels: [String] = key.dropFirst(name.count).matches(of: /[a-z0-9_]+="((?:[^"\\]|\\.)*)"/).map { match in
      String(match.1).replacing(/\\(.)/) { String($0.1) == "n" ? "\n" : String($0.1) }
    }
    return name.split(separator: ".", maxSplits: 1).map(String.init) + labels
  }
}
